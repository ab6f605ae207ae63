"""PSNR and SSIM have a fixed range: slow twins by hand, and what must not matter."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from privgan_uses.restoring.measures import psnr, ssim
from tests.takes import takes

GOOD = takes(3, seed=1, side=32)
OTHER = np.clip(GOOD.astype(int) + np.random.default_rng(0).integers(-20, 21, GOOD.shape), 0, 255).astype(np.uint8)


def test_psnr_by_hand() -> None:
    for good, other, found in zip(GOOD, OTHER, psnr(GOOD, OTHER), strict=True):
        errors = [(int(a) - int(b)) ** 2 for a, b in zip(good.flat, other.flat, strict=True)]
        assert found == pytest.approx(10 * np.log10(255**2 / (sum(errors) / len(errors))))


def test_equal_images_are_as_near_as_rounding_lets_images_be() -> None:
    assert psnr(GOOD, GOOD) == pytest.approx([10 * np.log10(255**2 * 12)] * 3)
    assert ssim(GOOD, GOOD) == pytest.approx([1.0] * 3)


def test_ssim_by_hand() -> None:
    """Equation 13 of the paper, with its Gaussian window cut off at 3.5 standard deviations."""

    def mean(values: np.ndarray) -> np.ndarray:
        return gaussian_filter(values, 1.5, truncate=3.5)

    one, two = 0.01**2 * 255**2, 0.03**2 * 255**2
    for good, other, found in zip(GOOD[..., 0], OTHER[..., 0], ssim(GOOD, OTHER), strict=True):
        x, y = good.astype(float), other.astype(float)
        mx, my = mean(x), mean(y)
        spread = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
        each = (2 * mx * my + one) * (2 * spread[2] + two) / ((mx**2 + my**2 + one) * (spread[0] + spread[1] + two))
        assert found == pytest.approx(each[5:-5, 5:-5].mean(), abs=1e-6)


def test_a_dark_image_is_measured_like_a_bright_one() -> None:
    """A range taken from the image would make a dark one's error look larger."""
    dark, noisy = GOOD // 4, np.clip(GOOD // 4 + 5, 0, 255).astype(np.uint8)
    bright = (dark + 100).astype(np.uint8), (noisy + 100).astype(np.uint8)
    assert psnr(dark, noisy) == pytest.approx(psnr(*bright))
