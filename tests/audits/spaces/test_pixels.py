"""How two images are compared."""

from collections.abc import Callable

import numpy as np
import pytest

from privgan.images import geometry
from privgan_audits.evidence.interface import Sample
from privgan_audits.spaces import pixels

Draw = Callable[..., Sample]


@pytest.mark.parametrize(("source", "target"), [(64, 32), (28, 16), (33, 32), (32, 32)])
def test_pooling_is_the_mean_of_what_a_pixel_covers(source: int, target: int) -> None:
    """Twin: enlarge to a grid that both sizes divide, then average whole blocks."""
    images = np.random.default_rng(0).integers(0, 256, (3, source, source)).astype(np.uint8)
    large = np.kron(images.astype(np.float64), np.ones((target, target)))
    expected = large.reshape(3, target, source, target, source).mean(axis=(2, 4))
    np.testing.assert_allclose(geometry.pool(images[..., None], target)[..., 0], expected, rtol=1e-5)


def test_shifts_noise_and_brightness_are_forgiven_and_other_images_are_not(draw: Draw) -> None:
    rng = np.random.default_rng(3)
    images = draw(rng, 2, most=1).images.astype(np.float32)
    moved = np.pad(images, ((0, 0), (2, 0), (0, 1), (0, 0)), mode="edge")[:, :-2, 1:]
    assert pixels.shifted_distances(images, moved) == pytest.approx(0, abs=1e-6)
    assert pixels.shifted_distances(images, 0.5 * images + 40) == pytest.approx(0, abs=1e-3)
    noisy = images + rng.normal(0, 5, images.shape).astype(np.float32)
    assert (pixels.shifted_distances(images, noisy) < 0.35).all()
    assert (pixels.shifted_distances(images, images[::-1]) > 0.4).all()


def test_the_best_window_is_found_as_by_hand(draw: Draw) -> None:
    images = draw(np.random.default_rng(4), 6, most=1).images.astype(np.float32)
    queries, targets = images[:3], images[3:]
    for query, target, found in zip(queries, targets, pixels.shifted_distances(queries, targets), strict=True):
        centre = query[2:-2, 2:-2].ravel()
        windows = [target[y : y + 28, x : x + 28].ravel() for y in range(5) for x in range(5)]
        best = max(np.corrcoef(centre, window)[0, 1] for window in windows)
        assert found == pytest.approx(np.sqrt(2 - 2 * best), abs=1e-6)


def test_constant_images_are_far_from_everything() -> None:
    fine = np.stack([np.zeros((32, 32)), np.full((32, 32), 200), np.eye(32) * 255]).astype(np.float32)[..., None]
    assert pixels.is_flat(fine).tolist() == [True, True, False]
    assert not pixels.normalise(fine[:2]).any()
    assert pixels.shifted_distances(fine[[0, 0, 2]], fine[[0, 1, 1]]) == pytest.approx(pixels.FAR)


@pytest.mark.parametrize("channels", [1, 3])
def test_queries_that_share_targets_are_measured_as_each_alone(
    channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In blocks that cut a target's queries apart; what is beyond its limit is not measured, and nothing else."""
    monkeypatch.setattr(pixels, "_PAIRS", 7)
    rng = np.random.default_rng(5)
    queries, targets = (rng.uniform(0, 255, (count, 32, 32, channels)).astype(np.float32) for count in (40, 6))
    place = rng.integers(0, 6, 40)
    queries[:20] = targets[place[:20]] + rng.normal(0, 20, (20, 32, 32, channels))
    targets[3] = 7
    alone = [pixels.shifted_distances(queries[[i]], targets[[place[i]]])[0] for i in range(40)]
    np.testing.assert_allclose(pixels.shifted_distances(queries, targets, place), alone, atol=1e-6)
    limits = np.where(np.arange(40) % 2, 1.0, 0.1)
    near = pixels.shifted_distances(queries, targets, place, limits)
    kept = np.isfinite(near)
    np.testing.assert_allclose(near[kept], np.array(alone)[kept], atol=1e-6)
    assert kept[np.array(alone) <= limits].all()
    assert 0 < kept.sum() < 30
