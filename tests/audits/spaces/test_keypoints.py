"""Landmarks: those of the definition, the same wherever a part goes, between pixels where the picture is."""

import numpy as np
import pytest
from scipy import ndimage

from privgan.arrays import Images, Singles
from privgan_audits.spaces.landmarks.keypoints import SIDE, WINDOW, grey_pictures, landmarks, least_strength


def textures(count: int, size: int = 64, seed: int = 0) -> Images:
    rough = np.random.default_rng(seed).normal(size=(count, size, size))
    smooth = ndimage.gaussian_filter(rough, (0, 1.2, 1.2))
    return np.clip(128 + 40 * smooth / smooth.std(), 0, 255).astype(np.uint8)[..., None]


def strength(picture: Singles) -> Singles:
    once = np.array([1.0, 2.0, 1.0]) / 4

    def smoothed(some: Singles) -> Singles:
        return ndimage.convolve(some.astype(np.float64), np.outer(once, once), mode="nearest")

    fine = smoothed(picture)
    return np.abs(fine - smoothed(smoothed(smoothed(fine))))


def test_landmarks_are_the_strongest_points_within_two_pixels() -> None:
    picture = grey_pictures(textures(1))
    floor = least_strength(picture)
    (found,) = landmarks(picture, [(1.0, 1.0)], floor)
    strong, margin = strength(picture[0]), WINDOW // 2 + 1
    expected = []
    for y in range(margin, SIDE - margin):
        for x in range(margin, SIDE - margin):
            others = strong[y - 2 : y + 3, x - 2 : x + 3].copy()
            others[2, 2] = 0.0
            if strong[y, x] > max(others.max(), floor):
                expected.append((y, x))
    assert len(expected) > 20
    assert (np.abs(found.place - np.array(expected)) <= 0.5).all()


def test_windows_lie_between_pixels_as_their_places_do() -> None:
    picture = grey_pictures(textures(1))
    (found,) = landmarks(picture, [(1.0, 1.0)], least_strength(picture))
    once = np.array([1.0, 2.0, 1.0]) / 4
    fine = ndimage.convolve(picture[0].astype(np.float64), np.outer(once, once), mode="nearest")
    for place, window in zip(found.place, found.window, strict=True):
        at = np.stack(np.meshgrid(*(part + np.arange(WINDOW) - WINDOW // 2 for part in place), indexing="ij"))
        expected = ndimage.map_coordinates(fine, at, order=1).ravel()
        np.testing.assert_allclose(window, expected - expected.mean(), atol=2e-3)


@pytest.mark.parametrize("size", [28, 32, 64])
def test_a_pasted_part_keeps_its_inner_landmarks_to_the_last_bit(size: int) -> None:
    images, part = textures(20, size), size // 2
    images[10:, :part, size - part :] = images[:10, size - part :, :part]
    pictures = grey_pictures(images)
    (found,) = landmarks(pictures, [(1.0, 1.0)], least_strength(pictures))
    windows = [{window.tobytes() for window in found.window[found.image == image]} for image in range(20)]
    assert sum(len(windows[image] & windows[image + 10]) for image in range(10)) >= 15


def test_pictures_without_detail_have_no_landmarks() -> None:
    blank = grey_pictures(np.full((3, 40, 40, 1), 90, np.uint8))
    (found,) = landmarks(blank, [(1.0, 1.0)], least_strength(blank))
    assert len(found.image) == 0
    assert found.window.shape == (0, WINDOW * WINDOW)


def test_a_size_in_which_no_window_fits_has_no_landmarks() -> None:
    picture = grey_pictures(textures(1))
    (found,) = landmarks(picture, [(0.2, 0.2)], least_strength(picture))
    assert len(found.image) == 0
