"""Exact nearest neighbours in memory that does not grow with the product of the two sides.

Blocks of float32 matrix products keep a running list of the best candidates, a few more than asked for;
these are measured again in float64 by direct differences, because |q|^2 + |b|^2 - 2qb loses small distances,
which are the ones that matter here. Equal distances are ordered by row number. Nothing is approximate:
an index with a recall of 99.3 % would miss 7 of 1,000 copies.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from privgan.progress import Progress, silent
from privgan_audits.spaces import Grid

BASE_BLOCK = 2048
PRODUCTS = 1 << 23  # values of one block of products; few large steps, because threads wait for each other in each
MOST_QUERIES = 1024  # of one block, whose views are all in memory
_SPARE = 3  # candidates beyond k, so that float32 ties at the edge cannot decide

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Groups = tuple[Integers, Integers]


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The k nearest base images of each query, nearest first.

    distances: float64 (n, k), infinite where there is no candidate; rows: int64 (n, k), base rows;
    views: int64 (n, k), which view of the query came closest.
    """

    distances: Floats
    rows: Integers
    views: Integers


def nearest(
    queries: Grid,
    base: Grid,
    *,
    k: int,
    turns: Callable[[Grid], list[Grid]],
    apart: Groups | None = None,
    task: str = "nearest neighbours",
    progress: Progress = silent,
) -> Neighbours:
    """The k nearest base images of each query, Euclidean, each by the closest of the query's views.

    Args:
        queries: float32 (n, ...), in whatever form `turns` takes.
        base: float32 (m, d), m >= 1.
        k: how many; at most m come back.
        turns: all views of a block of queries, each float32 (block, d); the base is never turned.
        apart: groups of the queries (n,) and of the base (m,); pairs of one group are left out.
        task: the name under which progress is told.
        progress: listener.
    """
    k = min(k, len(base))
    # (-2q, |q|^2, 1) . (b, 1, |b|^2) is the squared distance
    norms = np.square(base).sum(axis=1, keepdims=True)
    columns = torch.from_numpy(np.concatenate([base, np.ones_like(norms), norms], axis=1))
    step = _block_size(len(turns(queries[:1])), len(base))
    parts: list[Neighbours] = []
    for start in range(0, len(queries), step):
        turned = np.stack(turns(queries[start : start + step]))
        groups = None if apart is None else (apart[0][start : start + step], apart[1])
        rows, reachable = _candidates(turned, columns, k + _SPARE, groups)
        parts.append(_measured_again(turned, base, rows, reachable, k))
        progress(task, min(start + step, len(queries)), len(queries))
    return Neighbours(
        distances=np.concatenate([part.distances for part in parts]),
        rows=np.concatenate([part.rows for part in parts]),
        views=np.concatenate([part.views for part in parts]),
    )


def _block_size(views: int, base: int) -> int:
    return max(1, min(MOST_QUERIES, PRODUCTS // (views * min(base, BASE_BLOCK))))


def _candidates(
    turned: Grid, columns: torch.Tensor, keep: int, apart: Groups | None
) -> tuple[Integers, NDArray[np.bool_]]:
    """Rows (n, keep) that are nearest in float32, in no order, and whether each may be compared at all."""
    views, queries, size = turned.shape
    norms = np.square(turned).sum(axis=2, keepdims=True)
    left = np.concatenate([-2 * turned, norms, np.ones_like(norms)], axis=2).reshape(-1, size + 2)
    products = torch.from_numpy(left)
    values = torch.full((queries, 0), torch.inf)
    rows = torch.zeros((queries, 0), dtype=torch.int64)
    for start in range(0, len(columns), BASE_BLOCK):
        part = columns[start : start + BASE_BLOCK]
        squared = (products @ part.T).reshape(views, queries, len(part)).amin(dim=0)
        if apart is not None:
            same = apart[0][:, None] == apart[1][None, start : start + len(part)]
            squared.numpy()[same] = np.inf
        best, column = squared.topk(min(keep, len(part)), dim=1, largest=False)
        values, rows = torch.cat([values, best], dim=1), torch.cat([rows, column + start], dim=1)
        if values.shape[1] > keep:
            values, order = values.topk(keep, dim=1, largest=False)
            rows = rows.gather(1, order)
    return rows.numpy(), np.isfinite(values.numpy())


def _measured_again(turned: Grid, base: Grid, rows: Integers, reachable: NDArray[np.bool_], k: int) -> Neighbours:
    """The candidates' views and distances in float64; the view by products, the distance by differences."""
    queries = turned.transpose(1, 0, 2).astype(np.float64)
    targets = base[rows].astype(np.float64)
    products = targets @ queries.transpose(0, 2, 1) - np.square(queries).sum(axis=2)[:, None] / 2
    views = products.argmax(axis=2)
    chosen = np.take_along_axis(queries, views[:, :, None], axis=1)
    distances = np.where(reachable, np.sqrt(np.square(chosen - targets).sum(axis=2)), np.inf)
    order = np.lexsort((rows, distances), axis=1)[:, :k]
    return Neighbours(
        distances=np.take_along_axis(distances, order, axis=1),
        rows=np.take_along_axis(rows, order, axis=1),
        views=np.take_along_axis(views, order, axis=1),
    )
