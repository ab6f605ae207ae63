"""Small random changes of training images: mirrored, turned, scaled and shifted.

Augmenting inside a patient's contribution costs no privacy: whatever is done to their images before the
contribution is clipped, it stays one clipped contribution.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from privgan.arrays import Flags, Floats, Integers, Singles
from privgan.checks import strictly_within, within
from privgan.images.geometry import transform


@dataclass(frozen=True, kw_only=True)
class AugmentationSettings:
    """How far an image may be changed; the default changes nothing.

    flip: probability of a left-right mirror image (leave it 0 where sides matter). rotation_degrees, scale, shift:
    largest change either way; scale is a ratio (0.1: 0.9 to 1.1 times), shift a fraction of the side.
    """

    flip: float = 0.0
    rotation_degrees: float = 0.0
    scale: float = 0.0
    shift: float = 0.0

    def __post_init__(self) -> None:
        within(0, 1, flip=self.flip)
        within(0, 180, rotation_degrees=self.rotation_degrees)
        strictly_within(-1e-9, 1, scale=self.scale, shift=self.shift)

    @property
    def moves(self) -> bool:
        """Whether anything beyond mirroring is asked for."""
        return bool(self.rotation_degrees or self.scale or self.shift)


@dataclass(frozen=True, kw_only=True, eq=False)
class Changes:
    """How each of some images is changed, independently of the others.

    mirrored: bool (n,). angle: (n,), radians. zoom: (n,), a ratio. shift: (n, 2), down and right, a fraction of the
    side. The last three are None where nothing moves.
    """

    mirrored: Flags
    angle: Floats | None = None
    zoom: Floats | None = None
    shift: Floats | None = None

    @classmethod
    def drawn(cls, count: int, rng: np.random.Generator, settings: AugmentationSettings) -> Self:
        """For so many images, as far as the settings allow."""
        mirrored = rng.random(count) < settings.flip
        if not settings.moves:
            return cls(mirrored=mirrored)

        def spread(largest: float) -> Floats:
            return rng.uniform(-largest, largest, count)

        return cls(
            mirrored=mirrored,
            angle=spread(math.radians(settings.rotation_degrees)),
            zoom=1 + spread(settings.scale),
            shift=np.stack([spread(settings.shift), spread(settings.shift)], axis=1),
        )

    def of(self, images: Singles, places: Integers) -> Singles:
        """Some of the images, those at `places` (k,), changed; what comes in from outside the picture is black.

        Args:
            images: float32 (k, h, w, c) in [-1, 1]; not modified.
            places: int64 (k,), which of the n each is.

        Returns:
            float32, of the same shape, in [-1, 1].
        """
        changed = np.where(self.mirrored[places, None, None, None], images[:, :, ::-1], images)
        if self.angle is None or self.zoom is None or self.shift is None:
            return changed
        shift = self.shift[places] * images.shape[1:3]
        return transform(changed, self.angle[places], self.zoom[places], shift)
