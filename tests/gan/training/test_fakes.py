"""Fakes of a discriminator step: always as many, each shown as often as asked, told of as they were drawn."""

from collections import Counter
from pathlib import Path

import pytest
import torch

from privgan.gan.ranks.ranks import ALONE
from privgan.gan.training.beginning import fresh_state
from privgan.gan.training.fakes import shown_fakes
from tests.gan.small import small_mixture, small_training

STEPS, COUNT = 9, 10


@pytest.mark.parametrize(("showings", "new"), [(1, 10), (2, 5), (4, 3), (10, 1), (99, 1)])
def test_a_fake_is_shown_in_so_many_steps_and_leaves(showings: int, new: int, tmp_path: Path) -> None:
    training, torch_rng = small_training(tmp_path), torch.Generator().manual_seed(0)
    state = fresh_state(training, small_mixture(), torch_rng)
    seen: Counter[bytes] = Counter()
    told_of: dict[bytes, int] = {}
    before: list[bytes] = []
    for step in range(STEPS):
        fakes, told = shown_fakes(state, COUNT, showings, training.device, ALONE, torch_rng)
        now = [fake.numpy().tobytes() for fake in fakes]
        assert len(now) == len(set(now)) == len(told) == COUNT
        assert before[new:] == now[:-new] or not step  # the oldest leave, the newest come last
        assert all(told_of.setdefault(fake, label) == label for fake, label in zip(now, told.tolist(), strict=True))
        seen.update(now)
        before = now
    assert len(seen) == COUNT + new * (STEPS - 1)
    assert max(seen.values()) == min(STEPS, -(-COUNT // new))
