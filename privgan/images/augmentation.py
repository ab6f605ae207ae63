"""Small random changes of training images: mirrored, turned, scaled and shifted.

Augmenting inside a patient's contribution costs no privacy: whatever is done to their images before the
contribution is clipped, it stays one clipped contribution.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privgan.checks import strictly_within, within

BLACK = -1.0
Images = NDArray[np.float32]
Numbers = NDArray[np.float64]


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


def augment(images: Images, rng: np.random.Generator, settings: AugmentationSettings) -> Images:
    """Change every image independently; what comes in from outside the picture is black.

    Args:
        images: float32 (n, h, w) or, in colour, (n, h, w, 3), in [-1, 1]; not modified.
        rng: source of the random changes.
        settings: how far.

    Returns:
        float32, of the same shape, in [-1, 1].
    """
    count = len(images)
    mirrored = rng.random(count) < settings.flip
    changed = np.where(mirrored.reshape(count, *(1,) * (images.ndim - 1)), images[:, :, ::-1], images)
    if not settings.moves:
        return changed

    def spread(largest: float) -> Numbers:
        return rng.uniform(-largest, largest, count)

    angle = spread(math.radians(settings.rotation_degrees))
    zoom = 1 + spread(settings.scale)
    shift = np.stack([spread(settings.shift), spread(settings.shift)], axis=1) * images.shape[1:3]
    return transform(changed, angle, zoom, shift)


def transform(images: Images, angle: Numbers, zoom: Numbers, shift: Numbers) -> Images:
    """Turn by angle (radians), enlarge by zoom and move by shift (rows, columns), about the centre, bilinearly.

    Args:
        images: float32 (n, h, w) or (n, h, w, 3).
        angle: (n,).
        zoom: (n,).
        shift: (n, 2).
    """
    height, width = images.shape[1:3]
    moves = shift.astype(np.float32)
    y = np.arange(height, dtype=np.float32)[None, :, None] - (height - 1) / 2 - moves[:, 0, None, None]
    x = np.arange(width, dtype=np.float32)[None, None, :] - (width - 1) / 2 - moves[:, 1, None, None]
    cosine, sine = ((f(angle) / zoom).astype(np.float32)[:, None, None] for f in (np.cos, np.sin))
    return _sample(images, cosine * y - sine * x + (height - 1) / 2, sine * y + cosine * x + (width - 1) / 2)


def _sample(images: Images, rows: Images, columns: Images) -> Images:
    """Bilinear interpolation at fractional positions (n, h, w), the same in all channels; black outside."""
    if images.ndim == 4:
        return np.stack([_sample(images[..., channel], rows, columns) for channel in range(3)], axis=-1)
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)), constant_values=BLACK)
    _, height, width = padded.shape
    rows, columns = np.clip(rows + 1, 0, height - 1), np.clip(columns + 1, 0, width - 1)
    top = np.minimum(rows.astype(np.int32), height - 2)
    left = np.minimum(columns.astype(np.int32), width - 2)
    down, right = rows - top.astype(np.float32), columns - left.astype(np.float32)
    corner = (np.arange(len(images), dtype=np.int32)[:, None, None] * height + top) * width + left
    flat = padded.ravel()
    above = flat[corner] * (1 - right) + flat[corner + 1] * right
    below = flat[corner + width] * (1 - right) + flat[corner + width + 1] * right
    blended: Images = above * (1 - down) + below * down
    return np.clip(blended, BLACK, 1, out=blended)
