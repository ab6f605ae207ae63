"""Fast augmentation against SciPy's slower general transform."""

from typing import Any

import numpy as np
import pytest
from scipy.ndimage import affine_transform

from privgan.arrays import Singles
from privgan.errors import UsageError
from privgan.images.augmentation import AugmentationSettings, Changes
from privgan.images.geometry import transform

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(-1, 1, (12, 40, 30, 1)).astype(np.float32)


def augment(images: Singles, rng: np.random.Generator, settings: AugmentationSettings) -> Singles:
    """All of them, changed as drawn."""
    return Changes.drawn(len(images), rng, settings).of(images, np.arange(len(images)))


def test_some_are_changed_as_if_all_were() -> None:
    """Whoever computes with some of the images alone changes those as everybody would."""
    settings = AugmentationSettings(flip=0.5, rotation_degrees=20, scale=0.2, shift=0.1)
    whole, changes = (
        augment(IMAGES, np.random.default_rng(7), settings),
        Changes.drawn(len(IMAGES), np.random.default_rng(7), settings),
    )
    for places in (np.array([9, 2, 5]), np.arange(0)):
        np.testing.assert_array_equal(changes.of(IMAGES[places], places), whole[places])


def test_transform_equals_its_slow_twin() -> None:
    angle, zoom, shift = RNG.uniform(-3, 3, 12), RNG.uniform(0.6, 1.6, 12), RNG.uniform(-9, 9, (12, 2))
    fast = transform(IMAGES, angle, zoom, shift)
    centre = np.array([19.5, 14.5])
    for image, result, a, z, move in zip(IMAGES[..., 0], fast[..., 0], angle, zoom, shift, strict=True):
        matrix = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) / z
        slow = affine_transform(
            image, matrix, centre - matrix @ (centre + move), order=1, mode="grid-constant", cval=-1.0
        )
        np.testing.assert_allclose(result, slow, atol=1e-4)


def test_the_default_changes_nothing_and_flip_mirrors() -> None:
    np.testing.assert_array_equal(augment(IMAGES, RNG, AugmentationSettings()), IMAGES)
    np.testing.assert_array_equal(augment(IMAGES, RNG, AugmentationSettings(flip=1.0)), IMAGES[:, :, ::-1])


def test_all_channels_change_alike() -> None:
    settings = AugmentationSettings(flip=0.5, rotation_degrees=20, scale=0.2, shift=0.1)
    colour = np.concatenate([IMAGES, -IMAGES, IMAGES[::-1]], axis=-1)
    for some in (AugmentationSettings(flip=0.5), settings):
        changed = augment(colour, np.random.default_rng(7), some)
        assert (changed.shape, changed.dtype) == (colour.shape, np.float32)
        for channel in range(3):
            grey = augment(np.ascontiguousarray(colour[..., [channel]]), np.random.default_rng(7), some)
            np.testing.assert_array_equal(changed[..., [channel]], grey)


def test_a_shift_moves_by_whole_pixels_and_leaves_black() -> None:
    moved = transform(IMAGES, np.zeros(12), np.ones(12), np.tile([2.0, -3.0], (12, 1)))
    np.testing.assert_allclose(moved[:, 2:, :-3], IMAGES[:, :-2, 3:], atol=1e-6)
    assert (moved[:, :2] == -1).all()
    assert (moved[:, :, -3:] == -1).all()


def test_all_changes_stay_in_range_and_leave_the_input_alone() -> None:
    before = IMAGES.copy()
    everything = AugmentationSettings(flip=0.5, rotation_degrees=20, scale=0.2, shift=0.1)
    result = augment(IMAGES, RNG, everything)
    assert (result.dtype, result.shape) == (np.float32, IMAGES.shape)
    assert (np.abs(result) <= 1).all()
    assert not np.array_equal(result, IMAGES)
    np.testing.assert_array_equal(IMAGES, before)


@pytest.mark.parametrize(
    "wrong",
    [{"flip": 1.1}, {"flip": np.nan}, {"rotation_degrees": 181}, {"scale": 1}, {"shift": -0.1}, {"scale": np.nan}],
)
def test_impossible_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="Expected"):
        AugmentationSettings(**wrong)
