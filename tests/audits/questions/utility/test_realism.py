"""Real beside real is a coin's 50 %; blur, noise and a mark on some images are told apart as often as they can be."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage

from privgan.arrays import Images
from privgan.images.geometry import pool
from privgan_audits.evidence.interface import Sample
from privgan_audits.questions.utility import classifier, realism
from privgan_audits.questions.utility.classifier import Lessons
from privgan_audits.questions.utility.details import all_detail, shapes_alone
from privgan_audits.questions.utility.drawing import Gathered, subset
from privgan_audits.questions.utility.realism import measure_realism

Labelled = Callable[..., Sample]
CLASSES = ("left", "right")


@pytest.fixture(scope="module")
def people(labelled: Labelled) -> Sample:
    """700 patients of one image and more, averaged down for speed."""
    sample = labelled(np.random.default_rng(40), 700)
    return with_images(sample, pool(sample.images, 16))


@pytest.fixture(scope="module")
def fresh(labelled: Labelled) -> Sample:
    """An image of each of 400 other patients."""
    sample = labelled(np.random.default_rng(41), 400, 1_000)
    one_each = subset(sample, np.unique(sample.patients, return_index=True)[1])
    return with_images(one_each, pool(one_each.images, 16))


def told(real: Sample, synthetic: Sample, seed: int = 0) -> dict[str, Any]:
    return measure_realism(real, synthetic, CLASSES, np.random.default_rng(seed))


def with_images(sample: Sample, images: np.ndarray) -> Sample:
    return dataclasses.replace(sample, images=np.clip(np.rint(images), 0, 255).astype(np.uint8))


@pytest.fixture
def briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks that learn for two fifths of the time, where what is to be seen is plain."""
    monkeypatch.setattr(classifier, "STEPS", 200)


@pytest.fixture(scope="module")
def plain(people: Sample, fresh: Sample) -> list[dict[str, Any]]:
    """What is told of the other patients, with two seeds."""
    return [told(people, fresh, seed) for seed in range(2)]


def test_other_patients_are_told_apart_as_often_as_a_coin_would(plain: list[dict[str, Any]]) -> None:
    """Over splits and comparisons: each within 3.5 deviations of a coin, their mean of 1,000 and more within 3."""
    each = [part[look][side] for part in plain for look in ("all", "shapes") for side in ("synthetic", "reference")]
    for one in each:
        assert abs(one["value"] - 0.5) < 3.5 * np.sqrt(0.25 / one["examined"])
    assert abs(np.mean([one["value"] for one in each]) - 0.5) < 3 * np.sqrt(0.25 / 1_000)


def test_noise_is_always_told_apart_from_smooth_images(
    people: Sample, fresh: Sample, plain: list[dict[str, Any]]
) -> None:
    """Of eight grey values; in every class; and the reference stays what it was."""
    noise = np.random.default_rng(42).normal(0, 8, fresh.images.shape)
    found = told(people, with_images(fresh, fresh.images + noise))
    assert found["all"]["synthetic"]["low"] > 0.95
    assert min(part["synthetic"]["low"] for part in found["classes"].values()) > 0.9
    assert list(found["classes"]) == list(CLASSES)
    assert found["all"]["reference"] == plain[0]["all"]["reference"]


@pytest.mark.usefixtures("briefly")
def test_blur_is_always_told_apart_from_grainy_images(people: Sample, fresh: Sample) -> None:
    noise = [np.random.default_rng(seed).normal(0, 4, side.images.shape) for seed, side in enumerate((people, fresh))]
    blurred = ndimage.gaussian_filter(fresh.images + noise[1], (0, 0.8, 0.8, 0))
    found = told(with_images(people, people.images + noise[0]), with_images(fresh, blurred))
    assert found["all"]["synthetic"]["low"] > 0.95


@pytest.mark.usefixtures("briefly")
def test_grain_alone_leaves_the_shapes_as_they_were(labelled: Labelled) -> None:
    """A board of black and white fields, one pixel each, of three grey values."""
    sides = [labelled(np.random.default_rng(seed), 400, 1_000 * seed) for seed in (45, 46)]
    fresh = subset(sides[1], np.unique(sides[1].patients, return_index=True)[1])
    board = 3 * (-1.0) ** np.add.outer(np.arange(32), np.arange(32))
    found = told(sides[0], with_images(fresh, fresh.images + board[..., None]))
    assert found["all"]["synthetic"]["low"] > 0.95
    shapes = found["shapes"]["synthetic"]
    assert abs(shapes["value"] - 0.5) < 3.5 * np.sqrt(0.25 / shapes["examined"])


