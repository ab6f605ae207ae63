"""The reports that lie on the desk, each with its cohort, and how each stands.

A report is read again for every page, and refused once it is not the one that the desk was opened with.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from privgan.account import Statement, statement_of
from privgan.data.cohort.cohort import open_cohort
from privgan.dp.budget.ledger import Ledger
from privgan.errors import IntegrityError, UsageError
from privgan.language import tr
from privgan.seals import read_bounded
from privgan_audits.record import Record
from privgan_audits.release.approval import APPROVAL, LARGEST_BYTES, REJECTION, REVOCATION, Approval, opened
from privgan_audits.release.judged import read_record, require_consistent
from privgan_audits.report.front import front
from privgan_audits.report.gallery import Gallery, read_gallery


@dataclass(frozen=True, kw_only=True)
class CohortOnDesk:
    """A cohort whose ledger is asked. sha256: of its cohort.json. statement: what it had spent at the beginning."""

    folder: Path
    cohort_id: str
    sha256: str
    ledger_path: Path
    statement: Statement

    @classmethod
    def of(cls, folder: Path) -> "CohortOnDesk":
        """From its folder, every file checked; raises what `statement_of` raises."""
        cohort = open_cohort(folder)
        return cls(
            folder=folder,
            cohort_id=cohort.facts.cohort_id,
            sha256=cohort.sha256,
            ledger_path=cohort.ledger_path,
            statement=statement_of(folder),
        )

    @property
    def ledger(self) -> Ledger:
        """As it is now; images are not hashed again for it."""
        return Ledger.of_cohort(self.ledger_path, cohort_sha256=self.sha256)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Whether anything was decided. words: for the page. tone: how it looks. is_open: nobody decided yet.

    is_final: a no, which nothing follows.
    """

    words: str
    tone: str
    is_open: bool = False
    is_final: bool = False


@dataclass(frozen=True, kw_only=True)
class ReportOnDesk:
    """A report's folder. sha256: of the audit.json that the desk was opened with. cohort: None asks no ledger."""

    folder: Path
    sha256: str
    cohort: CohortOnDesk | None

    @property
    def cohort_folder(self) -> Path | None:
        """As `approve --cohort` names it."""
        return self.cohort.folder if self.cohort else None

    def read(self) -> Record:
        """The record.

        Raises:
            IntegrityError: it is not the one that the desk was opened with.
        """
        record, digest = read_record(self.folder)
        if digest != self.sha256:
            raise IntegrityError(
                f"Expected the report that this desk was opened with, audit.json in {self.folder} was written anew. "
                "Open another desk, and begin with this report again."
            )
        return record

    def gallery(self, record: Record) -> Gallery | None:
        """Its pictures; None where there are none, or they were taken away."""
        sha256 = record["gallery_sha256"]
        return read_gallery(self.folder, sha256) if sha256 else None

    def standing(self, record: Record, today: date) -> Standing:
        """By the files in its folder and the cohort's memory; a doubt is never a yes."""
        synthetic = str(record["synthetic"]["sha256"])
        entries = self.cohort.ledger.entries if self.cohort else ()
        said = {entry["kind"] for entry in entries if entry.get("synthetic_sha256") == synthetic}
        if "rejected" in said or os.path.lexists(self.folder / REJECTION):
            return Standing(words=tr("rejected, for good"), tone="fail", is_final=True)
        if "revoked" in said or os.path.lexists(self.folder / REVOCATION):
            return Standing(words=tr("the approval was withdrawn, for good"), tone="fail")
        if os.path.lexists(self.folder / APPROVAL):
            return _approved(self.folder, self.sha256, today)
        return Standing(words=tr("open: nobody has decided yet"), tone="open", is_open=True)


def _approved(folder: Path, sha256: str, today: date) -> Standing:
    odd = Standing(words=tr("a file lies here that is no approval of this audit"), tone="fail")
    try:
        approval = opened(Approval, read_bounded(folder / APPROVAL, LARGEST_BYTES))
    except IntegrityError:
        return odd
    if approval.audit.audit_sha256 != sha256:
        return odd
    if today.isoformat() > approval.grant.until:
        return Standing(words=tr("the approval ended on {day}", day=approval.grant.until), tone="open")
    return Standing(words=tr("approved until {day}", day=approval.grant.until), tone="pass")


def lay_out(folders: Sequence[Path], cohorts: Sequence[Path]) -> tuple[ReportOnDesk, ...]:
    """Reports as the officer named them; none that contradicts itself comes onto the desk.

    Args:
        folders: of audits.
        cohorts: whose ledgers are asked; each report is of one of them, unless none is named at all.

    Raises:
        UsageError: a folder is missing or named twice.
        IntegrityError: a record is odd or edited, or of no cohort that is named.
        BudgetError: a cohort's ledger is damaged.
    """
    if len({folder.resolve() for folder in folders}) != len(folders):
        raise UsageError("Expected each report once, one is named twice.")
    known = {cohort.cohort_id: cohort for cohort in map(CohortOnDesk.of, cohorts)}
    return tuple(_laid_out(folder, known) for folder in folders)


def _laid_out(folder: Path, known: dict[str, CohortOnDesk]) -> ReportOnDesk:
    record, digest = read_record(folder)
    require_consistent(record)
    try:
        front(record)
    except (KeyError, TypeError, AttributeError, ValueError):
        raise IntegrityError("Expected audit.json as the audit wrote it, a field of it is missing or odd.") from None
    about = record.get("cohort")
    cohort = known.get(str(about.get("cohort_id"))) if isinstance(about, dict) else None
    if known and cohort is None:
        raise IntegrityError(f"Expected the cohort that {folder} is about, got another one.")
    return ReportOnDesk(folder=folder, sha256=digest, cohort=cohort)
