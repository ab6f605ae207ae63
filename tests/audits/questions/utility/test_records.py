"""Of what use records are: tables as far apart as by hand; images that show their record, and records dealt anew."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.questions.utility import classifier
from privgan_audits.questions.utility.records.likeness import likeness
from privgan_audits.questions.utility.records.measure import measure_records

Labelled = Callable[..., Sample]
Gather = Callable[..., Evidence]


@pytest.fixture(scope="module", autouse=True)
def brief_lessons() -> Iterator[None]:
    thorough, classifier.STEPS = classifier.STEPS, 60
    yield
    classifier.STEPS = thorough


def recorded(sample: Sample, rng: np.random.Generator, *, bound: bool = True) -> Sample:
    """The spot's side as a column, of some images not known, or dealt out anew; classes say nothing of it."""
    side = np.array(["left", "right"])[sample.labels]
    side = side if bound else rng.permutation(side)
    unknown = rng.random(len(side)) < 0.1
    labels = rng.integers(0, 2, len(side))
    return replace(sample, labels=labels, columns={"side": np.where(unknown, "", side)})


@pytest.fixture(scope="module")
def people(labelled: Labelled) -> tuple[Sample, Sample, Sample]:
    rng = np.random.default_rng(1)
    members, others, fresh = (labelled(rng, count, 1_000 * first) for first, count in enumerate((150, 120, 300)))
    return members, others, fresh


def measured(people: tuple[Sample, Sample, Sample], gather: Gather, *, bound: bool) -> dict[str, dict[str, float]]:
    rng = np.random.default_rng(2)
    members, others, fresh = (recorded(side, rng, bound=bound or side is not people[2]) for side in people)
    evidence = gather(members, others, fresh)
    evidence = replace(evidence, synthetic=replace(evidence.synthetic, columns=fresh.columns))
    found = measure_records(evidence, others, np.random.default_rng(3))
    assert {tuple(pair["names"]) for pair in found["likeness"]["pairs"]} == {("class", "side")}
    assert found["likeness"]["columns"]["side"]["synthetic"] < 0.15
    return dict(found["showing"]["side"])


def test_images_that_show_their_record_are_told_from_records_dealt_anew(
    people: tuple[Sample, Sample, Sample], gather: Gather
) -> None:
    """As a table both are alike; only the network sees that image and record do not belong together."""
    good, bad = (measured(people, gather, bound=bound) for bound in (True, False))
    assert good["real"]["value"] > 0.85
    assert good["difference"]["low"] <= 0 <= good["difference"]["high"]
    assert good["bond"]["low"] <= 0 <= good["bond"]["high"]
    assert bad["real"]["value"] > 0.85
    assert bad["synthetic"]["value"] < 0.7
    assert bad["bond"]["high"] < -0.2


def test_a_set_without_columns_says_so(people: tuple[Sample, Sample, Sample], gather: Gather) -> None:
    members, others, fresh = people
    found = measure_records(gather(members, others, fresh), others, np.random.default_rng(0))
    assert found == {"reason": "the set carries no columns beside the class"}


def test_tables_are_as_far_apart_as_by_hand() -> None:
    """Twin: shares of every combination, each patient's images together as one."""
    rng = np.random.default_rng(4)
    names = ("a", "b", "c")

    def side(count: int, most: int) -> Sample:
        patients = np.sort(rng.integers(0, max(1, count // most), count))
        columns = {name: rng.choice(["", "x", "y"], count, p=[0.2, 0.3, 0.5]) for name in names}
        images = np.zeros((count, 8, 8, 1), np.uint8)
        return Sample(images=images, labels=np.zeros(count, np.int64), patients=patients, columns=columns)

    members, others, made = side(90, 3), side(60, 2), side(50, 1)
    made = replace(made, patients=np.arange(50))

    def shares(sample: Sample, chosen: tuple[str, ...]) -> dict[tuple[str, ...], float]:
        people = set(sample.patients.tolist())
        found = dict.fromkeys(product(["", "x", "y"], repeat=len(chosen)), 0.0)
        for row, patient in enumerate(sample.patients):
            key = tuple(str(sample.columns[name][row]) for name in chosen)
            found[key] += 1 / (len(people) * (sample.patients == patient).sum())
        return found

    found = likeness(members, others, made, names)
    asked = [*((name,) for name in names), *(tuple(pair["names"]) for pair in found["pairs"])]
    for chosen, told in zip(asked, [*found["columns"].values(), *found["pairs"]], strict=True):
        ours = shares(members, chosen)
        for name, sample in (("reference", others), ("synthetic", made)):
            theirs = shares(sample, chosen)
            expected = sum(abs(ours[key] - theirs[key]) for key in ours) / 2
            assert told[name] == pytest.approx(expected)
