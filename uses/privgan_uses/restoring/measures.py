"""How near a restored image is to the good one: PSNR and SSIM with the range of stored levels, never of an image.

A range taken from the image itself would give each another scale, and numbers of two papers could not be compared.
"""

import numpy as np

from privgan.arrays import Floats, Images
from privgan.images.geometry import channels

RANGE = 255.0


def psnr(good: Images, other: Images) -> Floats:
    """Peak signal-to-noise ratio in decibels, (n,); at most that of an error of rounding, 59 dB for equal images."""
    apart = (good.astype(np.float64) - other.astype(np.float64)) ** 2
    return np.asarray(10 * np.log10(RANGE**2 / np.maximum(apart.mean(axis=(1, 2, 3)), 1 / 12)))


def ssim(good: Images, other: Images) -> Floats:
    """Structural similarity (Wang et al. 2004: Gaussian window of 1.5 pixels), (n,), the mean over channels."""
    from skimage.metrics import structural_similarity

    def alike(one: Images, two: Images) -> float:
        return float(
            structural_similarity(
                one, two, data_range=RANGE, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
            )
        )

    pairs = list(zip(channels(good), channels(other), strict=True))
    by_channel = [[alike(one, two) for one, two in zip(ones, twos, strict=True)] for ones, twos in pairs]
    return np.asarray(np.mean(by_channel, axis=0))
