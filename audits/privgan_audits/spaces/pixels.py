"""How two images are compared: brightness and contrast removed, orientation and small shifts forgiven.

A near copy may be flipped, turned by a right angle, a little noisy, brighter, or moved by a pixel or two. Which
pairs are worth comparing is found by `searches`; here a pair is measured.

Images are grey, (n, h, w), or have red, green and blue last, (n, h, w, 3). Brightness is removed from each channel by
itself, so that another white balance hides nothing; contrast from all together, so that each counts by what it shows.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

FINE = 32  # pixels: larger images are averaged down to it
MAX_SHIFT = 2  # pixels of the fine grid
FAR = float(np.sqrt(2.0))  # distance of uncorrelated images, and of anything from a constant one
_FLAT = 1e-3  # grey values: a window whose standard deviation is below carries no information

_BLOCK_PIXELS = 1 << 23  # that are numbers at once: 32 MiB
_RED_GREEN_BLUE = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as when images are prepared

Grid = NDArray[np.float32]
_Number = TypeVar("_Number", bound=np.generic)


def pool(images: NDArray[np.generic], size: int) -> Grid:
    """Area-average square images (n, h, h) or (n, h, h, 3) to float32 of `size` pixels a side."""
    return by_channel(lambda grey: _pooled(grey, size), images)


def by_channel(function: Callable[[NDArray[Any]], NDArray[_Number]], images: NDArray[Any]) -> NDArray[_Number]:
    """What a function of grey images (n, h, w) makes of each channel."""
    if images.ndim == 3:
        return function(images)
    return np.stack([function(images[..., channel]) for channel in range(images.shape[3])], axis=-1)


def luminance(images: Grid) -> Grid:
    """Grey images of float32 (n, h, w, 3); grey ones as they are."""
    return images if images.ndim == 3 else images @ _RED_GREEN_BLUE


def _pooled(images: NDArray[np.generic], size: int) -> Grid:
    shrink = _area_weights(images.shape[1], size)
    out = np.empty((len(images), size, size), np.float32)
    step = max(1, _BLOCK_PIXELS // images.shape[1] ** 2)
    for start in range(0, len(images), step):
        block = images[start : start + step].astype(np.float32)
        out[start : start + len(block)] = shrink @ block @ shrink.T
    return out


def _area_weights(source: int, target: int) -> Grid:
    """Row i averages the source pixels under target pixel i, by the share that it covers."""
    edges = np.linspace(0, source, target + 1)
    pixels = np.arange(source)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    weights: Grid = (np.maximum(overlap, 0.0) * target / source).astype(np.float32)
    return weights


def normalise(images: Grid) -> Grid:
    """Remove each channel's mean and divide by the norm of each image (n, h, w[, 3]); constant ones become zeros."""
    centred = images - images.mean(axis=(1, 2), keepdims=True, dtype=np.float64)
    norms = np.sqrt(products(centred, centred))
    flat = norms <= _FLAT * images.shape[1]
    scaled = centred / np.where(flat, 1.0, norms).reshape(-1, *(1,) * (images.ndim - 1))
    scaled[flat] = 0.0
    result: Grid = scaled.astype(np.float32)
    return result


def products(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.floating]:
    """The inner product of each pair of images (n, h, w[, 3]): (n,)."""
    return np.asarray(np.einsum("nij,nij->n", _wide(a), _wide(b)))


def _wide(images: NDArray[np.floating]) -> NDArray[np.floating]:
    """Channels side by side: (n, h, w * 3); grey images as they are."""
    return images if images.ndim == 3 else images.reshape(*images.shape[:2], -1)


def orbit(images: NDArray[np.generic]) -> list[NDArray[np.generic]]:
    """The 8 images (n, h, w[, 3]) that flips and right-angle turns make of each square image."""
    turned = [np.rot90(images, turns, axes=(1, 2)) for turns in range(4)]
    return turned + [view[:, :, ::-1] for view in turned]


def shifted_distances(queries: Grid, targets: Grid) -> NDArray[np.float64]:
    """Distance of pairs of fine images (p, f, f[, 3]), the smallest over shifts of the target.

    Compares the query's centre with every window of that size in the target, each with mean removed and norm
    one: sqrt(2 - 2 correlation), in [0, 2]. The best window is found in float32 and measured in float64.
    """
    size = queries.shape[1] - 2 * MAX_SHIFT
    best = np.full(len(queries), FAR)
    for start in range(0, len(queries), 4096):
        part = slice(start, start + 4096)
        best[part] = _best_window(queries[part], targets[part], size)
    return best


def _best_window(queries: Grid, targets: Grid, size: int) -> NDArray[np.float64]:
    centre = slice(MAX_SHIFT, MAX_SHIFT + size)
    crops = normalise(queries[:, centre, centre])
    spread = _window_norms(targets, size)
    shifts = [(dy, dx) for dy in range(2 * MAX_SHIFT + 1) for dx in range(2 * MAX_SHIFT + 1)]
    correlations = np.empty((len(shifts), len(queries)))
    for row, (dy, dx) in enumerate(shifts):
        alike = products(targets[:, dy : dy + size, dx : dx + size], crops)
        window = spread[:, dy, dx]
        correlations[row] = np.where(window > _FLAT * size, alike / np.maximum(window, 1e-12), 0.0)
    return _exact_distances(crops, targets, np.array(shifts)[correlations.argmax(axis=0)], size)


def _exact_distances(crops: Grid, targets: Grid, corners: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    rows = corners[:, 0, None, None] + np.arange(size)[None, :, None]
    columns = corners[:, 1, None, None] + np.arange(size)[None, None, :]
    windows = normalise(targets[np.arange(len(targets))[:, None, None], rows, columns])
    difference = crops.astype(np.float64) - windows
    distances = np.sqrt(products(difference, difference))
    informative = crops.reshape(len(crops), -1).any(axis=1) & windows.reshape(len(crops), -1).any(axis=1)
    return np.where(informative, distances, FAR)


def _window_norms(images: Grid, size: int) -> NDArray[np.float64]:
    """Norm of every size x size window of (n, f, f[, 3]) without its channels' means: (n, w, w)."""

    def spread(grey: Grid) -> NDArray[np.float64]:
        sums, squares = _window_sums(grey, size), _window_sums(grey.astype(np.float64) ** 2, size)
        return np.asarray(squares - sums**2 / size**2)

    found = by_channel(spread, images)
    return np.asarray(np.sqrt(np.maximum(found if images.ndim == 3 else found.sum(axis=-1), 0.0)))


def _window_sums(images: NDArray[np.generic], size: int) -> NDArray[np.float64]:
    """Sum over every size x size window of (n, f, f), as a product with bands of ones."""
    starts, pixels = np.arange(images.shape[1] - size + 1), np.arange(images.shape[1])
    band = ((pixels >= starts[:, None]) & (pixels < starts[:, None] + size)).astype(np.float64)
    return np.asarray(band @ images.astype(np.float64) @ band.T)


def is_flat(fine: Grid) -> NDArray[np.bool_]:
    """Whether each fine image (n, f, f[, 3]) is constant apart from its border; bool (n,)."""
    centre = fine[:, MAX_SHIFT:-MAX_SHIFT, MAX_SHIFT:-MAX_SHIFT]
    spread = centre.std(axis=(1, 2), dtype=np.float64).reshape(len(fine), -1)
    return np.asarray((spread <= _FLAT).all(axis=1))
