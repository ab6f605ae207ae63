"""The gate lets a remembered PASS through and nothing else; each refusal leaves no trace of a bundle."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from privgan.data.cohort.cohort import MARKER
from privgan.dp.budget.ledger import Ledger
from privgan.errors import (
    AuditFailedError,
    BudgetError,
    IntegrityError,
    NotReleasableError,
    PrivganError,
    UsageError,
)
from privgan.files import sha256_file
from privgan.folders import list_files
from privgan.synthetic.synthetic_set import open_synthetic_set
from privgan_audits.policy import Policy
from privgan_audits.questions.near_copies.rule import SHARE
from privgan_audits.release import release as releasing
from privgan_audits.release.release import Cleared, clear
from tests.audits.releasing import QUERIES, Gate, Record, make_gate
from tests.audits.riders import RIDERS
from tests.synthetic.making import reseal

PUBLIC = {"report/audit-public.html", "report/audit-public.json"}
SEALS = {"attestation.dsse.json", "SHA256SUMS", "VERIFY.md", ".gitattributes"}
WORDS = {"README.md", "croissant.json", "splits.csv"}


def refused(gate: Gate, error: type[PrivganError], match: str | None = None) -> None:
    before = {path.name for path in gate.root.iterdir()}
    with pytest.raises(error, match=match) as caught:
        gate.release()
    assert caught.type is error
    assert {path.name for path in gate.root.iterdir()} == before


def test_a_pass_leaves_with_exactly_these_files(gate: Gate) -> None:
    gate.audit()
    predicate = gate.release()
    bundle = gate.root / "bundle"
    held = open_synthetic_set(gate.root / "synthetic")
    names = {path.relative_to(bundle).as_posix() for path in list_files(bundle)}
    assert names == {f"dataset/{name}" for name in [*held.files, "manifest.json"]} | PUBLIC | SEALS | WORDS
    assert open_synthetic_set(bundle / "dataset").sha256 == held.sha256 == predicate["synthetic_sha256"]
    assert predicate["audit_sha256"] == sha256_file(gate.root / "report" / "audit.json")
    assert predicate["policy_sha256"] == Policy().sha256
    summary = gate.verify()
    assert (str(summary.spend), summary.verdict) == ("epsilon 3 at delta 1e-05, per patient", "PASS")
    assert summary.overrides == ("accept-delta",)
    assert summary.files == len(names) == predicate["files"]


def test_the_public_part_is_made_anew_and_holds_no_measurement(gate: Gate) -> None:
    gate.audit()
    gate.release()
    for name in PUBLIC:
        text = (gate.root / "bundle" / name).read_text()
        for secret in ("Jane Doe", "0.4711", "0.3141", "split_p", "auc_upper"):
            assert secret not in text
    summary = json.loads((gate.root / "bundle" / "report" / "audit-public.json").read_text())
    assert summary["answered"] == ["T0", "T1", "T2", "T3", "T6"]


@pytest.mark.parametrize("salt", [None, "", "5" * 63, "x" * 64])
def test_a_record_whose_digest_would_tell_is_refused(gate: Gate, salt: str | None) -> None:
    gate.audit(lambda record: record.pop("salt") if salt is None else record.update(salt=salt))
    refused(gate, IntegrityError, "salt")


def released_unseen(gate: Gate) -> None:
    """An audit that notices nothing, then the release."""
    gate.audit()
    gate.release()


@pytest.mark.parametrize("name", RIDERS)
def test_what_nobody_audited_does_not_ride_along(gate: Gate, name: str) -> None:
    """Sealed before an audit that noticed nothing: the digests agree, but privgan would not write such a file.

    Archives with bytes before or behind them may not even open.
    """
    kind, plant = RIDERS[name]
    plant(gate.root / "synthetic")
    if kind != "manifest":
        reseal(gate.root / "synthetic")
    with pytest.raises((AuditFailedError, IntegrityError), match=r"is not what would leave|Expected arrays"):
        released_unseen(gate)
    assert not (gate.root / "bundle").exists()


def test_what_is_packed_is_what_was_checked(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that change after they were checked are not looked at again."""
    gate.audit()

    def changed_afterwards(*given: Any) -> Cleared:
        cleared = clear(*given)
        for name in ("images.npz", "labels.csv", "contact-sheet.png", "manifest.json", "dicom/000002/000002.dcm"):
            (gate.root / "synthetic" / name).write_bytes(b"another")
        return cleared

    monkeypatch.setattr(releasing, "clear", changed_afterwards)
    predicate = gate.release()
    assert open_synthetic_set(gate.root / "bundle" / "dataset").sha256 == predicate["synthetic_sha256"]
    gate.verify()


def test_the_synthetic_set_is_left_as_it_was(gate: Gate) -> None:
    gate.audit()
    before = {path: sha256_file(path) for path in list_files(gate.root / "synthetic")}
    gate.release()
    assert {path: sha256_file(path) for path in list_files(gate.root / "synthetic")} == before


