"""A set that teaches is said to help, a set that does not is not; on halves that one image of each gives not away."""

from dataclasses import replace

import numpy as np
import pytest

from privgan_audits.evidence.interface import Sample
from privgan_uses.augmenting.arms import DUPLICATED, MIXED, MIXED_ALL, REAL, SYNTHETIC
from privgan_uses.augmenting.design import AugmentDesign
from privgan_uses.augmenting.lessons import usual_changes
from privgan_uses.augmenting.study import HARMS, HELPS, OPEN, Sides, compared, study

NAMES = ("below", "above")
QUIET = usual_changes("CHEST")
DESIGN = AugmentDesign(sizes=(1,), repeats=5, steps=11, arms=(REAL, DUPLICATED[0], MIXED_ALL))


def halves(count: int, seed: int, first: int = 0) -> Sample:
    """A little lighter above or below; more, and without a meaning, left or right. Each its own patient's."""
    rng = np.random.default_rng(seed)
    labels, side = np.arange(count) % 2, np.where(np.arange(16) < 8, -1.0, 1.0)
    meant = 25 * np.where(labels, 1, -1)[:, None, None] * side[:, None]
    other = 100 * rng.standard_normal(count)[:, None, None] * side
    images = np.clip(128 + meant + other + 30 * rng.standard_normal((count, 16, 16)), 0, 255).astype(np.uint8)
    return Sample(images=images[..., None], labels=labels, patients=first + np.arange(count))


def sides(given: Sample) -> Sides:
    return Sides(own=halves(80, 1), test=halves(120, 2, first=1000), given=given, names=NAMES)


def answers(given: Sample, seed: int) -> set[str]:
    (learned,) = study(sides(given), DESIGN, QUIET, np.random.default_rng(seed))
    told = learned.to_json(DESIGN.arms, NAMES)
    return {arm["answer"] for arm in told["arms"].values() if "answer" in arm}


def test_a_set_of_real_images_helps() -> None:
    assert answers(halves(400, 3), 0) == {HELPS}


def test_a_set_whose_labels_mean_nothing_does_not_help() -> None:
    """The nominal rate is 2.5 %; `test_doubt` holds it over many seeds. Here neither of two studies is deceived."""
    plain = halves(400, 3)
    shuffled = replace(plain, labels=np.random.default_rng(0).permutation(plain.labels))
    assert HELPS not in set.union(*(answers(shuffled, seed) for seed in range(2)))


def test_a_set_whose_labels_are_swapped_harms() -> None:
    plain = halves(400, 3)
    assert answers(replace(plain, labels=1 - plain.labels), 0) == {HARMS}


def test_lessons_of_two_studies_are_from_the_same_patients() -> None:
    """And each arm's numbers are there: as many repeats as were asked, on as many resamples."""
    given, design = halves(60, 3), replace(DESIGN, repeats=2)
    (one,), (other,) = (
        study(sides(given), replace(design, arms=arms), QUIET, np.random.default_rng(7))
        for arms in ((REAL, MIXED[0]), (REAL, SYNTHETIC))
    )
    assert one.images == other.images == (1, 1)
    assert (one.curves["real"]["auc"] == other.curves["real"]["auc"]).all()
    assert one.curves[MIXED[0].name]["auc"].shape == (2, 1001)
    assert set(one.curves["real"]) == {"auc", "balanced_accuracy", *(f"sensitivity of {name}" for name in NAMES)}


@pytest.mark.parametrize(
    ("lead", "answer"),
    [
        ({"real": 0.1, "duplicated 2": 0.1}, HELPS),
        ({"real": 0.1, "duplicated 2": 0.0}, OPEN),
        ({"real": -0.1}, HARMS),
    ],
)
def test_what_helps_is_better_than_every_lesson_without(lead: dict[str, float], answer: str) -> None:
    rng = np.random.default_rng(0)
    noise = 0.005 * rng.standard_normal((6, 101))
    arms = (REAL, DUPLICATED[-1], MIXED_ALL)

    def curve(level: float) -> dict[str, np.ndarray]:
        curves = level + noise + 0.01 * rng.standard_normal((6, 101))
        return dict.fromkeys(("auc", "balanced_accuracy", *(f"sensitivity of {name}" for name in NAMES)), curves)

    found = {MIXED_ALL.name: curve(0.8)}
    found |= {
        REAL.name: curve(0.8 - lead["real"]),
        arms[1].name: curve(0.8 - lead.get(DUPLICATED[-1].name, lead["real"])),
    }
    told = compared(arms, found, NAMES)
    assert told[MIXED_ALL.name]["answer"] == answer
    assert told[MIXED_ALL.name]["difference"]["value"] == pytest.approx(min(lead.values()), abs=0.01)
    assert "answer" not in told["real"]


def test_a_lesson_that_was_studied_less_than_the_best_does_no_harm_by_that() -> None:
    """Longer study is better here, with the set or without; the twin of the shorter lesson is as good."""
    rng = np.random.default_rng(0)
    arms = (REAL, DUPLICATED[0], DUPLICATED[-1], MIXED[0])

    def curve(level: float) -> dict[str, np.ndarray]:
        return dict.fromkeys(("auc", "balanced_accuracy"), level + 0.005 * rng.standard_normal((6, 101)))

    found = {arm.name: curve(0.6 + 0.1 * arm.length) for arm in arms}
    told = compared(arms, found, ())[MIXED[0].name]
    assert told["answer"] == OPEN
    assert told["difference"]["high"] < 0
    assert set(told["twins"]) == {DUPLICATED[0].name}
    found[MIXED[0].name] = curve(0.6)
    assert compared(arms, found, ())[MIXED[0].name]["answer"] == HARMS
