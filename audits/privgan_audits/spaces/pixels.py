"""How two images are compared: brightness and contrast removed, orientation and small shifts forgiven.

A near copy may be flipped, turned by a right angle, a little noisy, brighter, or moved by a pixel or two. Which
pairs are worth comparing is found by `searches`; here a pair is measured.

Brightness is removed from each channel by
itself, so that another white balance hides nothing; contrast from all together, so that each counts by what it shows.
"""

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Flags, Floats, Integers, Singles
from privgan.images.geometry import by_channel

FINE = 32  # pixels: larger images are averaged down to it
MAX_SHIFT = 2  # pixels of the fine grid
FAR = float(np.sqrt(2.0))  # distance of uncorrelated images, and of anything from a constant one
_FLAT = 1e-3  # grey values: a window whose standard deviation is below carries no information


def normalise(images: Singles) -> Singles:
    """Remove each channel's mean and divide by the norm of each image (n, h, w, c); constant ones become zeros."""
    centred = images - images.mean(axis=(1, 2), keepdims=True, dtype=np.float64)
    norms = np.sqrt(products(centred, centred))
    flat = norms <= _FLAT * images.shape[1]
    scaled = centred / np.where(flat, 1.0, norms)[:, None, None, None]
    scaled[flat] = 0.0
    result: Singles = scaled.astype(np.float32)
    return result


def products(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.floating]:
    """The inner product of each pair of images (n, h, w, c): (n,)."""
    return np.asarray(np.einsum("nij,nij->n", _wide(a), _wide(b)))


def _wide(images: NDArray[np.floating]) -> NDArray[np.floating]:
    """Channels side by side: (n, h, w * c)."""
    return images.reshape(*images.shape[:2], -1)


def shifted_distances(queries: Singles, targets: Singles) -> Floats:
    """Distance of pairs of fine images (p, f, f, c), the smallest over shifts of the target.

    Compares the query's centre with every window of that size in the target, each with mean removed and norm
    one: sqrt(2 - 2 correlation), in [0, 2]. The best window is found in float32 and measured in float64.
    """
    size = queries.shape[1] - 2 * MAX_SHIFT
    best = np.full(len(queries), FAR)
    for start in range(0, len(queries), 4096):
        part = slice(start, start + 4096)
        best[part] = _best_window(queries[part], targets[part], size)
    return best


def _best_window(queries: Singles, targets: Singles, size: int) -> Floats:
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


def _exact_distances(crops: Singles, targets: Singles, corners: Integers, size: int) -> Floats:
    rows = corners[:, 0, None, None] + np.arange(size)[None, :, None]
    columns = corners[:, 1, None, None] + np.arange(size)[None, None, :]
    windows = normalise(targets[np.arange(len(targets))[:, None, None], rows, columns])
    difference = crops.astype(np.float64) - windows
    distances = np.sqrt(products(difference, difference))
    informative = crops.reshape(len(crops), -1).any(axis=1) & windows.reshape(len(crops), -1).any(axis=1)
    return np.where(informative, distances, FAR)


def _window_norms(images: Singles, size: int) -> Floats:
    """Norm of every size x size window of (n, f, f, c) without its channels' means: (n, w, w)."""

    def spread(plane: Singles) -> Floats:
        sums, squares = _window_sums(plane, size), _window_sums(plane.astype(np.float64) ** 2, size)
        return np.asarray(squares - sums**2 / size**2)

    return np.asarray(np.sqrt(np.maximum(by_channel(spread, images).sum(axis=3), 0.0)))


def _window_sums(images: NDArray[np.generic], size: int) -> Floats:
    """Sum over every size x size window of (n, f, f), as a product with bands of ones."""
    starts, pixels = np.arange(images.shape[1] - size + 1), np.arange(images.shape[1])
    band = ((pixels >= starts[:, None]) & (pixels < starts[:, None] + size)).astype(np.float64)
    return np.asarray(band @ images.astype(np.float64) @ band.T)


def is_flat(fine: Singles) -> Flags:
    """Whether each fine image (n, f, f, c) is constant apart from its border; bool (n,)."""
    centre = fine[:, MAX_SHIFT:-MAX_SHIFT, MAX_SHIFT:-MAX_SHIFT]
    spread = centre.std(axis=(1, 2), dtype=np.float64).reshape(len(fine), -1)
    return np.asarray((spread <= _FLAT).all(axis=1))
