"""The joint table of classes and columns that a run releases: what records are drawn from, and how sure it is."""

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from privgan.arrays import Floats, Integers
from privgan.checks import positive
from privgan.errors import UsageError
from privgan.records.fit import fitted, joint
from privgan.records.pairs import Pairs
from privgan.records.schema import Schema, within_reach


@dataclass(frozen=True, kw_only=True)
class Table:
    """columns: declarations by name. potentials: of `fit.joint`, one a cell of every pair.

    members: how many patients were asked, all of them. noise: that the answer bore; see `Pairs.errors`.
    """

    columns: dict[str, str]
    classes: int
    members: int
    noise: float
    potentials: tuple[float, ...]

    def __post_init__(self) -> None:
        positive(noise=self.noise, members=self.members, classes=self.classes)
        if not self.schema or not within_reach(self.classes, self.schema.levels):
            raise UsageError("Expected declared columns of few enough combinations for a table of records.")
        if len(self.potentials) != self.pairs.cells or not all(map(math.isfinite, self.potentials)):
            raise UsageError("Expected a finite potential for each pair of values in a table of records.")

    @classmethod
    def fitted(cls, schema: Schema, classes: int, counts: Floats, *, noise: float, members: int) -> Self:
        """What a released answer says; post-processing.

        Args:
            schema: the declared columns, at least one.
            classes: how many there are.
            counts: (cells,) of `Pairs`, noisy numbers of patients.
            noise: that the answer bore.
            members: how many patients there are, exactly.
        """
        potentials = fitted(Pairs((classes, *schema.levels)), counts, noise=noise, members=members)
        return cls(
            columns=schema.types,
            classes=classes,
            members=members,
            noise=noise,
            potentials=tuple(potentials.tolist()),
        )

    @classmethod
    def from_json(cls, table: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**{**table, "potentials": tuple(table["potentials"])})

    def to_json(self) -> dict[str, Any]:
        """For files."""
        return asdict(self)

    @cached_property
    def schema(self) -> Schema:
        """The declared columns."""
        return Schema.of(self.columns)

    @cached_property
    def pairs(self) -> Pairs:
        """What was counted."""
        return Pairs((self.classes, *self.schema.levels))

    @cached_property
    def joint(self) -> Floats:
        """Shares of the patients (classes, *levels), their sum 1."""
        return joint(self.pairs, np.array(self.potentials))

    @cached_property
    def errors(self) -> dict[str, float]:
        """By column: the standard error of how many patients have a value, before anything was fitted."""
        _, errors = self.pairs.alone(np.zeros(self.pairs.cells), self.noise)
        return dict(zip(self.schema.names, errors[1:], strict=True))

    def given(self, label: int, allowed: list[Floats]) -> Floats:
        """Shares of all patients (levels) that are of a class, each weighed by what is allowed of its values.

        Args:
            label: the class.
            allowed: of each column how much of each code, from 0 to 1.
        """
        shares: Floats = self.joint[label]
        for axis, weights in enumerate(allowed):
            shape = [1] * shares.ndim
            shape[axis] = len(weights)
            shares = np.multiply(shares, weights.reshape(shape))
        return shares

    def error_of(self, allowed: list[Floats]) -> float:
        """About the standard error of how many patients of a class have what is allowed; 0 where everything is.

        Of one column it is that of a sum over the cells of its pair with the class. Of several the fit has no simple
        one: the largest of theirs is taken, because a count of fewer patients is no surer.
        """
        errors, found = self.pairs.errors(self.noise), [0.0]
        for column, weights in enumerate(allowed):
            if (weights != 1).any():
                found.append(float(errors[self.pairs.axes.index((0, 1 + column))] * np.linalg.norm(weights)))
        return max(found)

    def codes(self, shares: Floats, parts: Floats) -> Integers:
        """Codes (n, columns) drawn from shares (levels), one for each number (n,) from 0 to 1, in its order."""
        up_to = np.cumsum(shares.ravel())
        cells = np.searchsorted(up_to / up_to[-1], parts, side="right")
        drawn = np.unravel_index(np.minimum(cells, len(up_to) - 1), shares.shape)
        return np.stack(drawn, axis=1).astype(np.int64)
