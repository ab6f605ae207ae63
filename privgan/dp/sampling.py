"""Who takes part in a step: every member independently, and up to k of their images.

An empty draw is a draw like any other. Shuffling instead of drawing would void the accounting (Chua et al.
2024, "How private are DP-SGD implementations?"). One stream decides about all patients, whoever computes with whom:
shares of patients that are drawn apart, from equal seeds, would be in or out together.
"""

from dataclasses import dataclass

import numpy as np

from privgan.arrays import Floats, Integers
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
    """One Poisson draw: `rows` to read, and for each row which of the `patients` drawn owns it (0..patients-1).

    places: float64 (patients,) in [0, 1), uniform, each patient's own.
    """

    rows: Integers
    owners: Integers
    patients: int
    places: Floats

    def pieces(self, expected: float, size: int) -> Integers:
        """int64 (patients,): in which piece each is computed, 0, 1, ..; those of a piece have equally many rows.

        It follows from a patient's own rows and place alone: what others have moves nobody to another piece.

        Args:
            expected: patients a draw, a constant.
            size: rows a piece at most, on average.
        """
        rows = np.bincount(self.owners, minlength=self.patients)
        many = np.maximum(1, np.ceil(rows * expected / size).astype(np.int64))
        named = np.stack([rows, (self.places * many).astype(np.int64)])
        return np.unique(named, axis=1, return_inverse=True)[1].reshape(-1).astype(np.int64)


def poisson_draw(index: PatientIndex, *, rate: float, images: int, rng: np.random.Generator) -> Draw:
    """Draw each patient with probability `rate`, and up to `images` rows of each one drawn.

    Raises:
        UsageError: `rate` is not in (0, 1] or `images` is not positive.
    """
    positive(rate=rate, images=images)
    if rate > 1:
        raise UsageError(f"Expected a sampling rate of at most 1, got {rate}: the batch exceeds the members.")
    chance = rng.random(index.count)
    drawn = np.flatnonzero(chance < rate)
    picks = [_pick(index.rows[index.starts[p] : index.starts[p + 1]], images, rng) for p in drawn]
    owners = np.repeat(np.arange(len(picks)), [len(pick) for pick in picks])
    rows = np.concatenate(picks) if picks else np.zeros(0, dtype=np.int64)
    # Below the rate, where a number fell is as good a chance as any.
    return Draw(rows=rows, owners=owners.astype(np.int64), patients=len(picks), places=chance[drawn] / rate)


def _pick(rows: Integers, images: int, rng: np.random.Generator) -> Integers:
    return rows if len(rows) <= images else rng.choice(rows, size=images, replace=False, shuffle=False)