@pytest.mark.usefixtures("briefly")
def test_negatives_among_half_of_the_images_give_three_quarters(people: Sample, fresh: Sample) -> None:
    """No judge of single images can do better than 1/2 + 1/4, and the network finds it."""
    images = fresh.images.copy()
    images[::2] = 255 - images[::2]
    found = told(people, with_images(fresh, images))["all"]["synthetic"]
    assert found["low"] < 0.75 < found["high"]


def test_other_shares_of_classes_tell_nothing(people: Sample, fresh: Sample) -> None:
    rows = np.concatenate([np.flatnonzero(fresh.labels == 0)[:60], np.flatnonzero(fresh.labels == 1)])
    found = told(people, subset(fresh, rows))
    assert found["images"]["synthetic"] == len(rows)
    one = found["all"]["synthetic"]
    assert abs(one["value"] - 0.5) < 3.5 * np.sqrt(0.25 / one["examined"])


def test_no_patient_is_on_two_sides_of_the_split_and_every_part_is_even(
    people: Sample, fresh: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[bytes]] = []

    def remember(images: Images) -> None:
        seen.append([image.tobytes() for image in images])

    class Knowing:
        def probabilities(self, images: Gathered) -> np.ndarray:
            remember(images[:])
            return np.eye(2)[np.arange(len(images)) % 2]

    def learned(lesson: Lessons, choice: Lessons, *_: object) -> Knowing:
        for part in (lesson, choice):
            remember(part.images[:])
            assert (part.labels == 0).sum() == (part.labels == 1).sum()
        return Knowing()

    monkeypatch.setattr(realism, "_learned", learned)
    told(people, fresh)
    owner = {
        image.tobytes(): int(who) for s in (people, fresh) for image, who in zip(s.images, s.patients, strict=True)
    }
    label = {image.tobytes(): int(k) for s in (people, fresh) for image, k in zip(s.images, s.labels, strict=True)}
    assert len(seen) == 12
    for parts in (seen[start : start + 3] for start in range(0, 12, 3)):
        patients = [owner[image] for part in parts for image in part]
        assert len(set(patients)) == len(patients)
        for part in parts:
            kinds = np.array([label[image] for image in part]).reshape(2, -1)
            assert (kinds[0] == kinds[1]).all()


def test_the_answer_depends_on_the_given_chance_alone(
    people: Sample, fresh: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("privgan_audits.questions.utility.classifier.STEPS", 80)
    state = torch.random.get_rng_state()
    first, again = told(people, fresh, 5), told(people, fresh, 5)
    assert json.dumps(first, allow_nan=False) == json.dumps(again)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert told(people, subset(fresh, np.arange(200)), 5)["all"]["reference"] == first["all"]["reference"]


def test_a_handful_of_images_gives_a_reason(people: Sample, fresh: Sample) -> None:
    assert "fewer than 50" in told(people, subset(fresh, np.arange(30)))["reason"]
    other = dataclasses.replace(fresh, labels=fresh.labels + 7)
    assert "fewer than 50" in told(people, other)["reason"]


def test_the_look_keeps_all_of_the_image_and_the_coarse_one_no_grain() -> None:
    """Haar's parts put together again are the image; odd sides and colours have a place, too."""
    images = np.random.default_rng(44).integers(0, 256, (3, 16, 16, 1)).astype(np.uint8)
    average, down, right, both = all_detail(images)[:, :4].numpy().transpose(1, 0, 2, 3)
    corners = np.empty((3, 16, 16))
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        vertical, across = 1 - 2 * row, 1 - 2 * column
        whole = average + (vertical * down + across * right + vertical * across * both) / 8
        corners[:, row::2, column::2] = whole
    np.testing.assert_allclose((corners + 1) * 127.5, images[..., 0], atol=1e-3)
    assert all_detail(np.zeros((2, 29, 29, 3), np.uint8)).shape == (2, 15, 14, 14)
    assert all_detail(np.zeros((2, 200, 200, 1), np.uint8)).shape == (2, 5, 32, 32)
    board = 128 + 20 * (-1) ** np.add.outer(np.arange(64), np.arange(64))
    flat, grainy = np.full((1, 64, 64, 1), 128, np.uint8), board[None, ..., None].astype(np.uint8)
    assert torch.equal(shapes_alone(flat), shapes_alone(grainy))
    assert not torch.equal(all_detail(flat), all_detail(grainy))
