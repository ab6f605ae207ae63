"""Images averaged down: sums of whole pixels, which are quicker, say to the bit what products of weights say."""

import numpy as np
import pytest

from privgan.images.geometry import area_weights, pool


@pytest.mark.parametrize(
    ("side", "size"), [(64, 64), (64, 32), (64, 16), (64, 8), (128, 8), (256, 8), (48, 16), (40, 32)]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_are_averaged_as_weights_would(side: int, size: int, channels: int) -> None:
    """Also where no whole number of pixels, or one that is no power of two, comes together."""
    images = np.random.default_rng(0).integers(0, 256, (5, side, side, channels), np.uint8)
    images[0] = 255
    weights = area_weights(side, size)
    for channel in range(channels):
        expected = weights @ images[..., channel].astype(np.float32) @ weights.T
        np.testing.assert_array_equal(pool(images, size)[..., channel], expected)


def test_numbers_are_averaged_as_pixels_are() -> None:
    images = np.random.default_rng(1).integers(0, 256, (5, 64, 64, 1), np.uint8)
    np.testing.assert_array_equal(pool(images, 16), pool(images.astype(np.float32), 16))
    np.testing.assert_array_equal(pool(images[:0], 16), np.zeros((0, 16, 16, 1), np.float32))
