"""How good synthetic pictures are at a given epsilon, in the field's protocol and through the product's own verbs.

    python tests/benchmarks/quality.py --dataset mnist --epsilon 10 --minutes 60 [--json]
        [--prior FOLDER [--gains]] [--seeds 1] [--count 60000] [--epochs 10] [--config train.toml] [--threads N]
        [--ceiling] [--grid FILE.png] [--keep DIR] [--limit N] [--data DIR]

A row for each epsilon and seed: `prepare`, `train` and `generate` on the public training split at delta 1e-5, then a
small network that learned from the synthetic pictures alone is tested once on real ones ("Private GANs, Revisited",
Bie, Kamath and Zhang 2023). `seed` seeds that network only: training's noise and draws come from the system's
entropy, as they do for a hospital, and every row is a training of its own. `minutes` are those of the three verbs,
what a hospital pays; the examination counts apart. The ceiling is what the same network learns from the real training
pictures; `pneumonia` and `xray` have it unasked. Likeness is measured with the audit's own code.

--json: {"schema_version": 1, "rows": [...]}, each row with dataset, unit ("record" or "patient"), epsilon (asked),
spent (the accountant's), delta, seed, accuracy and auc (0 to 1, of test pictures), ceiling_accuracy and ceiling_auc
(where measured), minutes and prepare_, train_, generate_ and evaluation_minutes, peak_mib (the most that a verb
held), method, network, loss and preset (where the run names them), steps, members, count, epochs, chosen_epoch,
limited, precision, recall, density, coverage, kernel_distance, spectrum_distance (of synthetic beside test pictures;
null of too few), realism with realism_low and realism_high (how often a network tells synthetic from real pictures:
0.5 never, 1 always; 95 % interval), realism_shapes (the same at 16 pixels a side), and `reference`: the same ten of
real training pictures. marks_gap: balanced accuracy of the examining network on synthetic pictures that it did not
learn from, minus that on test pictures: what classes are known by that real ones do not have. --gains: `with_gains`
and `without_gains`, likeness of the first 2,000 pictures as they are and from the same latents without gains.
"""

import argparse
import json
import math
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from quality_steps.datasets import NAMES, SHARED, Dataset, load
from quality_steps.examiner import Grade, Pictures, examine
from quality_steps.gains import with_and_without_gains
from quality_steps.likeness import NUMBERS, REALISM, likeness, realism
from quality_steps.verbs import Made, Order, make_synthetic

from privgan.images.contact_sheet import contact_sheet
from privgan.images.containers import png_bytes
from privgan.images.stored import as_stored, with_channels
from privgan_audits.evidence.interface import Sample

SHOWN = (
    "epsilon",
    "seed",
    "accuracy",
    "auc",
    "ceiling_accuracy",
    "ceiling_auc",
    "minutes",
    "marks_gap",
    *NUMBERS,
    *REALISM,
)
COLUMNS = 10  # of a grid


def measured(dataset: Dataset, asked: argparse.Namespace, epsilon: float, seed: int, folder: Path) -> dict[str, Any]:
    """One training and its examination, but for the ceiling."""
    order = Order(
        epsilon=epsilon,
        count=asked.count,
        minutes=asked.minutes,
        config=asked.config,
        threads=asked.threads,
        prior=asked.prior,
    )
    made = make_synthetic(dataset, order, folder)
    started = time.perf_counter()
    synthetic = read_synthetic(made.synthetic / "images.npz")
    grade = graded(dataset, synthetic, asked, seed, f"{dataset.name}, epsilon {epsilon:g}, seed {seed}")
    like, told = likeness(dataset, synthetic, made.synthetic), realism(dataset, synthetic)
    if asked.grid:
        draw_grid(asked.grid, synthetic, dataset.classes, f"-epsilon{epsilon:g}-seed{seed}" if asked.several else "")
    return {
        "dataset": dataset.name,
        "epsilon": epsilon,
        "spent": made.epsilon,
        "delta": made.delta,
        "unit": dataset.unit,
        "members": made.members,
        "seed": seed,
        "accuracy": grade.accuracy,
        "auc": number(grade.auc),
        "marks_gap": grade.marks_gap,
        **costs(made, (time.perf_counter() - started) / 60),
        **described(made),
        "prior": asked.prior is not None,
        "count": asked.count,
        "epochs": asked.epochs,
        "chosen_epoch": grade.epoch,
        "limited": asked.limit is not None,
        **{name: like.get("synthetic", {}).get(name) for name in NUMBERS},
        **{name: told.get("synthetic", {}).get(name) for name in REALISM},
        "reference": like.get("reference", {}) | told.get("reference", {}) or None,
        **(with_and_without_gains(dataset, folder / "run", made.synthetic) if asked.gains else {}),
    }


def costs(made: Made, evaluation: float) -> dict[str, float]:
    """Minutes of everything, and the memory."""
    each = {f"{verb}_minutes": round(value, 3) for verb, value in made.minutes.items()}
    whole = round(sum(made.minutes.values()), 3)
    return {"minutes": whole, **each, "evaluation_minutes": round(evaluation, 3), "peak_mib": made.peak_mib}


