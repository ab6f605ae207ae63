"""Images as a network sees them that shall miss neither their shapes nor their grain.

A network that averages an image down never sees its grain, and a small one that gets every pixel hardly notices it:
noise of 5 grey values on chest X-rays stayed at a coin's 50 %. Forensics give their networks residuals besides
(Fridrich and Kodovsky 2012, "Rich models for steganalysis of digital images"); here those are Haar's (1910) details,
which keep all of the image at a quarter of the places, and the power of the grain at full size.
"""

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from privgan.arrays import Images, Singles
from privgan.images.blocks import at_once
from privgan.images.geometry import pool
from privgan.images.pixels import planes
from privgan_audits.questions.utility.spectrum import ROUNDING

DETAIL = 64  # pixels a side, to which larger images are averaged down, but for the power of their grain
COARSE = 16  # pixels a side that show shapes and shading alone
_FINER = 8.0  # details are smaller than averages
_POWER = 4.0  # a natural logarithm of power comes to a few units
_BLOCK = 512


def all_detail(images: Images) -> Tensor:
    """Images uint8 (n, h, h, c) as float32 (n, 5c, s, s): Haar's average and three details, and the grain's power."""
    block = at_once(_BLOCK, images.shape[1])
    seen = _detailed(images[:block])
    every = seen.new_empty((len(images), *seen.shape[1:]))
    every[: len(seen)] = seen
    for start in range(block, len(images), block):
        every[start : start + block] = _detailed(images[start : start + block])
    return every


def shapes_alone(images: Images) -> Tensor:
    """The same of images that were averaged down to `COARSE` pixels, rounded to grey values as images are."""
    coarse = pool(images, min(COARSE, images.shape[1]))
    return all_detail(np.rint(coarse).astype(np.uint8))


def _detailed(images: Images) -> Tensor:
    side = min(DETAIL, images.shape[1]) // 2
    fine = planes(pool(images, 2 * side)) / 127.5 - 1
    rows = (fine[:, :, ::2] + fine[:, :, 1::2]) / 2, (fine[:, :, ::2] - fine[:, :, 1::2]) / 2
    average, down = ((part[..., ::2] + part[..., 1::2]) / 2 for part in rows)
    right, both = (_FINER * (part[..., ::2] - part[..., 1::2]) / 2 for part in rows)
    power = planes(np.log(pool(_grain(images), side) + np.float32(ROUNDING))) / _POWER
    return torch.cat([average, _FINER * down, right, both, power], dim=1)


def _grain(images: Images) -> Singles:
    """The squared difference of each pixel from the mean of its neighbourhood of 3 x 3, in squared grey values."""
    values = images.astype(np.float32)
    return np.asarray(np.square(values - ndimage.uniform_filter(values, (0, 3, 3, 0), mode="nearest")))
