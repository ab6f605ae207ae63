"""`privgan report` as a process: pages drawn again, edits refused, the ledger asked, the officer named."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.audits.releasing import Gate, make_gate

Privgan = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    made = make_gate(tmp_path)
    made.audit()
    return made


def test_pages_are_drawn_again_and_name_the_officer(privgan: Privgan, gate: Gate) -> None:
    report, cohort = gate.root / "report", gate.root / "cohort"
    (report / "audit.html").unlink()
    gate.approve()
    done = privgan("report", report, "--cohort", cohort, "--json")
    assert json.loads(done.stdout) | {"verdict": "PASS", "internal": str(report / "audit.html")} == json.loads(
        done.stdout
    )
    page = (report / "audit.html").read_text()
    assert "Dr. Ada Byron" in page
    assert "Dr. Ada Byron" not in (report / "audit-public.html").read_text()
    assert "Forged" not in (report / "audit-public.html").read_text()


def test_an_edited_record_is_refused_with_and_without_the_ledger(privgan: Privgan, gate: Gate) -> None:
    """An edit that contradicts nothing needs the ledger; one that does needs nothing."""
    report, cohort = gate.root / "report", gate.root / "cohort"
    record = json.loads((report / "audit.json").read_text())
    record["notes"] = ["all is well"]
    (report / "audit.json").write_text(json.dumps(record))
    privgan("report", report)
    refused = privgan("report", report, "--cohort", cohort, code=6)
    assert "edited or foreign" in refused.stderr
    record["verdict"] = "FAIL"
    (report / "audit.json").write_text(json.dumps(record))
    assert "contradicts itself" in privgan("report", report, code=6).stderr
    privgan("report", gate.root / "nowhere", code=2)


def test_an_approval_of_another_audit_or_none_at_all_is_called_so(privgan: Privgan, gate: Gate) -> None:
    report = gate.root / "report"
    gate.approve()
    approval = (report / "approval.dsse.json").read_bytes()
    gate.audit(lambda record: record["notes"].append("another"))
    privgan("report", report)
    assert "of another audit" in (report / "audit.html").read_text()
    (report / "approval.dsse.json").write_bytes(approval.replace(b"e", b"f", 1))
    privgan("report", report)
    assert "no approval, or was edited" in (report / "audit.html").read_text()
    (report / "revocation.dsse.json").touch()
    privgan("report", report)
    assert "withdrawn, for good" in (report / "audit.html").read_text()
