"""A 64-bit perceptual hash: alike pictures differ in few bits, whatever their brightness and contrast.

The DCT hash of Zauner ("Implementation and Benchmarking of Perceptual Image Hash Functions", 2010): 32 x 32 pixels,
the lowest 8 x 8 frequencies without those that are constant along an axis, and of each whether it is above their
median. Half of the bits are set, so that two hashes differ in an even number of bits. A hit is a look-alike, not
proof: chest X-rays of two patients differ in 27 bits on average, but half of the patients have another within 10.
Of colour images it sees the luminance.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from privgan.arrays import Floats, Integers, Singles
from privgan.images.geometry import luminance, pool

BITS = 64
_SIDE = 32  # pixels before the transform
_LOW = slice(1, 9)  # frequencies that are kept, in half cycles per image
_NOTHING = (
    1e-3  # smaller coefficients are rounding; one grey level in one pixel of 64 x 64 changes them by 8 times that
)
_BLOCK = 2048


def perceptual_bits(images: NDArray[np.uint8]) -> Singles:
    """The hash of each image uint8 (n, h, h, c): float32 (n, 64) of +1 and -1.

    A quarter of the squared Euclidean distance is the Hamming distance.
    """
    return _bits(_coefficients(images))


def orbit_bits(images: NDArray[np.uint8]) -> Singles:
    """The hashes of all 8 orientations of each image, in the order of `geometry.orbit`: float32 (n, 8, 64).

    From one transform: a transposed image has transposed coefficients, and a mirror image has those of odd
    frequencies negated. Differs from hashing 8 turned images only where rounding decides between equals.
    """
    upright = _coefficients(images)
    odd = np.where(np.arange(_LOW.start, _LOW.stop) % 2, -1.0, 1.0)
    rows, columns, across = odd[:, None], odd[None, :], upright.transpose(0, 2, 1)
    turned = [upright, rows * across, rows * upright * columns, across * columns]
    return np.stack([_bits(view) for view in [*turned, *(view * columns for view in turned)]], axis=1)


def hamming(squared_distances: Floats) -> Integers:
    """Bits in which hashes differ, from the squares of their Euclidean distances."""
    return np.rint(squared_distances / 4).astype(np.int64)


def _coefficients(images: NDArray[np.uint8]) -> Floats:
    """Low frequencies of the orthonormal DCT-II, float64 (n, 8, 8)."""
    found = np.empty((len(images), _LOW.stop - _LOW.start, _LOW.stop - _LOW.start))
    for start in range(0, len(images), _BLOCK):
        block = luminance(pool(images[start : start + _BLOCK], _SIDE))[..., 0].astype(np.float64)
        found[start : start + len(block)] = fft.dctn(block, type=2, axes=(1, 2), norm="ortho")[:, _LOW, _LOW]
    # Symmetric images have many coefficients of zero; their signs must not be what rounding made of them.
    return np.where(np.abs(found) < _NOTHING, 0.0, found)


def _bits(coefficients: Floats) -> Singles:
    flat = coefficients.reshape(len(coefficients), BITS)
    above: Singles = np.where(flat > np.median(flat, axis=1, keepdims=True), 1.0, -1.0).astype(np.float32)
    return above
