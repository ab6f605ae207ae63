"""The perceptual hash: blind to brightness, steady under noise, about 32 bits apart for strangers, turned exactly."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from privgan.arrays import Images
from privgan.images.geometry import orbit
from privgan_audits.spaces.perceptual import BITS, hamming, orbit_bits, perceptual_bits
from privgan_audits.spaces.search.neighbours import nearest


def pictures(count: int, size: int = 64, seed: int = 0) -> Images:
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=(count, size, size)), (0, size / 20, size / 20), mode="wrap")
    return np.clip(128 + 25 * smooth / smooth.std(), 0, 255).astype(np.uint8)[..., None]


def differing(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.int64]:
    return np.count_nonzero(a != b, axis=-1)


def hash_twin(image: Images) -> list[int]:
    """From the definition: means of blocks, sums of cosines, the median; for sizes that 32 divides."""
    blocks = image.reshape(32, len(image) // 32, 32, len(image) // 32).mean(axis=(1, 3))
    middle = (np.arange(32) + 0.5) / 32
    found = [
        float((np.cos(np.pi * u * middle)[:, None] * np.cos(np.pi * v * middle) * blocks).sum())
        for u in range(1, 9)
        for v in range(1, 9)
    ]
    ordered = sorted(found)
    return [1 if value > (ordered[31] + ordered[32]) / 2 else -1 for value in found]


def test_the_hash_is_the_one_defined() -> None:
    images = pictures(20)
    bits = perceptual_bits(images)
    assert (bits.shape, bits.dtype) == ((20, BITS), np.float32)
    assert bits.tolist() == [hash_twin(image) for image in images]
    assert (bits.sum(axis=1) == 0).all()


@pytest.mark.parametrize("size", [8, 28, 32, 45, 64])
def test_orbits_are_the_hashes_of_the_turned_images(size: int) -> None:
    images = pictures(30, size, seed=size)
    slow = np.stack([perceptual_bits(np.ascontiguousarray(view)) for view in orbit(images)], axis=1)
    np.testing.assert_array_equal(orbit_bits(images), slow)
    assert differing(slow[:, 0], slow[:, 1]).mean() > 20  # turning matters


CHANGES: dict[str, tuple[Callable[[NDArray[np.float64]], NDArray[np.float64]], float]] = {
    "brightness": (lambda x: x + 30, 0.5),
    "contrast": (lambda x: 0.6 * x, 0.5),
    "noise of 2 %": (lambda x: x + np.random.default_rng(1).normal(0, 5.1, x.shape), 3),
    "gamma 0.8": (lambda x: 255 * (x / 255) ** 0.8, 4),
}


@pytest.mark.parametrize("name", CHANGES)
def test_harmless_changes_move_few_bits(name: str) -> None:
    images = np.clip(pictures(200), 40, 215)
    change, most = CHANGES[name]
    changed = np.clip(np.rint(change(images.astype(float))), 0, 255).astype(np.uint8)
    assert differing(perceptual_bits(images), perceptual_bits(changed)).mean() < most


def test_strangers_differ_in_half_the_bits() -> None:
    bits = perceptual_bits(pictures(200))
    assert differing(bits[:100], bits[100:]).mean() == pytest.approx(32, abs=1)


def test_the_nearest_hash_is_the_one_with_fewest_differing_bits() -> None:
    queries, base = pictures(40, seed=2), pictures(60, seed=3)
    base[7] = np.rot90(queries[5])
    views, points = orbit_bits(queries), perceptual_bits(base)
    found = nearest(views, points, k=1, turns=lambda block: [block[:, view] for view in range(8)])
    slow = np.array([[differing(view, points) for view in query] for query in views]).min(axis=1)
    np.testing.assert_array_equal(hamming(found.distances[:, 0] ** 2), slow.min(axis=1))
    assert (found.rows[5, 0], found.distances[5, 0]) == (7, 0)


def test_symmetric_and_constant_images_have_one_hash_however_they_were_rounded() -> None:
    left = pictures(30)[:, :, :32]
    images = np.concatenate([left, left[:, :, ::-1]], axis=2)
    np.testing.assert_array_equal(perceptual_bits(images), perceptual_bits(np.ascontiguousarray(images[:, :, ::-1])))
    np.testing.assert_array_equal(orbit_bits(images)[:, 0], orbit_bits(images)[:, 4])
    constant = perceptual_bits(np.stack([np.full((64, 64, 1), grey, np.uint8) for grey in (0, 77, 255)]))
    assert (constant == -1).all()
