"""An image as the numbers that the queries ask about, and an image drawn from such numbers.

First its low spatial frequencies; with `brightness` those of the image at one brightness for all, and how bright it
is; with `pose` those of the image in one pose for all, and its pose; with `align` those of the image whose parts lie
where they lie on average, and how they had to be moved.

Of colour only the coarse part is asked about: a fine difference of colour is drawn as a part of the light's fine
detail at its place (`tint`), for a vessel or a mole is of another colour where it is darker. Noise on every frequency
of three channels would be a speckle of all colours of the rainbow, which tissue never has.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from privgan.gan.warm_start.cosines import analysed, cosine_basis, cosine_frequencies, synthesised
from privgan.gan.warm_start.movement import BENDS, REACH, WAVES, bent, carried, movements, unbent, waves
from privgan.gan.warm_start.pose import POSE, pose_of, posed, unposed, unweighed, weighed

_BRIGHTNESS_WEIGHT = 10.0  # what a unit of its logarithm is worth in cosine coefficients at 28 pixels
_MOVEMENT_WEIGHT = 1.0  # what a number of a movement is worth in them
# What a cosine of colour is worth in cosines of brightness: colours differ less, and drown in the same noise.
COLOUR_WEIGHT = 3.0
_DARKEST = 0.03  # brightness from 0 to 1; an image below is thought as bright as that
_BRIGHTEST = 2.5  # a pixel relative to its image's brightness


@dataclass(frozen=True, kw_only=True)
class Coordinates:
    """Which numbers: all of it public.

    Those that vary from image to image come first: cosines of frequencies below `order`, of the two differences of
    colour below `colour_order`, brightness, pose, movements. Cosines of the light from `order` to `fine` follow, of
    which only the average of all images is asked and drawn.
    """

    image_size: int
    channels: int
    order: int
    colour_order: int
    fine: int
    brightness: bool
    pose: bool
    align: bool

    @property
    def varying(self) -> Self:
        """Those that vary from image to image: the first of these."""
        return replace(self, fine=self.order)

    @property
    def still(self) -> Self:
        """Those that ask nobody to be moved: the first of these again."""
        return replace(self.varying, align=False)

    @cached_property
    def bands(self) -> Tensor:
        """Which of all of them are alike, from 0: cosines of a channel by frequency, movements of a direction by
        theirs, every other by itself.
        """
        low, high = self._cosines[: self._low], self._cosines[self._low :]
        colour, moved = self._cosines[: self._coloured], [u + v for u, v in WAVES]
        tints = [colour] * (self.channels - 1)
        groups = [low, *tints] + [[0]] * self._others + [moved] * (2 * self.align) + [high]
        found: list[int] = []
        for group in filter(None, groups):
            start = found[-1] + 1 if found else 0
            found += [start + band - group[0] for band in group]
        return torch.tensor(found)

    @cached_property
    def count(self) -> int:
        """m, how many vary from image to image."""
        return self._cosine_count + self._others + self._movements

    @cached_property
    def fine_count(self) -> int:
        """f, how many do not."""
        return len(self.bands) - self.count

    @cached_property
    def basis(self) -> Tensor:
        """The cosines, (all, size x size)."""
        return cosine_basis(self.image_size, self.fine)

    @cached_property
    def field(self) -> Tensor:
        """The waves of movements, (BENDS / 2, size x size)."""
        return waves(self.image_size)

    def of(self, images: Tensor, template: Tensor | None = None) -> Tensor:
        """(n, m + f) of images (n, channels, size, size) in [-1, 1].

        template: with `align`, the average image (channels, size, size) that they are moved onto.
        """
        parts = []
        if self.brightness:
            bright = brightness_of(images)
            parts.append(bright.log()[:, None] * self._brightness_weight)
            images = _relit(images, 1 / bright).clamp_max(2 * _BRIGHTEST - 1)
        if self.pose:
            poses = pose_of(images)
            parts.append(weighed(poses, self.image_size))
            images = posed(images, poses)
        if template is not None:
            moved = movements(images, template)
            parts.append(moved * self._movement_weight)
            images = unbent(images, moved, self.field, REACH)
        low, high = self.basis[: self._low], self.basis[self._low :]
        coarse = analysed(images, low).reshape(len(images), self.channels, len(low))
        colour = coarse[:, 1:, : self._coloured] * COLOUR_WEIGHT
        return torch.cat([coarse[:, 0], colour.flatten(1), *parts, analysed(images, high)[:, : len(high)]], dim=1)

    def drawn(self, found: Tensor, tint: Tensor, basis: Tensor, field: Tensor) -> Tensor:
        """Images, unbounded, of coordinates (n, m + f): the inverse, but for higher frequencies.

        tint: (n, channels - 1), how much of the light's fine detail each difference of colour has.
        basis, field: the cosines and the waves of movements, where the coordinates are.
        """
        sizes = [self._cosine_count, self._others, self._movements, self.fine_count]
        low, others, moved, high = torch.split(found, sizes, dim=1)
        images = synthesised(self._planes(low, high, tint), basis, self.channels)
        if self.align:
            images = bent(images, moved / self._movement_weight, field, REACH)
        if self.pose:
            images = unposed(images, unweighed(others[:, -POSE:], self.image_size))
        if self.brightness:
            images = _relit(images, (others[:, 0] / self._brightness_weight).exp())
        return images

    def carried(self, images: Tensor, before: Tensor, after: Tensor) -> Tensor:
        """Images (n, channels, size, size) of coordinates `before` (n, m), with their parts moved to where those of
        coordinates `after` lie; nothing else of them changes.
        """
        if not self.align:
            return images
        moved = (found[:, self.count - self._movements : self.count] for found in (before, after))
        first, then = (numbers / self._movement_weight for numbers in moved)
        return carried(images, first, then, self.field, REACH)

    def template(self, mean: Tensor) -> Tensor:
        """The image (channels, size, size) of a mean's cosines: in the one pose and brightness, nothing moved."""
        low, high = mean[None, : self._cosine_count], mean[None, self.count :]
        planes = self._planes(low, high, low.new_zeros(1, self.channels - 1))
        return synthesised(planes, self.basis, self.channels)[0].clamp(-1.0, 1.0)

    @cached_property
    def shared(self) -> tuple[Tensor, Tensor]:
        """Where the frequencies lie that light and colour both have, but for the lowest: (k,) those of the light,
        (channels - 1, k) those of the differences of colour, which weigh `COLOUR_WEIGHT`.
        """
        own = torch.arange(1, self._coloured)
        starts = self._low + self._coloured * torch.arange(self.channels - 1)
        return own, starts[:, None] + own

    def _planes(self, low: Tensor, high: Tensor, tint: Tensor) -> Tensor:
        """Cosines (n, channels x all) of brightness and of the differences of colour."""
        light = torch.cat([low[:, : self._low], high], dim=1)
        coarse = low[:, self._low :].reshape(len(low), self.channels - 1, self._coloured) / COLOUR_WEIGHT
        fine = tint[:, :, None] * light[:, None, self._coloured :]
        return torch.cat([light, torch.cat([coarse, fine], dim=2).flatten(1)], dim=1)

    @cached_property
    def _cosines(self) -> list[int]:
        return [u + v for u, v in cosine_frequencies(self.image_size, self.fine)]

    @cached_property
    def _low(self) -> int:
        return sum(band < self.order for band in self._cosines)

    @cached_property
    def _coloured(self) -> int:
        return sum(band < min(self.order, self.colour_order) for band in self._cosines)

    @property
    def _cosine_count(self) -> int:
        return self._low + self._coloured * (self.channels - 1)

    @property
    def _others(self) -> int:
        return self.brightness + POSE * self.pose

    @property
    def _movements(self) -> int:
        return BENDS * self.align

    @property
    def _movement_weight(self) -> float:
        return _MOVEMENT_WEIGHT * self.image_size / 28

    @property
    def _brightness_weight(self) -> float:
        return _BRIGHTNESS_WEIGHT * self.image_size / 28


def brightness_of(images: Tensor) -> Tensor:
    """How bright (n,), 0 to 1, things on images in [-1, 1] are: a mean over their light, to which black adds none."""
    light = (images.flatten(1) + 1) / 2
    found: Tensor = light.square().sum(1) / light.sum(1).clamp_min(1e-3)
    return found.clamp_min(_DARKEST)


def _relit(images: Tensor, factor: Tensor) -> Tensor:
    return (images + 1) * factor[:, None, None, None] - 1
