"""Whether a released set helps a second hospital that has few images of its own.

    python tests/benchmarks/uses_augmenting.py --dataset xray [--epsilon 3] [--prior FOLDER] [--sizes 20,5,100]
        [--repeats 6] [--steps 100] [--count 6000] [--keep DIR] [--data DIR] [--threads N] [--validate] [--json]

Patients are shared out by a digest of their id: half of them are hospital A's, which makes the set through the
product's own verbs; a fifth are examined on, a fifth are those of whom hospital B has a few, and the last tenth is a
pool and its examination for choices (--validate), so that nothing is chosen on those who are examined on. Of
`pneumonia` every picture counts as somebody's only one. Lessons without synthetic images are learned once, and stand
beside those of every set: the same few patients, the same first weights, the same examination.

Rows are written as they come; a set that lies in --keep is used again.
--json: {"schema_version": 1, "rows": [...]}, each row with dataset, set ("plain" or "prior"), epsilon, members,
count, repeats, steps, seconds (of this process's CPU, for this size and set), held_back (patients by class),
patients (of each class to learn from), images (by class, mean) and arms: see `study.compared` of the product.
"""

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from quality_steps.datasets import LUNGS, SHARED, Dataset, load
from quality_steps.verbs import Order, make_synthetic

from privgan.arrays import Floats
from privgan.images.stored import with_channels
from privgan_audits.evidence.interface import Sample
from privgan_audits.questions.utility.drawing import subset, together
from privgan_uses.augmenting.arms import ARMS
from privgan_uses.augmenting.design import AugmentDesign
from privgan_uses.augmenting.lessons import patients_of, usual_changes
from privgan_uses.augmenting.study import Sides, study

SETTINGS = Path(__file__).with_name("quality_steps")
CONFIG = {"xray": SETTINGS / "warm_start.toml", "pneumonia": SETTINGS / "body.toml"}
SHARES = {
    "test": (0.0, 0.2),
    "few": (0.2, 0.4),
    "few to choose": (0.4, 0.45),
    "to choose": (0.45, 0.5),
    "A": (0.5, 1),
}
_SEED = 26


@dataclass(frozen=True, kw_only=True)
class Hospitals:
    """Who makes the set, of whom a few are learned from, who is examined on."""

    maker: Sample
    few: Sample
    test: Sample


def place(patient: int) -> float:
    """Where a patient stands between 0 and 1: the digits of a digest, so that anybody can share out alike."""
    return int(hashlib.sha256(str(patient).encode()).hexdigest()[:13], 16) / 16**13


def hospitals(dataset: Dataset, names: np.ndarray, *, choose: bool) -> Hospitals:
    """Patients shared out; examined images that are exact copies of others' are dropped."""
    everybody = together(dataset.train, dataset.test)
    places = np.array([place(name) for name in names])[everybody.patients]

    def part(name: str) -> Sample:
        low, high = SHARES[name]
        return subset(everybody, (places >= low) & (places < high))

    maker, few, test = part("A"), part("few to choose" if choose else "few"), part("to choose" if choose else "test")
    known = {image.tobytes() for side in (maker, few) for image in side.images}
    return Hospitals(
        maker=maker, few=few, test=subset(test, np.array([image.tobytes() not in known for image in test.images]))
    )


def names_of(dataset: Dataset, folder: Path) -> np.ndarray:
    """The ids by which patients are shared out, in the order of their numbers."""
    if dataset.unit == "record":
        return np.arange(len(dataset.train.images) + len(dataset.test.images))
    with np.load(folder / "kermany_cxr_64.npz", allow_pickle=False) as archive:
        return np.unique(archive["patient_id"])


