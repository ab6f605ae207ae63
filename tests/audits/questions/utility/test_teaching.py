"""Training on synthetic images is examined on real ones: what teaches is told from what does not."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.questions.utility import classifier, teaching
from privgan_audits.questions.utility.drawing import drawn, subset
from privgan_audits.questions.utility.teaching import measure_teaching

Labelled = Callable[..., Sample]
Gather = Callable[..., Evidence]
STEPS = 60


@pytest.fixture(scope="module", autouse=True)
def brief_lessons() -> Iterator[None]:
    thorough, classifier.STEPS = classifier.STEPS, STEPS
    yield
    classifier.STEPS = thorough


@pytest.fixture(scope="module")
def sides(labelled: Labelled) -> tuple[Sample, Sample, Sample]:
    """Members, held-back patients of two departments and three of a third, and fresh patients."""
    rng = np.random.default_rng(10)
    members, others, fresh = (labelled(rng, count, 1_000 * first) for first, count in enumerate((150, 120, 300)))
    ward = np.where(others.patients < 1_003, "C", np.where(others.patients % 2 == 0, "A", ""))
    return members, dataclasses.replace(others, columns={"ward": ward}), fresh


def measured(evidence: Evidence, seed: int = 0) -> dict[str, Any]:
    assert evidence.non_members is not None
    return measure_teaching(evidence, evidence.non_members, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def of_fresh(sides: tuple[Sample, Sample, Sample], gather: Gather) -> dict[str, Any]:
    return measured(gather(*sides))


def test_fresh_patients_teach_as_well_as_members(of_fresh: dict[str, Any]) -> None:
    training = of_fresh["training"]
    for name in ("accuracy", "balanced_accuracy", "auc"):
        assert training["real"][name]["value"] > 0.8
        difference = training["synthetic"]["difference"][name]
        assert difference["low"] <= 0 <= difference["high"]
    assert training["both"]["auc"]["value"] > 0.9
    assert list(training["synthetic"]["sensitivity"]) == of_fresh["classes"] == ["left", "right"]
    assert sum(each["patients"] for each in training["real"]["sensitivity"].values()) == 120
    json.dumps(of_fresh, allow_nan=False)


def test_shuffled_labels_teach_guessing(sides: tuple[Sample, Sample, Sample], gather: Gather) -> None:
    members, others, fresh = sides
    labels = np.random.default_rng(11).permutation(fresh.labels)
    found = measured(gather(members, others, dataclasses.replace(fresh, labels=labels)))
    synthetic, guessing = found["training"]["synthetic"], found["guessing"]
    assert abs(synthetic["balanced_accuracy"]["value"] - guessing["balanced_accuracy"]) < 0.15
    assert synthetic["difference"]["balanced_accuracy"]["high"] < -0.15
    assert synthetic["difference"]["auc"]["high"] < -0.15


def test_swapped_labels_teach_the_opposite(sides: tuple[Sample, Sample, Sample], gather: Gather) -> None:
    members, others, fresh = sides
    found = measured(gather(members, others, dataclasses.replace(fresh, labels=1 - fresh.labels)))
    assert found["training"]["synthetic"]["auc"]["high"] < 0.4


def test_fresh_patients_carry_no_marks(of_fresh: dict[str, Any]) -> None:
    marks = of_fresh["marks"]
    assert marks["gap"]["low"] <= 0 <= marks["gap"]["high"]
    assert marks["real"] == of_fresh["training"]["synthetic"]["balanced_accuracy"]


def test_a_faint_mark_of_the_class_is_a_gap(sides: tuple[Sample, Sample, Sample], gather: Gather) -> None:
    """Labels that the image does not show, but for a corner: known on every such image, guessed on real ones."""
    members, others, fresh = sides
    labels = np.random.default_rng(13).permutation(fresh.labels)
    images = fresh.images.copy()
    images[:, :6, :6] = np.where(labels == 0, 0, 255)[:, None, None, None]
    marks = measured(gather(members, others, dataclasses.replace(fresh, images=images, labels=labels)))["marks"]
    assert marks["synthetic"]["value"] > 0.95
    assert marks["real"]["high"] < 0.7
    assert marks["gap"]["low"] > 0.25


def test_subgroups_are_told_with_their_patients_and_small_ones_together(of_fresh: dict[str, Any]) -> None:
    ward = of_fresh["subgroups"]["ward"]
    assert list(ward["groups"]) == ["A", "not known"]
    assert ward["too_few"] == {"groups": 1, "patients": 3}
    assert sum(group["patients"] for group in ward["groups"].values()) == 117
    group = ward["groups"]["A"]
    assert set(group["accuracy"]) == {"real", "synthetic", "both"}
    assert group["accuracy"]["real"]["low"] < group["accuracy"]["real"]["value"] <= group["accuracy"]["real"]["high"]


def test_the_same_chance_gives_the_same_answer(
    sides: tuple[Sample, Sample, Sample], gather: Gather, of_fresh: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what torch's global generator did before, or what is done after, makes no difference."""
    import torch

    state = torch.random.get_rng_state()
    assert measured(gather(*sides)) == of_fresh
    assert torch.equal(torch.random.get_rng_state(), state)
    monkeypatch.setattr(classifier, "STEPS", 2)
    assert measured(gather(*sides), seed=1) != measured(gather(*sides), seed=2)


