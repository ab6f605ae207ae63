"""What a classifier that learned from synthetic images alone is worth on patients, beside one that learned from real.

    python tests/benchmarks/uses_teaching.py --dataset xray --synthetic DIR/synthetic [--synthetic ...] [--json]
        [--steps 750] [--look 16] [--seeds 3] [--count 6000] [--threads N] [--data DIR]

The product's own `teach` and `evaluate`, without bundle and cohort: the data sets are those of `quality.py`, with its
split by patient where it has one, and each `--synthetic` is a set that `quality.py --keep DIR` left. The same network
learns from the set, and in the same steps from as many real images of the patients whom the generator learned from;
both are examined on the test patients, whom neither saw. AUC is averaged over classes, sensitivity and specificity
stand at each arm's own thresholds. Intervals of a row are over patients, those of `together` over trainings, too,
each with other first weights and draws, or from another set (Obuchowski and Rockette 1995).

--json: {"schema_version": 1, "rows": [...], "together": {...}}. Each row has dataset, arm ("synthetic" or "real"),
set (of the former), seed, images, steps, temperature, patients, auc, accuracy, sensitivity and specificity (of the
last class), calibration_error, and the same with the test patients' shares of classes known, auc_on_synthetic or
auc_on_real (of the arm's own test part) and cpu_seconds. together: trainings and auc by arm, and auc_difference
(synthetic minus real of the same seed).
"""

import argparse
import json
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from quality_steps import ROOT
from quality_steps.datasets import NAMES, SHARED, Dataset, load

sys.path.insert(0, str(ROOT / "uses"))

from privgan.arrays import Floats, Texts
from privgan.dp.spend import PrivacySpend
from privgan.images.form import ImageForm
from privgan.images.stored import with_channels
from privgan.synthetic.splits import SPLITS, TEST, TRAIN, VALIDATION, suggested
from privgan_audits.questions.utility.examination import Examination
from privgan_uses.augmenting.doubt import Doubt
from privgan_uses.released import Origin
from privgan_uses.teaching.examining.measures import measured
from privgan_uses.teaching.examining.patients import Examined
from privgan_uses.teaching.learning import Pictures
from privgan_uses.teaching.lesson import Lesson
from privgan_uses.teaching.settings import TeachSettings
from privgan_uses.teaching.teach import taught

CYCLE = (
    TRAIN,
    TRAIN,
    TRAIN,
    TEST,
    TRAIN,
    TRAIN,
    VALIDATION,
    TRAIN,
    TRAIN,
    TEST,
)  # of patients, as of images in a set
SHOWN = ("dataset", "arm", "seed", "auc", "sensitivity", "specificity", "calibration_error")


def lesson(dataset: Dataset, pictures: Pictures, splits: Texts) -> Lesson:
    """Pictures in parts."""
    parts = {
        split: Pictures(images=pictures.images[splits == split], labels=pictures.labels[splits == split])
        for split in SPLITS
    }
    spend = PrivacySpend(epsilon=0.0, delta=1e-5, unit=dataset.unit, adjacency="zero-out")
    nobody = dict.fromkeys(("title", "licence", "purpose", "recipient", "until", "key_fingerprint"), "")
    origin = Origin(set_sha256="", cohort_id="", run_id="", spend=spend, images=len(pictures.labels), **nobody)
    form = ImageForm(side=dataset.size, channels=pictures.images.shape[3], classes=dataset.classes)
    return Lesson(parts=parts, classes=dataset.classes, form=form, origins=(origin,))


def of_set(folder: Path) -> tuple[Pictures, Texts]:
    """A set's images, in the parts that its bundle would suggest."""
    with np.load(folder / "images.npz", allow_pickle=False) as archive:
        images, labels = with_channels(archive["images"]), archive["labels"].astype(np.int64)
    return Pictures(images=images, labels=labels), suggested(labels, None)


def of_patients(dataset: Dataset, count: int) -> tuple[Pictures, Texts]:
    """At most so many real images of those whom the generator learned from."""
    rows = np.random.default_rng(0).permutation(len(dataset.train.images))[:count]
    splits = np.array(CYCLE)[np.unique(dataset.train.patients[rows], return_inverse=True)[1] % len(CYCLE)]
    return Pictures(images=dataset.train.images[rows], labels=dataset.train.labels[rows]), splits


