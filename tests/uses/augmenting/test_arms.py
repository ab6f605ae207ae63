"""What each arm draws from: exact counts, even patients, and copies that are no other lesson than more steps."""

from fractions import Fraction

import numpy as np
import pytest

from privgan_audits.evidence.interface import Sample
from privgan_uses.augmenting.arms import ARMS, CHANGED, DUPLICATED, MIXED, MIXED_ALL, RATIOS, REAL, SYNTHETIC, Arm
from privgan_uses.augmenting.design import AugmentDesign
from privgan_uses.augmenting.lessons import FRESH, added, few, lessons_of, patients_of, usual_changes

QUIET = usual_changes("CHEST")


def sample(labels: list[int], patients: list[int], level: int = 0) -> Sample:
    """Each image is of one level, by which it is known again."""
    count = len(labels)
    images = np.broadcast_to(np.arange(level, level + count, dtype=np.uint8)[:, None, None, None], (count, 8, 8, 1))
    return Sample(images=images, labels=np.array(labels), patients=np.array(patients))


OWN = sample([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 2, 3, 4, 5, 6, 7, 7, 7, 8])
GIVEN = sample([0, 1] * 60, list(range(-1, -121, -1)), level=100)


def levels(arm: Arm) -> tuple[list[int], list[float], list[int]]:
    lessons = lessons_of(arm, OWN, GIVEN, QUIET, np.random.default_rng(0))
    return lessons.images[:, 0, 0, 0].tolist(), lessons.weights.tolist(), lessons.labels.tolist()


@pytest.mark.parametrize("arm", MIXED)
def test_of_each_class_so_many_are_added_as_the_ratio_says(arm: Arm) -> None:
    images, weights, labels = levels(arm)
    own, new = np.array(images) < 100, np.array(images) >= 100
    added_of = [int((new & (np.array(labels) == label)).sum()) for label in (0, 1)]
    assert (own.sum(), added_of) == (12, [4 * arm.ratio, 8 * arm.ratio])
    assert len(set(images)) == len(images)  # no synthetic image twice
    assert np.array(weights)[new].sum() == pytest.approx(arm.ratio / (1 + arm.ratio))


def test_one_is_added_where_a_ratio_says_none() -> None:
    own = sample([0, 1], [1, 2])
    assert np.bincount(added(MIXED[0], own, GIVEN, np.random.default_rng(0)).labels).tolist() == [1, 1]


@pytest.mark.parametrize("arm", ARMS)
def test_classes_are_even_and_so_are_the_patients_of_a_class(arm: Arm) -> None:
    images, weights, labels = levels(arm)
    by_class = np.bincount(labels, weights)
    if arm.changed:
        assert len(images) == FRESH
        assert by_class == pytest.approx([0.5, 0.5], abs=0.05)
        return
    assert by_class == pytest.approx([0.5, 0.5])
    mine = np.array(images) < 100
    if arm.synthetic < 1:
        of_patient = np.bincount(OWN.patients, np.array(weights)[mine])
        assert of_patient[1:3] == pytest.approx((1 - arm.synthetic) / 4)
        assert of_patient[3:] == pytest.approx((1 - arm.synthetic) / 12)


def test_the_whole_set_is_there_where_it_shall_be() -> None:
    assert sorted(levels(SYNTHETIC)[0]) == list(range(100, 220))
    images, weights, _ = levels(MIXED_ALL)
    assert len(images) == 12 + 120
    assert sum(w for w, level in zip(weights, images, strict=True) if level >= 100) == pytest.approx(2 / 3)


@pytest.mark.parametrize("copies", [1, 2, 7])
def test_copies_are_no_other_lesson_than_a_longer_one(copies: int) -> None:
    """The slow twin of `DUPLICATED`: images that lie there again are drawn as often, all together, as one was."""
    alone = lessons_of(REAL, OWN, GIVEN, QUIET, np.random.default_rng(0))
    again = Sample(
        images=np.concatenate([OWN.images] * (1 + copies)),
        labels=np.tile(OWN.labels, 1 + copies),
        patients=np.tile(OWN.patients, 1 + copies),
    )
    doubled = lessons_of(REAL, again, GIVEN, QUIET, np.random.default_rng(0))
    summed = np.bincount(doubled.images[:, 0, 0, 0], doubled.weights)
    assert summed == pytest.approx(alone.weights)


def test_every_arm_with_added_images_has_twins_that_are_studied_as_long() -> None:
    design = AugmentDesign(steps=100)
    lengths = [design.length(arm) for arm in DUPLICATED]
    assert lengths == [125, 150, 200, 300] == [design.length(arm) for arm in MIXED]
    assert lengths == [design.length(arm) for arm in CHANGED]
    assert {design.length(arm) for arm in ARMS if arm.whole} == {300}
    assert design.length(REAL) == 100
    assert [arm.ratio for arm in DUPLICATED] == list(RATIOS)
    shares = [Fraction(arm.synthetic).limit_denominator(10) for arm in MIXED]
    assert shares == [Fraction(1, 5), Fraction(1, 3), Fraction(1, 2), Fraction(2, 3)]
    assert len({arm.name for arm in ARMS}) == len(ARMS)


def test_a_few_patients_of_each_class_with_their_images_of_it() -> None:
    both = sample([0, 0, 1, 1, 0, 1], [1, 1, 1, 2, 3, 4])
    for seed in range(20):
        chosen = few(both, 1, np.random.default_rng(seed))
        for label in (0, 1):
            assert len(patients_of(chosen, label)) == 1
    assert len(few(both, 3, np.random.default_rng(0)).labels) == 6


def test_changed_images_are_neither_the_old_ones_nor_strangers() -> None:
    """A bright bar stays where it was within the changes, and no two draws are alike."""
    images = np.zeros((1, 32, 32, 1), np.uint8)
    images[:, 12:20, 4:28] = 200
    bar = Sample(images=images, labels=np.array([0]), patients=np.array([1]))
    changed = lessons_of(CHANGED[0], bar, bar, QUIET, np.random.default_rng(0)).images
    assert len(np.unique(changed.reshape(FRESH, -1), axis=0)) > 0.99 * FRESH
    likeness = (changed[..., 0] * (images[0, ..., 0] > 0)).sum(axis=(1, 2)) / changed[..., 0].sum(axis=(1, 2))
    assert 0.6 < likeness.min() < likeness.max() <= 1


def test_sides_are_kept_where_they_mean_something() -> None:
    assert [usual_changes(part).flip for part in ("CHEST", "", "HEAD", "BREAST")] == [0, 0, 0, 0.5]
