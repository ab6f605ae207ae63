"""Two people: each way in which a release lacks the officer's yes is refused, and by that rule alone."""

import base64
import dataclasses
import json
import os
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from privgan.data.cohort import MARKER
from privgan.errors import (
    IntegrityError,
    PrivganError,
    UsageError,
)
from privgan.files import sha256_bytes, sha256_file
from privgan_audits import signing
from privgan_audits.approval import (
    APPROVAL,
    REVOCATION,
    Approval,
    Grant,
    Revocation,
    opened,
)
from privgan_audits.policy import Policy
from privgan_audits.signoff import draft_approval, revoke
from privgan_audits.statement import statement_of
from tests.audits.releasing import TODAY, Gate, Record, make_cohort, make_gate
from tests.audits.test_release import in_test

LAST = date(2026, 12, 31)
Harm = Callable[[Gate], object]


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """Audited, with the officer's key pinned in the cohort, but not approved."""
    gate = make_gate(tmp_path, officer="officer")
    gate.audit()
    return gate


def refused(gate: Gate, match: str, **options: Any) -> None:
    with pytest.raises(IntegrityError, match=match):
        gate.release(**options)
    assert not (gate.root / "bundle").exists()


def named(gate: Gate, name: str) -> Callable[[Record], object]:
    """The audit ran under a policy that names this key."""
    return lambda record: record.update(policy=Policy(officer_key=gate.line_of(name)).to_json())


def test_an_approved_set_leaves_with_both_names(gate: Gate) -> None:
    signed = gate.approve()
    predicate = gate.release()
    assert predicate["approval"] == signed.approval.facts()
    assert {key: predicate["approval"][key] for key in ("officer", "purpose", "recipient", "approved", "until")} == {
        "officer": "Dr. Ada Byron",
        "purpose": "teaching",
        "recipient": "",
        "approved": "2026-01-31",
        "until": "2026-12-31",
    }
    officer = signing.load_public_key(gate.root / "officer.pub")
    assert predicate["approval"]["key_fingerprint"] == signing.fingerprint(officer)
    assert (gate.root / "bundle" / APPROVAL).read_bytes() == signed.envelope


def test_the_approval_states_what_was_read(gate: Gate) -> None:
    approval = gate.approve().approval
    content = (gate.root / "report" / APPROVAL).read_bytes()
    stated = signing.open_signed(content, signing.load_public_key(gate.root / "officer.pub"))
    digest = sha256_file(gate.root / "report" / "audit.json")
    assert stated["subject"] == [{"name": "audit.json", "digest": {"sha256": digest}}]
    assert stated["predicate"]["audit"] == {
        "audit_sha256": digest,
        "synthetic_sha256": gate.record()["synthetic"]["sha256"],
        "policy_sha256": Policy().sha256,
        "verdict": "PASS",
        "scope": "differential-privacy",
        "epsilon": 3.0,
        "delta": 1e-5,
        "unit": "patient",
        "overrides": ["accept-delta"],
    }
    assert opened(Approval, content) == approval


def test_without_an_officer_a_release_stays_as_it_was(tmp_path: Path) -> None:
    gate = make_gate(tmp_path)
    gate.audit()
    assert "approval" not in gate.release()
    assert not (gate.root / "bundle" / APPROVAL).exists()


def audit_again(gate: Gate) -> None:
    """The ledger remembers another report of the same set; the approval in the folder is of the first."""
    gate.approve()
    gate.audit(lambda record: record.update(notes=["another"]))


def edit_the_record(gate: Gate) -> None:
    """Somebody mends a number, and the officer approves what they see."""
    gate.audit(in_test("T1", copies_of_members=1), verdict="FAIL")
    path = gate.root / "report" / "audit.json"
    path.write_text(path.read_text().replace('"copies_of_members": 1', '"copies_of_members": 0'))
    gate.approve()


