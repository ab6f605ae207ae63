"""What processes that train together do with one another: add up, share out, agree.

Each is a rank; all run the same program on the same patients and the same chance. Work is cut into pieces whose
bounds know nothing of ranks; each piece is done by one rank, and what comes of it is the same whoever did it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

Made = Callable[[int], Tensor]  # number of a piece -> what is made of it, float32


class Ranks(Protocol):
    """This process among all of them. Every call is one that all ranks make, in the same order."""

    @property
    def rank(self) -> int:
        """Which one this is; 0 alone keeps records."""

    @property
    def size(self) -> int:
        """How many there are."""

    def total(self, part: Tensor, *, asked: int) -> Tensor:
        """The sum of every rank's part, int64 of one shape, zeros where a rank had nothing to do.

        asked: what the parts answer, as a number below 2^24; ranks that were asked different things are stopped.
        """

    def pieces(self, shapes: Sequence[torch.Size], made: Made) -> list[Tensor]:
        """float32 pieces of these shapes, each made by one rank and known to all."""

    def highest(self, number: int) -> int:
        """The largest number that a rank has."""

    def joined(self, part: Tensor, counts: Sequence[int]) -> Tensor:
        """The rows of every rank's part, one after the other, known to all. counts: how many rows each has."""


@dataclass(frozen=True)
class Alone:
    """One process that does everything."""

    rank: int = 0
    size: int = 1

    def total(self, part: Tensor, *, asked: int) -> Tensor:  # noqa: ARG002 (nobody else was asked)
        """See `Ranks`."""
        return part

    def pieces(self, shapes: Sequence[torch.Size], made: Made) -> list[Tensor]:
        """See `Ranks`."""
        return [laid_out(made(number), shape) for number, shape in enumerate(shapes)]

    def highest(self, number: int) -> int:
        """See `Ranks`."""
        return number

    def joined(self, part: Tensor, counts: Sequence[int]) -> Tensor:  # noqa: ARG002 (they are all there are)
        """See `Ranks`."""
        return part


ALONE = Alone()


def laid_out(values: Tensor, shape: torch.Size) -> Tensor:
    """The same values one row after the other in memory; a convolution rounds by where numbers lie, too."""
    return torch.empty(shape, dtype=values.dtype, device=values.device).copy_(values)


def shared_out(sizes: Sequence[int], ranks: Ranks) -> list[int]:
    """Which pieces of these sizes this rank does: the largest first, each to whoever has least so far."""
    loads, mine = [0] * ranks.size, []
    for number in sorted(range(len(sizes)), key=lambda piece: -sizes[piece]):
        least = loads.index(min(loads))
        loads[least] += sizes[number]
        if least == ranks.rank:
            mine.append(number)
    return sorted(mine)
