"""Mechanisms broken on purpose: the product's training step with one part swapped, each caught by the attack named.

What a defect does not touch must pass, so that a finding points at its cause.
"""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from privgan.arrays import Floats
from privgan.attack.laboratory import Laboratory
from privgan.attack.mechanism import EVERYBODY, attack_mechanism
from privgan.attack.releases import Finding
from privgan.attack.sums import no_mixing
from privgan.dp.clipping.patient_gradients import PatientGradients
from privgan.dp.mechanism import clipped_sums, noisy_gradient
from privgan.dp.plan import MechanismSettings
from privgan.dp.sampling import Draw, PatientIndex, poisson_draw
from privgan.gan.networks.losses import discriminator_losses

STEPS = 60
DRAWS = {"participation", "draw size", "empty draws", "once a step"}
NOISE = {"noise size", "noise shape", "fresh noise"}
SUMS = {"clipping", "patient level", "public divisor", "no mixing"}

CLIPPED_SUMS = "privgan.gan.training.members.clipped_sums"
POISSON_DRAW = "privgan.gan.training.members.poisson_draw"
NOISY_GRADIENT = "privgan.gan.training.step.noisy_gradient"

Broken = dict[str, Callable[..., Any]]  # what stands in for which part


def _settings(change: Callable[[MechanismSettings], MechanismSettings]) -> Callable[..., None]:
    def broken(model: Any, sums: Any, settings: MechanismSettings, **others: Any) -> None:
        noisy_gradient(model, sums, change(settings), **others)

    return broken


def no_clipping() -> Broken:
    """The noise is as promised, the bound is not."""

    def broken(*arguments: Any, clipping_norm: float, **others: Any) -> Tensor:
        unbounded = 2**20  # and the grid grows with the bound
        return unbounded * clipped_sums(*arguments, clipping_norm=unbounded * clipping_norm, **others)

    return {CLIPPED_SUMS: broken}


def half_the_noise() -> Broken:
    return {NOISY_GRADIENT: _settings(lambda s: replace(s, noise_multiplier=s.noise_multiplier / 2))}


