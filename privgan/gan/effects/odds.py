"""How common records are, as a released table says: what a sum over records has to be held against."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from privgan.gan.patients import classes_of
from privgan.records.table import Table

_REACH = 1.25  # of the root mean square length of a record: longer ones are cut to that
_AT_ONCE = 4096  # combinations
_RARE = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Odds:
    """How common records are among the patients of each class; all of it public or released.

    joint: float64 (classes, *levels), of a class all together 1. A record is int64 (1 + columns,): the class, then
    the code of each column, from 0. kinds: of each column, see `records.schema`. Where its codes from 1 on are in
    order its values do much the same to an image as their neighbours; those of an ordinal never turn back.
    """

    joint: Tensor
    kinds: tuple[str, ...]

    @classmethod
    def of(cls, joint: Tensor, kinds: Sequence[str]) -> Self:
        """Of weights (classes, *levels), not below 0; a class without any is taken to be like all others."""
        flat = joint.double().flatten(1)
        totals = flat.sum(1, keepdim=True)
        shares = torch.where(totals > 0, flat / totals.clamp_min(_RARE), flat.sum(0) / flat.sum())
        return cls(joint=shares.reshape(joint.shape), kinds=tuple(kinds))

    @classmethod
    def of_table(cls, table: Table) -> Self:
        """As a released table says."""
        return cls.of(torch.from_numpy(table.joint), [column.kind for column in table.schema.columns])

    @property
    def levels(self) -> tuple[int, ...]:
        """Codes of each column."""
        return tuple(self.joint.shape[1:])

    @property
    def values(self) -> int:
        """K, codes of all columns together."""
        return sum(self.levels)

    @cached_property
    def columns(self) -> Tensor:
        """(K,): the column of each value."""
        return torch.repeat_interleave(torch.tensor(self.levels))

    @cached_property
    def expected(self) -> Tensor:
        """(classes, K): how common each value is."""
        classes, axes = len(self.joint), range(1, self.joint.ndim)
        sides = [self.joint.sum([other for other in axes if other != axis]) for axis in axes]
        return torch.cat(sides, dim=1).reshape(classes, -1).float()

    def centred(self, records: Tensor) -> Tensor:
        """(n, K) of records (n, 1 + columns): 1 for each value that is there, less how common it is in the class."""
        return one_hot(records[:, 1:], self.levels) - self.expected[classes_of(records)]

    def bounded(self, records: Tensor) -> Tensor:
        """The same, of length 1 at most, as the sum has them."""
        return shortened(self.centred(records) / self._reach)

    def moments(self, shares: Tensor) -> Tensor:
        """What the sum finds of values when they alone are what images differ by, float64 (K, K).

        shares: (classes,), of the patients.
        """
        total = torch.zeros(self.values, self.values, dtype=torch.float64)
        for records, odds in self._all():
            weights = odds * shares[classes_of(records)]
            total += self.bounded(records).double().T @ (self.centred(records).double() * weights[:, None])
        return total

    def covariance(self, label: int) -> Tensor:
        """Of a class's centred values, float64 (K, K)."""
        total = torch.zeros(self.values, self.values, dtype=torch.float64)
        for records, odds in self._all(label):
            found = self.centred(records).double()
            total += found.T @ (found * odds[:, None])
        return total

    def drawn(self, labels: Tensor, torch_rng: torch.Generator) -> Tensor:
        """A record (n, 1 + columns) for each of labels (n,), where these are."""
        codes = torch.empty((len(labels), len(self.levels)), dtype=torch.int64)
        places, asked = torch.rand(len(labels), generator=torch_rng, dtype=torch.float64), labels.cpu()
        for label in torch.unique(asked).tolist():
            ends = self.joint[label].flatten().cumsum(0)
            found = torch.searchsorted(ends, places[asked == label] * ends[-1], right=True)
            codes[asked == label] = self._codes(found.clamp_max(len(ends) - 1))
        return torch.cat([asked[:, None], codes], dim=1).to(labels.device)

    @cached_property
    def _reach(self) -> float:
        squares = 1 - torch.stack(
            [part.square().sum(1) for part in torch.split(self.expected, list(self.levels), dim=1)]
        )
        return max(_REACH * math.sqrt(squares.sum(0).max()), 1e-6)

    def _all(self, label: int | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Records that may be, some at a time, with how common they are in their class."""
        for each in range(len(self.joint)) if label is None else (label,):
            odds = self.joint[each].flatten()
            for some in torch.split(torch.nonzero(odds > 0).flatten(), _AT_ONCE):
                codes = self._codes(some)
                yield torch.cat([torch.full((len(some), 1), each), codes], dim=1), odds[some]

    def _codes(self, numbers: Tensor) -> Tensor:
        """(n, columns) of places (n,) among all combinations."""
        return torch.stack(torch.unravel_index(numbers, self.levels), dim=1)


def one_hot(codes: Tensor, levels: Sequence[int]) -> Tensor:
    """(n, K) of codes (n, columns): 1 where a column has that value. What is no code counts as the first."""
    counts = torch.tensor(levels, device=codes.device)
    codes = torch.where((codes >= 0) & (codes < counts), codes, 0)
    starts = counts.cumsum(0) - counts
    found = torch.zeros(len(codes), sum(levels), device=codes.device)
    return found.scatter_(1, codes + starts, 1.0)


def shortened(vectors: Tensor) -> Tensor:
    """Vectors (n, d), scaled down to norm 1 where they are longer."""
    found: Tensor = vectors / vectors.norm(dim=1, keepdim=True).clamp_min(1.0)
    return found
