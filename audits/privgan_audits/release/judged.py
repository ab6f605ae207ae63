"""An audit's record, read and judged once more by whoever is about to put a name to it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from privgan.config import from_table
from privgan.errors import AuditFailedError, IntegrityError, NotReleasableError, UsageError
from privgan.files import sha256_bytes
from privgan.kinds import REPORT, require_kind
from privgan.language import by_default
from privgan.seals import read_bounded
from privgan_audits.gate.verdict import DIFFERENTIAL_PRIVACY, FAIL, PASS, Verdict, judge
from privgan_audits.policy import Policy
from privgan_audits.record import RECORD, SALT_BYTES
from privgan_audits.release.approval import Approved

_SALT = re.compile(f"[0-9a-f]{{{2 * SALT_BYTES}}}")
_LARGEST_BYTES = 1 << 26  # of audit.json; one of 5,000 patients has a few hundred thousand


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A record that passes, with a claim of differential privacy. approved: what a signature would be for."""

    record: Mapping[str, Any]
    policy: Policy
    approved: Approved


def read_record(report: Path) -> tuple[dict[str, Any], str]:
    """audit.json, and the digest of exactly the bytes that it was parsed from.

    Raises:
        UsageError: there is no such folder.
        IntegrityError: no record in it that can be parsed.
    """
    require_kind(REPORT, report)
    content = read_bounded(report / RECORD, _LARGEST_BYTES)
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        raise IntegrityError(f"Expected the audit's record in {RECORD}, it cannot be parsed.")
    return record, sha256_bytes(content)


def require_consistent(record: Mapping[str, Any]) -> None:
    """Refuse a record that does not say what this version would say of its numbers, word for word.

    Raises:
        IntegrityError: a field is missing or odd, or verdict, scope, reasons or level are others.
    """
    _, verdict = _judged(record)
    try:
        told = (record["verdict"], record["scope"], tuple(record["reasons"]), record["level"])
    except (KeyError, TypeError):
        raise _odd() from None
    if told != (verdict.verdict, verdict.scope, verdict.reasons, verdict.level):
        raise IntegrityError(
            "Expected audit.json as the audit wrote it, it contradicts itself: edited, or of another version. "
            "Audit again."
        )


def judge_again(record: Mapping[str, Any], sha256: str) -> Judged:
    """Judge a record, whatever verdict it carries.

    Raises:
        AuditFailedError: FAIL.
        NotReleasableError: INCONCLUSIVE or INVALID, no privacy claim, or another verdict than the recorded one.
        IntegrityError: a field is missing or odd.
    """
    policy, verdict = _judged(record)
    with by_default(policy.language):
        _require_passed(record, verdict)
    try:
        approved = _approved(record, sha256, policy)
    except (KeyError, TypeError, UsageError, OverflowError):
        raise _odd() from None
    return Judged(record=record, policy=policy, approved=approved)


def _require_passed(record: Mapping[str, Any], verdict: Verdict) -> None:
    if verdict.verdict == FAIL:
        reason = verdict.reasons[0]
        raise AuditFailedError(f"The audit's verdict is FAIL; nothing may leave. {reason}")
    if verdict.verdict != PASS:
        what, reason = verdict.verdict, verdict.reasons[0]
        raise NotReleasableError(f"Expected the verdict PASS, this audit's is {what}. {reason}")
    if verdict.scope != DIFFERENTIAL_PRIVACY:
        raise NotReleasableError(
            "Expected an audit against the cohort with a privacy claim; this one judged files alone."
        )
    if (record.get("verdict"), record.get("scope")) != (PASS, DIFFERENTIAL_PRIVACY):
        raise NotReleasableError("The recorded verdict is not the one that this version gives. Audit again.")
    if not _SALT.fullmatch(str(record.get("salt"))):
        raise IntegrityError(
            "Expected a record with a salt, so that its digest can leave and tell nothing; this one is of an older "
            "version. Audit again."
        )


def policy_of(record: Mapping[str, Any]) -> tuple[Policy, str]:
    """A record's policy, and the digest of the set that it is about.

    Raises:
        IntegrityError: a field is missing or odd.
    """
    try:
        return Policy.from_json(record["policy"]), str(record["synthetic"]["sha256"])
    except (KeyError, TypeError, AttributeError):
        raise _odd() from None


def _judged(record: Mapping[str, Any]) -> tuple[Policy, Verdict]:
    try:
        policy = Policy.from_json(record["policy"])
        return policy, judge(policy, record)
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError):
        raise _odd() from None


def _odd() -> IntegrityError:
    return IntegrityError("Expected the record of an audit, a field of it is missing or odd.")


def _approved(record: Mapping[str, Any], sha256: str, policy: Policy) -> Approved:
    table = {
        "audit_sha256": sha256,
        "synthetic_sha256": record["synthetic"]["sha256"],
        "policy_sha256": policy.sha256,
        "verdict": PASS,
        "scope": DIFFERENTIAL_PRIVACY,
        **{name: record["privacy"][name] for name in ("epsilon", "delta", "unit")},
        "overrides": record["overrides"],
    }
    return from_table(Approved, table)
