"""T7, T8 and T9 on images: what a set of copies gives away, and what a safe one does not."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from privgan_audits.evidence.interface import Evidence, Measured, NotApplicable, NotRun, Sample
from privgan_audits.questions import attributes, reidentification, resemblance
from privgan_audits.questions.question import Question
from privgan_audits.questions.reidentification.measure import FEWEST

Draw = Callable[..., Sample]
Weigh = Callable[..., Evidence]
ALL = (reidentification.QUESTION, attributes.QUESTION, resemblance.QUESTION)


def with_facts(sample: Sample, rng: np.random.Generator) -> Sample:
    """A diagnosis that nothing shows, a sex that nothing shows, and a site that is everybody's."""
    people = sample.patients - sample.patients.min()
    diagnosis, sex = rng.integers(0, 2, people.max() + 1), rng.choice(["f", "m"], people.max() + 1)
    return dataclasses.replace(
        sample, labels=diagnosis[people], columns={"sex": sex[people], "site": np.full(len(people), "here")}
    )


@pytest.fixture(scope="module")
def sides(draw: Draw) -> tuple[Sample, Sample]:
    """One image of either side is constant and must hurt nobody."""
    rng = np.random.default_rng(31)
    members, others = (with_facts(side, rng) for side in (draw(rng, 90), draw(rng, 60, first=90)))
    members.images[3] = others.images[3] = 7
    return members, others


@pytest.fixture(scope="module")
def safe(sides: tuple[Sample, Sample], draw: Draw, weigh: Weigh) -> Evidence:
    rng = np.random.default_rng(34)
    made = with_facts(draw(rng, 120, most=1), rng)
    made.images[5] = 7
    return dataclasses.replace(weigh(*sides, made.images), synthetic=made)


@pytest.fixture(scope="module")
def copied(safe: Evidence) -> Evidence:
    """Every image of every member, thrice, a little noisy, with what is true of them."""
    rows = np.repeat(np.arange(len(safe.members.images)), 3)
    noise = np.random.default_rng(33).normal(0, 3, (len(rows), *safe.members.images.shape[1:]))
    made = Sample(
        images=np.clip(np.rint(safe.members.images[rows] + noise), 0, 255).astype(np.uint8),
        labels=safe.members.labels[rows],
        patients=np.arange(len(rows)),
        columns={"sex": safe.members.columns["sex"][rows], "site": np.full(len(rows), "here")},
    )
    return dataclasses.replace(safe, synthetic=made)


def findings(test: Question, evidence: Evidence) -> Mapping[str, Any]:
    found = test.measure(evidence, np.random.default_rng(0))
    assert isinstance(found, Measured)
    return found.findings


def test_copied_patients_are_recognised_and_strangers_are_not(safe: Evidence, copied: Evidence) -> None:
    found, calm = (findings(reidentification.QUESTION, evidence) for evidence in (copied, safe))
    assert found["p"] < 1e-4
    assert calm["p"] > 0.01
    assert found["members_linked"] > found["non_members_linked"] + 0.2
    assert abs(calm["members_linked"] - calm["non_members_linked"]) < 0.2
    for each in (found, calm):
        assert each["detector_auc"] > 0.9
        assert each["patients_with_several_images"] >= FEWEST
        assert each["members_before_non_member"].keys() == each["expected_when_safe"].keys() == {"1", "5", "20"}


def test_what_copies_carry_is_known_of_members(safe: Evidence, copied: Evidence) -> None:
    found, calm = (findings(attributes.QUESTION, evidence) for evidence in (copied, safe))
    assert found["p"] < 1e-3
    assert calm["p"] > 0.01
    assert found["columns"].keys() == calm["columns"].keys() == {"label", "sex"}
    assert found["not_applicable"] == {"site": "everybody has the same value"}
    for name in ("label", "sex"):
        leak, none = found["columns"][name], calm["columns"][name]
        assert leak["advantage_interval"][0] > 0.05
        assert none["advantage_interval"][0] < 0 < none["advantage_upper"] <= none["advantage_interval"][1]
        assert leak["values"] == none["values"] == 2
        assert 0.5 <= leak["guessing"] == none["guessing"] < 0.65
    assert found["largest_advantage_upper"] == max(each["advantage_upper"] for each in found["columns"].values())


def test_copies_move_what_is_only_printed(safe: Evidence, copied: Evidence) -> None:
    found, calm = (findings(resemblance.QUESTION, evidence) for evidence in (copied, safe))
    low, high = calm["dcr_share"]["range_when_safe"]
    assert low <= calm["dcr_share"]["measured"] <= high
    assert found["dcr_share"]["measured"] > 0.95 > found["dcr_share"]["range_when_safe"][1]
    assert found["authenticity"]["share"] < 0.2 < calm["authenticity"]["share"]
    assert found["nndr"]["members"] < 0.5 < found["nndr"]["non_members"]
    assert all(each["meaning"].endswith(".") for each in found.values())


def test_without_non_members_nothing_is_run(safe: Evidence) -> None:
    alone = dataclasses.replace(safe, non_members=None)
    assert all(isinstance(test.measure(alone, np.random.default_rng(0)), NotRun) for test in ALL)


def test_one_image_each_and_one_class_are_no_question(safe: Evidence, draw: Draw, weigh: Weigh) -> None:
    rng = np.random.default_rng(34)
    evidence = weigh(draw(rng, 20, most=1), draw(rng, 20, first=20, most=1), draw(rng, 20, most=1).images)
    several = reidentification.QUESTION.measure(evidence, rng)
    assert isinstance(several, NotApplicable)
    assert several.findings == {"patients_with_several_images": 0}
    nothing = attributes.QUESTION.measure(evidence, rng)
    assert isinstance(nothing, NotApplicable)
    assert nothing.findings == {"not_applicable": {"label": "everybody has the same value"}}
    assert nothing.reason == "there is nothing to infer (label: everybody has the same value)"
    assert isinstance(resemblance.QUESTION.measure(evidence, rng), Measured)
