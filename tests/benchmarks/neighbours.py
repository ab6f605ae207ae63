"""Exact nearest neighbours beside the exact searches that a user would take instead, in one run.

    python tests/benchmarks/neighbours.py [--json]

Seconds for the 20 nearest of every query: the bare matrix product (in blocks, nothing selected), ours, scikit-learn's
brute force and faiss' IndexFlatL2. Medians of interleaved rounds. peak_mib: the most memory that a process which only
searches ours ever held, the two arrays included. The rows grow in one argument at a time.
"""

import json
import sys
from typing import Any

import faiss
import numpy as np
import torch
from measuring import Step, held_mib, peak_mib, timed
from sklearn.neighbors import NearestNeighbors

from privgan.arrays import Singles
from privgan.memory import keep_freed_memory
from privgan_audits.spaces.search.neighbours import nearest

ROWS = (
    (20_000, 20_000, 512),
    (10_000, 20_000, 512),
    (20_000, 10_000, 512),
    (20_000, 20_000, 256),
    (5_000, 5_000, 64),
)
K, ROUNDS, BLOCK = 20, 5, 2048


def row(queries: int, base: int, dimensions: int) -> dict[str, Any]:
    """One line of the table."""
    q, b = _images(queries, base, dimensions)
    works: dict[str, Step] = {
        "matmul_s": lambda: _product(torch.from_numpy(q), torch.from_numpy(b)),
        "ours_s": lambda: search(q, b),
        "sklearn_s": lambda: NearestNeighbors(n_neighbors=K, algorithm="brute").fit(b).kneighbors(q),
        "faiss_s": lambda: _faiss(q, b),
    }
    seconds = timed(list(works.values()), rounds=ROUNDS + 1)
    return {
        "queries": queries,
        "base": base,
        "dimensions": dimensions,
        **{name: round(taken, 3) for name, taken in zip(works, seconds, strict=True)},
        "peak_mib": peak_mib(__file__, queries, base, dimensions),
    }


def search(queries: Singles, base: Singles) -> object:
    """Ours, as the audit calls it, with one view a query."""
    return nearest(queries, base, k=K, turns=lambda block: [block])


def _product(queries: torch.Tensor, base: torch.Tensor) -> None:
    for block in queries.split(BLOCK):
        for part in base.split(BLOCK):
            torch.mm(block, part.T)


def _faiss(queries: Singles, base: Singles) -> object:
    index = faiss.IndexFlatL2(base.shape[1])
    index.add(base)
    return index.search(queries, K)


def _images(queries: int, base: int, dimensions: int) -> tuple[Singles, Singles]:
    rng = np.random.default_rng(0)
    return tuple(rng.standard_normal((n, dimensions), dtype=np.float32) for n in (queries, base))  # type: ignore[return-value]


def main() -> None:
    """Print the table, or one JSON object."""
    keep_freed_memory()
    faiss.omp_set_num_threads(torch.get_num_threads())
    if "--peak" in sys.argv:
        search(*_images(*(int(number) for number in sys.argv[-3:])))
        print(held_mib())
        return
    rows = []
    for numbers in ROWS:
        rows.append(row(*numbers))
        print("  ".join(f"{name} {value}" for name, value in rows[-1].items()), file=sys.stderr, flush=True)
    if "--json" in sys.argv:
        print(json.dumps({"schema_version": 1, "torch": torch.__version__, "k": K, "rows": rows}))


if __name__ == "__main__":
    main()
