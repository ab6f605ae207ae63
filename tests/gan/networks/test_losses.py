"""The losses: the equations on numbers, one image at a time, and a zero that means the same in all of them."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from privgan.errors import UsageError
from privgan.gan.networks.losses import LOSSES, anchor_loss, as_targets, fake_accuracy
from privgan.gan.training.settings import RefinementSettings
from privgan.gan.warm_start import cosine_basis
from tests.gan.small import ORDER, SIZE

SCORES, TARGETS = torch.tensor([2.0, -0.5, 2.0, -0.5]), torch.tensor([1.0, 1.0, -1.0, -1.0])


@pytest.mark.parametrize(
    ("name", "discriminator", "generator"),
    [
        ("non-saturating", lambda s, t: math.log(1 + math.exp(-t * s)), lambda s: math.log(1 + math.exp(-s))),
        ("hinge", lambda s, t: max(0.0, 1 - t * s), lambda s: -s),
        ("wasserstein", lambda s, t: -t * s + 0.05 * s * s, lambda s: -s),
    ],
)
def test_the_equations(
    name: str, discriminator: Callable[[float, float], float], generator: Callable[[float], float]
) -> None:
    """Each image's loss is its own: the clipped contribution of a patient must not depend on others."""
    loss, pairs = LOSSES[name], list(zip(SCORES.tolist(), TARGETS.tolist(), strict=True))
    found = loss.discriminator(SCORES, TARGETS)
    assert found.tolist() == pytest.approx([discriminator(s, t) for s, t in pairs], rel=1e-5)
    assert torch.equal(loss.discriminator(SCORES[1:2], TARGETS[1:2]), found[1:2])
    assert float(loss.generator(SCORES)) == pytest.approx(sum(generator(s) for s, _ in pairs) / 4, rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_both_players_pull_the_right_way(name: str) -> None:
    """The discriminator raises scores of real images and lowers those of fakes; the generator raises its fakes'."""
    scores = torch.zeros(4, requires_grad=True)
    (down,) = torch.autograd.grad(LOSSES[name].discriminator(scores, as_targets(2, 2, scores.device)).sum(), scores)
    assert (-down).sign().tolist() == [1, 1, -1, -1]
    (down,) = torch.autograd.grad(LOSSES[name].generator(scores), scores)
    assert bool((down < 0).all())


def _accuracy_after(losses: Callable[[Tensor, Tensor], Tensor]) -> tuple[float, float]:
    """A discriminator of bounded slope that starts far above zero: shares of fakes, and of real, below zero."""
    real, fake = (torch.linspace(-1, 1, 50) + middle for middle in (1.2, -1.2))
    x, targets = torch.cat([real, fake]), as_targets(50, 50, real.device)
    slope, offset = (torch.tensor(value, requires_grad=True) for value in (0.0, 8.0))
    optimiser = torch.optim.SGD([slope, offset], lr=0.3)
    for _ in range(300):
        optimiser.zero_grad()
        torch.autograd.backward(losses(slope.tanh() * x + offset, targets).mean())
        optimiser.step()
    scores = (slope.tanh() * x + offset).detach()
    return fake_accuracy(scores[50:]), fake_accuracy(scores[:50])


@pytest.mark.parametrize("name", LOSSES)
def test_below_zero_means_fake_in_every_game(name: str) -> None:
    """The ladder reads scores of fakes alone, so zero must lie between the two sides wherever training started."""
    told, wrong = _accuracy_after(LOSSES[name].discriminator)
    assert told > 0.9
    assert wrong < 0.1


def test_without_the_drift_term_a_critics_zero_means_nothing() -> None:
    """The plain Wasserstein loss keeps any constant that it starts with."""
    told, _ = _accuracy_after(lambda scores, targets: -targets * scores)
    assert told < 0.1


@pytest.mark.parametrize("channels", [1, 3])
def test_the_anchor_is_where_the_release_is(channels: int) -> None:
    """Zero for what the warm start drew, the mean square of what is added for anything else of low frequency."""
    basis = cosine_basis(SIZE, ORDER)
    there = 0.2 * torch.randn(6, channels, SIZE, SIZE)
    assert float(anchor_loss(there, there, basis)) == pytest.approx(0, abs=1e-9)
    assert float(anchor_loss(there + 0.1, there, basis)) == pytest.approx(0.01, rel=1e-3)
    checks = (torch.arange(SIZE) % 2)[:, None] ^ (torch.arange(SIZE) % 2)
    assert float(anchor_loss(there + 0.1 * (2 * checks - 1), there, basis)) < 1e-4


def test_an_unknown_loss_is_refused() -> None:
    with pytest.raises(UsageError, match="wasserstein"):
        RefinementSettings(loss="wgan-gp")
