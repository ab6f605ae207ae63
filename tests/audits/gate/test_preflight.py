"""The pre-flight must foretell what the audit will do, by the rules of the audit itself."""

import dataclasses
import math

import numpy as np
import pytest

from privgan.errors import UsageError
from privgan_audits.gate.preflight import (
    _reaches,
    chance_of_pass,
    near_copy_level,
    perfect_copies_needed,
    preflight,
    smallest_cohort,
    smallest_hold_out,
)
from privgan_audits.policy import Policy
from privgan_audits.questions.attributes.statistic import advantage_bounds
from privgan_audits.questions.controls.rule import search_limit
from privgan_audits.questions.near_copies.rule import SPACES
from privgan_audits.stats.pools import as_labels
from privgan_audits.stats.relabelling import NearCopyStatistic, Together, p_values
from privgan_audits.stats.within_groups import WithinGroups


def test_the_recommended_size_passes_nineteen_times_in_twenty() -> None:
    found = preflight(1333, 667, 4000, Policy())
    assert found.chance == pytest.approx(0.96, abs=0.02)
    assert found.limit_of_detection == 18
    assert found.sufficient
    assert found.smallest_non_members is not None
    assert 400 <= found.smallest_non_members <= 600


def test_the_smallest_hold_out_is_enough_and_less_is_not() -> None:
    policy = Policy()
    found = preflight(1333, 667, 4000, policy).smallest_non_members
    assert found is not None
    assert chance_of_pass(2000 - found, found, policy) >= policy.min_chance_of_pass - 0.05
    assert chance_of_pass(2000 - found + 60, found - 60, policy) < policy.min_chance_of_pass


@pytest.mark.parametrize(("members", "non_members"), [(40, 20), (1, 1), (10, 0), (300, 5)])
def test_hopeless_sizes_are_said_to_be_hopeless(members: int, non_members: int) -> None:
    found = preflight(members, non_members, 100, Policy())
    assert (found.chance, found.smallest_non_members, found.sufficient) == (0.0, None, False)


@pytest.mark.parametrize(
    ("members", "non_members", "share"), [(66_667, 1_000, 0.015), (5_000, 102, 0.1), (1_333, 70, 0.12)]
)
def test_what_the_audit_does_not_plant_is_not_promised(members: int, non_members: int, share: float) -> None:
    """The policy would allow as many copies as are needed, but the audit plants fewer and cannot vouch for them."""
    policy = dataclasses.replace(Policy(), max_copied_share=share, max_attribute_advantage=1.0)
    needed = perfect_copies_needed(members, non_members, policy)
    assert needed is not None
    assert search_limit(members) < needed <= policy.largest_copied(members)
    assert chance_of_pass(members, non_members, policy, 20) == 0.0


def test_in_a_very_large_cohort_enough_are_held_back_for_what_is_planted() -> None:
    """Fewer would do if more were planted: the policy allows three times as many copies."""
    patients, policy = 20_000, dataclasses.replace(Policy(), max_copied_share=0.03)
    found = smallest_hold_out(patients, policy)
    assert found is not None
    for held, enough in ((found, True), (found - patients // 100, False)):
        needed = perfect_copies_needed(patients - held, held, policy)
        assert needed is not None
        assert (needed <= search_limit(patients - held)) == enough


def test_a_looser_policy_needs_fewer_patients() -> None:
    further = {"max_attribute_advantage": 0.2}
    loose = dataclasses.replace(Policy(), max_auc=0.6, max_tpr=0.1, max_detectable_auc=0.1, **further)
    assert chance_of_pass(400, 200, Policy()) == 0
    assert chance_of_pass(400, 200, loose) > 0.8


def test_attribute_disclosure_is_counted_in() -> None:
    """A policy that alone forbids what chance makes of hidden facts passes nobody."""
    strict = dataclasses.replace(Policy(), max_attribute_advantage=0.03)
    assert chance_of_pass(1333, 667, strict) < 0.3
    assert chance_of_pass(1333, 667, Policy()) > 0.9


def test_every_column_is_one_fact_more_to_be_guessed_twice() -> None:
    """The slow twin draws who is guessed right, patient by patient, and asks of nothing else."""
    limit, columns, rng = 0.07, (1.0, 0.3, 0.001), np.random.default_rng(5)
    policy = dataclasses.replace(Policy(), max_auc=0.7, max_tpr=0.3, max_attribute_advantage=limit)
    facts = [(1333, 667, 0.75), (1333, 667, 0.5), (400, 200, 0.5)] * 2

    def passes() -> bool:
        rights = [(rng.random(ours) < p, rng.random(theirs) < p) for ours, theirs, p in facts]
        return all(advantage_bounds(a.mean(), len(a), c.mean(), len(c))[1] <= limit for a, c in rights)

    expected = np.mean([passes() for _ in range(1500)])
    assert 0.1 < expected < 0.9
    assert chance_of_pass(1333, 667, policy, columns=columns) == pytest.approx(expected, abs=0.05)
    assert chance_of_pass(1333, 667, policy) > expected + 0.1


@pytest.mark.parametrize("non_members", [667, 600, 1000])
def test_that_many_copies_are_always_found_and_one_fewer_is_not(non_members: int) -> None:
    """The worst case: hashes alone see the copies, and in every space that ranks non-members come first."""
    policy, needed = Policy(), perfect_copies_needed(2000 - non_members, non_members, Policy())
    assert needed is not None
    members_last = np.arange(2000)[::-1]
    inside = WithinGroups.of([members_last] * SPACES, [np.arange(2000) % 2 == 0])

    def p(copies: int) -> float:
        near = NearCopyStatistic(orders=[members_last] * SPACES, hits=[np.arange(2000) < copies])
        held = as_labels(np.arange(2000) >= 2000 - non_members)
        return float(p_values(Together(statistics=[near, inside]), held, None)[0])

    assert p(needed) < near_copy_level(policy, 1) <= p(needed - 1)


def test_the_cohort_for_a_sure_pass() -> None:
    patients = smallest_cohort(0.99)
    assert 2000 <= patients <= 3600
    assert chance_of_pass(patients - round(patients / 3), round(patients / 3), Policy()) >= 0.99


@pytest.mark.parametrize("chance", [0.0, 1.0, math.nan])
def test_impossible_chances_are_refused(chance: float) -> None:
    with pytest.raises(UsageError, match="chance"):
        smallest_cohort(chance)


def test_negative_numbers_are_refused() -> None:
    with pytest.raises(UsageError, match="negative"):
        preflight(10, -1, 10, Policy())


@pytest.mark.parametrize(("members", "non_members"), [(1333, 667), (900, 400), (300, 5)])
def test_a_search_stops_early_and_decides_as_a_count_does(members: int, non_members: int) -> None:
    """Also at exactly the share that passes, and a step of the count above it."""
    share = chance_of_pass(members, non_members, Policy(), 200)
    for chance in (0.0, 0.2, share - 0.005, share, share + 0.005, 1.0):
        assert _reaches(chance, members, non_members, Policy(), 200) == (share >= chance)
