"""How right a classifier is on patients, class by class, how far its chances can be believed, and for whom.

Every interval is over patients, by the audit's own examination. Chances are judged as they come out, and once more
after the shares of classes in this house were taken into account (Saerens et al. 2002, "Adjusting the outputs of a
classifier to new a priori probabilities"): they are calibrated for equal shares.
"""

import math
from typing import Any

import numpy as np

from privgan.arrays import Flags, Floats, Texts
from privgan_audits.questions.utility.examination import Curve, Examination
from privgan_uses.teaching.classifier import Classifier
from privgan_uses.teaching.examining.patients import FEWEST, Examined
from privgan_uses.teaching.examining.reliability import reliability


def measured(classifier: Classifier, chances: Floats, patients: Examined, rng: np.random.Generator) -> dict[str, Any]:
    """All numbers, as JSON has them.

    Args:
        classifier: that is examined.
        chances: float64 (n, classes), its answers.
        patients: whom it was asked about.
        rng: of the resamples.
    """
    names = classifier.facts.classes
    exam = Examination.of(patients.labels, patients.patients, len(names), rng)
    shares = np.bincount(exam.labels, exam.weights, minlength=exam.classes)
    every, right = np.ones(len(chances), dtype=np.bool_), chances.argmax(axis=1) == exam.labels
    auc = _mean([exam.area(chances[:, label], exam.labels == label) for label in range(exam.classes)])
    there = [exam.patients(exam.labels == label) for label in range(exam.classes)]
    return {
        "patients": exam.patients(every),
        "images": len(chances),
        "auc": _said(Curve(values=auc, patients=min(filter(None, there)))),
        "accuracy": _said(exam.rate(right, every)),
        "classes": [
            {"name": name, "patients": there[label], **_of_class(exam, classifier, chances, label)}
            for label, name in enumerate(names)
        ],
        "confusion": _confusion(exam, chances),
        "chances": {
            "as_they_are": reliability(exam, chances),
            "with_shares": reliability(exam, adjusted(chances, shares / shares.sum())),
        },
        "unlike": float((~classifier.facts.known.knows(patients.images)).mean()),
        "groups": {name: _groups(exam, chances, column) for name, column in sorted(patients.columns.items())},
    }


def _of_class(exam: Examination, classifier: Classifier, chances: Floats, label: int) -> dict[str, Any]:
    """Of one class against all others, at its threshold; None where there is nobody on a side."""
    here, called = exam.labels == label, classifier.called(chances)[:, label]
    found: dict[str, Any] = {"threshold": classifier.facts.thresholds[label]}
    both = bool(here.any() and (~here).any())
    return found | {
        "sensitivity": _said(exam.rate(called, here)) if here.any() else None,
        "specificity": _said(exam.rate(~called, ~here)) if (~here).any() else None,
        "auc": _said(
            Curve(
                values=exam.area(chances[:, label], here),
                patients=min(exam.patients(here), exam.patients(~here)),
            )
        )
        if both
        else None,
    }


def _confusion(exam: Examination, chances: Floats) -> list[list[int]]:
    """Images by their class (rows) and the likeliest one (columns)."""
    counts = np.zeros((exam.classes, exam.classes), dtype=np.int64)
    np.add.at(counts, (exam.labels, chances.argmax(axis=1)), 1)
    return [[int(count) for count in row] for row in counts]


def adjusted(chances: Floats, shares: Floats) -> Floats:
    """Chances float64 (n, classes) for a house with these shares of classes, (classes,), instead of equal ones."""
    odds = chances * shares
    found: Floats = odds / odds.sum(axis=1, keepdims=True)
    return found


def _groups(exam: Examination, chances: Floats, column: Texts) -> dict[str, Any]:
    """Accuracy and AUC of each group of enough patients; the others are counted together."""
    patients = {str(value): exam.patients(column == value) for value in np.unique(column)}
    shown = [value for value, count in patients.items() if count >= FEWEST]
    right = chances.argmax(axis=1) == exam.labels
    return {
        "groups": [
            {
                "name": value,
                "patients": patients[value],
                "accuracy": _said(exam.rate(right, column == value)),
                "auc": _group_auc(exam, chances, column == value),
            }
            for value in shown
        ],
        "too_few": exam.patients(~np.isin(column, shown)),
    }


def _group_auc(exam: Examination, chances: Floats, inside: Flags) -> dict[str, float] | None:
    """The mean over classes that the group has enough patients of, and enough of others."""
    owner, whose = np.unique(exam.owner[inside], return_inverse=True)
    weights = exam.weights[inside]
    part = Examination(
        labels=exam.labels[inside], owner=whose, weights=weights, classes=exam.classes, draws=exam.draws[:, owner]
    )
    areas, sizes = [], []
    for label in range(exam.classes):
        here = part.labels == label
        smaller = min(part.patients(here), part.patients(~here))
        if smaller >= FEWEST:
            areas.append(part.area(chances[inside, label], here))
            sizes.append(smaller)
    return _said(Curve(values=_mean(areas), patients=min(sizes))) if areas else None


def _mean(areas: list[Floats]) -> Floats:
    """Over the classes that a draw has; NaN where it has none."""
    values = np.stack(areas)
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0.0).sum(axis=0) / known.sum(axis=0))


def _said(curve: Curve) -> dict[str, float] | None:
    """With its interval; None where it is no number."""
    told = curve.to_json()
    return told if all(map(math.isfinite, told.values())) else None
