"""Every rule has a row that only it refuses, and nothing that is missing or not a number can pass."""

import copy
import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from privgan_audits.gate.verdict import judge
from privgan_audits.policy import Policy
from privgan_audits.questions import QUESTIONS
from privgan_audits.questions.controls.rule import CHANGED_COPIES, GATING_COPIES, PLAIN_COPIES
from tests.audits.entries import passing

Table = dict[str, Any]


def good() -> Table:
    """The record of an audit that passes."""
    counts = {"members": 1333, "synthetic": 4000}
    return copy.deepcopy({"attempt": 1, "counts": counts, "claim_not_private": False, "tests": passing()})


def test(record: Table, name: str) -> Table:
    return next(entry for entry in record["tests"] if entry["id"] == name)


test.__test__ = False  # type: ignore[attr-defined]


def changed(name: str, **findings: Any) -> Callable[[Table], None]:
    return lambda record: test(record, name).update(findings)


def shaped(change: Callable[[Table], None]) -> Callable[[Table], None]:
    """The same of a set that public images shaped, too."""
    named = {"source": "an archive", "licence": "CC0", "images": 10_000, "sha256": "0" * 64}

    def both(record: Table) -> None:
        record["prior"] = named
        change(record)

    return both


def without_records(change: Callable[[Table], None]) -> Callable[[Table], None]:
    """The same of a set that carries no columns: a question that does not arise takes nothing from the others."""

    def both(record: Table) -> None:
        test(record, "T12").update(outcome="not-applicable", reason="of the test")
        change(record)

    return both


def recorded(change: Callable[[Table], None]) -> Callable[[Table], None]:
    """The same of a set that has records."""

    def both(record: Table) -> None:
        record["columns"] = {"sex": "category(F|M)"}
        change(record)

    return both


def test_the_good_record_passes() -> None:
    verdict = judge(Policy(), json.loads(json.dumps(good())))
    assert (verdict.verdict, verdict.scope) == ("PASS", "differential-privacy")


RULES = [
    ("FAIL", changed("T1", copies_of_members=1)),
    ("FAIL", changed("T1", copies_of_other_patients=1)),
    ("FAIL", changed("T1", copies_of_both=1, most_patients_of_a_copy=4)),
    ("FAIL", changed("T10", identifiers_found=1)),
    ("FAIL", changed("T11", exact_copies=1)),
    ("FAIL", changed("T11", near_copies=1)),
    ("FAIL", changed("T10", not_as_audited={"pixels": 1})),
    ("FAIL", changed("T10", structure={"private_tags": 1})),
    ("FAIL", changed("T6", checks={"unit_is_the_patient": True, "epsilon_covers_the_ledger": False})),
    ("FAIL", changed("T6", checks={"unit_is_the_patient": None})),
    ("FAIL", changed("T6", cohort_total_epsilon=10.001)),
    ("INCONCLUSIVE", changed("T6", cohort_filter_epsilon=10.001)),
    ("FAIL", lambda record: record.update(claim_not_private=True)),
    ("INVALID", changed("T0", split_p=0.0009)),
    ("INVALID", changed("T0", small_p_near_copies=22)),
    ("INVALID", changed("T0", small_p_membership=22)),
    ("FAIL", changed("T2", p=0.0028)),
    ("FAIL", without_records(changed("T2", p=0.0029))),
    ("FAIL", changed("T3", p=0.0028, auc_lower=0.521)),
    ("FAIL", changed("T3", p=0.0028, tpr_lower=0.021)),
    ("FAIL", changed("T3", epsilon_lower_bound=3.01)),
    ("FAIL", changed("T4", epsilon_lower_bound=3.01)),
    ("FAIL", changed("T7", p=0.000115)),
    ("FAIL", without_records(changed("T7", p=0.00012))),
    ("FAIL", changed("T8", p=0.000115, largest_advantage_lower=0.091)),
    ("FAIL", without_records(changed("T8", p=0.00012, largest_advantage_lower=0.091))),
    ("FAIL", changed("T12", p=0.000115)),
    ("INCONCLUSIVE", changed("T8", largest_advantage_upper=0.091)),
    ("INCONCLUSIVE", changed("T3", auc_upper=0.551)),
    ("INCONCLUSIVE", changed("T3", tpr_upper=0.051)),
    ("INCONCLUSIVE", changed("T3", auc_se_when_safe=0.0202)),
    ("INCONCLUSIVE", changed("T10", unreadable_entries=1)),
    ("INCONCLUSIVE", shaped(lambda record: record["tests"].remove(test(record, "T11")))),
    ("INCONCLUSIVE", shaped(changed("T11", outcome="not-applicable"))),
    ("INCONCLUSIVE", shaped(changed("T11", outcome="not-run", reason="of the test"))),
    ("INCONCLUSIVE", recorded(lambda record: record["tests"].remove(test(record, "T12")))),
    ("INCONCLUSIVE", recorded(changed("T12", outcome="not-applicable"))),
    ("INCONCLUSIVE", recorded(changed("T12", outcome="not-run", reason="of the test"))),
    ("INCONCLUSIVE", changed("T6", checks={})),
    ("INCONCLUSIVE", changed("T6", images_drawn_again=3999)),
    ("INCONCLUSIVE", lambda record: test(record, "T6").pop("images_drawn_again")),
    ("INCONCLUSIVE", lambda record: test(record, "T10").pop("not_as_audited")),
    ("INCONCLUSIVE", changed("T10", not_as_audited=None)),
    ("INCONCLUSIVE", lambda record: test(record, "T10").pop("structure")),
    *[
        ("INCONCLUSIVE", lambda record, name=name: test(record, "T0")["limit_of_detection"].update({name: 21}))
        for name in PLAIN_COPIES
    ],
    *[
        ("INCONCLUSIVE", lambda record, name=name: test(record, "T0")["limit_of_detection"].update({name: 41}))
        for name in CHANGED_COPIES
    ],
    *[
        ("INCONCLUSIVE", lambda record, name=name: test(record, "T0")["limit_of_detection"].pop(name))
        for name in GATING_COPIES
    ],
    *[
        ("INCONCLUSIVE", changed(name, outcome="not-run", reason="of the test"))
        for name in ("T0", "T1", "T2", "T3", "T4", "T6", "T7", "T8", "T10", "T11")
    ],
    *[("INCONCLUSIVE", changed(name, outcome="not-applicable")) for name in ("T0", "T1", "T2", "T3")],
    ("INCONCLUSIVE", lambda record: record["tests"].append({"id": "T5", "outcome": "not-run", "reason": "x"})),
    ("INCONCLUSIVE", lambda record: record.pop("attempt")),
]


