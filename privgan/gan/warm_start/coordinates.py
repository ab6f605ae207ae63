"""An image as the numbers that the queries ask about, and an image drawn from such numbers.

First its low spatial frequencies; with `brightness` those of the image at one brightness for all, and how bright it
is; with `pose` those of the image in one pose for all, and its pose.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from privgan.gan.warm_start.cosines import analysed, synthesised
from privgan.gan.warm_start.pose import POSE, pose_of, posed, unposed, unweighed, weighed

_BRIGHTNESS_WEIGHT = 10.0  # what a unit of its logarithm is worth in cosine coefficients at 28 pixels
_DARKEST = 0.03  # brightness from 0 to 1; an image below is thought as bright as that
_BRIGHTEST = 2.5  # a pixel relative to its image's brightness


@dataclass(frozen=True, kw_only=True)
class Coordinates:
    """Which numbers: all of it public."""

    image_size: int
    channels: int
    order: int
    brightness: bool
    pose: bool

    @cached_property
    def bands(self) -> Tensor:
        """Which of them (m,) are alike: cosines of a channel by their frequency u + v, every other by itself."""
        order, side = self.order, min(self.order, self.image_size)
        frequencies = [u + v for u in range(side) for v in range(side) if u + v < order]
        cosines = [channel * order + band for channel in range(self.channels) for band in frequencies]
        first = self.channels * order
        return torch.tensor([*cosines, *range(first, first + self._others)])

    @property
    def count(self) -> int:
        """m, how many there are."""
        return len(self.bands)

    def of(self, images: Tensor, basis: Tensor) -> Tensor:
        """(n, m) of images (n, channels, size, size) in [-1, 1]; basis: the cosines."""
        parts = []
        if self.brightness:
            bright = brightness_of(images)
            parts.append(bright.log()[:, None] * self._brightness_weight)
            images = _relit(images, 1 / bright).clamp_max(2 * _BRIGHTEST - 1)
        if self.pose:
            poses = pose_of(images)
            parts.append(weighed(poses, self.image_size))
            images = posed(images, poses)
        return torch.cat([analysed(images, basis), *parts], dim=1)

    def drawn(self, found: Tensor, basis: Tensor) -> Tensor:
        """Images, unbounded, of coordinates (n, m): the inverse, but for high frequencies."""
        cosines, others = torch.split(found, [found.shape[1] - self._others, self._others], dim=1)
        images = synthesised(cosines, basis, self.channels)
        if self.pose:
            images = unposed(images, unweighed(others[:, -POSE:], self.image_size))
        if self.brightness:
            images = _relit(images, (others[:, 0] / self._brightness_weight).exp())
        return images

    @property
    def _others(self) -> int:
        return self.brightness + POSE * self.pose

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
