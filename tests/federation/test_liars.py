"""Totals as a lying site can make them: whoever hears them still ends with a generator that draws images."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from privgan.federation.invitation import Invitation
from privgan.gan.networks import load_generator, save_generator
from privgan.gan.patients import DescribedQuery, Patients
from privgan.gan.randomness import Randomness
from privgan.gan.training.beginning import Training
from privgan.gan.training.step import fit
from privgan.interruption import StopRequest
from tests.federation.hospitals import QUESTIONS, World
from tests.federation.test_together import pooled

Lie = Callable[[Tensor, float], Tensor]


def in_one(place: int) -> Lie:
    """All of it in one number, less than there is."""

    def lie(truth: Tensor, longest: float) -> Tensor:
        made = torch.zeros_like(truth)
        made.view(-1)[place] = -longest
        return made

    return lie


LIES: dict[str, Lie] = {
    "nobody there": lambda truth, _: -truth,
    "fewer than nobody, everywhere": lambda truth, longest: torch.full_like(truth, -longest / truth.numel() ** 0.5),
    "more than there are, everywhere": lambda truth, longest: torch.full_like(truth, longest / truth.numel() ** 0.5),
    "the first number": in_one(0),
    "the last number": in_one(-1),
}


class Liar:
    """All members, and one site's lie in every total, as long as an answer may be."""

    def __init__(self, members: Patients, invitation: Invitation, lie: Lie) -> None:
        self.members, self.invitation, self.lie, self.asked = members, invitation, lie, 0

    def noisy_sums(self, query: DescribedQuery, noise: float) -> Tensor:
        """See `NoisyPatients`; without the noise of the others, which hides nothing here."""
        del noise
        self.asked += 1
        truth = self.members.described_sums(query)
        return truth + self.lie(truth, self.invitation.longest(self.asked, truth.numel()))


@pytest.mark.parametrize("lie", LIES)
def test_no_lie_that_is_believed_breaks_a_site(world: World, tmp_path: Path, lie: str) -> None:
    """Images may be of nobody's kind; no number in the generator is none, and nothing ends in a traceback."""
    asked = world.federation.invitation
    (tmp_path / "run" / "private").mkdir(parents=True)
    (tmp_path / "run" / "model").mkdir()
    liar = Liar(pooled(world), asked, LIES[lie])
    training = Training(
        run=tmp_path / "run",
        run_id="a run",
        patients=liar,
        config=asked.settings.generator_config(asked.form.bare, None, asked.schema),
        plan=asked.plan_of_totals,
        settings=asked.settings,
        device=torch.device("cpu"),
        schema=asked.schema,
    )
    state = fit(training, None, Randomness.of(world.federation.seed), StopRequest())
    assert liar.asked == QUESTIONS
    assert all(bool(torch.isfinite(values).all()) for values in state.average.state_dict().values())
    save_generator(tmp_path / "run", state.average, state.class_balance, state.records)
    loaded = load_generator(tmp_path / "run")
    levels = loaded.levels(np.random.default_rng(0).standard_normal(loaded.latent), 1)
    assert levels.shape == (28, 28)
    assert bool(np.isfinite(levels).all())