def row(
    dataset: Dataset, arm: str, material: tuple[Pictures, Texts], settings: TeachSettings
) -> tuple[dict[str, Any], Floats]:
    """One training and its examination, and the chances that it gives."""
    started = time.process_time()
    classifier = taught(lesson(dataset, *material), settings, date(2026, 1, 1))
    test = dataset.test
    patients = Examined(
        images=test.images,
        labels=test.labels,
        patients=test.patients,
        columns={},
        whom="held-back",
        own=True,
        unknown=0,
        notes=(),
    )
    chances = classifier.chances(test.images)
    found = measured(classifier, chances, patients, np.random.default_rng(0))
    last, facts = found["classes"][-1], classifier.facts
    return {
        "dataset": dataset.name,
        "arm": arm,
        "seed": settings.seed,
        "images": len(material[1]),
        "steps": facts.steps,
        "temperature": facts.temperature,
        "patients": found["patients"],
        **{name: found[name] for name in ("auc", "accuracy")},
        **{name: last[name] for name in ("sensitivity", "specificity")},
        "calibration_error": found["chances"]["as_they_are"]["error"],
        "calibration_error_with_shares": found["chances"]["with_shares"]["error"],
        f"auc_on_{arm}": facts.on_synthetic["auc"],
        "cpu_seconds": round(time.process_time() - started, 1),
    }, chances


def together(dataset: Dataset, answers: dict[str, list[Floats]]) -> dict[str, Any]:
    """AUC of each arm and the paired difference, over trainings and patients. answers: chances of each training."""
    test = dataset.test
    exam = Examination.of(test.labels, test.patients, len(dataset.classes), np.random.default_rng(0))
    curves = {arm: np.stack([exam.curves(each)["auc"].values for each in found]) for arm, found in answers.items()}
    told: dict[str, Any] = {
        arm: {"trainings": len(found), "auc": Doubt.of(found).to_json()} for arm, found in curves.items()
    }
    if "synthetic" in curves:
        synthetic, real = curves["synthetic"], curves["real"]
        sets = len(synthetic) // len(real)
        told["auc_difference"] = Doubt.of(synthetic - np.repeat(real, sets, axis=0)).to_json(-1.0)
    return told


def words() -> argparse.Namespace:
    """What was asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", choices=NAMES, required=True)
    parser.add_argument("--synthetic", type=Path, action="append", default=[], help="a set of that data set")
    parser.add_argument("--steps", type=int, default=TeachSettings().steps)
    parser.add_argument("--look", type=int, default=TeachSettings().look)
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each arm and set; at least 2")
    parser.add_argument("--count", type=int, default=6000, help="real images to learn from at most")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    asked = words()
    if asked.threads:
        torch.set_num_threads(asked.threads)
    dataset, rows, answers = load(asked.dataset, asked.data), list[dict[str, Any]](), dict[str, list[Floats]]()
    for seed in range(asked.seeds):
        settings = TeachSettings(steps=asked.steps, seed=seed, look=asked.look)
        material = {
            "": of_patients(dataset, asked.count),
            **{str(folder): of_set(folder) for folder in asked.synthetic},
        }
        for folder, pictures in material.items():
            arm = "synthetic" if folder else "real"
            made, chances = row(dataset, arm, pictures, settings)
            rows.append(made | ({"set": folder} if folder else {}))
            answers.setdefault(arm, []).append(chances)
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    told = {"schema_version": 1, "rows": rows, "together": together(dataset, answers)}
    print(json.dumps(told, allow_nan=False) if asked.json else table(told))


def table(told: dict[str, Any]) -> str:
    """For people."""
    lines = ["  ".join([name, *(_cell(each.get(name)) for each in told["rows"])]) for name in SHOWN]
    each = {arm: found.get("auc", found) for arm, found in told["together"].items()}
    return "\n".join([*lines, *(f"together, {name}  {_cell(number)}" for name, number in each.items())])


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return f"{value['value']:.3f} ({value['low']:.3f} to {value['high']:.3f})"
    return "-" if value is None else str(value)


if __name__ == "__main__":
    main()
