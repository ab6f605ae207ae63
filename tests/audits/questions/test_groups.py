"""Near copies within classes and columns: which groups there are, what is seen in them, and what is named unseen."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from privgan.arrays import Integers, Texts
from privgan_audits.evidence.interface import Evidence, Measured, Sample
from privgan_audits.policy import Policy
from privgan_audits.questions import near_copies
from privgan_audits.questions.controls.disguises import DISGUISES, disguised
from privgan_audits.questions.controls.group_limits import (
    NAMED,
    GroupTrials,
    group_findings,
    members_ahead,
    seen_from,
    with_perfect_copies,
)
from privgan_audits.questions.groups import FEWEST, MOST, Groups, groups_of
from privgan_audits.questions.near_copies.measure import near_copy_statistic, near_copy_test
from privgan_audits.questions.near_copies.rule import SHARE
from privgan_audits.questions.scores import Scores, SpaceScores, patient_scores
from privgan_audits.stats.pools import Pool, as_labels, relabellings
from privgan_audits.stats.relabelling import p_values

Draw = Callable[..., Sample]
Weigh = Callable[..., Evidence]

LEVEL = Policy().level(1) * SHARE
MEMBERS, NON_MEMBERS, RARE = 300, 150, 16


def classed(sample: Sample, rare: int) -> Sample:
    """The first so many patients are of class 1, all others of class 0."""
    first = np.unique(sample.patients)[:rare]
    return dataclasses.replace(sample, labels=np.isin(sample.patients, first).astype(np.int64))


@pytest.fixture(scope="module")
def leaking(draw: Draw, weigh: Weigh) -> Evidence:
    """Twelve of the sixteen members of a rare class are in the set with noise, beside 150 images of nobody."""
    rng = np.random.default_rng(31)
    members = classed(draw(rng, MEMBERS, most=2), RARE)
    others = classed(draw(rng, NON_MEMBERS, first=MEMBERS, most=2), RARE)
    safe = draw(rng, 150, most=1).images
    rows = np.unique(members.patients, return_index=True)[1][:12]
    copies = disguised(members.images[rows], safe, DISGUISES["noise_4_percent"], rng)
    evidence = weigh(members, others, np.concatenate([safe, copies]))
    return dataclasses.replace(evidence, classes=("common", "rare"))


@pytest.fixture(scope="module")
def scores(leaking: Evidence) -> Scores:
    return patient_scores(leaking)


@pytest.fixture(scope="module")
def pool(scores: Scores) -> Pool:
    return relabellings(len(scores.non_member), scores.non_members, np.random.default_rng(0), 4000)


def test_most_of_a_small_class_is_seen_which_all_patients_hide(leaking: Evidence, scores: Scores) -> None:
    found = near_copies.QUESTION.measure(leaking, np.random.default_rng(1))
    assert isinstance(found, Measured)
    labels, pool = as_labels(scores.non_member), relabellings(450, 150, np.random.default_rng(2))
    assert p_values(near_copy_statistic(scores), labels, pool)[0] > LEVEL
    assert found.findings["p"] < LEVEL
    worst = min(found.findings["groups"], key=lambda group: group["p"])
    assert (worst["column"], worst["value"]) == ("class", "rare")


def with_site(evidence: Evidence, site: Texts) -> Evidence:
    """A column that only the members have."""
    return dataclasses.replace(evidence, members=dataclasses.replace(evidence.members, columns={"site": site}))


def sizes(groups: Groups) -> dict[str, int]:
    """By value."""
    return {group.value: group.size for group in groups.tested}


def test_groups_are_classes_and_values_that_some_patients_have(leaking: Evidence, scores: Scores) -> None:
    """What is unknown is no value, everybody is no group, and a patient may be in two of them."""
    patients = leaking.members.patients
    twice = int(np.flatnonzero(np.bincount(patients) > 1)[0])
    site = np.where(patients < 40, "north", np.where(patients < 100, "", "south"))
    site[np.flatnonzero(patients == twice)[0]] = "south"
    found = groups_of(with_site(leaking, site), scores)
    assert sizes(found) == {"common": 418, "south": 201, "north": 40, "rare": 32}
    assert [group.value for group in found.tested] == ["common", "south", "north", "rare"]
    assert all(group.patients[twice] for group in found.tested[1:3])
    assert found.left_out == ()
    assert leaking.non_members is not None
    everywhere = with_site(leaking, np.full(len(patients), "north"))
    others = dataclasses.replace(
        leaking.non_members, columns={"site": np.full(len(leaking.non_members.images), "north")}
    )
    assert sizes(groups_of(dataclasses.replace(everywhere, non_members=others), scores)) == {
        "common": 418,
        "rare": 32,
    }


def test_small_groups_and_too_many_are_left_out_by_name(leaking: Evidence, scores: Scores, pool: Pool) -> None:
    patients = leaking.members.patients
    few = np.where(patients < FEWEST - 1, "few", "")
    found = groups_of(with_site(leaking, np.where(patients >= MEMBERS - FEWEST, "enough", few)), scores)
    assert sizes(found) == {"common": 418, "rare": 32, "enough": FEWEST}
    assert [group.value for group in found.left_out] == ["few"]
    many = groups_of(with_site(leaking, (patients % 15).astype(np.str_)), scores)
    assert (min(sizes(many).values()), len(many.tested), len(many.left_out)) == (20, MOST, 1)
    pairs = groups_of(with_site(leaking, (patients // 2).astype(np.str_)), scores)
    listed = group_findings(scores, pairs, GroupTrials.of(scores, pairs, LEVEL, pool))
    assert [group["value"] for group in listed["groups"]] == ["common", "rare"]
    assert len(listed["groups_left_out"]) == NAMED
    assert listed["further_groups_left_out"] == {"site": 150 - NAMED}


def test_who_was_held_back_decides_no_group(leaking: Evidence, scores: Scores) -> None:
    """Half of each side change places: the same patients, the same groups."""
    assert leaking.non_members is not None
    other = np.random.default_rng(3).permutation(scores.non_member)
    again = groups_of(leaking, dataclasses.replace(scores, non_member=other))
    for before, after in zip(groups_of(leaking, scores).tested, again.tested, strict=True):
        np.testing.assert_array_equal(before.patients, after.patients)


def test_so_many_copies_of_a_group_are_found_whoever_they_are_of_and_one_fewer_may_not(
    leaking: Evidence, scores: Scores, pool: Pool
) -> None:
    """The slow twin asks T2 itself with all groups, after copies of some of the group's members."""
    scores = dataclasses.replace(scores, spaces=_calm(scores))
    groups, labels = groups_of(leaking, scores), as_labels(scores.non_member)
    trials = GroupTrials.of(scores, groups, LEVEL, pool)

    def p(copied: Integers) -> float:
        after = with_perfect_copies(scores, copied)
        spaces = {name: dataclasses.replace(each, patient=after[name]) for name, each in scores.spaces.items()}
        test = near_copy_test(dataclasses.replace(scores, spaces=spaces), groups)
        return float(p_values(test, labels, pool)[0])

    for group, trial, weight in zip(groups.tested, trials.within, trials.weights, strict=True):
        found = seen_from(scores, group, trial, weight)
        assert found is not None
        assert found < {"common": 25, "rare": 16}[group.value]
        ahead = members_ahead(scores, group)
        rng = np.random.default_rng(4)
        assert all(p(rng.permutation(ahead)[:found]) < LEVEL for _ in range(20))
        assert p(ahead[: found - 1]) > 0.5 * LEVEL


