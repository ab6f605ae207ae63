"""What the officer signs: only a whole audit that passed, in words and days that can be checked."""

import dataclasses
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from privgan import seals
from privgan.errors import (
    AuditFailedError,
    IntegrityError,
    NotReleasableError,
    PrivganError,
    UsageError,
)
from privgan_audits.policy import Policy
from privgan_audits.release.approval import APPROVAL, LONGEST_DAYS, Approval, Grant, opened
from privgan_audits.release.signoff import draft_approval
from tests.audits.release.test_release import in_test
from tests.audits.releasing import Gate, Record, make_gate, make_officers_gate

LAST = date(2026, 12, 31)
Harm = Callable[[Gate], object]


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    return make_officers_gate(tmp_path_factory.mktemp("gate"))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (in_test("T1", copies_of_members=1), AuditFailedError),
        (in_test("T0", split_p=0.0001), NotReleasableError),
        (in_test("T3", auc_upper=0.6), NotReleasableError),
        (in_test("T6", outcome="not-applicable"), NotReleasableError),
        (lambda record: record.update(verdict="FAIL"), NotReleasableError),
        (lambda record: record["policy"].update(max_auc=0.99), IntegrityError),
        (lambda record: record.update(overrides=["\x1b[2Jnone"]), IntegrityError),
        (lambda record: record.update(privacy={"epsilon": None}), IntegrityError),
        (lambda record: record["privacy"].update(epsilon=10**400), IntegrityError),
        (lambda record: record["privacy"].update(delta=0.0), IntegrityError),
        (lambda record: record["synthetic"].update(sha256="x"), IntegrityError),
        (lambda record: record["counts"].pop("members"), IntegrityError),
    ],
)
def test_only_a_pass_with_a_claim_can_be_approved(
    gate: Gate, change: Callable[[Record], object], error: type[PrivganError]
) -> None:
    gate.audit(change)
    with pytest.raises(PrivganError) as caught:
        gate.approve()
    assert caught.type is error
    assert not (gate.root / "report" / APPROVAL).exists()


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"[" * 99999, b"{", b'{"policy":1}', b"\xff", b'{"policy":{"officer_key":"\xc3\xa9"}}']
)
def test_what_is_no_record_is_refused(gate: Gate, content: bytes) -> None:
    (gate.root / "report" / "audit.json").write_bytes(content)
    with pytest.raises(IntegrityError):
        gate.approve()


def test_a_report_that_is_missing_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        draft_approval(tmp_path / "absent", Grant(officer="A", approved="2026-01-31", until="2026-01-31"))


GOOD = {
    "officer": "A",
    "purpose": "p",
    "recipient": "r",
    "reason": "n",
    "approved": "2026-01-31",
    "until": "2026-01-31",
}


@pytest.mark.parametrize(
    "change",
    [
        {"officer": ""},
        {"officer": " "},
        {"officer": "A\nB"},
        {"officer": "A\u202eB"},
        {"officer": "x" * 101},
        {"purpose": "\x1b[31m"},
        {"recipient": "x" * 301},
        {"reason": "x\n"},
        {"until": "2026-01-30"},
        {"until": (date(2026, 1, 31) + timedelta(days=LONGEST_DAYS + 1)).isoformat()},
        {"until": "20260131"},
        {"until": "2026-02-30"},
        {"until": "tomorrow"},
        {"until": ""},
    ],
)
def test_names_words_and_days_are_checked(change: dict[str, str]) -> None:
    Grant(**GOOD)
    Grant(**{**GOOD, "purpose": "", "until": (date(2026, 1, 31) + timedelta(days=LONGEST_DAYS)).isoformat()})
    with pytest.raises(UsageError):
        Grant(**{**GOOD, **change})


def test_the_officer_is_told_what_it_means(gate: Gate) -> None:
    loose = {"max_auc": 0.6, "max_detectable_auc": 0.1}
    gate.audit(lambda record: record.update(policy=Policy(**loose).to_json()))
    draft = draft_approval(gate.root / "report", Grant(**GOOD), cohort=gate.root / "cohort")
    said = "\n".join(draft.facts)
    for words in (
        "Verdict PASS",
        "'own'",
        "Epsilon 3 at delta 1e-05",
        "from 50 % at most 96 %, by any means",
        "20 distinct copied",
        "only epsilon",
        "moderate promise (all runs together: epsilon 3 at delta 1e-05)",
        "weak up to 10",
        "Set " + draft.judged.approved.synthetic_sha256,
        "Reason for what was switched off: n.",
    ):
        assert words in said
    assert draft.confirmation == f"PASS {draft.judged.approved.synthetic_sha256[:12]}"
    assert ["accept-delta" in line for line in draft.warnings] == [True, False, False]
    assert [line.split()[-4] for line in draft.warnings[1:]] == ["0.6", "0.1"]


def told(gate: Gate, policy: Policy, **change: Any) -> str:
    gate.audit(lambda record: record.update(policy=policy.to_json(), **change))
    return "\n".join(draft_approval(gate.root / "report", Grant(**GOOD), cohort=gate.root / "cohort").facts)


def test_the_officer_is_told_what_words_will_leave(gate: Gate) -> None:
    """Whoever audits chooses the policy, and title and contact were typed by whoever prepared."""
    policy = Policy(house="Anytown Hospital", licence="for teaching alone", citation="as you like")
    public = {"source": "an archive", "licence": "CC-BY-4.0", "images": 300, "sha256": "0" * 64}
    said = told(gate, policy, prior=public)
    words = "title: Chests for teaching; house: Anytown Hospital; contact: data office"
    assert f"Words that leave with the set: {words}; licence: for teaching alone; citation: as you like." in said
    assert "from an archive; terms: CC-BY-4.0." in said
    assert "names no licence" not in said
    assert "otherwise than the default" not in said
    stricter = told(gate, Policy(max_epsilon=5.0, max_auc=0.56))
    other = "max_auc = 0.56 instead of 0.55; max_epsilon = 5 instead of 10"
    assert f"What that policy asks otherwise than the default one: {other}." in stricter
    assert "The policy names no licence: whoever releases may name one that dataset hubs know." in told(
        gate, Policy()
    )


