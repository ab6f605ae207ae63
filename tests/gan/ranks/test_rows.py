"""Rows that ranks share out: everybody knows the whole, in the order of the rows, whoever made them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from privgan.gan.ranks.ranks import ALONE, Ranks
from privgan.gan.ranks.rows import Arrays, gathered_rows, in_shares, require_in_step, require_one_reading, shares
from privgan.gan.ranks.together import connected
from tests.gan.ranks.forks import End, ends

WELL = End(code=0)
Work = Callable[[Ranks], NDArray[np.float64]]


def on_ranks(size: int, folder: Path, work: Work) -> list[NDArray[np.float64]]:
    """What each of some ranks, forks of this process, makes of the same work."""

    def of_rank(rank: int) -> None:
        cpu = torch.device("cpu")
        with connected(folder / "store", rank=rank, size=size, device=cpu, patience_s=60.0) as ranks:
            np.save(folder / f"{rank}.npy", work(ranks))

    assert ends([lambda rank=rank: of_rank(rank) for rank in range(size)], folder) == [WELL] * size  # type: ignore[misc]
    return [np.load(folder / f"{rank}.npy") for rank in range(size)]


@pytest.mark.parametrize(("count", "size", "step"), [(0, 2, 1), (1, 3, 1), (10, 3, 1), (10, 3, 4), (7, 2, 16)])
def test_shares_are_all_rows_once_cut_at_whole_steps(count: int, size: int, step: int) -> None:
    found = shares(count, size, step)
    assert [row for share in found for row in share] == list(range(count))
    assert all(share.start % step == 0 for share in found if len(share))
    pieces = [-(-len(share) // step) for share in found]
    assert max(pieces) - min(pieces) <= 1


def _made(rows: range) -> Arrays:
    numbers = np.arange(rows.start, rows.stop)
    return [numbers * 1.5, np.stack([numbers, -numbers], axis=1)]


@pytest.mark.parametrize("count", [2, 11, 24])
def test_every_rank_knows_all_rows(tmp_path: Path, count: int) -> None:
    """Of three ranks; where there is not a step for each, each makes all."""
    asked: list[range] = []

    def work(ranks: Ranks) -> NDArray[np.float64]:
        def made(rows: range) -> Arrays:
            asked.append(rows)
            return _made(rows)

        first, second = in_shares(count, ranks, made, step=4)
        few = gathered_rows([np.full(ranks.rank, float(ranks.rank))], ranks)[0]
        return np.concatenate([first, second.ravel(), few, [len(asked), len(asked[0])]])

    first, second = _made(range(count))
    found = on_ranks(3, tmp_path, work)
    for rank, told in enumerate(found):
        np.testing.assert_array_equal(told[:-2], np.concatenate([first, second.ravel(), [1.0, 2.0, 2.0]]))
        share = shares(count, 3, 4)[rank] if count >= 12 else range(count)
        assert told[-2:].tolist() == [1, len(share)]


def test_one_process_makes_all_and_asks_nobody() -> None:
    for ranks in (None, ALONE):
        np.testing.assert_array_equal(in_shares(9, ranks, _made)[0], np.arange(9) * 1.5)
        assert gathered_rows(_made(range(3)), ranks)[0].tolist() == [0.0, 1.5, 3.0]


def test_ranks_that_went_apart_are_stopped(tmp_path: Path) -> None:
    """One shares out ten rows, the other eleven: neither takes what the other made."""

    def of_rank(rank: int) -> None:
        cpu = torch.device("cpu")
        with connected(tmp_path / "store", rank=rank, size=2, device=cpu, patience_s=60.0) as ranks:
            in_shares(10 + rank, ranks, _made)

    found = ends([lambda: of_rank(0), lambda: of_rank(1)], tmp_path)
    assert [end.error for end in found] == ["LostRankError"] * 2
    assert all("same question" in end.message for end in found)


def test_ranks_that_read_different_things_end_in_words(tmp_path: Path) -> None:
    """All of them; what is the same passes, and one process asks nobody."""
    for what in (b"same", b"some"):
        require_one_reading(None, what)
        require_one_reading(ALONE, what)

    def of_rank(rank: int, own: bytes) -> None:
        cpu, place = torch.device("cpu"), tmp_path / f"store {own.decode()}"
        with connected(place, rank=rank, size=3, device=cpu, patience_s=60.0) as ranks:
            require_one_reading(ranks, b"all")
            require_in_step(ranks, b"all")
            if own == b"read":
                require_one_reading(ranks, own if rank == 1 else b"all")
            else:
                require_in_step(ranks, own if rank == 1 else b"all")

    for own, said in ((b"read", "one read others"), (b"went", "one went its own way")):
        found = ends([lambda rank=rank, own=own: of_rank(rank, own) for rank in range(3)], tmp_path)  # type: ignore[misc]
        assert [end.error for end in found] == ["LostRankError"] * 3
        assert all(said in end.message for end in found)