def test_a_group_that_could_not_be_seen_is_named(leaking: Evidence, scores: Scores, pool: Pool) -> None:
    """Twenty patients of whom one was held back: all nineteen members first is no rarity."""
    assert leaking.non_members is not None
    site = np.where(leaking.members.patients < 19, "north", "")
    others = np.where(leaking.non_members.patients < MEMBERS + 1, "north", "")
    evidence = with_site(leaking, site)
    evidence = dataclasses.replace(
        evidence, non_members=dataclasses.replace(leaking.non_members, columns={"site": others})
    )
    calm = dataclasses.replace(scores, spaces=_calm(scores))
    groups = groups_of(evidence, calm)
    listed = group_findings(calm, groups, GroupTrials.of(calm, groups, LEVEL / 10, pool))["groups"]
    north = next(group for group in listed if group["value"] == "north")
    assert north == {"column": "site", "value": "north", "members": 19, "non_members": 1, "seen_from": None}


def _calm(scores: Scores) -> dict[str, SpaceScores]:
    """The spaces of a set that is as close to nobody as to anybody: ranks by lot, no look-alikes."""
    rng, patients = np.random.default_rng(5), len(scores.non_member)
    return {
        name: dataclasses.replace(
            each, patient=1.0 + rng.permutation(patients) + 100.0 * (each.hit_limit is not None)
        )
        for name, each in scores.spaces.items()
    }
