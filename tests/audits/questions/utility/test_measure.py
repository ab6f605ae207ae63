"""Likeness and variety of whole sets: fresh patients, a few images over and over, and noise."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from privgan_audits.evidence.interface import Evidence, Measured, NotRun, Sample
from privgan_audits.questions.utility import classifier
from privgan_audits.questions.utility.diversity import (
    NONE,
    PARTIAL,
    SEVERE,
    UNKNOWN,
    judge_collapse,
    measure_diversity,
)
from privgan_audits.questions.utility.measure import NOT_COMPARABLE, measure, measure_fidelity
from privgan_audits.questions.utility.points import draw_points

Labelled = Callable[..., Sample]
Gather = Callable[..., Evidence]


@pytest.fixture(scope="module", autouse=True)
def brief_lessons() -> Iterator[None]:
    thorough, classifier.STEPS = classifier.STEPS, 5
    yield
    classifier.STEPS = thorough


@pytest.fixture(scope="module")
def sides(labelled: Labelled) -> tuple[Sample, Sample, Sample]:
    rng = np.random.default_rng(20)
    members, others, fresh = (labelled(rng, 250, 1_000 * first) for first in range(3))
    one_each = np.unique(fresh.patients, return_index=True)[1]
    return (
        members,
        others,
        dataclasses.replace(
            fresh, images=fresh.images[one_each], labels=fresh.labels[one_each], patients=fresh.patients[one_each]
        ),
    )


def looked_at(evidence: Evidence) -> tuple[dict[str, Any], dict[str, Any]]:
    assert evidence.non_members is not None
    points = draw_points(evidence, evidence.non_members, np.random.default_rng(0))
    fidelity = measure_fidelity(points, evidence.classes)
    return fidelity, measure_diversity(points)


def test_fresh_patients_are_as_real_and_as_varied_as_held_back_ones(
    sides: tuple[Sample, Sample, Sample], gather: Gather
) -> None:
    fidelity, diversity = looked_at(gather(*sides))
    for part in (fidelity["all"], *fidelity["classes"].values()):
        for name, room in (("precision", 0.15), ("recall", 0.15), ("density", 0.3), ("coverage", 0.15)):
            assert part[name]["synthetic"] == pytest.approx(part[name]["reference"], abs=room)
    distances = fidelity["all"]["frechet_distance"]
    assert distances["synthetic"] == pytest.approx(distances["reference"], rel=0.3)
    assert abs(fidelity["all"]["kernel_distance"]["synthetic"]) < 0.05
    for part in (fidelity["all"], *fidelity["classes"].values()):
        assert max(part["spectrum_distance"].values()) < 0.15
    assert list(fidelity["classes"]) == ["left", "right"]
    assert fidelity["space"] == "embedding"
    assert diversity["collapse"] == NONE


def test_ten_images_over_and_over_are_a_severe_collapse(sides: tuple[Sample, Sample, Sample], gather: Gather) -> None:
    members, others, fresh = sides
    rng = np.random.default_rng(21)
    rows = rng.integers(0, 10, 250)
    noisy = np.clip(np.rint(fresh.images[rows] + rng.normal(0, 1, (250, 32, 32, 1))), 0, 255).astype(np.uint8)
    fidelity, diversity = looked_at(gather(members, others, dataclasses.replace(fresh, images=noisy)))
    assert fidelity["all"]["recall"]["synthetic"] < 0.3 < fidelity["all"]["recall"]["reference"]
    assert fidelity["all"]["coverage"]["synthetic"] < 0.3 < fidelity["all"]["coverage"]["reference"]
    assert diversity["effective_number"]["synthetic"] == pytest.approx(10, abs=5)
    assert diversity["near_duplicates"]["synthetic"] > 0.9
    assert diversity["near_duplicates"]["reference"] < 0.1
    assert diversity["collapse"] == SEVERE


def test_every_image_twice_is_a_partial_collapse(sides: tuple[Sample, Sample, Sample], gather: Gather) -> None:
    members, others, fresh = sides
    twice = np.repeat(fresh.images[:125], 2, axis=0)
    diversity = looked_at(gather(members, others, dataclasses.replace(fresh, images=twice)))[1]
    assert diversity["collapse"] == PARTIAL


def test_noise_looks_like_nothing_real_and_is_no_collapse(
    sides: tuple[Sample, Sample, Sample], gather: Gather
) -> None:
    members, others, fresh = sides
    noise = np.random.default_rng(22).integers(0, 256, fresh.images.shape).astype(np.uint8)
    fidelity, diversity = looked_at(gather(members, others, dataclasses.replace(fresh, images=noise)))
    found = {name: value["synthetic"] for name, value in fidelity["all"].items()}
    assert (found["precision"], found["density"], found["coverage"]) == (0.0, 0.0, 0.0)
    assert found["frechet_distance"] > 5 * fidelity["all"]["frechet_distance"]["reference"]
    assert found["kernel_distance"] > 1
    assert found["spectrum_distance"] > 1 > 10 * fidelity["all"]["spectrum_distance"]["reference"]
    assert diversity["collapse"] == NONE


def test_other_shares_of_classes_are_not_taken_for_unlikeness(
    sides: tuple[Sample, Sample, Sample], gather: Gather
) -> None:
    members, others, fresh = sides
    rows = np.concatenate([np.flatnonzero(fresh.labels == 0)[:60], np.flatnonzero(fresh.labels == 1)])
    fewer = Sample(images=fresh.images[rows], labels=fresh.labels[rows], patients=fresh.patients[rows])
    evidence = gather(members, others, fewer)
    points = draw_points(evidence, others, np.random.default_rng(1))
    share = (points.labels["X"] == 0).mean()
    assert (points.labels["synthetic"] == 0).mean() == pytest.approx(share, abs=0.02)
    assert len(points.synthetic) == len(points.reference) > 100


def test_the_whole_is_json_and_depends_on_the_given_chance_alone(
    sides: tuple[Sample, Sample, Sample], gather: Gather
) -> None:
    evidence = gather(*sides)
    state = torch.random.get_rng_state()
    first, again = (measure(evidence, np.random.default_rng(3)) for _ in range(2))
    assert isinstance(first, Measured)
    assert isinstance(again, Measured)
    assert json.dumps(first.findings, allow_nan=False) == json.dumps(again.findings)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert set(first.findings) == {"teaching", "fidelity", "diversity", "realism", "records", "use"}
    assert not first.internal


def test_without_held_back_patients_it_is_not_run(sides: tuple[Sample, Sample, Sample], gather: Gather) -> None:
    assert isinstance(measure(gather(sides[0], None, sides[2]), np.random.default_rng(0)), NotRun)


def test_a_handful_of_images_gives_reasons_instead_of_numbers(
    sides: tuple[Sample, Sample, Sample], gather: Gather
) -> None:
    members, others, fresh = sides
    three = Sample(images=fresh.images[:3], labels=fresh.labels[:3], patients=fresh.patients[:3])
    fidelity, diversity = looked_at(gather(members, others, three))
    assert "no more than 5" in fidelity["reason"]
    assert diversity == {"images": 3, "collapse": UNKNOWN}


@pytest.mark.parametrize(
    ("excess", "share", "expected"),
    [
        (0.0, 1.0, NONE),
        (0.0, 0.69, PARTIAL),
        (0.16, 1.0, PARTIAL),
        (0.0, 0.14, SEVERE),
        (float("nan"), 1.0, PARTIAL),
        (0.0, float("nan"), SEVERE),
    ],
)
def test_each_sign_of_collapse_counts_alone(excess: float, share: float, expected: str) -> None:
    assert judge_collapse(excess=excess, share=share) == expected


def test_an_encoder_is_preferred_to_the_embedding(
    sides: tuple[Sample, Sample, Sample], gather: Gather, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Encoder:
        def embed(self, images: np.ndarray) -> np.ndarray:
            flat = images.reshape(len(images), -1)[:, ::50].astype(np.float32)
            return np.asarray(flat / np.linalg.norm(flat, axis=1, keepdims=True))

    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("privgan_audits.questions.utility.points.train_embedding", refuse)
    evidence = dataclasses.replace(gather(*sides), encoder=Encoder())  # type: ignore[arg-type]
    assert looked_at(evidence)[0]["space"] == "encoder"
    assert looked_at(evidence)[0]["note"] == NOT_COMPARABLE
