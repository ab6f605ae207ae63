"""How two images are compared: brightness and contrast removed, orientation and small shifts forgiven.

A near copy may be flipped, turned by a right angle, a little noisy, brighter, or moved by a pixel or two. Which
pairs are worth comparing is found by `searches`; here a pair is measured.
"""

import numpy as np
from numpy.typing import NDArray

FINE = 32  # pixels: larger images are averaged down to it
MAX_SHIFT = 2  # pixels of the fine grid
FAR = float(np.sqrt(2.0))  # distance of uncorrelated images, and of anything from a constant one
_FLAT = 1e-3  # grey values: a window whose standard deviation is below carries no information

Grid = NDArray[np.float32]


def pool(images: NDArray[np.generic], size: int) -> Grid:
    """Area-average square images (n, h, h) to float32 (n, size, size)."""
    shrink = _area_weights(images.shape[1], size)
    out = np.empty((len(images), size, size), np.float32)
    for start in range(0, len(images), 2048):
        block = images[start : start + 2048].astype(np.float32)
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
    """Remove the mean and divide by the norm of each image (n, h, w); constant images become zeros."""
    centred = images - images.mean(axis=(1, 2), keepdims=True, dtype=np.float64)
    norms = np.sqrt(np.einsum("nij,nij->n", centred, centred))
    flat = norms <= _FLAT * images.shape[1]
    scaled = centred / np.where(flat, 1.0, norms)[:, None, None]
    scaled[flat] = 0.0
    result: Grid = scaled.astype(np.float32)
    return result


def orbit(images: NDArray[np.generic]) -> list[NDArray[np.generic]]:
    """The 8 images (n, h, w) that flips and right-angle turns make of each square image."""
    turned = [np.rot90(images, turns, axes=(1, 2)) for turns in range(4)]
    return turned + [view[:, :, ::-1] for view in turned]


def shifted_distances(queries: Grid, targets: Grid) -> NDArray[np.float64]:
    """Distance of pairs of fine images (p, f, f), the smallest over shifts of the target.

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
    sums, squares = _window_sums(targets, size), _window_sums(targets.astype(np.float64) ** 2, size)
    spread = np.sqrt(np.maximum(squares - sums**2 / size**2, 0.0))
    shifts = [(dy, dx) for dy in range(2 * MAX_SHIFT + 1) for dx in range(2 * MAX_SHIFT + 1)]
    correlations = np.empty((len(shifts), len(queries)))
    for row, (dy, dx) in enumerate(shifts):
        products = np.einsum("nij,nij->n", targets[:, dy : dy + size, dx : dx + size], crops)
        window = spread[:, dy, dx]
        correlations[row] = np.where(window > _FLAT * size, products / np.maximum(window, 1e-12), 0.0)
    return _exact_distances(crops, targets, np.array(shifts)[correlations.argmax(axis=0)], size)


def _exact_distances(crops: Grid, targets: Grid, corners: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    rows = corners[:, 0, None, None] + np.arange(size)[None, :, None]
    columns = corners[:, 1, None, None] + np.arange(size)[None, None, :]
    windows = normalise(targets[np.arange(len(targets))[:, None, None], rows, columns])
    difference = crops.astype(np.float64) - windows
    distances = np.sqrt(np.einsum("nij,nij->n", difference, difference))
    informative = crops.any(axis=(1, 2)) & windows.any(axis=(1, 2))
    return np.where(informative, distances, FAR)


def _window_sums(images: NDArray[np.generic], size: int) -> NDArray[np.float64]:
    """Sum over every size x size window of (n, f, f), as a product with bands of ones."""
    starts, pixels = np.arange(images.shape[1] - size + 1), np.arange(images.shape[1])
    band = ((pixels >= starts[:, None]) & (pixels < starts[:, None] + size)).astype(np.float64)
    return np.asarray(band @ images.astype(np.float64) @ band.T)


def is_flat(fine: Grid) -> NDArray[np.bool_]:
    """Whether each fine image (n, f, f) is constant apart from its border; bool (n,)."""
    centre = fine[:, MAX_SHIFT:-MAX_SHIFT, MAX_SHIFT:-MAX_SHIFT]
    return np.asarray(centre.std(axis=(1, 2), dtype=np.float64) <= _FLAT)
