"""The officer's no to a set, which outlives every file, and whose key it is that may say no or yes.

A rejection is signed and kept with its reason, as a permission is: who released nothing must be able to show why.
"""

import os
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privgan.account import ledger_of
from privgan.data.cohort.cohort import open_cohort
from privgan.dp.budget.ledger import Ledger
from privgan.errors import IntegrityError, UsageError
from privgan.files import SHAREABLE_FILE, write_bytes
from privgan_audits.release.approval import LARGEST_BYTES, REJECTION, Rejection, opened
from privgan_audits.release.judged import policy_of, read_record
from privgan_audits.seals import key_line, read_bounded, sign


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
    return (
        f"{officer} rejected this set on {day}, for good; the reason is in the ledger and in {REJECTION}. For a "
        "release generate another set and have it audited."
    )


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
