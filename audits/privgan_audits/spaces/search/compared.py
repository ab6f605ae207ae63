"""With which real images the others are compared to learn how close those of two patients come.

What a distance is measured by need not come from everybody. In a very large cohort a sample of fixed size says it as
well, as in the calibration of Chen et al. 2020 ("GAN-Leaks"), whose reference is a sample of the population; and time
grows with images instead of their square. Who is in it is said by the images alone, never by their order or their
side, so that a score stays a function of the pool.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Images, Integers

MOST = 1 << 14  # different images; with as many real ones or fewer, nobody is left out


def compared_with(real: Images) -> Integers | None:
    """Rows of real images, uint8 (n, h, h, c), by digest: int64 (m,); None where all of them are compared.

    The MOST smallest SHA-256 there are, and with an image all that are equal to it: were one of two taken, the order
    of the rows would say whose.
    """
    digests = image_digests(real)
    different = np.unique(digests)
    if len(different) <= MOST:
        return None
    order = np.argsort(digests, kind="stable")
    return np.asarray(order[: np.searchsorted(digests[order], different[MOST - 1], side="right")])


def image_digests(images: Images) -> NDArray[np.bytes_]:
    """SHA-256 of each image in hexadecimal, (n,)."""
    return np.array([hashlib.sha256(image.tobytes()).hexdigest() for image in images], dtype="S64")
