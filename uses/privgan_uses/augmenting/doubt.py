"""How sure a mean over trainings is: they could have been others, and so could the patients who were examined.

Every training is a reader and every held-back patient a case, all readers see all cases, and both are drawn: the
design of Obuchowski and Rockette (1995, "Hypothesis testing of diagnostic accuracy for multiple readers and multiple
tests"), with the degrees of freedom of Hillis (2007, "A comparison of denominator degrees of freedom methods for
multiple observer ROC analysis"). What trainings differ by is seen between them; what they share, because they were
examined on the same patients, is their covariance when patients are drawn again.

    >>> rng = np.random.default_rng(0)
    >>> curves = 0.9 + 0.01 * rng.standard_normal((6, 1)) + 0.001 * rng.standard_normal((6, 201))
    >>> found = Doubt.of(curves)
    >>> bool(found.low < curves[:, 0].mean() < found.high)
    True
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import special

from privgan.arrays import Floats

ERROR = 0.025  # at each end of an interval


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """A mean over trainings and its standard error. freedom: degrees of it, infinite where trainings agree."""

    value: float
    error: float
    freedom: float

    @classmethod
    def of(cls, curves: Floats) -> Self:
        """Of float64 (trainings, 1 + resamples): a number on the patients as they are, then on resamples of them.

        A resample in which the number is not known anywhere (a class is missing) is left out.
        """
        trainings = len(curves)
        found, again = curves[:, 0], curves[:, 1:]
        again = again[:, np.isfinite(again).all(axis=0)]
        between = float(found.var(ddof=1))
        of_mean, of_each = float(again.mean(axis=0).var(ddof=1)), float(again.var(axis=1, ddof=1).mean())
        shared = max(0.0, (trainings * of_mean - of_each) / (trainings - 1))
        whole = between + trainings * shared
        freedom = np.inf if between == 0 else (trainings - 1) * (whole / between) ** 2
        return cls(value=float(found.mean()), error=float(np.sqrt(whole / trainings)), freedom=float(freedom))

    @property
    def low(self) -> float:
        """The lower end of the 95 % interval."""
        return self.value - self.reach(ERROR)

    @property
    def high(self) -> float:
        """The upper end of the 95 % interval."""
        return self.value + self.reach(ERROR)

    def reach(self, error: float) -> float:
        """How far from the value the truth is at most, but for such an error on that side."""
        quantile = special.ndtri(1 - error) if np.isinf(self.freedom) else special.stdtrit(self.freedom, 1 - error)
        return self.error * float(quantile)

    def to_json(self, lowest: float = 0.0) -> dict[str, float]:
        """The value with its 95 % interval, no further than the number can reach: from `lowest` to 1."""
        return {"value": self.value, "low": max(lowest, self.low), "high": min(1.0, self.high)}