def edit_the_approval(gate: Gate) -> None:
    gate.approve()
    path = gate.root / "report" / APPROVAL
    table = json.loads(path.read_text())
    payload = base64.b64decode(table["payload"]).replace(b"2026-12-31", b"2027-12-31")
    table["payload"] = base64.b64encode(payload).decode()
    path.write_bytes(json.dumps(table, indent=1).encode() + b"\n")


def link_instead(gate: Gate) -> None:
    gate.approve()
    path = gate.root / "report" / APPROVAL
    path.symlink_to(path.rename(gate.root / "elsewhere"))


def policy_names_another(gate: Gate) -> None:
    """The officer whom prepare pinned has signed, with another tool, what names somebody else."""
    gate.audit(named(gate, "second"))
    approval = dataclasses.replace(gate.approve("second").approval, public_key=gate.line_of("officer"))
    envelope = signing.sign(approval.statement(), gate.key_of("officer"))
    (gate.root / "report" / APPROVAL).write_bytes(envelope)


def withdraw_and_put_back(gate: Gate) -> None:
    """The engineer deletes the withdrawal; the approval never went away."""
    gate.approve()
    gate.take_back()
    (gate.root / "report" / REVOCATION).unlink()


def withdraw_and_audit_again(gate: Gate) -> None:
    """Another audit of the same set, and an officer who is talked into it once more."""
    withdraw_and_put_back(gate)
    gate.audit()
    gate.approve(first="2026-02-28", force=True)


def withdraw_and_approve_anew(gate: Gate) -> None:
    withdraw_and_put_back(gate)
    gate.approve(first="2026-02-28", force=True)


def leave_a_withdrawal(gate: Gate) -> None:
    """Not in the ledger, not even signed: still a reason to ask."""
    gate.approve()
    (gate.root / "report" / REVOCATION).touch()


@pytest.mark.parametrize(
    ("harm", "match"),
    [
        (lambda _: None, "there is none"),
        (lambda gate: gate.approve("second"), "by the officer's key"),
        (audit_again, "of another one"),
        (edit_the_record, "edited"),
        (edit_the_approval, "edited or foreign"),
        (link_instead, "regular file"),
        (lambda gate: os.mkfifo(gate.root / "report" / APPROVAL), "something else"),
        (lambda gate: (gate.root / "report" / APPROVAL).write_bytes(b" " * (1 << 17)), "at most"),
        (policy_names_another, "pinned"),
        (lambda gate: gate.approve(last="2026-02-28"), "ended on 2026-02-28"),
        (lambda gate: gate.approve(first="2026-03-02"), "begins on 2026-03-02"),
        (withdraw_and_put_back, "withdrew .* 2026-03-01, for good"),
        (withdraw_and_audit_again, "withdrew"),
        (withdraw_and_approve_anew, "withdrew"),
        (leave_a_withdrawal, "was withdrawn"),
    ],
)
def test_whatever_is_less_than_the_officers_yes_is_refused(gate: Gate, harm: Harm, match: str) -> None:
    harm(gate)
    refused(gate, match)


@pytest.mark.parametrize("day", [date(2026, 1, 31), LAST])
def test_the_first_and_the_last_day_count(gate: Gate, day: date) -> None:
    gate.approve()
    gate.release(today=day)


def test_one_person_is_not_two(gate: Gate) -> None:
    gate.approve()
    refused(gate, "two people", by="officer")


@pytest.mark.parametrize(
    "change",
    [
        {"audit_sha256": "0" * 64},
        {"synthetic_sha256": "0" * 64},
        {"policy_sha256": "0" * 64},
        {"epsilon": 2.0},
        {"delta": 1e-6},
        {"unit": "image"},
        {"overrides": ()},
    ],
)
def test_an_approval_of_anything_else_is_refused(gate: Gate, change: dict[str, Any]) -> None:
    """Signed by the officer's own key with another tool; one field is not that of this audit."""
    approval = gate.approve().approval
    other = dataclasses.replace(approval, audit=dataclasses.replace(approval.audit, **change))
    envelope = signing.sign(other.statement(), gate.key_of("officer"))
    (gate.root / "report" / APPROVAL).write_bytes(envelope)
    refused(gate, "of another one")


