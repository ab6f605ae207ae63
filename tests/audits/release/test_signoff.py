"""Two people: each way in which a release lacks the officer's yes is refused, and by that rule alone."""

import base64
import dataclasses
import json
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from privgan import seals
from privgan.data.cohort.cohort import MARKER
from privgan.errors import IntegrityError, UsageError
from privgan.files import sha256_file
from privgan_audits.policy import Policy
from privgan_audits.release.approval import APPROVAL, REVOCATION, Approval, opened
from tests.audits.release.test_release import in_test
from tests.audits.releasing import Gate, Record, changed, make_gate, make_officers_gate

LAST = date(2026, 12, 31)
Harm = Callable[[Gate], object]


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    return make_officers_gate(tmp_path_factory.mktemp("gate"))


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
        "recipient": "Anytown University",
        "approved": "2026-01-31",
        "until": "2026-12-31",
    }
    officer = seals.load_public_key(gate.root / "officer.pub")
    assert predicate["approval"]["key_fingerprint"] == seals.fingerprint(officer)
    assert (gate.root / "bundle" / APPROVAL).read_bytes() == signed.envelope


def test_the_approval_states_what_was_read(gate: Gate) -> None:
    approval = gate.approve().approval
    content = (gate.root / "report" / APPROVAL).read_bytes()
    stated = seals.open_signed(content, seals.load_public_key(gate.root / "officer.pub"))
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
    """Somebody mends a number: the officer who asks the ledger does not approve what they see."""
    gate.audit(in_test("T1", copies_of_members=1), verdict="FAIL")
    path = gate.root / "report" / "audit.json"
    path.write_text(path.read_text().replace('"copies_of_members": 1', '"copies_of_members": 0'))
    with pytest.raises(IntegrityError, match="edited"):
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
    gate.forge("officer", "officer")


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
        (lambda gate: gate.forge(), "by the officer's key"),
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
    other = dataclasses.replace(approval, audit=changed(approval.audit, **change))
    envelope = seals.sign(other.statement(), gate.key_of("officer"))
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


def test_another_key_than_the_pinned_one_signs_nothing(gate: Gate) -> None:
    """The officer hears of it, not whoever releases weeks later."""
    with pytest.raises(UsageError, match="that the cohort or the audit's policy names"):
        gate.approve("second")
    assert not (gate.root / "report" / APPROVAL).exists()
    gate.audit(named(gate, "second"))
    with pytest.raises(IntegrityError, match="pinned"):
        gate.approve("second")


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
