"""Who takes part in a step: every member independently, and up to k of their images.

An empty draw is a draw like any other. Shuffling instead of drawing would void the accounting (Chua et al.
2024, "How private are DP-SGD implementations?").
"""

from dataclasses import dataclass

import numpy as np

from privgan.arrays import Integers
from privgan.checks import positive
from privgan.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class PatientIndex:
    """Which rows belong to which patient; patients are renumbered 0..count-1.

    rows: row numbers grouped by patient; starts: (count + 1,) where each patient's group begins.
    """

    rows: Integers
    starts: Integers

    @classmethod
    def of(cls, patients: Integers, rows: Integers) -> "PatientIndex":
        """Group `rows` by the patient that `patients[row]` names."""
        owners = patients[rows]
        order = np.argsort(owners, kind="stable")
        _, counts = np.unique(owners, return_counts=True)
        return cls(rows=rows[order], starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))

    @property
    def count(self) -> int:
        """How many patients there are."""
        return len(self.starts) - 1


@dataclass(frozen=True, kw_only=True)
class Draw:
    """One Poisson draw: `rows` to read, and for each row which of the `patients` drawn owns it (0..patients-1)."""

    rows: Integers
    owners: Integers
    patients: int


def poisson_draw(index: PatientIndex, *, rate: float, images: int, rng: np.random.Generator) -> Draw:
    """Draw each patient with probability `rate`, and up to `images` rows of each one drawn.

    Raises:
        UsageError: `rate` is not in (0, 1] or `images` is not positive.
    """
    positive(rate=rate, images=images)
    if rate > 1:
        raise UsageError(f"Expected a sampling rate of at most 1, got {rate}: the batch exceeds the members.")
    drawn = np.flatnonzero(rng.random(index.count) < rate)
    picks = [_pick(index.rows[index.starts[p] : index.starts[p + 1]], images, rng) for p in drawn]
    owners = np.repeat(np.arange(len(picks)), [len(pick) for pick in picks])
    rows = np.concatenate(picks) if picks else np.zeros(0, dtype=np.int64)
    return Draw(rows=rows, owners=owners.astype(np.int64), patients=len(picks))


def _pick(rows: Integers, images: int, rng: np.random.Generator) -> Integers:
    return rows if len(rows) <= images else rng.choice(rows, size=images, replace=False, shuffle=False)