def described(made: Made) -> dict[str, Any]:
    """How the run's own files name the method."""
    parts = [made.named[key] for key in ("network", "loss") if key in made.named]
    return {"method": " + ".join(parts) or "privgan", **made.named, "steps": made.steps}


def graded(dataset: Dataset, learned: Sample, asked: argparse.Namespace, seed: int, task: str) -> Grade:
    """The examination on real test pictures of what was learned from a sample."""
    lesson, test = (Pictures(images=as_stored(part.images), labels=part.labels) for part in (learned, dataset.test))
    return examine(lesson, test, len(dataset.classes), seed=seed, epochs=asked.epochs, task=task)


def read_synthetic(path: Path) -> Sample:
    """A set's pictures, each somebody's only one."""
    with np.load(path, allow_pickle=False) as archive:
        images, labels = archive["images"], archive["labels"]
    # Nobody owns a synthetic picture; the numbers are none of a real patient.
    return Sample(images=with_channels(images), labels=labels.astype(np.int64), patients=-1 - np.arange(len(images)))


def draw_grid(path: Path, synthetic: Sample, classes: tuple[str, ...], suffix: str) -> None:
    """Ten pictures a class, a row each."""
    rows = [np.flatnonzero(synthetic.labels == label)[:COLUMNS] for label in range(len(classes))]
    chosen = np.concatenate(rows)
    path = path.with_stem(path.stem + suffix)
    path.unlink(missing_ok=True)
    path.write_bytes(png_bytes(contact_sheet(as_stored(synthetic.images[chosen]), synthetic.labels[chosen], classes)))


def number(value: float) -> float | None:
    """JSON has no nan."""
    return value if math.isfinite(value) else None


def words() -> argparse.Namespace:
    """What was asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", choices=NAMES, required=True)
    parser.add_argument("--epsilon", required=True, help="one number, or several separated by commas")
    parser.add_argument("--seeds", type=int, default=1, help="trainings for each epsilon")
    parser.add_argument("--minutes", type=float, help="of `privgan train`; left out: as the configuration says")
    parser.add_argument("--config", type=Path, help="train.toml")
    parser.add_argument("--prior", type=Path, help="folder that `privgan prior` made")
    parser.add_argument("--gains", action="store_true", help="measure likeness without the prior's gains, too")
    parser.add_argument("--public", type=Path, help="write the data set's public part as an .npz there, and leave")
    parser.add_argument("--count", type=int, default=60_000, help="synthetic pictures")
    parser.add_argument("--epochs", type=int, default=10, help="of the examining network")
    parser.add_argument("--threads", type=int, help="of every process; left out: as torch chooses")
    parser.add_argument("--ceiling", action="store_true", help="measure what real training pictures teach, too")
    parser.add_argument("--grid", type=Path, help="PNG of synthetic pictures, ten a class")
    parser.add_argument("--keep", type=Path, help="keep cohorts, runs and synthetic sets in a folder")
    parser.add_argument("--limit", type=int, help="real pictures on each side, to try the benchmark out")
    parser.add_argument("--data", type=Path, default=SHARED, help="folder of the public .npz files")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.gains and asked.prior is None:
        parser.error("--gains needs a --prior: nothing else has them")
    asked.epsilons = [float(text) for text in asked.epsilon.split(",")]
    asked.several = len(asked.epsilons) * asked.seeds > 1
    return asked


def rows_of(dataset: Dataset, asked: argparse.Namespace, place: Path) -> list[dict[str, Any]]:
    """All rows, the ceiling learned once a seed."""
    rows = []
    for seed in range(asked.seeds):
        ceiling = {}
        if asked.ceiling or dataset.medical:
            top = graded(dataset, dataset.train, asked, seed, f"{dataset.name}, real pictures, seed {seed}")
            ceiling = {"ceiling_accuracy": top.accuracy, "ceiling_auc": number(top.auc)}
        for epsilon in asked.epsilons:
            folder = place / f"{dataset.name}-epsilon{epsilon:g}-seed{seed}"
            rows.append(measured(dataset, asked, epsilon, seed, folder) | ceiling)
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)  # not lost with what comes after it
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """For people."""
    cells = [SHOWN, *(tuple(_cell(row.get(name)) for name in SHOWN) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)


def _cell(value: object) -> str:
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def main() -> None:
    """Measure and print."""
    asked = words()
    if asked.threads:
        torch.set_num_threads(asked.threads)
    dataset = load(asked.dataset, asked.data)
    if asked.public:
        if dataset.public is None:
            raise SystemExit(f"Expected a data set with a public part, {dataset.name} has none.")
        np.savez(asked.public, images=as_stored(dataset.public))
        return
    if asked.limit is not None:
        dataset = dataset.limited(asked.limit)
    sizes = f"{len(dataset.train.images)} pictures to learn from, {len(dataset.test.images)} to be tested on"
    print(f"{dataset.name}: {sizes}, {dataset.dropped} copies dropped", file=sys.stderr, flush=True)
    kept = nullcontext(asked.keep) if asked.keep else tempfile.TemporaryDirectory()
    with kept as place:
        rows = rows_of(dataset, asked, Path(place))
    print(json.dumps({"schema_version": 1, "rows": rows}, allow_nan=False) if asked.json else table(rows))


if __name__ == "__main__":
    main()
