"""Images turned, averaged down, moved: the only place that knows how grey and colour differ in it.

Images are grey, (n, h, w), or have red, green and blue last, (n, h, w, 3).
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Floats, Singles

BLACK = -1.0
_BLOCK_PIXELS = 1 << 23  # that are numbers at once: 32 MiB
_RED_GREEN_BLUE = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as when images are prepared

_Number = TypeVar("_Number", bound=np.generic)


def pool(images: NDArray[np.generic], size: int) -> Singles:
    """Area-average square images (n, h, h) or (n, h, h, 3) to float32 of `size` pixels a side."""
    return by_channel(lambda grey: _pooled(grey, size), images)


def by_channel(function: Callable[[NDArray[Any]], NDArray[_Number]], images: NDArray[Any]) -> NDArray[_Number]:
    """What a function of grey images (n, h, w) makes of each channel."""
    if images.ndim == 3:
        return function(images)
    return np.stack([function(images[..., channel]) for channel in range(images.shape[3])], axis=-1)


def luminance(images: Singles) -> Singles:
    """Grey images of float32 (n, h, w, 3); grey ones as they are."""
    return images if images.ndim == 3 else images @ _RED_GREEN_BLUE


def _pooled(images: NDArray[np.generic], size: int) -> Singles:
    shrink = _area_weights(images.shape[1], size)
    out = np.empty((len(images), size, size), np.float32)
    step = max(1, _BLOCK_PIXELS // images.shape[1] ** 2)
    for start in range(0, len(images), step):
        block = images[start : start + step].astype(np.float32)
        out[start : start + len(block)] = shrink @ block @ shrink.T
    return out


def _area_weights(source: int, target: int) -> Singles:
    """Row i averages the source pixels under target pixel i, by the share that it covers."""
    edges = np.linspace(0, source, target + 1)
    pixels = np.arange(source)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    weights: Singles = (np.maximum(overlap, 0.0) * target / source).astype(np.float32)
    return weights


def orbit(images: NDArray[np.generic]) -> list[NDArray[np.generic]]:
    """The 8 images (n, h, w[, 3]) that flips and right-angle turns make of each square image."""
    turned = [np.rot90(images, turns, axes=(1, 2)) for turns in range(4)]
    return turned + [view[:, :, ::-1] for view in turned]


def transform(images: Singles, angle: Floats, zoom: Floats, shift: Floats) -> Singles:
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


def _sample(images: Singles, rows: Singles, columns: Singles) -> Singles:
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
    blended: Singles = above * (1 - down) + below * down
    return np.clip(blended, BLACK, 1, out=blended)
