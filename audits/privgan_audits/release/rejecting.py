"""The officer's no, to a set or to an approval that was given, and whose key it is that may say no or yes.

Either is signed, outlives every file, and is kept with its reason, as a permission is: who released nothing must be
able to show why.
"""

import os
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privgan.account import ledger_of
from privgan.data.cohort.cohort import open_cohort
from privgan.dp.budget.ledger import Ledger
from privgan.errors import IntegrityError, UsageError
from privgan.files import SHAREABLE_FILE, sha256_bytes, write_bytes
from privgan.language import kept
from privgan.seals import key_line, read_bounded, sign
from privgan_audits.release.approval import (
    APPROVAL,
    LARGEST_BYTES,
    REJECTION,
    REVOCATION,
    Approval,
    Rejection,
    Revocation,
    opened,
)
from privgan_audits.release.judged import policy_of, read_record


def reject(
    report: Path, cohort: Path, key: Ed25519PrivateKey, *, officer: str, reason: str, today: date
) -> Rejection:
    """Say no to a set for good: in the cohort's ledger first, then in REPORT/rejection.dsse.json.

    Args:
        report: of the set's audit, whatever its verdict.
        cohort: whose ledger remembers the audit.
        key: the officer's.
        officer: who decides.
        reason: in the officer's words; the ledger keeps it.
        today: UTC.

    Raises:
        UsageError: a folder is missing, name or reason is not a line of words, or the set was rejected before.
        IntegrityError: the record is odd, another key is the officer's, or the ledger does not know the audit.
        BudgetError: the ledger is damaged.
    """
    record, digest = read_record(report)
    policy, synthetic = policy_of(record)
    rejection = Rejection(
        officer=officer,
        reason=reason,
        rejected=today.isoformat(),
        audit_sha256=digest,
        synthetic_sha256=synthetic,
        public_key=key_line(key.public_key()),
    )
    if demanded_key(open_cohort(cohort).facts.officer_key, policy.officer_key) not in ("", rejection.public_key):
        raise IntegrityError("Expected the officer's key that the cohort or the policy names, got another one.")
    ledger = ledger_of(cohort)
    if digest not in {entry["report_sha256"] for entry in (*ledger.of_kind("audit"), *ledger.of_kind("rehearsed"))}:
        raise IntegrityError("Expected the cohort whose ledger remembers this audit, got another one.")
    if os.path.lexists(report / REJECTION):
        raise UsageError(f"Expected no rejection yet, {report / REJECTION} exists: the set is rejected already.")
    envelope = sign(rejection.statement(), key)
    ledger.record_rejection(
        report_sha256=digest,
        synthetic_sha256=synthetic,
        officer=officer,
        reason=reason,
        date=rejection.rejected,
    )
    write_bytes(report / REJECTION, envelope, SHAREABLE_FILE)
    return rejection


def revoke(
    report: Path, cohort: Path, key: Ed25519PrivateKey, *, reason: str, today: date, force: bool = False
) -> Revocation:
    """Withdraw the approval of a report for good: in the cohort's ledger first, then in REPORT/revocation.dsse.json.

    Args:
        report: holds the approval; its other files are not read.
        cohort: whose ledger remembers the audit.
        key: which signed the approval.
        reason: in the officer's words; recipients will read it.
        today: UTC.
        force: an older revocation's file may be replaced.

    Raises:
        UsageError: a folder is missing, the revocation exists, or the reason is not a line of words.
        IntegrityError: no approval by this key, or the ledger does not know the audit that was approved.
        BudgetError: the ledger is damaged.
    """
    if not report.is_dir():
        raise UsageError(f"Expected a report folder, {report} is missing.")
    envelope = read_bounded(report / APPROVAL, LARGEST_BYTES)
    approved = opened(Approval, envelope, key.public_key()).audit
    audit_sha256 = approved.audit_sha256
    revocation = Revocation(
        reason=reason,
        revoked=today.isoformat(),
        approval_sha256=sha256_bytes(envelope),
        audit_sha256=audit_sha256,
        public_key=key_line(key.public_key()),
    )
    ledger = ledger_of(cohort)
    if audit_sha256 not in {entry["report_sha256"] for entry in ledger.of_kind("audit")}:
        raise IntegrityError("Expected the cohort whose ledger remembers the approved audit, got another one.")
    if os.path.lexists(report / REVOCATION) and not force:
        raise UsageError(f"Expected no withdrawal yet, {report / REVOCATION} exists. --force replaces it.")
    ledger.record_revocation(
        report_sha256=audit_sha256,
        synthetic_sha256=approved.synthetic_sha256,
        approval_sha256=revocation.approval_sha256,
        date=revocation.revoked,
    )
    write_bytes(report / REVOCATION, sign(revocation.statement(), key), SHAREABLE_FILE)
    return revocation


def require_not_rejected(report: Path, ledger: Ledger | None = None, synthetic_sha256: str = "") -> None:
    """Refuse a set to which the officer said no, by the file in its report's folder or by the ledger's memory.

    A file that cannot be read refuses as well: a doubt about a no is no permission.

    Raises:
        IntegrityError: who rejected it, and when.
    """
    for entry in ledger.of_kind("rejected") if ledger else ():
        if entry["synthetic_sha256"] == synthetic_sha256:
            raise IntegrityError(_rejected(str(entry["officer"]), str(entry["date"])))
    if os.path.lexists(report / REJECTION):
        found = opened(Rejection, read_bounded(report / REJECTION, LARGEST_BYTES))
        raise IntegrityError(_rejected(found.officer, found.rejected))


def _rejected(officer: str, day: str) -> str:
    return kept(
        "{officer} rejected this set on {day}, for good; the reason is in the ledger and in {file}. For a release "
        "generate another set and have it audited.",
        officer=officer,
        day=day,
        file=REJECTION,
    )


def require_not_withdrawn(report: Path) -> None:
    """Refuse a report beside which a withdrawal lies: whoever wrote it, a doubt about it is no permission.

    Raises:
        IntegrityError: one does.
    """
    if os.path.lexists(report / REVOCATION):
        raise IntegrityError(f"The approval of this report was withdrawn: {REVOCATION} lies in its folder.")


def require_one_officer(pinned: str, named: str) -> None:
    """Refuse a policy that names another officer's key than the one that `prepare` pinned in the cohort.

    Raises:
        IntegrityError: both are given and differ.
    """
    if pinned and named and pinned != named:
        raise IntegrityError(
            "Expected the officer's key that 'privgan prepare' pinned in this cohort, the policy names another one."
        )


def demanded_key(pinned: str, named: str) -> str:
    """The officer's key of a cohort or a policy, "" where one person may release."""
    require_one_officer(pinned, named)
    return pinned or named