def noise_once_an_epoch() -> Broken:
    count = itertools.count()

    def broken(*arguments: Any, rng: np.random.Generator) -> None:
        noisy_gradient(*arguments, rng=np.random.default_rng(next(count) // 8))

    return {NOISY_GRADIENT: broken}


def _told_of_the_draw(change: Callable[[MechanismSettings, int], MechanismSettings]) -> Broken:
    """The patients' side lets out how many were drawn, and whoever adds the noise makes use of it."""
    drawn: list[int] = []

    def draw(index: PatientIndex, **others: Any) -> Draw:
        made = poisson_draw(index, **others)
        drawn.append(made.patients)
        return made

    return {POISSON_DRAW: draw, NOISY_GRADIENT: _settings(lambda s: change(s, drawn[-1]))}


def silent_empty_draws() -> Broken:
    """Nobody drawn, nothing to hide: so it is told that nobody was drawn."""
    return _told_of_the_draw(lambda s, patients: s if patients else replace(s, noise_multiplier=1e-9))


def divisor_that_counts_the_draw() -> Broken:
    return _told_of_the_draw(lambda s, patients: replace(s, normaliser=float(patients + EVERYBODY.fakes)))


def image_level_clipping() -> Broken:
    def broken(model: Any, losses: Any, owners: Tensor, pieces: Tensor, **others: Any) -> Tensor:
        return clipped_sums(model, losses, torch.arange(len(owners)), pieces, **others)

    return {CLIPPED_SUMS: broken}


def shuffled() -> Broken:
    """Epochs of a fixed batch size, as in ordinary training."""
    waiting: list[int] = []

    def broken(index: PatientIndex, *, rate: float, images: int, rng: np.random.Generator) -> Draw:
        if rate == 1.0 or not index.count:
            return poisson_draw(index, rate=rate, images=images, rng=rng)
        if not waiting:
            waiting.extend(rng.permutation(index.count).tolist())
        row = index.rows[index.starts[waiting.pop() % index.count]]
        return Draw(rows=np.array([row]), owners=np.zeros(1, dtype=np.int64), patients=1, places=np.zeros(1))

    return {POISSON_DRAW: broken}


def empty_draws_skipped() -> Broken:
    def broken(index: PatientIndex, **others: Any) -> Draw:
        draw = poisson_draw(index, **others)
        while index.count and not draw.patients:
            draw = poisson_draw(index, **others)
        return draw

    return {POISSON_DRAW: broken}


def patients_twice() -> Broken:
    """Every patient has two chances in a step."""

    def broken(index: PatientIndex, **others: Any) -> Draw:
        one, two = poisson_draw(index, **others), poisson_draw(index, **others)
        return Draw(
            rows=np.concatenate([one.rows, two.rows]),
            owners=np.concatenate([one.owners, one.patients + two.owners]),
            patients=one.patients + two.patients,
            places=np.concatenate([one.places, two.places]),
        )

    return {POISSON_DRAW: broken}


CASES = [
    (no_clipping, {"clipping"}, DRAWS | NOISE),
    (half_the_noise, {"noise size", "gradient canary"}, DRAWS | SUMS),
    (noise_once_an_epoch, {"fresh noise"}, DRAWS | SUMS),
    (silent_empty_draws, {"noise of empty draws"}, DRAWS | {"clipping", "patient level"}),
    (divisor_that_counts_the_draw, {"public divisor"}, DRAWS),
    (image_level_clipping, {"patient level"}, DRAWS | NOISE | {"clipping"}),
    (shuffled, {"participation", "draw size", "empty draws"}, NOISE | SUMS | {"once a step"}),
    (empty_draws_skipped, {"empty draws", "draw size"}, NOISE | SUMS | {"once a step"}),
    (patients_twice, {"once a step"}, {"public divisor", "no mixing"}),
]


@pytest.fixture(scope="module")
def laboratory() -> Laboratory:
    return Laboratory.build(8, torch.device("cpu"))


def plant(monkeypatch: pytest.MonkeyPatch, broken: Broken) -> None:
    for part, stand_in in broken.items():
        monkeypatch.setattr(part, stand_in)


@pytest.mark.parametrize(("broken", "caught", "untouched"), CASES, ids=[case[0].__name__ for case in CASES])
def test_a_broken_mechanism_is_caught(
    laboratory: Laboratory,
    monkeypatch: pytest.MonkeyPatch,
    broken: Callable[[], Broken],
    caught: set[str],
    untouched: set[str],
) -> None:
    plant(monkeypatch, broken())
    findings = attack_mechanism(laboratory, np.random.default_rng(1), steps=STEPS)
    failed = {finding.name for finding in findings if not finding.passed}
    assert caught <= failed
    assert not failed & untouched


def test_half_the_noise_shows_in_epsilon(laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    """With enough steps the membership attack alone does better than the accountant allows."""
    plant(monkeypatch, half_the_noise())
    findings = attack_mechanism(laboratory, np.random.default_rng(1), steps=400)
    assert "epsilon of one step" in {finding.name for finding in findings if not finding.passed}


def test_batch_normalisation_is_refused_and_would_be_caught() -> None:
    """The mechanism takes no such layer; a gradient made by hand through one mixes patients."""
    with pytest.raises((NotImplementedError, ValueError), match="BatchNorm"):
        PatientGradients(_network(nn.BatchNorm2d(2)))
    assert not _canary_among_two_companies(_network(nn.BatchNorm2d(2))).passed
    assert _canary_among_two_companies(_network(nn.Identity())).passed


def _network(middle: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), middle, nn.LeakyReLU(), nn.Flatten(), nn.Linear(72, 1))


def _canary_among_two_companies(network: nn.Module) -> Finding:
    canary, company = torch.ones(1, 1, 8, 8), torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    first, second = (_clipped(network, torch.cat([canary, others])) for others in (company, -10 * company))
    return no_mixing({"some": first, "others": second}, 1.0)


def _clipped(network: nn.Module, images: Tensor) -> Floats:
    """The first image's gradient, clipped to 1."""
    loss = discriminator_losses(network(images)[:1, 0], torch.ones(1)).sum()
    gradient = torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(network.parameters()))])
    clipped: Floats = (gradient / gradient.norm().clamp_min(1)).double().numpy()
    return clipped
