"""How well a classifier does on held-back patients, and how sure one can be of it.

The patient is the unit: all images of a patient together count as one, and intervals come from drawing patients with
replacement (the cluster bootstrap: Field and Welsh 2007, "Bootstrapping clustered data"). Drawing images instead
would take ten images of one patient for ten witnesses. The same draws serve every classifier, so that differences
are paired. An interval speaks of other patients, not of other trainings.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from privgan.arrays import Flags, Floats, Integers
from privgan_audits.stats.statistics import binomial_lower

RESAMPLES = 1_000
ERROR = 0.025  # at each end of an interval
_AT_ONCE = 50  # resamples whose rankings are in memory together


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One number on the patients as they are, then on every resample of them: float64 (1 + resamples,).

    patients: how many stand behind it. lowest, highest: what the number can be.
    """

    values: Floats
    patients: int
    lowest: float = 0.0
    highest: float = 1.0

    def minus(self, other: "Curve") -> "Curve":
        """The paired difference."""
        return Curve(
            values=self.values - other.values, patients=min(self.patients, other.patients), lowest=-1.0, highest=1.0
        )

    def to_json(self) -> dict[str, float]:
        """The value with its 95 % interval.

        Where no resample changed anything, resampling knows no doubt; the interval then allows for what n patients
        that all agree leave open, by Clopper and Pearson. For a mean over classes the same bound holds with n the
        patients of the smallest class: n tuples of one patient of each class are n independent trials.
        """
        value, resamples = float(self.values[0]), self.values[1:]
        low, high = np.nanquantile(resamples, [ERROR, 1 - ERROR]).tolist()
        if not high - low > 1e-12:
            slack = 1 - binomial_lower(self.patients, self.patients, ERROR)
            low, high = max(self.lowest, value - slack), min(self.highest, value + slack)
        return {"value": value, "low": low, "high": high}


@dataclass(frozen=True, kw_only=True, eq=False)
class Examination:
    """Held-back images and which patients were drawn how often.

    labels: int64 (n,), 0..classes-1. owner: int64 (n,), 0..P-1. weights: float64 (n,), one over the images of the
    patient. draws: float64 (1 + resamples, P); the first row has every patient once.
    """

    labels: Integers
    owner: Integers
    weights: Floats
    classes: int
    draws: Floats

    @classmethod
    def of(cls, labels: Integers, patients: Integers, classes: int, rng: np.random.Generator) -> "Examination":
        """Draw the resamples."""
        owner, images = np.unique(patients, return_inverse=True, return_counts=True)[1:]
        count = len(images)
        drawn = rng.multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
        draws = np.concatenate([np.ones((1, count)), drawn])
        return cls(labels=labels, owner=owner, weights=1 / images[owner], classes=classes, draws=draws)

    def patients(self, among: Flags) -> int:
        """How many patients have an image among those."""
        return len(np.unique(self.owner[among]))

    def rate(self, right: Flags, among: Flags) -> Curve:
        """The share of patients' weight that is right, among some images (n,)."""
        return self.mean(right.astype(np.float64), among)

    def mean(self, values: Floats, among: Flags) -> Curve:
        """The mean of values from 0 to 1 by patients' weight, among some images (n,)."""
        with np.errstate(invalid="ignore"):
            curve = self.sums(among * values) / self.sums(among.astype(np.float64))
        return Curve(values=curve, patients=self.patients(among))

    def sums(self, values: Floats) -> Floats:
        """Of values (n,) the sum by patients' weight in each draw, float64 (1 + resamples,)."""
        return self.draws @ np.bincount(self.owner, self.weights * values, self.draws.shape[1])

    def curves(self, probabilities: Floats) -> dict[str, Curve]:
        """Accuracy, balanced accuracy and macro AUC of a classifier's chances, float64 (n, classes)."""
        right = probabilities.argmax(axis=1) == self.labels
        by_class = self.sensitivities(probabilities)
        smallest = min(curve.patients for curve in by_class)
        areas = [self.area(probabilities[:, label], self.labels == label) for label in range(self.classes)]
        return {
            "accuracy": self.rate(right, np.ones_like(right)),
            "balanced_accuracy": Curve(values=_mean([curve.values for curve in by_class]), patients=smallest),
            "auc": Curve(values=_mean(areas), patients=smallest),
        }

    def sensitivities(self, probabilities: Floats) -> list[Curve]:
        """The rate of each class that is called by its name."""
        right = probabilities.argmax(axis=1) == self.labels
        return [self.rate(right, self.labels == label) for label in range(self.classes)]

    def area(self, score: Floats, positive: Flags) -> Floats:
        """P(an image of the class scores above one of another), ties by half, in each draw, by weight."""
        order = np.argsort(score, kind="stable")
        ties = np.unique(score[order], return_index=True)[1]
        owner, weights, positive = self.owner[order], self.weights[order], positive[order]
        areas = []
        for start in range(0, len(self.draws), _AT_ONCE):
            drawn = self.draws[start : start + _AT_ONCE, owner] * weights
            above = np.add.reduceat(drawn * positive, ties, axis=1)
            below = np.add.reduceat(drawn * ~positive, ties, axis=1)
            won = (above * (np.cumsum(below, axis=1) - below / 2)).sum(axis=1)
            with np.errstate(invalid="ignore"):
                areas.append(won / (above.sum(axis=1) * below.sum(axis=1)))
        return np.concatenate(areas)


def differences(curves: Mapping[str, Curve], reference: Mapping[str, Curve]) -> dict[str, dict[str, float]]:
    """Each curve minus the reference's of the same name."""
    return {name: curve.minus(reference[name]).to_json() for name, curve in curves.items()}


def _mean(by_class: list[Floats]) -> Floats:
    """Over the classes that a resample holds; NaN where it holds none."""
    values = np.stack(by_class)
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0.0).sum(axis=0) / known.sum(axis=0))
