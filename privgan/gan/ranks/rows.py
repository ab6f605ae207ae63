"""Rows that ranks share out: each makes some of them, and all know the whole.

Pieces are cut at the same places for any number of ranks, so that whatever depends on how rows are put together, as
sums in a library do, is the same to the last bit.
"""

import zlib
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from privgan.gan.ranks.ranks import Ranks

Arrays = Sequence[NDArray[Any]]


def shares(count: int, size: int, step: int = 1) -> list[range]:
    """The rows of each of `size` ranks, in their order: pieces of `step` rows, as many for each as for the others."""
    pieces = -(-count // step)
    ends = [min(count, step * (pieces * rank // size)) for rank in range(size + 1)]
    return [range(first, end) for first, end in pairwise(ends)]


def in_shares(count: int, ranks: Ranks | None, made: Callable[[range], Arrays], *, step: int = 1) -> Arrays:
    """What is made of rows 0, .., count - 1: arrays with a row for each of them.

    Args:
        count: of the rows; where they are fewer than pieces for every rank, each rank makes all.
        ranks: who shares them; None of one process.
        made: arrays of some rows, which follow from the rows of a piece alone; all ranks' are of one kind and shape.
        step: rows that belong together.
    """
    if ranks is None or ranks.size == 1 or count < ranks.size * step:
        return made(range(count))
    mine = shares(count, ranks.size, step)
    _require_one_question(ranks, count, step)
    counts = [len(rows) for rows in mine]
    return [_joined(part, counts, ranks) for part in made(mine[ranks.rank])]


def gathered_rows(parts: Arrays, ranks: Ranks | None) -> Arrays:
    """The rows of every rank's arrays, one rank after the other, however many each has."""
    if ranks is None or ranks.size == 1:
        return parts
    mine = torch.tensor([len(parts[0])], dtype=torch.int64)
    counts = [int(count) for count in ranks.joined(mine, [1] * ranks.size)]
    return [_joined(part, counts, ranks) for part in parts]


def _joined(part: NDArray[Any], counts: Sequence[int], ranks: Ranks) -> NDArray[Any]:
    return np.asarray(ranks.joined(torch.from_numpy(np.ascontiguousarray(part)), counts).numpy())


def _require_one_question(ranks: Ranks, count: int, step: int) -> None:
    """Ranks that went apart are stopped before what one makes is taken for what another asked."""
    asked = zlib.crc32(f"{count} {step}".encode()) & 0xFFFFFF
    ranks.total(torch.zeros(0, dtype=torch.int64), asked=asked)