ABSENT_EARLIER = {("T1", "copies_of_both")}  # numbers that rules read where a record has them


@pytest.mark.parametrize(("expected", "change"), RULES)
def test_each_rule_alone_refuses(expected: str, change: Callable[[Table], None]) -> None:
    record = good()
    change(record)
    verdict = judge(Policy(), record)
    assert verdict.verdict == expected
    assert len(verdict.reasons) == 1
    assert list(verdict.against.values()) == [expected]


@pytest.mark.parametrize(
    ("change", "got"),
    [
        (changed("T3", auc_upper=0.5504), "0.5504"),
        (changed("T3", auc_upper=math.nextafter(0.55, 1)), "0.5500000000000002"),
        (changed("T3", auc_upper=0.61234), "0.612"),
        (changed("T3", tpr_upper=0.05003), "0.05003"),
        (changed("T6", cohort_total_epsilon=10.00004), "10.00004"),
    ],
)
def test_a_reason_never_says_the_same_number_twice(change: Callable[[Table], None], got: str) -> None:
    record = good()
    change(record)
    (reason,) = judge(Policy(), record).reasons
    assert got in reason.rstrip(".").replace(",", "").split()


class Watched(dict[str, Any]):
    """An entry that remembers which of its numbers were asked for."""

    def __init__(self, entry: Table) -> None:
        super().__init__(entry)
        self.asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        """As of any table."""
        if isinstance(value := super().get(key, default), int | float):
            self.asked.add(key)
        return value


def numbers(record: Table) -> list[tuple[str, str]]:
    """All numbers that a verdict reads of a record that passes."""
    entries = [Watched(entry) for entry in record["tests"]]
    assert judge(Policy(), record | {"tests": entries}).verdict == "PASS"
    return sorted((entry["id"], key) for entry in entries for key in entry.asked)


def test_all_numbers_that_a_rule_needs_are_read() -> None:
    needed = {(asked.id, key) for asked in QUESTIONS for key in asked.rule.needed}
    assert needed | ABSENT_EARLIER == set(numbers(good()))


@pytest.mark.parametrize(("name", "key"), ABSENT_EARLIER)
def test_a_record_of_an_earlier_version_passes_without_later_numbers(name: str, key: str) -> None:
    record = good()
    del test(record, name)[key]
    assert judge(Policy(), record).verdict == "PASS"


@pytest.mark.parametrize("value", [math.nan, None, "0", True])
@pytest.mark.parametrize(("name", "key"), numbers(good()))
def test_a_number_that_is_none_never_passes(name: str, key: str, value: object) -> None:
    record = good()
    test(record, name)[key] = value
    assert judge(Policy(), record).verdict != "PASS"


