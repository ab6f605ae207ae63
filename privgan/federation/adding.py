"""How answers become a total: openly, each readable by anybody, or masked, so that only their sum can be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from privgan.errors import IntegrityError
from privgan.federation.invitation import Invitation
from privgan.federation.masks import Masks
from privgan.federation.vectors import Shape, packed, require_sums, unpacked

_WIDE = 2.0**62  # far above what members and noise can be, in units of the grid


class Adding(Protocol):
    """One of the two."""

    def given(self, values: Tensor, question: int) -> str:
        """A site's noised sums, float64 on the grid, as its answer has them."""

    def read(self, numbers: str, question: int, shape: Shape) -> Tensor:
        """Of any site's answer, as far as it can be read.

        Raises:
            IntegrityError: they are no numbers of an answer.
        """

    def total(self, parts: Sequence[Tensor], question: int) -> Tensor:
        """Of what was read of all sites: float64.

        Raises:
            IntegrityError: it is no sum of the invitation's members.
        """


@dataclass(frozen=True, kw_only=True, eq=False)
class Openly:
    """Every answer bears noise enough to be read by anybody."""

    invitation: Invitation

    def given(self, values: Tensor, question: int) -> str:
        """See `Adding`; the question does not matter."""
        del question
        return packed(values)

    def read(self, numbers: str, question: int, shape: Shape) -> Tensor:
        """See `Adding`: float64, and no more than the invitation's members can make."""
        values = unpacked(numbers, shape, "f8")
        asked = self.invitation
        require_sums(values, grid=asked.grid(question), longest=asked.longest(question, values.numel()))
        return values

    def total(self, parts: Sequence[Tensor], question: int) -> Tensor:
        """See `Adding`."""
        del question
        return torch.stack(list(parts)).sum(0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Masked:
    """An answer alone is uniform; all of them together are the total, which bears the noise of all."""

    invitation: Invitation
    masks: Masks

    def given(self, values: Tensor, question: int) -> str:
        """See `Adding`: in units of the grid, masked, modulo 2^64."""
        units = (values / self.invitation.grid(question)).round()
        if not bool((units.abs() < _WIDE).all()):
            raise IntegrityError("Expected sums that fit into a masked answer, they are too large.")
        return packed(units.to(torch.int64) + self.masks.of(question, tuple(values.shape)))

    def read(self, numbers: str, question: int, shape: Shape) -> Tensor:
        """See `Adding`: int64, and nothing can be said of them."""
        del question
        return unpacked(numbers, shape, "i8")

    def total(self, parts: Sequence[Tensor], question: int) -> Tensor:
        """See `Adding`; whose answer is wrong cannot be told."""
        asked, units = self.invitation, torch.stack(list(parts)).sum(0)  # int64 wraps around
        values = units.double() * asked.grid(question)
        require_sums(values, grid=asked.grid(question), longest=asked.longest_total(question, values.numel()))
        return values
