"""What each rank answers for its pieces: together exactly what one process says, also where a rank has nothing to do.

Opacus shows what goes wrong otherwise: it leaves out the empty draws of a rank, and ranks of one seed draw alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
import torch.distributed as dist
from opacus.utils.uniform_sampler import DistributedUniformWithReplacementSampler
from torch import Tensor

from privgan.dp.noise import from_whole
from privgan.gan.patients import GradientQuery
from privgan.gan.ranks.ranks import Alone, Made, shared_out
from privgan.gan.training.members import Members
from privgan.images.augmentation import AugmentationSettings
from tests.gan.small import SIZE, members_of
from tests.gan.training.test_members import EVERY_IMAGE, described, gradients

MOVED = replace(
    EVERY_IMAGE,
    augmentation=AugmentationSettings(flip=0.5, rotation_degrees=9.0),
    speed=replace(EVERY_IMAGE.speed, microbatch=8),
)


@dataclass
class Seat:
    """One of several ranks whose others are asked later: notes what it would add."""

    rank: int
    size: int
    parts: list[tuple[Tensor, int]] = field(default_factory=list)

    def total(self, part: Tensor, *, asked: int) -> Tensor:
        """Its own part."""
        self.parts.append((part, asked))
        return part

    def pieces(self, shapes: Sequence[torch.Size], made: Made) -> list[Tensor]:
        """Nothing of a patient."""
        raise NotImplementedError

    def highest(self, number: int) -> int:
        """Its own."""
        return number


def crowd(ranks: Alone | Seat, patients: int = 60) -> Members:
    """Patients of one to three noise images, in rows that are not sorted; draws and changes from one seed."""
    rng = np.random.default_rng(0)
    owners = rng.permutation(np.repeat(np.arange(patients), rng.integers(1, 4, patients)))
    images = rng.integers(0, 256, (len(owners), SIZE, SIZE), dtype=np.uint8)
    members = members_of(images, rng.integers(0, 2, len(owners)), owners, settings=MOVED)
    return replace(members, ranks=ranks)


def asked(ranks: Alone | Seat, *queries: GradientQuery) -> list[list[Tensor]]:
    members = crowd(ranks)
    return [members.clipped_gradients(query) for query in queries]


@pytest.mark.parametrize("size", [2, 3, 4])
def test_parts_add_up_to_the_last_bit(size: int) -> None:
    """Several draws, changed images, patients of one to three, fakes: whoever computes what."""
    queries = [gradients(rate, fakes) for rate, fakes in ((0.7, 20), (0.2, 0), (0.02, 3), (1.0, 9))]
    whole, seats = asked(Alone(), *queries), [Seat(rank, size) for rank in range(size)]
    for seat in seats:
        asked(seat, *queries)
    for number, (query, wanted) in enumerate(zip(queries, whole, strict=True)):
        parts = [seat.parts[number] for seat in seats]
        assert len({question for _, question in parts}) == 1
        total = torch.stack([part for part, _ in parts]).sum(0)
        found = from_whole(total, [p.shape for p in query.critic.trainable], bound=query.clipping_norm)
        assert all(torch.equal(ours, theirs) for ours, theirs in zip(found, wanted, strict=True))
    shares = torch.stack([(seat.parts[0][0] != 0).any() for seat in seats])
    assert bool(shares.all())  # everybody did something


@pytest.mark.parametrize("products", [False, True])
@pytest.mark.parametrize("size", [2, 3])
def test_described_parts_add_up_to_the_last_bit(size: int, *, products: bool) -> None:
    query, seats = described(products), [Seat(rank, size) for rank in range(size)]
    wanted = crowd(Alone(), 1800).described_sums(query)
    for seat in seats:
        crowd(seat, 1800).described_sums(query)
    total = torch.stack([seat.parts[0][0] for seat in seats]).sum(0)
    assert torch.equal(from_whole(total, [wanted.shape], bound=1.0)[0], wanted)
    assert all(bool((seat.parts[0][0] != 0).any()) for seat in seats)


def test_pieces_are_shared_out_once_and_evenly() -> None:
    sizes = [40, 12, 64, 64, 31, 7, 64, 20]
    for size in (1, 2, 3, 4, 20):
        mine = [shared_out(sizes, Alone(rank, size)) for rank in range(size)]
        assert sorted(number for some in mine for number in some) == list(range(len(sizes)))
        loads = [sum(sizes[number] for number in some) for some in mine]
        assert max(loads) - min(loads) <= max(sizes)


def test_a_rank_with_nothing_to_do_answers_zero_where_opacus_skips_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten draws of almost nobody: ten answers of every rank, all of one length; Opacus makes no step of them."""
    queries, seats = [gradients(1e-9, 0)] * 10, [Seat(rank, 2) for rank in range(2)]
    for seat in seats:
        answers = asked(seat, *queries)
        assert len(seat.parts) == len(answers) == 10
        assert all(not bool(part.any()) for part, _ in seat.parts)
        assert {len(part) for part, _ in seat.parts} == {sum(p.numel() for p in queries[0].critic.trainable)}
    monkeypatch.setattr(dist, "get_world_size", lambda: 2)
    monkeypatch.setattr(dist, "get_rank", lambda: 0)
    theirs = DistributedUniformWithReplacementSampler(total_size=60, sample_rate=1e-9, steps=10)
    assert (len(theirs), len(list(theirs))) == (10, 0)


def test_two_halves_are_drawn_independently_where_equal_seeds_of_opacus_draw_them_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Our ranks hold one stream, which decides about every patient: the k-th of either half go their own ways."""
    members, half = crowd(Alone(), 400), 200
    ours = np.zeros((60, 400), dtype=bool)
    for step in range(60):
        draw = members._drawn(0.5)
        owners = np.searchsorted(members.index.starts, _places(members, draw.rows), side="right") - 1
        ours[step, owners] = True
    together = (ours[:, :half] == ours[:, half:]).mean()
    assert abs(together - 0.5) < 5 * 0.5 / ours[:, :half].size ** 0.5

    monkeypatch.setattr(dist, "get_world_size", lambda: 2)
    drawn = []
    for rank in range(2):
        monkeypatch.setattr(dist, "get_rank", lambda rank=rank: rank)
        seeded = torch.Generator().manual_seed(0)  # as after the usual torch.manual_seed on every rank
        sampler = DistributedUniformWithReplacementSampler(
            total_size=400, sample_rate=0.5, shuffle=False, steps=60, generator=seeded
        )
        drawn.append([set((indices // 2).tolist()) for indices in sampler])
    assert drawn[0] == drawn[1]


def _places(members: Members, rows: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Where in the index these rows stand."""
    where = np.zeros(len(members.labels), dtype=np.int64)
    where[members.index.rows] = np.arange(len(members.labels))
    return where[rows]  # type: ignore[no-any-return]