def set_of(dataset: Dataset, maker: Sample, asked: argparse.Namespace, prior: Path | None, folder: Path) -> Sample:
    """Hospital A's synthetic images, made there unless they lie there."""
    if not (folder / "synthetic" / "images.npz").is_file():
        order = Order(
            epsilon=asked.epsilon,
            count=asked.count,
            config=CONFIG[dataset.name],
            threads=asked.threads,
            prior=prior,
        )
        make_synthetic(replace(dataset, train=maker), order, folder)
    with np.load(folder / "synthetic" / "images.npz", allow_pickle=False) as archive:
        images, labels = with_channels(archive["images"]), archive["labels"].astype(np.int64)
    return Sample(images=images, labels=labels, patients=-1 - np.arange(len(images)))


def rows(asked: argparse.Namespace, keep: Path) -> Iterator[dict[str, Any]]:
    """Of each size and set."""
    dataset = load(asked.dataset, asked.data)
    found = hospitals(dataset, names_of(dataset, asked.data), choose=asked.validate)
    priors = {"plain": None} | ({"prior": asked.prior} if asked.prior else {})
    sets = {name: set_of(dataset, found.maker, asked, prior, keep / name) for name, prior in priors.items()}
    held_back = {name: len(patients_of(found.test, label)) for label, name in enumerate(LUNGS)}
    changes = usual_changes("CHEST")
    for size in asked.sizes:
        without: dict[str, dict[str, Floats]] = {}
        for name, given in sets.items():
            began = time.process_time()
            arms = tuple(arm for arm in ARMS if arm.synthetic or not without)
            design = AugmentDesign(sizes=(size,), repeats=asked.repeats, steps=asked.steps, arms=arms)
            sides = Sides(own=found.few, test=found.test, given=given, names=LUNGS)
            (learned,) = study(sides, design, changes, np.random.default_rng(_SEED + size))
            without |= {arm.name: learned.curves[arm.name] for arm in arms if not arm.synthetic}
            whole = replace(learned, curves={**without, **learned.curves})
            yield {
                "dataset": dataset.name,
                "set": name,
                "epsilon": asked.epsilon,
                "members": found.maker.patient_count,
                "count": len(given.labels),
                "repeats": asked.repeats,
                "steps": asked.steps,
                "seconds": round(time.process_time() - began, 1),
                "held_back": held_back,
                **whole.to_json(ARMS, LUNGS),
            }


def table(row: dict[str, Any]) -> str:
    """For people."""
    lines = [f"{row['dataset']}, {row['set']}: {row['patients']} patients of each class, {row['images']} images"]
    for name, arm in row["arms"].items():
        area, apart = arm["auc"], arm.get("difference")
        told = f"{name:18} {area['value']:.3f} ({area['low']:.3f} to {area['high']:.3f})"
        told += "".join(f"  {each['value']:.3f}" for each in arm["sensitivity"].values())
        if apart:
            told += f"  {apart['value']:+.3f} ({apart['low']:+.3f} to {apart['high']:+.3f}) to {apart['to']}"
            told += f": {arm['answer']}"
        lines.append(told)
    return "\n".join(lines)


def words() -> argparse.Namespace:
    """What was asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", choices=tuple(CONFIG), required=True)
    parser.add_argument("--epsilon", type=float, default=3.0)
    parser.add_argument("--prior", type=Path, help="folder that `privgan prior` made; adds a set that began with it")
    parser.add_argument("--sizes", type=lambda text: tuple(map(int, text.split(","))), default=(5, 20, 100))
    parser.add_argument("--repeats", type=int, default=6)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--count", type=int, default=6_000, help="synthetic images")
    parser.add_argument("--validate", action="store_true", help="on the patients who are there for choices")
    parser.add_argument("--keep", type=Path, help="keep cohorts, runs and sets in a folder, and use those there")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--data", type=Path, default=SHARED, help="folder of the public .npz files")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    asked = words()
    if asked.threads:
        torch.set_num_threads(asked.threads)
    told = []
    with nullcontext(asked.keep) if asked.keep else tempfile.TemporaryDirectory() as place_:
        for row in rows(asked, Path(place_)):
            told.append(row)
            print(table(row), file=sys.stderr, flush=True)  # not lost with what comes after it
    if asked.json:
        print(json.dumps({"schema_version": 1, "rows": told}, allow_nan=False))


if __name__ == "__main__":
    main()
