"""Order, labels and their counts: what they would give away is told, and chance is told as chance."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from privgan.arrays import Images, Integers
from privgan.images.stored import with_channels
from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.questions.identifiers.arrangement import OF_IMAGES, OF_PATIENTS, arrangement, order
from privgan_audits.questions.identifiers.words import told
from tests.cli.conftest import blobs

ONE_CLASS = np.zeros(200, np.int64)


def sample(images: Images, labels: Integers, patients: Integers | None = None) -> Sample:
    people = np.arange(len(images)) if patients is None else patients
    return Sample(images=with_channels(images), labels=labels, patients=people)


def evidence_of(members: Sample, synthetic: Sample) -> Evidence:
    return Evidence(
        members=members,
        non_members=None,
        synthetic=synthetic,
        synthetic_folder=Path(),
        synthetic_sha256="0" * 64,
        classes=tuple(map(str, range(1 + int(max(members.labels.max(), synthetic.labels.max()))))),
    )


def noisy(images: Images, rng: np.random.Generator) -> Images:
    return np.clip(images + rng.normal(0, 8, images.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("follows", [True, False])
def test_copies_in_the_members_order_are_seen_and_shuffled_ones_are_not(follows: bool) -> None:
    """A third of the set, on their members' places: far beyond chance. Elsewhere it is a leak of another kind."""
    rng = np.random.default_rng(0)
    members, made = blobs(200, 1), blobs(200, 2)
    rows = rng.choice(200, 66, replace=False)
    made[rows] = noisy(members[rows if follows else rng.permutation(rows)], rng)
    found = arrangement(evidence_of(sample(members, ONE_CLASS), sample(made, ONE_CLASS)), rng)
    assert (found["order_p"] == 0.001) == follows
    assert (found["order_correlation"] > 0.25) == follows


def test_two_sides_sorted_by_class_follow_each_other_by_class_alone() -> None:
    """All images of a class are alike and both sides begin with the first class: no image knows a member's place."""
    labels = np.repeat([0, 1, 2], 60)
    kinds = blobs(3, 5)[labels]
    sides = [noisy(kinds, np.random.default_rng(seed)) for seed in (1, 2)]
    members, made = (sample(images, labels) for images in sides)
    rng = np.random.default_rng(0)
    assert arrangement(evidence_of(members, made), rng)["order_p"] > 0.05
    blind = sample(sides[1], np.zeros_like(labels))
    assert arrangement(evidence_of(members, blind), rng)["order_p"] == 0.001


def test_an_order_that_knows_nothing_is_as_likely_as_it_says() -> None:
    """Of 200 sets without any order about as many are at or below a level as the level says."""
    rng = np.random.default_rng(3)
    labels = np.repeat([0, 1], [12, 8])
    p = np.array([order(rng.integers(0, 50, 20), labels, rng)[1] for _ in range(200)], float)
    for level in (0.05, 0.2, 0.5):
        assert abs((p <= level).mean() - level) < 4 * np.sqrt(level * (1 - level) / 200)


def test_the_p_value_is_that_of_all_orders() -> None:
    """A slow twin: every permutation within the classes."""
    rows, labels = np.array([3, 9, 4, 20, 7, 8, 1]), np.array([0, 0, 0, 0, 1, 1, 1])
    place = np.arange(7)

    def far(there: Integers) -> float:
        both = [(place[labels == c], there[labels == c]) for c in (0, 1)]
        return abs(sum(float(((a - a.mean()) * (b - b.mean())).sum()) for a, b in both))

    every = [
        far(np.array([*first, *second]))
        for first in itertools.permutations(rows[:4])
        for second in itertools.permutations(rows[4:])
    ]
    exact = np.mean([each >= far(rows) - 1e-9 for each in every])
    found = [order(rows, labels, np.random.default_rng(seed))[1] for seed in range(20)]
    assert np.mean(np.array(found, float)) == pytest.approx(exact, abs=0.01)


@pytest.mark.parametrize(
    ("rows", "labels"), [([5], [0]), ([5, 9], [0, 1]), ([5, 5, 5], [0, 0, 0])], ids=["one", "one each", "one member"]
)
def test_where_every_order_is_the_same_there_is_no_p(rows: list[int], labels: list[int]) -> None:
    assert order(np.array(rows), np.array(labels), np.random.default_rng(0)) == (None, None)


SHARES = {
    "as many": ([3, 2], [OF_IMAGES]),
    "twice as many": ([6, 4], [OF_IMAGES]),
    "the patients'": ([2, 2], [OF_PATIENTS]),
    "others": ([4, 2], []),
    "one class": ([5, 0], []),
}


@pytest.mark.parametrize("name", SHARES)
def test_exact_class_shares_are_noticed(name: str) -> None:
    """Five images of four members: three and two, but of two patients each."""
    counts, expected = SHARES[name]
    labels, patients = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 2, 3])
    made = np.repeat([0, 1], counts)
    evidence = evidence_of(sample(blobs(5, 1), labels, patients), sample(blobs(len(made), 2), made))
    found = arrangement(evidence, np.random.default_rng(0))
    assert found["class_shares_of"] == expected
    assert any("exactly the class shares" in sentence for sentence in told({"arrangement": found})) == bool(expected)


def test_labels_of_one_member_are_counted() -> None:
    """A label of the set that one patient has, however many images; one that nobody has is no member's."""
    members = sample(blobs(5, 1), np.array([0, 0, 1, 1, 2]), np.array([0, 1, 2, 2, 3]))
    found = arrangement(
        evidence_of(members, sample(blobs(6, 2), np.array([0, 1, 1, 2, 3, 3]))), np.random.default_rng(0)
    )
    assert (found["labels"], found["labels_of_one_member"]) == (4, 2)
    assert "2 of its 4 labels are of one member alone." in told({"arrangement": found})


def test_of_an_older_record_nothing_is_told() -> None:
    assert not [*told({})]
