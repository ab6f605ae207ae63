"""The officer's no: who may take an approval back, what remembers it, and that nothing undoes it."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from privgan import seals
from privgan.account import statement_of
from privgan.errors import IntegrityError, PrivganError, UsageError
from privgan.files import sha256_bytes
from privgan_audits.release.approval import APPROVAL, REVOCATION, Revocation, opened
from privgan_audits.release.rejecting import revoke
from tests.audits.release.test_signoff import refused
from tests.audits.releasing import TODAY, Gate, make_cohort, make_officers_gate


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return make_officers_gate(tmp_path)


def test_a_withdrawal_names_the_approval_and_stays_in_the_ledger(gate: Gate) -> None:
    before = statement_of(gate.root / "cohort")
    envelope = gate.approve().envelope
    found = gate.take_back()
    officer = seals.load_public_key(gate.root / "officer.pub")
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
        revoke(tmp_path / "absent", other, gate.key_of("officer"), reason="x", today=TODAY)
