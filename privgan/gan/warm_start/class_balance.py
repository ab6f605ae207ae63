"""How common the classes are among the members, measured once with noise, for `generate --classes measured`.

Real class shares are private. One Gaussian query makes them public for a part of epsilon: each member adds their
images' shares of the classes, a vector of norm at most 1 however many images they have. All else here is
post-processing of its answer.
"""

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from privgan.arrays import Floats
from privgan.checks import positive
from privgan.errors import UsageError
from privgan.gan.patients import DescribedQuery, Everybody, ask


@dataclass(frozen=True, kw_only=True)
class ClassBalance:
    """The released answer: a noisy number of patients for each class, and the standard error of each, `noise`."""

    counts: tuple[float, ...]
    noise: float

    def __post_init__(self) -> None:
        positive(noise=self.noise)
        if not self.counts or not all(math.isfinite(count) for count in self.counts):
            raise UsageError("Expected a finite number of patients for each class.")

    @classmethod
    def from_json(cls, table: dict[str, Any]) -> Self:
        """The inverse of `dataclasses.asdict`."""
        return cls(**{**table, "counts": tuple(table["counts"])})

    @property
    def margin(self) -> float:
        """Two standard errors of the least certain share: what the noise may have moved it; at most 1.

        To first order, noise s on each of K counts with total n gives a share p the variance
        (1 - 2 p + K p^2) s^2 / n^2.
        """
        counts = self._above_zero
        total = counts.sum()
        if not total > 0:
            return 1.0
        p = counts / total
        spread = np.sqrt(np.maximum(1 - 2 * p + len(p) * p**2, 0.0).max())
        return min(1.0, float(2 * spread * self.noise / total))

    @property
    def shares(self) -> Floats:
        """The counts above zero as shares of their sum; equal shares when noise drowns them (`margin` is 1).

        >>> ClassBalance(counts=(300.0, 100.0, -7.0), noise=5.0).shares.tolist()
        [0.75, 0.25, 0.0]
        """
        counts = self._above_zero
        return counts / counts.sum() if self.margin < 1 else np.full(len(counts), 1 / len(counts))

    @property
    def _above_zero(self) -> Floats:
        return np.maximum(self.counts, 0.0)


def measure_class_balance(patients: Everybody, classes: int, noise: float, rng: np.random.Generator) -> ClassBalance:
    """Ask the query; `noise` is its noise multiplier, as charged."""
    everybody = DescribedQuery(describe=_counted, cells=classes, dimensions=1)
    counts = ask(patients, everybody, noise=noise, rng=rng)[:, 0]
    return ClassBalance(counts=tuple(counts.tolist()), noise=noise)


def _counted(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    return torch.ones(len(images), 1), labels
