"""Fakes and what the generator learns from them, cut into pieces that any rank may make and all are told of.

No patient is in here: fakes come from the released start and a discriminator that learned under noise. They are more
than half of a training's work on a processor.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from privgan.gan.networks import fakes_at_once
from privgan.gan.networks.losses import LOSSES, anchor_loss, fake_accuracy
from privgan.gan.patients import classes_of
from privgan.gan.ranks.ranks import Ranks
from privgan.gan.training.monitor import require_finite
from privgan.gan.training.settings import RefinementSettings
from privgan.gan.training.state import TrainingState

_SAID = 3  # numbers that a piece of a generator step says beside its gradient

# z (n, latents), and labels (n,) in the released class proportions, or records (n, 1 + columns) in those of a table
Latents = tuple[Tensor, Tensor]


def shown_fakes(
    state: TrainingState, count: int, showings: int, device: torch.device, ranks: Ranks, torch_rng: torch.Generator
) -> Latents:
    """Fakes for a discriminator step, as `drawn_fakes` has them, the newest last; each is shown in so many steps.

    So but for the first step, in which all are new, only some are drawn; they take the place of the oldest.
    """
    if state.shown is None or len(state.shown[0]) != count:
        shown = drawn_fakes(state, count, device, ranks, torch_rng)
    else:
        new = drawn_fakes(state, math.ceil(count / showings), device, ranks, torch_rng)
        images, told = (torch.cat([old[len(some) :], some]) for old, some in zip(state.shown, new, strict=True))
        shown = images, told
    state.shown = shown
    return shown


def drawn_fakes(
    state: TrainingState, count: int, device: torch.device, ranks: Ranks, torch_rng: torch.Generator
) -> Latents:
    """Fakes (count, channels, size, size) in [-1, 1] and what the discriminator is told of them: labels (count,), or
    records (count, 1 + columns); the same on every rank.
    """
    latents, form = _latents(state, count, device, torch_rng), state.generator.config.form
    shapes = [torch.Size((len(told), form.channels, form.side, form.side)) for _, told in latents]

    def drawn(number: int) -> Tensor:
        with torch.no_grad():
            return state.generator.drawn(*latents[number])[0]

    return torch.cat(ranks.pieces(shapes, drawn)), torch.cat([_heard(state, told) for _, told in latents])


def set_gradients(
    state: TrainingState,
    refinement: RefinementSettings,
    device: torch.device,
    ranks: Ranks,
    torch_rng: torch.Generator,
) -> tuple[float, float]:
    """Set `.grad` of the generator's weights, as every rank does alike.

    Returns:
        The share of fakes that the discriminator calls fake, and their distance from what the warm start drew.

    Raises:
        UsageError: images or gradients are not finite.
    """
    weights = [weight for weight in state.generator.parameters() if weight.requires_grad]
    latents, sizes = _latents(state, refinement.fakes, device, torch_rng), [weight.numel() for weight in weights]
    shapes = [torch.Size((_SAID + sum(sizes),))] * len(latents)
    told = ranks.pieces(shapes, lambda number: _gradient(state, refinement, weights, latents[number]))
    require_finite(told, state.step)
    # In the order of the pieces, as one process would add them.
    whole = sum(told[1:], start=told[0])
    for weight, part in zip(weights, torch.split(whole[_SAID:], sizes), strict=True):
        weight.grad = part.reshape(weight.shape)
    return float(whole[0]), float(whole[1])


def _latents(state: TrainingState, count: int, device: torch.device, torch_rng: torch.Generator) -> list[Latents]:
    """What so many fakes are drawn from, some at a time."""
    found, few = [], fakes_at_once(state.generator.config.form.side)
    for start in range(0, count, few):
        some = min(few, count - start)
        labels = torch.multinomial(state.counts, some, replacement=True, generator=torch_rng).to(device)
        z = torch.randn(some, state.generator.config.latents, generator=torch_rng).to(device)
        found.append((z, labels if state.odds is None else state.odds.drawn(labels, torch_rng)))
    return found


def _gradient(
    state: TrainingState, refinement: RefinementSettings, weights: Sequence[Tensor], latents: Latents
) -> Tensor:
    """What a piece adds, (3 + weights,): the share told apart, the distance, the images' size, and the gradient."""
    z, told = latents
    fakes, start = state.generator.drawn(z, told)
    scores = state.discriminator(fakes, _heard(state, told))
    anchor, share = anchor_loss(fakes, start, state.generator.basis), len(told) / refinement.fakes
    loss = share * (LOSSES[refinement.loss].generator(scores) + refinement.anchor * anchor)
    gradients = torch.autograd.grad(loss, weights, materialize_grads=True)
    said = [share * fake_accuracy(scores.detach()), share * float(anchor.detach()), float(fakes.detach().norm())]
    return torch.cat([torch.tensor(said, device=z.device), *(part.flatten() for part in gradients)])


def _heard(state: TrainingState, told: Tensor) -> Tensor:
    """Of labels or records what the discriminator was built to hear."""
    return told if state.discriminator.levels else classes_of(told)
