"""The word beside the verdict: by the policy, from everything that was asked of the patients."""

import math
from typing import Any

import pytest

from privgan.dp.strength import Tiers, is_at_most
from privgan.errors import UsageError
from privgan_audits.policy import PRESETS, Policy
from privgan_audits.telling.strength import strength_of

RUN = {"epsilon": 2.0, "delta": 1e-5}


def record(total: Any, proven: Any = None, policy: Policy | None = None, **more: Any) -> dict[str, Any]:
    opening = {"kind": "opened", "delta": 1e-5, **more.pop("opening", {})}
    books = {"id": "T6", "outcome": "measured", "cohort_total_epsilon": total, "cohort_filter_epsilon": proven}
    entries = [opening, *({"kind": "charge"} for _ in range(more.pop("runs", 1)))]
    told = {"policy": (policy or Policy()).to_json(), "ledger": {"entries": entries}, "privacy": RUN}
    return {**told, "claim_not_private": False, "tests": [books], **more}


@pytest.mark.parametrize(
    ("epsilon", "word"),
    [
        (0.0, "strong"),
        (1.0, "strong"),
        (1.001, "moderate"),
        (3.0, "moderate"),
        (3.001, "weak"),
        (10.0, "weak"),
        (10.001, "none"),
        (math.inf, "none"),
        (math.nan, "none"),
        (None, "none"),
    ],
)
def test_the_default_tiers(epsilon: float | None, word: str) -> None:
    assert Tiers().word(epsilon) == word


def test_all_runs_count_and_the_larger_proof() -> None:
    """A run of 2 beside others is as weak as their total, and as what is proven for runs chosen after others."""
    assert strength_of(record(2.0), inside=True).word == "moderate"
    assert strength_of(record(2.9, 3.2), inside=True).word == "weak"
    assert str(strength_of(record(8.0), inside=True)) == (
        "weak promise (all runs together: epsilon 8 at delta 1e-05)"
    )


@pytest.mark.parametrize(
    "change", [{"ledger": None}, {"claim_not_private": True}, {"privacy": {"epsilon": None, "delta": None}}]
)
def test_what_is_not_known_is_no_promise(change: dict[str, Any]) -> None:
    for inside in (True, False):
        found = strength_of({**record(0.5), **change}, inside=inside)
        assert (found.word, found.promise) == ("none", "no promise")


@pytest.mark.parametrize("total", [None, True, math.nan, "0.5"])
def test_a_total_that_is_no_number_is_no_promise(total: Any) -> None:
    assert strength_of(record(total), inside=True).word == "none"
    assert strength_of({**record(0.5), "tests": []}, inside=True).word == "none"


def test_outside_no_finding_is_read() -> None:
    """One run's total is its own claim, which is public; whatever T6 found is not."""
    found = [strength_of(record(total), inside=False) for total in (0.5, 9.0, None)]
    assert {(each.word, each.epsilon, each.at_most) for each in found} == {("moderate", 2.0, False)}


@pytest.mark.parametrize("more", [{"opening": {"anchor_id": "a"}}, {"runs": 2}])
def test_outside_several_runs_are_told_by_the_policys_limit(more: dict[str, Any]) -> None:
    """Under a site anchor whether the total is 1 or 3 may hang on whether one patient is in two cohorts."""
    outside = [strength_of(record(total, **more), inside=False) for total in (0.5, 9.0)]
    assert outside[0] == outside[1]
    assert (outside[0].word, outside[0].at_most) == ("weak", True)
    assert strength_of(record(0.5, **more), inside=True).word == "strong"
    assert strength_of(record(0.5, policy=PRESETS["open-release"], **more), inside=False).word == "moderate"


def test_a_policy_sets_the_tiers_and_a_kinder_word_is_looser() -> None:
    kind = Policy(strong_epsilon=5.0, moderate_epsilon=6.0)
    assert strength_of(record(5.0, policy=kind), inside=True).word == "strong"
    assert kind.looser_than_default() == [
        "strong_epsilon = 5 instead of 1",
        "moderate_epsilon = 6 instead of 3",
    ]
    assert Policy.from_json(kind.to_json()) == kind
    with pytest.raises(UsageError, match="strong_epsilon <= moderate_epsilon"):
        Policy(strong_epsilon=4.0)


def test_policies_of_earlier_versions_keep_their_digest() -> None:
    """What came later and is at its default is in no JSON: older records are still read, and named alike."""
    table = Policy().to_json()
    assert not {"strong_epsilon", "weak_epsilon", "house"} & table.keys()
    assert {name: policy.preset for name, policy in PRESETS.items()} == {name: name for name in PRESETS}
    assert Policy(house="Anytown Hospital").preset == "default"
    assert Policy(house="Anytown Hospital").sha256 != Policy().sha256


def test_a_word_may_not_claim_more() -> None:
    assert [is_at_most(word, "moderate") for word in ("strong", "moderate", "weak", "none", "iron")] == [
        False,
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("runs", [1, 2])
def test_of_several_hospitals_no_outsider_reads_the_delta_of_a_cohort(runs: int) -> None:
    """It is the largest power of ten below a tenth of the members' share: it says how large a hospital is."""
    joint = record(2.9, opening={"delta": 1e-3}, runs=runs, federation={"patients": 5000})
    assert "at delta 0.001" in str(strength_of(joint, inside=True))
    outside = strength_of(joint, inside=False)
    assert outside.word == strength_of({**joint, "federation": None}, inside=False).word
    told = "moderate promise (all runs together: epsilon 2 at delta 1e-05)" if runs == 1 else "weak promise"
    assert str(outside) == told
