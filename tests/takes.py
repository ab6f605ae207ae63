"""Chest phantoms as arrays: one take of each of some invented patients."""

import numpy as np

from privgan.arrays import Images
from privgan.data.phantoms.phantom_images import Anatomy, draw_images
from privgan.images.geometry import pool
from privgan.images.stored import with_channels


def takes(patients: int, *, seed: int, side: int = 64) -> Images:
    """Half of the patients have an opacity: uint8 (patients, side, side, 1)."""
    rng = np.random.default_rng(seed)
    pictures = with_channels(draw_images(Anatomy.draw(np.arange(patients) % 2 == 0, rng), rng))
    return np.rint(255 * pool(pictures, side)).astype(np.uint8)
