"""Small random changes of training images: mirrored, turned, scaled and shifted.

Augmenting inside a patient's contribution costs no privacy: whatever is done to their images before the
contribution is clipped, it stays one clipped contribution.
"""

import math
from dataclasses import dataclass

import numpy as np

from privgan.arrays import Floats, Singles
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


def augment(images: Singles, rng: np.random.Generator, settings: AugmentationSettings) -> Singles:
    """Change every image independently; what comes in from outside the picture is black.

    Args:
        images: float32 (n, h, w, c) in [-1, 1]; not modified.
        rng: source of the random changes.
        settings: how far.

    Returns:
        float32, of the same shape, in [-1, 1].
    """
    count = len(images)
    mirrored = rng.random(count) < settings.flip
    changed = np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)
    if not settings.moves:
        return changed

    def spread(largest: float) -> Floats:
        return rng.uniform(-largest, largest, count)

    angle = spread(math.radians(settings.rotation_degrees))
    zoom = 1 + spread(settings.scale)
    shift = np.stack([spread(settings.shift), spread(settings.shift)], axis=1) * images.shape[1:3]
    return transform(changed, angle, zoom, shift)
