"""What a classifier that learned from synthetic images alone is worth on patients, beside one that learned from real.

    python tests/benchmarks/uses_teaching.py --dataset xray --synthetic DIR/synthetic [--synthetic ...] [--json]
        [--steps 600] [--seeds 1] [--count 6000] [--threads N] [--data DIR]

The product's own `teach` and `evaluate`, without bundle and cohort: the data sets are those of `quality.py`, with its
split by patient where it has one, and `--synthetic` is a set that `quality.py --keep DIR` left. The same network,
steps and calibration learn from the set, and from as many real images of the patients whom the generator learned
from; both are examined once on the test patients, whom neither saw. AUC is averaged over classes, sensitivity and
specificity stand at each arm's own thresholds, intervals are over patients.

--json: {"schema_version": 1, "rows": [...]}, each with dataset, arm ("synthetic" or "real"), seed, images, steps,
temperature, patients, auc, accuracy, sensitivity and specificity (of the last class), calibration_error with by_luck,
and the same with the test patients' shares of classes known, auc_on_synthetic (of the synthetic arm's own test part),
auc_difference (synthetic minus real, paired over patients) and cpu_seconds.
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
from privgan_audits.questions.utility.examination import Curve, Examination
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
SHOWN = ("dataset", "arm", "seed", "auc", "sensitivity", "specificity", "calibration_error", "auc_difference")


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
        **{
            name: found["chances"][which][key]
            for which, names in (
                ("as_they_are", {"calibration_error": "error", "by_luck": "by_luck"}),
                ("with_shares", {"calibration_error_with_shares": "error"}),
            )
            for name, key in names.items()
        },
        f"auc_on_{arm}": facts.on_synthetic["auc"],
        "cpu_seconds": round(time.process_time() - started, 1),
    }, chances


def difference(dataset: Dataset, one: Floats, other: Floats) -> dict[str, float]:
    """AUC of one minus that of the other, on the same resamples of the test patients."""
    test = dataset.test
    exam = Examination.of(test.labels, test.patients, len(dataset.classes), np.random.default_rng(0))
    first, second = (exam.curves(chances)["auc"] for chances in (one, other))
    gap: Curve = first.minus(second)
    return gap.to_json()


def words() -> argparse.Namespace:
    """What was asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", choices=NAMES, required=True)
    parser.add_argument("--synthetic", type=Path, action="append", default=[], help="a set of that data set")
    parser.add_argument("--steps", type=int, default=TeachSettings().steps)
    parser.add_argument("--seeds", type=int, default=1)
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
    dataset, rows = load(asked.dataset, asked.data), list[dict[str, Any]]()
    for seed in range(asked.seeds):
        settings = TeachSettings(steps=asked.steps, seed=seed)
        real, ceiling = row(dataset, "real", of_patients(dataset, asked.count), settings)
        rows.append(real)
        print(json.dumps(real), file=sys.stderr, flush=True)
        for folder in asked.synthetic:
            made, chances = row(dataset, "synthetic", of_set(folder), settings)
            rows.append(made | {"set": folder.parent.name, "auc_difference": difference(dataset, chances, ceiling)})
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    print(json.dumps({"schema_version": 1, "rows": rows}, allow_nan=False) if asked.json else table(rows))


def table(rows: list[dict[str, Any]]) -> str:
    """For people."""
    return "\n".join("  ".join([name, *(_cell(each.get(name)) for each in rows)]) for name in SHOWN)


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return f"{value['value']:.3f} ({value['low']:.3f} to {value['high']:.3f})"
    return "-" if value is None else str(value)


if __name__ == "__main__":
    main()
