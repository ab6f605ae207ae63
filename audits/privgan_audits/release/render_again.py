"""A report drawn again from its record, with what its sign-off box says of the officer's approval beside it."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from privgan.account import ledger_of
from privgan.errors import IntegrityError
from privgan.language import by_default, tr
from privgan.seals import read_bounded
from privgan_audits.record import Record, language_of
from privgan_audits.release.approval import (
    APPROVAL,
    LARGEST_BYTES,
    REJECTION,
    REVOCATION,
    Approval,
    Rejection,
    opened,
)
from privgan_audits.release.judged import read_record, require_consistent
from privgan_audits.report.gallery import read_gallery
from privgan_audits.report.write import write_pages
from privgan_audits.telling.numbers import span
from privgan_audits.telling.words import Fact


def render_again(folder: Path, cohort: Path | None = None) -> Record:
    """Draw both pages of a report again from its audit.json and its pictures.

    Args:
        folder: the report.
        cohort: whose ledger is asked; without it only edits that contradict something else in the file are found.

    Raises:
        UsageError: there is no such folder.
        IntegrityError: audit.json or the pictures were edited, or the cohort's ledger does not know the record.
    """
    record, digest = read_record(folder)
    if cohort is not None:
        _require_known(cohort, digest)
    require_consistent(record)
    try:
        gallery = read_gallery(folder, record["gallery_sha256"]) if record["gallery_sha256"] else None
        with by_default(language_of(record)):
            write_pages(folder, record, digest, gallery, tuple(sign_off(folder, digest)))
    except (KeyError, TypeError, AttributeError, ValueError):
        raise IntegrityError("Expected audit.json as the audit wrote it, a field of it is missing or odd.") from None
    return record


def _require_known(cohort: Path, digest: str) -> None:
    ledger = ledger_of(cohort)
    ended = (*ledger.of_kind("audit"), *ledger.of_kind("rehearsed"))
    if digest not in {entry["report_sha256"] for entry in ended}:
        raise IntegrityError(
            "Expected an audit that this cohort's ledger knows; this record is edited or foreign, or the ledger lost "
            "its last lines."
        )


def sign_off(folder: Path, audit_sha256: str) -> Iterator[Fact]:
    """For the internal page; that the key is the officer's is for `release` and `verify` to find out.

    Args:
        folder: the report.
        audit_sha256: of its audit.json.
    """
    if os.path.lexists(folder / REJECTION):
        yield from _no(folder)
    if os.path.lexists(folder / REVOCATION):
        withdrawn = tr("The approval of this report was withdrawn, for good.")
        yield Fact(name=tr("Withdrawn"), value=withdrawn, note=REVOCATION)
    if not os.path.lexists(folder / APPROVAL):
        return
    try:
        approval = opened(Approval, read_bounded(folder / APPROVAL, LARGEST_BYTES))
    except IntegrityError:
        odd = tr("A file lies here that is no approval, or was edited.")
        yield Fact(name=tr("Approval"), value=odd, note=APPROVAL)
        return
    if approval.audit.audit_sha256 != audit_sha256:
        other = tr("The approval that lies here is of another audit.")
        yield Fact(name=tr("Approval"), value=other, note=APPROVAL)
        return
    yield from _yes(approval.facts())


def _yes(facts: Mapping[str, str]) -> Iterator[Fact]:
    key = tr("key {key}", key=facts["key_fingerprint"][:16])
    yield Fact(name=tr("Approved by"), value=facts["officer"], note=key)
    days = span(facts["approved"], facts["until"])
    yield Fact(name=tr("Valid"), value=days, note=tr("both days included, UTC"))
    yield Fact(name=tr("Purpose"), value=facts["purpose"] or tr("not said"))
    yield Fact(name=tr("Recipient"), value=facts["recipient"] or tr("not said"))
    if "reason" in facts:
        yield Fact(name=tr("Why what was switched off does no harm"), value=facts["reason"])


def _no(folder: Path) -> Iterator[Fact]:
    try:
        found = opened(Rejection, read_bounded(folder / REJECTION, LARGEST_BYTES))
    except IntegrityError:
        odd = tr("A file lies here that is no rejection, or was edited.")
        yield Fact(name=tr("Rejected"), value=odd, note=REJECTION)
    else:
        who = tr("{officer}, on {date}", officer=found.officer, date=found.rejected)
        yield Fact(name=tr("Rejected by"), value=who, note=tr("for good"))
        yield Fact(name=tr("Reason"), value=found.reason)
