"""The officer's no: signed, kept by the ledger and in the report's folder, and final."""

from collections.abc import Callable
from pathlib import Path

import pytest

from privgan.errors import IntegrityError, PrivganError, UsageError
from privgan_audits.release.approval import REJECTION, Rejection, opened
from privgan_audits.release.render_again import sign_off
from tests.audits.releasing import Gate, make_officers_gate


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    return make_officers_gate(tmp_path_factory.mktemp("gate"))


WHO_AND_WHEN = "Dr. Ada Byron rejected this set on 2026-03-01"


def unasked(gate: Gate) -> None:
    """The same audit, of which nothing says that the cohort names an officer."""
    gate.audit(lambda record: record["cohort"].update(officer_pinned=False))


def test_a_rejected_set_is_not_released_whatever_becomes_of_files(gate: Gate) -> None:
    gate.approve()
    said = gate.reject()
    assert (said.officer, said.reason, said.rejected) == ("Dr. Ada Byron", "the recipient is unknown", "2026-03-01")
    with pytest.raises(IntegrityError, match=WHO_AND_WHEN):
        gate.release()
    with pytest.raises(IntegrityError, match=WHO_AND_WHEN):
        gate.approve(force=True)
    (gate.root / "report" / REJECTION).unlink()
    with pytest.raises(IntegrityError, match=WHO_AND_WHEN):
        gate.release()
    gate.audit()  # once more, and approved by somebody who does not ask the ledger
    with pytest.raises(IntegrityError, match=WHO_AND_WHEN):
        gate.approve(force=True)
    unasked(gate)
    gate.approve(force=True, cohort=None)
    with pytest.raises(IntegrityError, match=WHO_AND_WHEN):
        gate.release()
    (entry,) = gate.ledger.of_kind("rejected")
    assert (entry["officer"], entry["reason"]) == (said.officer, said.reason)


def test_without_it_the_same_set_is_released(gate: Gate) -> None:
    gate.approve()
    gate.release()
    assert gate.verify().approval


def test_it_is_signed_and_stands_in_the_sign_off_box(gate: Gate) -> None:
    said = gate.reject()
    envelope = (gate.root / "report" / REJECTION).read_bytes()
    assert opened(Rejection, envelope, gate.key_of("officer").public_key()) == said
    with pytest.raises(IntegrityError):
        opened(Rejection, envelope, gate.key_of("second").public_key())
    facts = {fact.name: fact.value for fact in sign_off(gate.root / "report", said.audit_sha256)}
    assert facts == {"Rejected by": "Dr. Ada Byron, on 2026-03-01", "Reason": "the recipient is unknown"}
    (gate.root / "report" / REJECTION).write_bytes(envelope[:-2])
    (fact,) = sign_off(gate.root / "report", said.audit_sha256)
    assert "edited" in fact.value
    with pytest.raises(IntegrityError):
        gate.release()


def test_a_fail_can_be_rejected_too(gate: Gate) -> None:
    gate.audit(lambda record: record.update(verdict="FAIL"), verdict="FAIL")
    assert gate.reject().reason


@pytest.mark.parametrize(
    ("harm", "error", "why"),
    [
        (lambda gate: gate.reject("second"), IntegrityError, "officer's key"),
        (lambda gate: gate.reject(reason=""), UsageError, "the reason"),
        (lambda gate: gate.reject(officer=" A"), UsageError, "the name"),
        (lambda gate: (gate.reject(), gate.reject()), UsageError, "rejected already"),
        (lambda gate: (_edit(gate.root / "report" / "audit.json"), gate.reject()), IntegrityError, "remembers this"),
    ],
)
def test_who_may_and_how_often(
    gate: Gate, harm: Callable[[Gate], object], error: type[PrivganError], why: str
) -> None:
    with pytest.raises(error, match=why):
        harm(gate)


def _edit(path: Path) -> None:
    path.write_text(path.read_text().replace('"attempt"', ' "attempt"'))
