"""Copies as a generator with a public prior could make them: through its detail network, and around it.

The network is the product's, and so are the generator that it belongs to, its coordinates and its gains. What leaks
is put in at each place where something could be remembered: the linear part, the network's input, its output.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from privgan.arrays import Images, Integers
from privgan.gan.finishing.drawings import Described
from privgan.gan.networks.generators import Generator
from privgan.gan.networks.saving import load_generator
from privgan.gan.warm_start.strength import split
from privgan.images.pixels import from_uint8, to_levels


@dataclass(frozen=True, kw_only=True, eq=False)
class Finishing:
    """A run's generator, and whose images are copied through it.

    images: uint8 (n, h, h, 1) with labels, int64 (n,), classes of the run. strangers: uint8 (m, h, h, 1) of people
    who are on neither side of the audit.
    """

    generator: Generator
    images: Images
    labels: Integers
    strangers: Images

    @classmethod
    def of(cls, run: Path, images: Images, labels: Integers, strangers: Images) -> "Finishing":
        """With the generator of a finished run."""
        return cls(generator=load_generator(run).network, images=images, labels=labels, strangers=strangers)

    @cached_property
    def own(self) -> Tensor:
        """(n, m), the warm start's numbers of every image."""
        return Described.of(self.images, self.generator.config.mixture).own

    def unchanged(self, rows: Integers, rng: np.random.Generator) -> Images:
        """The images as they are."""
        del rng
        return self.images[rows]

    @torch.no_grad()
    def remembered(self, rows: Integers, rng: np.random.Generator, *, grain: bool) -> Images:
        """The linear part knows these images' numbers by heart, and the network finishes what it draws of them.

        grain: whether it varies them by as much grain, and bends them as much, as it does the images of its run.
        """
        generator = copy.deepcopy(self.generator)
        generator.start.loadings.zero_()
        found = []
        for row in rows:
            generator.start.means[:] = self.own[row]
            z = torch.randn(1, generator.config.latents, generator=_torch(rng))
            if not grain:
                z[:, : generator.config.mixture.latent] = 0.0
            found.append(generator.begun(z, self._labels(row[None])))
        return _rounded(torch.cat(found))

    def whole(self, rows: Integers, rng: np.random.Generator) -> Images:
        """The network is handed the images themselves."""
        return self._finished(from_uint8(self.images[rows]), rows, rng)

    def on_a_stranger(self, rows: Integers, rng: np.random.Generator, *, finished: bool) -> Images:
        """The images' detail on the outline of a stranger, handed to the network or not."""
        drawn = rng.integers(0, len(self.strangers), len(rows))
        return self._on(from_uint8(self.strangers[drawn]), rows, rng, finished=finished)

    def on_a_drawing(self, rows: Integers, rng: np.random.Generator, *, share: float = 1.0) -> Images:
        """The images' detail in place of the network's on what the generator draws, or a share of it."""
        return self._on(self._draw(rows, rng, self.generator.begun), rows, rng, share=share)

    def in_a_drawing(self, rows: Integers, rng: np.random.Generator) -> Images:
        """The images' detail on what the linear part draws, handed to the network."""
        latent = self.generator.config.mixture.latent
        drawn = self._draw(rows, rng, lambda z, labels: self.generator.start(z[:, :latent], labels))
        return self._on(drawn, rows, rng, finished=True)

    def _on(
        self,
        outlines: Tensor,
        rows: Integers,
        rng: np.random.Generator,
        *,
        share: float = 1.0,
        finished: bool = False,
    ) -> Images:
        detail, others = (self._detail(images) for images in (from_uint8(self.images[rows]), outlines))
        images = (outlines + share * (detail - others)).clamp(-1.0, 1.0)
        return self._finished(images, rows, rng) if finished else _rounded(images)

    def _detail(self, images: Tensor) -> Tensor:
        """All of the frequencies that gains make stronger or weaker."""
        bands = self.generator.config.detail_bands
        return torch.stack(list(split(images, bands.columns, bands.masks))).sum(0)

    @torch.no_grad()
    def _draw(self, rows: Integers, rng: np.random.Generator, draw: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """Images of the classes of these rows, as the generator draws them."""
        z = torch.randn(len(rows), self.generator.config.latents, generator=_torch(rng))
        return torch.cat(
            [draw(*each) for each in zip(z.split(_AT_ONCE), self._labels(rows).split(_AT_ONCE), strict=True)]
        )

    @torch.no_grad()
    def _finished(self, images: Tensor, rows: Integers, rng: np.random.Generator) -> Images:
        """As the generator finishes what its linear part draws."""
        finish, strengths, shape = self.generator.finish, self.generator.strengths, self.generator.config.finished
        assert finish is not None
        assert strengths is not None
        assert shape is not None
        z = torch.randn(len(rows), shape.latent, generator=_torch(rng))
        parts = zip(*(each.split(_AT_ONCE) for each in (images, z, self._labels(rows))), strict=True)
        done = [strengths(finish(some, noise).clamp(-1.0, 1.0), labels) for some, noise, labels in parts]
        return _rounded(torch.cat(done))

    def _labels(self, rows: Integers) -> Tensor:
        return torch.from_numpy(self.labels[rows])


Leak = Callable[[Finishing, Integers, np.random.Generator], Images]
LEAKS: Mapping[str, Leak] = {
    "unchanged": Finishing.unchanged,
    "its numbers, finished": partial(Finishing.remembered, grain=False),
    "its numbers with grain and bend, finished": partial(Finishing.remembered, grain=True),
    "all of it, finished": Finishing.whole,
    "its detail on a stranger's outline": partial(Finishing.on_a_stranger, finished=False),
    "its detail on a stranger's outline, finished": partial(Finishing.on_a_stranger, finished=True),
    "its detail on a drawn outline": Finishing.on_a_drawing,
    "half its detail on a drawn image": partial(Finishing.on_a_drawing, share=0.5),
    "its detail on a drawn outline, finished": Finishing.in_a_drawing,
}
"""What of a patient's image a copy has kept, and which way it went."""
_AT_ONCE = 32


def _torch(rng: np.random.Generator) -> torch.Generator:
    return torch.Generator().manual_seed(int(rng.integers(2**62)))


def _rounded(images: Tensor) -> Images:
    return np.rint(to_levels(images)).astype(np.uint8)