def in_test(name: str, **findings: object) -> Callable[[Record], object]:
    return lambda record: next(t for t in record["tests"] if t["id"] == name).update(findings)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (in_test("T1", copies_of_members=1), AuditFailedError),
        (in_test("T10", identifiers_found=1), AuditFailedError),
        (in_test("T0", split_p=0.0001), NotReleasableError),
        (in_test("T3", auc_upper=0.6), NotReleasableError),
        (in_test("T6", outcome="not-applicable"), NotReleasableError),
        (in_test("T10", outcome="not-run", reason="x"), NotReleasableError),
        (lambda record: record.update(scope="empirical"), NotReleasableError),
        (lambda record: record.update(verdict="INCONCLUSIVE"), NotReleasableError),
        (lambda record: record["privacy"].update(epsilon=2.0), IntegrityError),
        (lambda record: record["policy"].update(max_auc=0.99), IntegrityError),
        (lambda record: record.pop("tests"), NotReleasableError),
        (lambda record: record.update(tests=[1]), IntegrityError),
        (lambda record: record.update(privacy=None), IntegrityError),
    ],
)
def test_a_remembered_report_is_judged_again(
    gate: Gate, change: Callable[[Record], object], error: type[PrivganError]
) -> None:
    gate.audit(change)
    refused(gate, error)


def test_a_verdict_that_the_ledger_remembers_otherwise_is_refused(gate: Gate) -> None:
    gate.audit(verdict="FAIL")
    refused(gate, NotReleasableError)


def test_an_edited_report_is_refused(gate: Gate) -> None:
    gate.audit(in_test("T1", copies_of_members=1), verdict="FAIL")
    path = gate.root / "report" / "audit.json"
    path.write_text(path.read_text().replace('"copies_of_members": 1', '"copies_of_members": 0'))
    refused(gate, IntegrityError, "edited")


def test_a_superseded_report_is_refused(gate: Gate) -> None:
    gate.audit()
    old = (gate.root / "report" / "audit.json").read_bytes()
    gate.audit(in_test("T1", copies_of_members=1), verdict="FAIL")
    (gate.root / "report" / "audit.json").write_bytes(old)
    refused(gate, IntegrityError, "superseded")


def test_a_report_that_was_never_remembered_is_refused(gate: Gate) -> None:
    gate.audit()
    ledger = gate.ledger.path
    ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:-1]))
    refused(gate, IntegrityError)


def test_a_charge_after_the_audit_makes_its_total_stale(gate: Gate) -> None:
    gate.audit()
    gate.ledger.charge("another", QUERIES, delta=1e-5)
    refused(gate, BudgetError, "charged again")


def test_a_charge_while_the_audit_ran_makes_its_total_stale(gate: Gate) -> None:
    """The total that the audit read is of its beginning."""
    (begun,) = gate.begin(open_synthetic_set(gate.root / "synthetic").sha256).of_kind("begun")
    gate.ledger.charge("another", QUERIES, delta=1e-5)
    gate.audit(begun=begun)
    refused(gate, BudgetError, "charged again")


def test_the_attempt_is_the_ledgers_and_not_the_reports(gate: Gate) -> None:
    """Audits side by side that each took themselves for the first: the second is judged as the second, or refused."""
    level = (Policy().level(1) + Policy().level(2)) / 2 * SHARE
    gate.audit(lambda record: (record.update(attempt=2), in_test("T2", p=level)(record)))
    refused(gate, AuditFailedError)  # the first attempt, by the ledger
    gate.audit(lambda record: record.update(attempt=2))
    refused(gate, IntegrityError, "attempt 1")
    gate.audit()
    gate.release()


def test_an_edited_ledger_is_refused(gate: Gate) -> None:
    gate.audit()
    ledger = gate.ledger.path
    ledger.write_bytes(ledger.read_bytes().replace(b'"steps":10', b'"steps":11'))
    refused(gate, BudgetError)


def test_an_edited_set_is_refused(gate: Gate) -> None:
    gate.audit()
    labels = gate.root / "synthetic" / "labels.csv"
    labels.write_text(labels.read_text().replace("normal", "effusion", 1))
    refused(gate, IntegrityError)


def test_an_edited_cohort_is_refused(gate: Gate) -> None:
    gate.audit()
    facts = gate.root / "cohort" / MARKER
    facts.write_text(facts.read_text().replace('"members": 2', '"members": 3', 1))
    refused(gate, IntegrityError, "cohort.json")


def test_a_test_run_is_never_released(tmp_path: Path) -> None:
    gate = make_gate(tmp_path, not_private=True)
    gate.audit()
    refused(gate, AuditFailedError, "NOT PRIVATE")


FEDERATION = {"sites": 3, "transport": "files", "colluding": 0, "patients": 400, "sha256": "a" * 64}


def test_one_hospital_does_not_release_for_others(tmp_path: Path) -> None:
    gate = make_gate(tmp_path, federation=FEDERATION)
    gate.audit()
    refused(gate, NotReleasableError, "no hospital can do that for the others")


def test_the_ledger_remembers_that_others_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever run.json says."""
    close = Ledger.close

    def after_an_answer(ledger: Ledger, run_id: str, **digests: str) -> Ledger:
        return close(ledger.record_answer(run_id, question=1, sha256="0" * 64), run_id, **digests)

    monkeypatch.setattr(Ledger, "close", after_an_answer)
    gate = make_gate(tmp_path)
    gate.audit()
    refused(gate, NotReleasableError, "no hospital can do that for the others")


def test_a_set_of_another_cohort_is_refused(tmp_path: Path) -> None:
    gate = make_gate(tmp_path, cohort_id="0" * 16)
    gate.audit()
    refused(gate, IntegrityError)


def test_an_existing_bundle_is_kept_unless_forced(gate: Gate) -> None:
    gate.audit()
    gate.release()
    refused(gate, UsageError, "--force")
    gate.release(force=True)
    gate.verify()