@pytest.mark.parametrize("hidden", ["normal\x1b[2K", "normal\ufe01", "normal\nReason: none."])
def test_a_record_that_would_be_shown_as_another_is_not_approved(gate: Gate, hidden: str) -> None:
    gate.audit(lambda record: record.update(classes=["normal", hidden]))
    with pytest.raises(IntegrityError, match="one would be shown as another"):
        gate.approve()


@pytest.mark.parametrize("missing", ["purpose", "recipient", "reason"])
def test_whom_it_is_for_and_why_overrides_are_harmless_must_be_said(gate: Gate, missing: str) -> None:
    with pytest.raises(UsageError, match=f"--{missing}"):
        draft_approval(gate.root / "report", Grant(**{**GOOD, missing: ""}), cohort=gate.root / "cohort")
    gate.audit(lambda record: record.update(overrides=[]))
    if missing == "reason":  # nothing was switched off
        grant = Grant(**{**GOOD, "reason": ""})
        draft = draft_approval(gate.root / "report", grant, cohort=gate.root / "cohort")
        signed = draft.sign(gate.key_of("officer"))
        assert "reason" not in signed.approval.statement()["predicate"]["grant"]  # as older versions wrote it
        assert opened(Approval, signed.envelope, gate.key_of("officer").public_key()) == signed.approval


def test_an_approval_is_replaced_only_by_force_and_never_after_a_withdrawal(gate: Gate) -> None:
    first = gate.approve()
    with pytest.raises(UsageError, match="--force"):
        gate.approve()
    assert gate.approve(last="2026-06-30", force=True).sha256 != first.sha256
    gate.take_back()
    with pytest.raises(IntegrityError, match="withdrawn"):
        gate.approve(force=True)


@pytest.mark.parametrize(
    "change",
    [
        lambda stated: stated.update(predicateType="urn:privgan:release:v1"),
        lambda stated: stated["subject"].append(stated["subject"][0]),
        lambda stated: stated["subject"][0].update(name="other.json"),
        lambda stated: stated["predicate"].update(note="x"),
        lambda stated: stated["predicate"].pop("grant"),
        lambda stated: stated["predicate"].update(grant=[]),
        lambda stated: stated["predicate"]["grant"].update(officer="\x1b[2J"),
        lambda stated: stated["predicate"]["grant"].update(until="9999-12-31"),
        lambda stated: stated["predicate"]["audit"].update(epsilon=10**400),
        lambda stated: stated["predicate"]["audit"].update(epsilon="3"),
        lambda stated: stated["predicate"]["audit"].update(overrides=[["x"]]),
        lambda stated: stated["predicate"].update(public_key="AAAA"),
        lambda stated: stated["predicate"].update(public_key=7),
        lambda stated: stated.update(predicate=None),
    ],
)
def test_a_well_signed_approval_in_another_form_is_refused(
    gate: Gate, change: Callable[[dict[str, Any]], object]
) -> None:
    stated = json.loads(json.dumps(gate.approve().approval.statement()))
    key = gate.key_of("officer")
    assert opened(Approval, seals.sign(stated, key)).statement()
    change(stated)
    for whose in (key.public_key(), None):
        with pytest.raises(IntegrityError):
            opened(Approval, seals.sign(stated, key), whose)


def test_an_approval_that_names_another_key_than_it_is_signed_with_is_refused(gate: Gate) -> None:
    approval = dataclasses.replace(gate.approve().approval, public_key=gate.line_of("second"))
    envelope = seals.sign(approval.statement(), gate.key_of("officer"))
    for whose in (gate.key_of("officer").public_key(), gate.key_of("second").public_key(), None):
        with pytest.raises(IntegrityError):
            opened(Approval, envelope, whose)


def test_a_pinned_officer_asks_the_ledger(gate: Gate, tmp_path: Path) -> None:
    """By the record; and an approval that says that nobody asked opens no release of such a cohort."""
    with pytest.raises(UsageError, match="Expected --cohort"):
        gate.approve(cohort=None)
    gate.audit(lambda record: record["cohort"].update(officer_pinned=False))
    unasked = gate.approve(cohort=None).approval
    assert unasked.facts()["ledger"] == unasked.statement()["predicate"]["ledger"] == "not seen"
    with pytest.raises(IntegrityError, match="asked the cohort's ledger"):
        gate.release()
    asked = gate.approve(force=True).approval
    assert asked.facts()["ledger"] == "seen"
    assert gate.release()["approval"]["ledger"] == "seen"
    (tmp_path / "other").mkdir()
    other = make_gate(tmp_path / "other")
    with pytest.raises(IntegrityError, match="cohort's ledger remembers"):
        gate.approve(force=True, cohort=other.root / "cohort")


def test_without_a_pinned_officer_an_approval_says_that_nobody_asked(tmp_path: Path) -> None:
    gate = make_gate(tmp_path)
    gate.audit()
    draft = draft_approval(gate.root / "report", Grant(**GOOD))
    assert any("No --cohort was named" in line for line in draft.warnings)
    assert draft.sign(gate.key_of("officer")).approval.ledger == "not seen"


def test_another_attempt_than_the_ledgers_is_not_approved(gate: Gate) -> None:
    gate.audit(lambda record: record.update(attempt=2, level=Policy().level(2)))
    with pytest.raises(IntegrityError, match="of attempt 1"):
        gate.approve()
