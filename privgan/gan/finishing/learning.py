"""How the public detail network is learned: mostly from pairs, and from drawings that have no pair.

Where a public image was drawn again from its own numbers (`drawings`), the network is told how far it missed it (L1
distance, and distance of the critic's maps; Ledig et al. 2017): what is a blotch and what is a shadow is learned so,
too. Of other drawings nobody knows the right picture; there the critic alone says what is missing (Yuan et al. 2018),
and their lowest frequencies must stay, because those are what is measured of patients.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor

from privgan.gan.finishing.critic import Critic, alike, apart, fooled
from privgan.gan.finishing.drawings import Described
from privgan.gan.finishing.settings import FREE, LearningSettings
from privgan.gan.networks import placed
from privgan.gan.networks.descent import Adam
from privgan.gan.networks.finish import Finish, FinishShape
from privgan.gan.networks.states import Networks, Optimisers, follow
from privgan.gan.warm_start import analysed, cosine_basis
from privgan.gan.warm_start.cosines import cosine_frequencies
from privgan.images.blocks import at_once

_CRITIC_RATE, _BETAS = 4 / 3, (0.0, 0.99)  # of the critic: so many times the network's
_COOLING = 3.0  # rates fall over the last third
_AVERAGE = 0.998
_ORDER = 15
_BOUND = 10.0  # weight of values beyond [-1, 1]


@dataclass(kw_only=True)
class Lesson:
    """Everything that one step hands to the next. Mutable: the networks learn in place. `average` is what is kept."""

    step: int
    network: Finish
    average: Finish
    critic: Critic
    optimiser: Adam
    critic_optimiser: Adam

    @property
    def networks(self) -> Networks:
        """By the names under which an interrupted learning keeps them."""
        return {"network": self.network, "average": self.average, "critic": self.critic}

    @property
    def optimisers(self) -> Optimisers:
        """The same of those."""
        return {"adam": self.optimiser, "critic_adam": self.critic_optimiser}

    @classmethod
    def begin(cls, side: int, channels: int, settings: LearningSettings, device: torch.device) -> Self:
        """The first weights of a detail network, from the settings' seed."""
        shape = FinishShape(side=side, channels=channels, width=settings.width)
        return cls.of(shape, settings, device)

    @classmethod
    def of(cls, shape: FinishShape, settings: LearningSettings, device: torch.device) -> Self:
        """The same of any shape."""
        torch_rng = torch.Generator().manual_seed(settings.seed)
        network = placed(Finish(shape, torch_rng), device)
        average = placed(Finish(shape, None), device)
        average.load_state_dict(network.state_dict())
        critic = placed(Critic(shape.side, shape.channels, torch_rng), device)
        return cls(
            step=0,
            network=network,
            average=average.requires_grad_(False),
            critic=critic,
            optimiser=Adam(network.parameters(), rate=settings.rate, betas=_BETAS),
            critic_optimiser=Adam(critic.parameters(), rate=_CRITIC_RATE * settings.rate, betas=_BETAS),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """What is learned from: public images, and the same as numbers.

    shown: of rows int64 (k,) the images float32 (k, c, h, h), values in [-1, 1].
    """

    shown: Callable[[Tensor], Tensor]
    described: Described

    def __len__(self) -> int:
        return len(self.described.own)

    def batch(self, size: int, torch_rng: torch.Generator, device: torch.device) -> "Batch":
        """Random ones, each a little moved and relit: a hospital's frames and exposures are others."""
        pairs = size - size // FREE
        rows = self.some(pairs, torch_rng)
        wanted, begun = _jittered([self.shown(rows), self.described.again(rows, torch_rng)], torch_rng)
        (others,) = _jittered([self.described.others(size - pairs, torch_rng)], torch_rng)
        (real,) = _jittered([self.shown(self.some(size, torch_rng))], torch_rng)
        parts = (real, wanted, torch.cat([begun, others]))
        real, wanted, start = (part.to(device, memory_format=torch.channels_last) for part in parts)
        return Batch(real=real, wanted=wanted, start=start)

    def some(self, count: int, torch_rng: torch.Generator) -> Tensor:
        """Random rows (count,)."""
        return torch.randint(len(self), (count,), generator=torch_rng)


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """real: images to be taken for. start: what is finished; the first of it have a right answer, `wanted`."""

    real: Tensor
    wanted: Tensor
    start: Tensor

    def parts(self, z: Tensor) -> "list[_Part]":
        """What goes through the networks at once: all of it, or of large images a few with and without an answer."""
        pairs, whole = len(self.wanted), len(self.start)
        count = -(-whole // at_once(whole, self.start.shape[-1]))
        if count == 1:
            return [_Part(batch=self, z=z, share=1.0, of_pairs=1.0)]
        found, every = [], torch.arange(whole)
        for number in range(count):
            rows = torch.cat([every[number:pairs:count], every[pairs + number :: count]])
            some = Batch(real=self.real[rows], wanted=self.wanted[number::count], start=self.start[rows])
            share, of_pairs = len(rows) / whole, len(some.wanted) / pairs
            found.append(_Part(batch=some, z=z[rows], share=share, of_pairs=of_pairs))
        return found


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """share: of the whole batch. of_pairs: of its images that have a right answer."""

    batch: Batch
    z: Tensor
    share: float
    of_pairs: float


def learn_step(lesson: Lesson, batch: Batch, z: Tensor, settings: LearningSettings, *, done: float) -> None:
    """One step of the critic and one of the network; changes `lesson`.

    Args:
        lesson: as the step before left it.
        batch: what to learn from.
        z: (n, latent), standard normal, of `batch.start`.
        settings: weights of the losses.
        done: how much of the whole lies behind, 0 to 1.
    """
    pace = min(1.0, _COOLING * (1 - done) + 0.02)
    lesson.optimiser.rate, lesson.critic_optimiser.rate = settings.rate * pace, _CRITIC_RATE * settings.rate * pace
    parts = batch.parts(z)
    lesson.critic_optimiser.zero_grad()
    made = [_judged(lesson, part, keep=len(parts) == 1) for part in parts]
    lesson.critic_optimiser.step()
    lesson.optimiser.zero_grad()
    for part, drawn in zip(parts, made, strict=True):
        _corrected(lesson, part, drawn, settings)
    lesson.optimiser.step()
    lesson.critic.zero_grad(set_to_none=True)
    follow(lesson.average, lesson.network, decay=_AVERAGE, seen=lesson.step)
    lesson.step += 1


def _judged(lesson: Lesson, part: _Part, *, keep: bool) -> Tensor | None:
    """Gradients of the critic from a part; what the network made of it, and how, if there is room to `keep` that."""
    made = _made(lesson, part) if keep else None
    with _half(part.z.device):
        if made is None:
            with torch.no_grad():
                shown = _made(lesson, part)
        else:
            shown = made.detach()
        told = apart(lesson.critic(part.batch.real)[1], lesson.critic(shown)[1])
    torch.autograd.backward(part.share * told)
    return made


def _made(lesson: Lesson, part: _Part) -> Tensor:
    with _half(part.z.device):
        made: Tensor = lesson.network(part.batch.start, part.z)
    return made


def _corrected(lesson: Lesson, part: _Part, made: Tensor | None, settings: LearningSettings) -> None:
    """Gradients of the network from a part; made: what it made of that, unless that has to be made again."""
    made = _made(lesson, part) if made is None else made
    batch, pairs = part.batch, len(part.batch.wanted)
    with _half(part.z.device):
        maps, scores = lesson.critic(made)
        with torch.no_grad():
            right, _ = lesson.critic(batch.wanted)
        textures = alike(right, [each[:pairs] for each in maps])
        believed = fooled(scores)
    made = made.float()
    missed = (made[:pairs] - batch.wanted).abs().mean()
    moved = _moved(made - torch.cat([batch.wanted, batch.start[pairs:]]), settings.firm)
    beyond = F.relu(made.abs() - 1).square().mean()
    of_pairs, of_all = (
        part.of_pairs * settings.pairs * (missed + settings.textures * textures),
        settings.anchor * moved + _BOUND * beyond,
    )
    torch.autograd.backward(part.share * believed + of_pairs + part.share * of_all)


def _half(device: torch.device) -> torch.autocast:
    """Half of the bits for what is multiplied: no number here is charged or compared, and it takes half the time.

    Rounded weights are not kept: torch forgets them when its outermost autocast ends, and a training stands within
    one (`plain_surroundings`), so that every step would multiply by the weights of the first.
    """
    return torch.autocast(device.type, torch.bfloat16, cache_enabled=False)


def _moved(change: Tensor, firm: int) -> Tensor:
    """Mean square change a pixel of the frequencies that a warm start draws."""
    side = change.shape[-1]
    basis = _basis(side, _ORDER).to(change.device)
    orders = torch.tensor([u + v for u, v in cosine_frequencies(side, _ORDER)], device=change.device)
    weights = torch.where(orders < firm, 1.0, 0.1).repeat(change.shape[1])
    return (analysed(change, basis).square() * weights).sum(1).mean() / change[0].numel()


@cache
def _basis(side: int, order: int) -> Tensor:
    return cosine_basis(side, order)


def _jittered(together: list[Tensor], torch_rng: torch.Generator) -> list[Tensor]:
    """Scaled, turned, shifted and relit, each image by itself and those at the same place alike."""
    count = len(together[0])

    def spread(size: float, *shape: int) -> Tensor:
        return size * torch.randn(count, *shape, generator=torch_rng)

    zoom, angle, stretch = spread(0.06).exp(), spread(0.04), spread(0.03).exp()
    cosine, sine = angle.cos(), angle.sin()
    rows = torch.stack(
        [zoom * stretch * cosine, -zoom * sine, spread(0.04), zoom * sine, zoom / stretch * cosine, spread(0.04)], 1
    )
    grid = F.affine_grid(rows.reshape(-1, 2, 3), list(together[0].shape), align_corners=False)
    gain, offset = 1 + spread(0.08, 1, 1, 1), spread(0.05, 1, 1, 1)
    moved = [F.grid_sample(images, grid, padding_mode="border", align_corners=False) for images in together]
    return [(images * gain + offset).clamp(-1.0, 1.0) for images in moved]