@pytest.mark.parametrize("name", ["T0", "T1", "T2", "T3", "T6", "T7", "T8", "T10"])
def test_a_test_that_is_absent_never_passes(name: str) -> None:
    record = good()
    record["tests"].remove(test(record, name))
    assert judge(Policy(), record).verdict == "INCONCLUSIVE"


def test_the_order_of_verdicts_and_all_reasons_are_kept() -> None:
    record = good()
    stages = (
        ("INCONCLUSIVE", changed("T3", auc_upper=0.6)),
        ("FAIL", changed("T2", p=1e-6)),
        ("INVALID", changed("T0", split_p=1e-6)),
        ("FAIL", changed("T1", copies_of_members=2)),
    )
    for number, (expected, change) in enumerate(stages, start=1):
        change(record)
        verdict = judge(Policy(), record)
        assert (verdict.verdict, len(verdict.reasons)) == (expected, number)


def test_later_attempts_are_judged_more_strictly() -> None:
    record = good()
    test(record, "T2")["p"] = 0.002
    assert judge(Policy(), record).verdict == "FAIL"
    record["attempt"] = 2
    assert judge(Policy(), record).verdict == "PASS"
    assert sum(Policy().level(attempt) for attempt in range(1, 10_000)) == pytest.approx(0.01, rel=1e-3)


def test_membership_p_alone_is_no_leak_and_holm_gives_the_second_test_more_room() -> None:
    record = good()
    changed("T3", p=0.004, auc_lower=0.53)(record)
    assert judge(Policy(), record).verdict == "PASS"  # above its share of the level, and nothing else was rejected
    changed("T2", p=0.001)(record)
    assert len(judge(Policy(), record).reasons) == 2


def test_what_only_informs_never_refuses_and_white_box_attacks_need_a_run() -> None:
    record = good()
    test(record, "T9").update(outcome="not-run", reason="x")
    record["tests"].remove(test(record, "T4"))
    assert judge(Policy(), record).verdict == "PASS"


def test_without_public_images_nobody_asks_for_copies_of_them() -> None:
    record = good()
    record["tests"].remove(test(record, "T11"))
    assert judge(Policy(), record).verdict == "PASS"
    shaped(changed("T1"))(record := good())
    assert judge(Policy(), record).verdict == "PASS"


def test_small_shares_of_the_level_are_not_wasted_on_what_cannot_fail() -> None:
    """A p-value between its own share of the level and the rest's is no alarm; once T2 has failed it may be one."""
    record = good()
    changed("T7", p=0.0002)(record)
    assert judge(Policy(), record).verdict == "PASS"
    changed("T2", p=1e-6)(record)
    changed("T3", p=1e-6, auc_lower=0.53)(record)
    assert judge(Policy(), record).against == {"T2": "FAIL", "T3": "FAIL", "T7": "FAIL"}


def test_attribute_disclosure_fails_only_beyond_what_is_allowed() -> None:
    record = good()
    changed("T8", p=1e-6, largest_advantage_lower=0.089)(record)
    assert judge(Policy(), record).verdict == "PASS"


def test_files_only_audits_pass_as_empirical() -> None:
    record = good()
    for name in ("T6", "T10"):
        test(record, name).update(outcome="not-applicable")
    verdict = judge(Policy(), record)
    assert (verdict.verdict, verdict.scope) == ("PASS", "empirical")


def test_what_differs_from_what_was_audited_fails_without_a_cohort_too() -> None:
    record = good()
    for name in ("T6", "T10"):
        test(record, name).update(outcome="not-applicable", not_as_audited={"pixels": 2, "extra_files": 1})
    verdict = judge(Policy(), record)
    assert verdict.verdict == "FAIL"
    assert "What was audited is not what would leave" in verdict.reasons[0]
    assert "pixels 2, extra files 1" in verdict.reasons[0]


def test_odd_headers_are_information_when_privgan_did_not_write_the_files() -> None:
    record = good()
    test(record, "T6").update(outcome="not-applicable")
    test(record, "T10").update(outcome="not-applicable", structure={"private_tags": 9})
    assert judge(Policy(), record).reasons[0].startswith("DICOM files of the set hold")
    del test(record, "T10")["not_as_audited"]
    assert judge(Policy(), record).verdict == "PASS"


def test_a_large_cohort_may_miss_one_and_a_half_per_cent() -> None:
    record = good()
    test(record, "T0")["limit_of_detection"] = {
        **dict.fromkeys(PLAIN_COPIES, 30),
        **dict.fromkeys(CHANGED_COPIES, 60),
    }
    assert judge(Policy(), record).verdict == "INCONCLUSIVE"
    record["counts"]["members"] = 2000
    assert judge(Policy(), record).verdict == "PASS"


def test_judging_changes_nothing() -> None:
    record = good()
    before = copy.deepcopy(record)
    judge(Policy(), record)
    assert record == before
