"""Damage is what it says in its units, drawn from its generator alone, and nothing at zero."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from privgan.arrays import Floats, Images
from privgan.errors import UsageError
from privgan.images.form import ImageForm
from privgan_uses.restoring.damage import (
    Coarse,
    Damage,
    Ghosts,
    Noise,
    Streaks,
    Stripes,
    _sight,
    agreeing,
    damaged,
    enlarged,
    usual,
)
from privgan_uses.restoring.request import ARTEFACTS, TASKS
from tests.takes import takes

SIDE = 32
PLAIN, CT = ImageForm(side=SIDE), ImageForm(side=SIDE, modality="CT", window=(-160.0, 240.0))
NOTHING: tuple[Damage, ...] = (
    Noise(photons=0.0, spread=0.0),
    Coarse(factor=1, blur=0.0),
    Stripes(column_spread=0.0),
    Ghosts(weight=0.0),
    Streaks(hounsfield=0.0),
)
SOMETHING: tuple[Damage, ...] = (Noise(), Coarse(), Coarse(factor=4), Stripes(), Ghosts(), Streaks())


@pytest.fixture(scope="module")
def images() -> Images:
    return takes(6, seed=3, side=SIDE)


def grey(level: int, count: int = 40) -> Images:
    return np.full((count, SIDE, SIDE, 1), level, np.uint8)


def done(images: Images, damage: Damage, form: ImageForm = PLAIN, seed: int = 0) -> Images:
    return damaged(images, damage, form, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("damage", NOTHING)
def test_at_zero_nothing_happens(damage: Damage, images: Images) -> None:
    assert np.array_equal(done(images, damage, CT), images)


@pytest.mark.parametrize("damage", SOMETHING)
def test_the_same_seed_damages_alike_and_another_otherwise(damage: Damage, images: Images) -> None:
    once = done(images, damage, CT)
    assert (once.dtype, once.shape) == (np.uint8, images.shape)
    assert np.array_equal(once, done(images, damage, CT))
    assert not np.array_equal(once, images)
    assert np.array_equal(once, done(images, damage, CT, seed=1)) == isinstance(damage, Coarse)


@pytest.mark.parametrize("factor", [2, 4])
def test_what_was_measured_stays(images: Images, factor: int) -> None:
    """Whatever a network drew; the slow twin goes downhill in small steps to the nearest image that agrees."""
    damage = Coarse(factor=factor)
    seen = done(images, damage)
    rng = np.random.default_rng(0)
    drawn = np.clip(images + rng.normal(0, 8, images.shape), 0, 255).astype(np.uint8)
    agreed = agreeing(drawn, seen, damage)
    assert np.abs(done(agreed, damage).astype(float) - seen).mean() < 0.5
    assert np.abs(done(drawn, damage).astype(float) - seen).mean() > 1.0
    slow = torch.from_numpy(drawn[..., 0]).float()[:, None]
    target = torch.from_numpy(seen[..., 0]).float()[:, None]
    for _ in range(300):
        slow.requires_grad_(True)
        missed = (damage.enlarged(damage.small(slow)) - target).square().sum() / 2
        (downhill,) = torch.autograd.grad(missed, slow)
        slow = (slow - 1.9 * downhill).detach()
    nearest = slow.clamp(0, 255)[:, 0].numpy()
    assert np.abs(nearest - agreed[..., 0]).mean() < 0.4  # rounding alone is a quarter
    assert np.abs(nearest - drawn[..., 0]).mean() > 0.6


@pytest.mark.parametrize("damage", [Coarse(), Coarse(factor=4, blur=1.5), Coarse(factor=1, blur=0.7)])
def test_an_image_is_seen_by_rows_and_by_columns(damage: Coarse, monkeypatch: pytest.MonkeyPatch) -> None:
    """The slow twin sees whole images of one bright row; few numbers are held at once to know the same."""
    whole = torch.eye(SIDE)[:, None, :, None].expand(SIDE, 1, SIDE, SIDE)
    slow, held, small = damage.enlarged(damage.small(whole))[:, 0, :, 0].T, list[int](), Coarse.small
    monkeypatch.setattr(Coarse, "small", lambda self, some: held.append(some.numel()) or small(self, some))
    _sight.cache_clear()
    sight, back = _sight(damage, SIDE)
    assert torch.allclose(sight, slow, atol=1e-6)
    assert torch.allclose(sight @ back @ sight, sight, atol=1e-3)
    assert sum(held) <= 4 * SIDE**2


def test_black_and_white_are_all_that_stands_against_what_was_measured(images: Images) -> None:
    """Where nothing is cut off, only rounding does."""
    damage, inside = Coarse(), (images // 2 + 64).astype(np.uint8)
    seen = done(inside, damage)
    drawn = np.clip(inside + np.random.default_rng(0).normal(0, 8, inside.shape), 0, 255).astype(np.uint8)
    agreed = agreeing(drawn, seen, damage)
    assert (agreed.min() > 0, agreed.max() < 255) == (True, True)
    assert np.abs(done(agreed, damage).astype(int) - seen).max() <= 2


@pytest.mark.parametrize("damage", [Noise(), Stripes(), Ghosts(), Streaks()])
def test_nothing_else_can_be_held_against_an_image(images: Images, damage: Damage) -> None:
    assert agreeing(images, done(images, damage, CT), damage) is images


def explained(levels: Floats, spread: float) -> bool:
    """Whether levels around their mean may have this standard deviation: within 5 standard errors of it."""
    return abs(levels.std() / spread - 1) < 5 / math.sqrt(2 * levels.size)


@pytest.mark.parametrize("level", [64, 160])
def test_counted_quanta_scatter_as_their_number_says(level: int) -> None:
    """Of 200 quanta at white; neither 150 nor an amplifier alone would scatter so."""
    found = done(grey(level), Noise(photons=200.0, spread=3.0)).astype(float)
    true = math.sqrt(255 * level / 200 + 9 + 1 / 12)
    assert explained(found, true)
    assert not explained(found, math.sqrt(255 * level / 150 + 9 + 1 / 12))
    assert not explained(found, 3.0)
    assert abs(found.mean() - level) < 5 * true / math.sqrt(found.size)


def test_of_computed_tomography_noise_is_in_hounsfield_units() -> None:
    found = done(grey(128), Noise(photons=0.0, spread=20.0), CT).astype(float) * 400 / 255
    rounding = (400 / 255) ** 2 / 12
    assert explained(found, math.sqrt(20**2 + rounding))
    assert not explained(found, 20 * 255 / 400)


def test_stripes_are_of_columns() -> None:
    found = done(grey(128, 400), Stripes(column_spread=10.0)).astype(float)
    assert (found == found[:, :1]).all()
    assert explained(found[:, 0], math.sqrt(10**2 + 1 / 12))
    assert not explained(found[:, 0], 8.0)


@pytest.mark.parametrize("factor", [2, 4])
def test_larger_pixels_are_means_after_the_blur(factor: int, images: Images) -> None:
    """The slow twin: scipy's blur, and means by hand."""
    damage = Coarse(factor=factor, blur=1.0)
    planes = torch.from_numpy(images[..., 0])[:, None].float()
    smooth = np.stack(
        [gaussian_filter(each.astype(float), 1.0, mode="nearest", truncate=3) for each in images[..., 0]]
    )
    means = smooth.reshape(len(images), SIDE // factor, factor, SIDE // factor, factor).mean(axis=(2, 4))
    small = damage.small(planes)[:, 0].numpy()
    assert np.abs(small - means).max() < 1e-2
    shown = enlarged(np.rint(small)[..., None].astype(np.uint8), damage)
    assert np.array_equal(shown, done(images, damage))


def test_ghosts_keep_the_mean_and_move_along_rows(images: Images) -> None:
    line = np.zeros((20, SIDE, SIDE, 1), np.uint8)
    line[:, SIDE // 2] = 200
    found = done(line, Ghosts(weight=0.5, reach=0.25)).astype(float)
    assert (found == found[:, :, :1]).all()
    assert np.abs(found.mean() / line.mean() - 1) < 0.02
    where = np.flatnonzero(found.sum(axis=(0, 2, 3)))
    assert np.abs(where - SIDE // 2).max() <= SIDE // 4


def test_streaks_fade_and_are_as_often_bright_as_dark() -> None:
    levels = done(grey(128, 200), Streaks(hounsfield=100.0, fade=0.2), CT).astype(float) - 128
    assert abs(levels.mean()) < 0.1 * np.abs(levels).mean()
    edge, middle = np.abs(levels[:, 0]).mean(), np.abs(levels[:, SIDE // 2]).mean()
    assert edge < middle / 3
    assert np.abs(levels).max() <= 100 * 255 / 400 + 1


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("form", [PLAIN, CT])
def test_every_task_has_a_usual_damage(task: str, form: ImageForm) -> None:
    for artefact in ARTEFACTS:
        if task == "artefact" and artefact == "streaks" and form is PLAIN:
            with pytest.raises(UsageError, match="Hounsfield"):
                usual(task, form, artefact=artefact, factor=2)
        else:
            assert usual(task, form, artefact=artefact, factor=2)


@pytest.mark.parametrize(
    "wrong", [lambda: Noise(photons=-1.0), lambda: Coarse(factor=3), lambda: Ghosts(weight=float("nan"))]
)
def test_impossible_damage_is_refused(wrong: object) -> None:
    with pytest.raises(UsageError):
        wrong()  # type: ignore[operator]