def test_without_two_classes_on_every_side_the_question_does_not_arise(
    sides: tuple[Sample, Sample, Sample], gather: Gather
) -> None:
    members, others, fresh = sides

    def one_class(sample: Sample) -> Sample:
        return dataclasses.replace(sample, labels=np.zeros_like(sample.labels))

    assert "real images" in measured(gather(one_class(members), others, fresh))["reason"]
    assert "real images" in measured(gather(members, one_class(others), fresh))["reason"]
    assert "synthetic set" in measured(gather(members, others, one_class(fresh)))["reason"]
    assert (
        "synthetic set"
        in measured(gather(members, others, dataclasses.replace(fresh, labels=fresh.labels + 5)))["reason"]
    )
    few = subset(others, others.patients < 1_009)
    assert "fewer than 10" in measured(gather(members, few, fresh))["reason"]


def test_a_class_that_the_synthetic_set_lacks_is_not_recognised(
    sides: tuple[Sample, Sample, Sample], gather: Gather
) -> None:
    """A third class among real images: those who learn from synthetic ones cannot know it."""
    members, others, fresh = sides

    def third(sample: Sample) -> Sample:
        chosen = sample.patients % 3 == 0
        images = np.where(chosen[:, None, None, None], 255 - sample.images, sample.images)
        return dataclasses.replace(sample, images=images, labels=np.where(chosen, 2, sample.labels))

    found = measured(gather(third(members), third(others), fresh, ("left", "right", "inverted")))["training"]
    assert found["real"]["sensitivity"]["inverted"]["value"] > 0.9
    assert found["synthetic"]["sensitivity"]["inverted"]["value"] < 0.1


def test_classes_are_drawn_evenly_and_patients_of_a_class_too() -> None:
    labels = np.array([0, 0, 0, 0, 1])
    even = teaching.evenly(labels, np.array([0.5, 0.5, 1, 1, 1]))
    np.testing.assert_allclose(even, [1 / 12, 1 / 12, 1 / 6, 1 / 6, 1 / 2])


def test_a_drawn_sample_is_bounded_by_patients_and_by_images_of_each(sides: tuple[Sample, Sample, Sample]) -> None:
    members = sides[0]
    rows = drawn(members, np.random.default_rng(12), patients=20, each=2)
    images = np.unique(members.patients[rows], return_counts=True)[1]
    assert len(images) == 20
    assert images.max() == 2
    every = drawn(members, np.random.default_rng(12), patients=1_000, each=1_000)
    assert every.tolist() == list(range(len(members.images)))
