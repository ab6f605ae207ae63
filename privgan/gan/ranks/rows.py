"""Rows that ranks share out: each makes some of them, and all know the whole.

Pieces are cut at the same places for any number of ranks, so that whatever depends on how rows are put together, as
sums in a library do, is the same to the last bit.
"""

import hashlib
import zlib
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from privgan.errors import LostRankError
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
    require_in_step(ranks, f"{count} {step}".encode())
    counts = [len(rows) for rows in mine]
    return [_joined(part, counts, ranks) for part in made(mine[ranks.rank])]


def gathered_rows(parts: Arrays, ranks: Ranks | None) -> Arrays:
    """The rows of every rank's arrays, one rank after the other, however many each has."""
    if ranks is None or ranks.size == 1:
        return parts
    mine = torch.tensor([len(parts[0])], dtype=torch.int64)
    counts = [int(count) for count in ranks.joined(mine, [1] * ranks.size)]
    return [_joined(part, counts, ranks) for part in parts]


def require_one_reading(ranks: Ranks | None, what: bytes) -> None:
    """All ranks have read the same, before one of them is told what another makes of it.

    what: that says it all; its digest is told.

    Raises:
        LostRankError: they have not.
    """
    if ranks is None or ranks.size == 1:
        return
    mine = torch.frombuffer(bytearray(hashlib.sha256(what).digest()), dtype=torch.uint8)[None]
    if bool((ranks.joined(mine, [1] * ranks.size) != mine).any()):
        raise LostRankError(
            "Expected every process to read the same files, one read others: they were changed meanwhile, or a file "
            "share is behind. All are stopped and nothing is written; start again once the files are at rest."
        )


def require_in_step(ranks: Ranks | None, what: bytes) -> None:
    """All ranks have come to the same; those that went apart are stopped before one's part is taken for another's."""
    if ranks is not None and ranks.size > 1:
        ranks.total(torch.zeros(0, dtype=torch.int64), asked=zlib.crc32(what) & 0xFFFFFF)


def _joined(part: NDArray[Any], counts: Sequence[int], ranks: Ranks) -> NDArray[Any]:
    return np.asarray(ranks.joined(torch.from_numpy(np.ascontiguousarray(part)), counts).numpy())
