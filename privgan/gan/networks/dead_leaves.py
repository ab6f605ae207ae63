"""Procedural pictures that belong to nobody: discs of all sizes that fall on each other like leaves.

Their edges, flat regions and sizes follow the statistics of photographs (Lee, Mumford and Huang 2001, "Occlusion
models for natural images"), and networks that learn from them alone learn useful features (Baradad, Wulff, Wang,
Isola and Torralba 2021, "Learning to see by looking at noise").
"""

import numpy as np

from privgan.arrays import Singles

_LEAVES = 40
_SMALLEST, _LARGEST = 0.05, 0.6  # radii, in sides of the picture
_GRAIN = 0.02


def dead_leaves(count: int, size: int, channels: int, rng: np.random.Generator) -> Singles:
    """Pictures (count, channels, size, size) in [-1, 1]; radii have density r^-3, levels are uniform."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    pictures = np.empty((count, channels, size, size), np.float32)
    pictures[:] = rng.uniform(-1, 1, (count, channels, 1, 1))
    for _ in range(_LEAVES):
        middle_x, middle_y = rng.uniform(0, 1, (2, count, 1, 1)).astype(np.float32)
        low, high = _LARGEST**-2, _SMALLEST**-2
        radius = rng.uniform(low, high, (count, 1, 1)).astype(np.float32) ** -0.5
        inside = (x - middle_x) ** 2 + (y - middle_y) ** 2 < radius**2
        level = rng.uniform(-1, 1, (count, channels, 1, 1)).astype(np.float32)
        pictures = np.where(inside[:, None], level, pictures)
    grain = rng.standard_normal(pictures.shape, dtype=np.float32)
    grainy: Singles = np.clip(pictures + _GRAIN * grain, -1, 1, dtype=np.float32)
    return grainy