def test_a_policy_that_drops_the_pinned_key_changes_nothing(gate: Gate) -> None:
    assert gate.record()["policy"]["officer_key"] == ""
    refused(gate, "there is none")


def test_a_policy_demands_what_prepare_did_not_pin(tmp_path: Path) -> None:
    gate = make_gate(tmp_path)
    gate.audit(named(gate, "officer"))
    refused(gate, "there is none")
    with pytest.raises(UsageError, match="policy names"):
        gate.approve("second")
    gate.approve()
    gate.release()


def test_the_pin_cannot_be_taken_out_of_the_cohort(gate: Gate) -> None:
    facts = gate.root / "cohort" / MARKER
    facts.write_text(facts.read_text().replace(gate.line_of("officer"), ""))
    refused(gate, "cohort.json")


@pytest.mark.parametrize(
    ("approval", "release", "match"),
    [
        ({"last": "2026-02-28"}, {}, "ended"),
        ({"name": "site"}, {}, "two people"),
        ({}, {"by": "officer"}, "two people"),
    ],
)
def test_an_approval_that_nobody_demanded_must_hold_too(
    tmp_path: Path, approval: dict[str, Any], release: dict[str, Any], match: str
) -> None:
    gate = make_gate(tmp_path)
    gate.audit()
    gate.approve(**approval)
    refused(gate, match, **release)
    gate.approve(force=True)
    assert gate.release()["approval"]["officer"] == "Dr. Ada Byron"


def test_a_withdrawal_names_the_approval_and_stays_in_the_ledger(gate: Gate) -> None:
    before = statement_of(gate.root / "cohort")
    envelope = gate.approve().envelope
    found = gate.take_back()
    officer = signing.load_public_key(gate.root / "officer.pub")
    assert opened(Revocation, (gate.root / "report" / REVOCATION).read_bytes(), officer) == found
    assert found.approval_sha256 == sha256_bytes(envelope)
    (entry,) = gate.ledger.of_kind("revoked")
    assert (entry["approval_sha256"], entry["report_sha256"]) == (found.approval_sha256, found.audit_sha256)
    assert statement_of(gate.root / "cohort") == before


def test_a_lost_report_is_withdrawn_by_the_approval_in_the_bundle(gate: Gate, tmp_path: Path) -> None:
    gate.approve()
    gate.release()
    folder = tmp_path / "from-the-bundle"
    folder.mkdir()
    shutil.copy(gate.root / "bundle" / APPROVAL, folder)
    shutil.rmtree(gate.root / "bundle")
    revoke(folder, gate.root / "cohort", gate.key_of("officer"), reason="x", today=TODAY)
    refused(gate, "withdrew")


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"by": "second"}, IntegrityError, "officer's key"),
        ({"reason": ""}, UsageError, "reason"),
        ({"reason": "a\nb"}, UsageError, "reason"),
        ({"reason": "x" * 301}, UsageError, "reason"),
    ],
)
def test_only_who_approved_withdraws_and_says_why(
    gate: Gate, options: dict[str, Any], error: type[PrivganError], match: str
) -> None:
    gate.approve()
    with pytest.raises(error, match=match):
        gate.take_back(**options)
    assert not gate.ledger.of_kind("revoked")
    gate.release()


def test_a_withdrawal_needs_its_approval_its_cohort_and_is_not_replaced(gate: Gate, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="regular file"):
        gate.take_back()
    gate.approve()
    other = make_cohort(tmp_path / "other")
    with pytest.raises(IntegrityError, match="remembers the approved audit"):
        revoke(gate.root / "report", other, gate.key_of("officer"), reason="x", today=TODAY)
    gate.take_back()
    with pytest.raises(UsageError, match="--force"):
        gate.take_back()
    gate.take_back(force=True)
    with pytest.raises(UsageError):
        draft_approval(tmp_path / "absent", Grant(officer="A", approved="2026-01-31", until="2026-01-31"))
    with pytest.raises(UsageError):
        revoke(tmp_path / "absent", other, gate.key_of("officer"), reason="x", today=TODAY)
