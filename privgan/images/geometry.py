"""Images turned, averaged down, moved: (n, h, w, 1) in grey, or red, green and blue last, (n, h, w, 3)."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Floats, Singles

BLACK = -1.0
_BLOCK_PIXELS = 1 << 23  # that are numbers at once: 32 MiB
_BLOCK_SUMS = 1 << 19  # that are added at once: what stays in a cache
_EXACT = (1, 2, 4, 8, 16)  # pixels a side whose mean is exact in single precision, and their sum in 16 bits
_RED_GREEN_BLUE = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as when images are prepared

_Number = TypeVar("_Number", bound=np.generic)


def pool(images: NDArray[np.generic], size: int) -> Singles:
    """Area-average square images (n, h, h, c) to float32 of `size` pixels a side."""
    return by_channel(lambda plane: _pooled(plane, size), images)


def by_channel(function: Callable[[NDArray[Any]], NDArray[_Number]], images: NDArray[Any]) -> NDArray[_Number]:
    """What a function of planes (n, h, w) makes of each channel, again with channels last."""
    return np.stack([function(plane) for plane in channels(images)], axis=-1)


def channels(images: NDArray[_Number]) -> list[NDArray[_Number]]:
    """The planes (n, h, w) of images (n, h, w, c)."""
    return [images[..., channel] for channel in range(images.shape[3])]


def luminance(images: Singles) -> Singles:
    """Grey images (n, h, w, 1) of float32 (n, h, w, 3); grey ones as they are."""
    return images if images.shape[3] == 1 else (images @ _RED_GREEN_BLUE)[..., None]


def _pooled(images: NDArray[np.generic], size: int) -> Singles:
    out = np.empty((len(images), size, size), np.float32)
    times, rest = divmod(images.shape[1], size)
    whole = images.dtype == np.uint8 and not rest and times in _EXACT
    shrink = area_weights(images.shape[1], size)
    step = max(1, (_BLOCK_SUMS if whole else _BLOCK_PIXELS) // images.shape[1] ** 2)
    for start in range(0, len(images), step):
        block = images[start : start + step]
        out[start : start + len(block)] = (
            _summed(block, times) / times**2 if whole else shrink @ block.astype(np.float32) @ shrink.T
        )
    return out


def _summed(images: NDArray[Any], times: int) -> Singles:
    """Sums of squares of pixels of uint8 (n, h, h); several times as fast as products, and the same to the bit."""
    for axis in (1, 2):
        parts = [images[(slice(None),) * axis + (slice(first, None, times),)] for first in range(times)]
        images = parts[0].astype(np.uint16)
        for part in parts[1:]:
            images += part
    return images.astype(np.float32)


def area_weights(source: int, target: int) -> Singles:
    """Float32 (target, source): row i averages the pixels under target pixel i, by the share that it covers."""
    edges = np.linspace(0, source, target + 1)
    pixels = np.arange(source)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    weights: Singles = (np.maximum(overlap, 0.0) * target / source).astype(np.float32)
    return weights


def orbit(images: NDArray[np.generic]) -> list[NDArray[np.generic]]:
    """The 8 images (n, h, w, c) that flips and right-angle turns make of each square image."""
    turned = [np.rot90(images, turns, axes=(1, 2)) for turns in range(4)]
    return turned + [view[:, :, ::-1] for view in turned]


def transform(images: Singles, angle: Floats, zoom: Floats, shift: Floats) -> Singles:
    """Turn by angle (radians), enlarge by zoom and move by shift (rows, columns), about the centre, bilinearly.

    Args:
        images: float32 (n, h, w, c).
        angle: (n,).
        zoom: (n,).
        shift: (n, 2).
    """
    height, width = images.shape[1:3]
    moves = shift.astype(np.float32)
    y = np.arange(height, dtype=np.float32)[None, :, None] - (height - 1) / 2 - moves[:, 0, None, None]
    x = np.arange(width, dtype=np.float32)[None, None, :] - (width - 1) / 2 - moves[:, 1, None, None]
    cosine, sine = ((f(angle) / zoom).astype(np.float32)[:, None, None] for f in (np.cos, np.sin))
    rows, columns = cosine * y - sine * x + (height - 1) / 2, sine * y + cosine * x + (width - 1) / 2
    return by_channel(lambda plane: _sample(plane, rows, columns), images)


def _sample(images: Singles, rows: Singles, columns: Singles) -> Singles:
    """Bilinear interpolation of planes (n, h, w) at fractional positions (n, h, w); black outside."""
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
