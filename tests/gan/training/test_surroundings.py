"""A whole training, warm start included, is the same wherever it is called from."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from unittest.mock import create_autospec

import torch
from torch import Tensor

from privgan.dp.budget.ledger import Ledger
from privgan.gan.randomness import Randomness
from privgan.gan.training.step import fit
from privgan.gan.training.timing import affordable_steps
from privgan.interruption import StopRequest
from tests.gan.small import small_training
from tests.surroundings import Surroundings, everywhere


def trained(run: Path, surroundings: Surroundings) -> list[Tensor]:
    training = small_training(run)
    noises = tuple(1.0 for _ in training.settings.warm_start.noise_ratios)
    training = replace(training, plan=replace(training.plan, steps=2, warm_start=noises))
    ledger = create_autospec(Ledger)
    ledger.of_kind.return_value = []
    with surroundings():
        state = fit(training, ledger, Randomness.of(0), StopRequest())
    return [p.detach() for network in (state.discriminator, state.generator) for p in network.parameters()]


@everywhere
def test_a_training_is_the_same_in_all_surroundings(surroundings: Surroundings, tmp_path: Path) -> None:
    wanted = trained(tmp_path / "plain", nullcontext)
    for ours, theirs in zip(trained(tmp_path / "other", surroundings), wanted, strict=True):
        assert ours.dtype == torch.float32
        assert torch.equal(ours, theirs)


@everywhere
def test_steps_are_timed_in_all_surroundings(surroundings: Surroundings, tmp_path: Path) -> None:
    training = small_training(tmp_path / "run")
    with surroundings():
        steps = affordable_steps(training.settings, 0.0, config=training.config, members=3, device=training.device)
    assert steps == 1
