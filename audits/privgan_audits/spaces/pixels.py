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
_PAIRS = 4096  # that are compared at once
_SINGLE = 1e-3  # of a squared distance, of which float32 products of unit vectors lose a tenth at most
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
    count, height, width, channels = images.shape
    return images.reshape(count, height, width * channels)


def shifted_distances(
    queries: Singles, targets: Singles, place: Integers | None = None, limits: Floats | None = None
) -> Floats:
    """Distance of fine images (p, f, f, c) to targets, the smallest over shifts of the target.

    Compares the query's centre with every window of that size in the target, each with mean removed and norm
    one: sqrt(2 - 2 correlation), in [0, 2]. The best window is found in float32 and measured in float64.

    Args:
        queries: (p, f, f, c).
        targets: (t, f, f, c).
        place: which target each query is compared with (p,), its own if left out. Few targets of many queries are
            fast.
        limits: of each pair (p,); what is clearly beyond its limit is called infinitely far.
    """
    place = np.arange(len(queries)) if place is None else place
    limits = np.full(len(queries), np.inf) if limits is None else limits
    size, best = queries.shape[1] - 2 * MAX_SHIFT, np.full(len(queries), FAR)
    order = np.argsort(place, kind="stable")
    for start in range(0, len(queries), _PAIRS):
        part = order[start : start + _PAIRS]
        best[part] = _best_window(queries[part], targets, place[part], limits[part], size)
    return best


def _best_window(queries: Singles, targets: Singles, place: Integers, limits: Floats, size: int) -> Floats:
    """Of queries in the order of their targets."""
    centre = slice(MAX_SHIFT, MAX_SHIFT + size)
    crops = normalise(queries[:, centre, centre])
    used, first, which = np.unique(place, return_index=True, return_inverse=True)
    spread = _window_norms(targets[used], size).reshape(len(used), -1)[which]
    alike = np.empty(spread.shape, np.float32)
    for target, some in zip(used, np.split(np.arange(len(place)), first[1:]), strict=True):
        alike[some] = crops[some].reshape(len(some), -1) @ _windows(targets[target], size).T
    correlations = np.where(spread > _FLAT * size, alike / np.maximum(spread, 1e-12), 0.0)
    best = correlations.argmax(axis=1)
    near = np.flatnonzero(2 - 2 * correlations[np.arange(len(best)), best] <= np.square(limits) + _SINGLE)
    corners = np.stack(np.divmod(best[near], 2 * MAX_SHIFT + 1), axis=1)
    found = np.full(len(queries), np.inf)
    found[near] = _exact_distances(crops[near], targets[place[near]], corners, size)
    return found


def _windows(target: Singles, size: int) -> Singles:
    """Every window of a fine image (f, f, c), as vectors."""
    windows = np.lib.stride_tricks.sliding_window_view(target, (size, size), axis=(0, 1))
    return np.ascontiguousarray(windows.transpose(0, 1, 3, 4, 2)).reshape(windows.shape[0] * windows.shape[1], -1)


def _exact_distances(crops: Singles, targets: Singles, corners: Integers, size: int) -> Floats:
    rows = corners[:, 0, None, None] + np.arange(size)[None, :, None]
    columns = corners[:, 1, None, None] + np.arange(size)[None, None, :]
    windows = normalise(targets[np.arange(len(targets))[:, None, None], rows, columns])
    difference = crops.astype(np.float64) - windows
    distances = np.sqrt(products(difference, difference))
    informative = crops.any(axis=(1, 2, 3)) & windows.any(axis=(1, 2, 3))
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
