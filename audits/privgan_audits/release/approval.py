"""What the privacy officer signs: the permission to release one audited set, its withdrawal, and the refusal.

All are in-toto statements in DSSE envelopes, like a bundle's attestation, by a key that is the officer's alone.
A permission names who decided, on which documented result (as HIPAA's expert determination does, 45 CFR 164.514(b)),
and it ends on a day, because a release is to be looked at again (ISO/IEC 27559). Nothing here judges an audit.
"""

import re
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from privgan.checks import one_of, positive, require_line
from privgan.config import from_table, inline, to_table
from privgan.dp.spend import PrivacySpend
from privgan.errors import IntegrityError, UsageError
from privgan.files import canonical_json, sha256_bytes
from privgan.language import kept, to_tr
from privgan.seals import fingerprint, in_toto, key_line, key_of_line, open_signed, unverified
from privgan_audits.record import RECORD

APPROVAL, REVOCATION, REJECTION = "approval.dsse.json", "revocation.dsse.json", "rejection.dsse.json"
APPROVAL_TYPE, REVOCATION_TYPE = "urn:privgan:approval:v1", "urn:privgan:revocation:v1"
REJECTION_TYPE = "urn:privgan:rejection:v1"
SEEN, UNSEEN = "seen", "not seen"
LARGEST_BYTES = 1 << 16  # of either envelope; what `sign` writes is a few thousand
LONGEST_DAYS = 731  # two years: our choice; nobody knows longer ahead what else will become public
LONGEST_NAME, _LONGEST_TEXT = 100, 300
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Grant:
    """In the officer's words: who approves, what for, and to whom; goes to the recipient.

    purpose, recipient: empty in approvals of earlier versions alone. reason: why safeguards that were switched off do
    not matter here; empty where none was. approved, until: first and last day on which it holds, YYYY-MM-DD, UTC.
    """

    officer: str
    purpose: str = ""
    recipient: str = ""
    reason: str = ""
    approved: str
    until: str

    def __post_init__(self) -> None:
        require_line(LONGEST_NAME, name=self.officer)
        require_line(_LONGEST_TEXT, empty=True, purpose=self.purpose, recipient=self.recipient, reason=self.reason)
        first, last = _day(self.approved), _day(self.until)
        if not 0 <= (last - first).days <= LONGEST_DAYS:
            raise UsageError(
                kept(
                    "Expected a last day on or after {first} and at most {days} days later, got {last}. Approve for "
                    "a while, and look at it again before that ends.",
                    first=first,
                    days=LONGEST_DAYS,
                    last=last,
                )
            )


@dataclass(frozen=True, kw_only=True)
class Approved:
    """What is approved: the audit's record by its digest, and what the officer read in it."""

    audit_sha256: str
    synthetic_sha256: str
    policy_sha256: str
    verdict: str
    scope: str
    spend: PrivacySpend = field(metadata=inline("epsilon", "delta", "unit"))
    overrides: tuple[str, ...]

    def __post_init__(self) -> None:
        for digest in (self.audit_sha256, self.synthetic_sha256, self.policy_sha256):
            if not _DIGEST.fullmatch(digest):
                raise UsageError("Expected a hex SHA-256 in the approval.")
        for words in (self.verdict, self.scope, self.spend.unit, *self.overrides):
            require_line(LONGEST_NAME, word=words)
        positive(epsilon=self.spend.epsilon)


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A signed permission.

    public_key: the line of the officer's key; see `seals.key_line`. ledger: SEEN if the cohort's ledger was at hand
    and remembers the audit, UNSEEN if nobody asked it, "" in approvals of earlier versions.
    """

    grant: Grant
    audit: Approved
    public_key: str
    ledger: str = ""

    def __post_init__(self) -> None:
        one_of(("", SEEN, UNSEEN), ledger=self.ledger)

    def statement(self) -> dict[str, Any]:
        """What is signed."""
        table = to_table(self)
        if not self.ledger:
            del table["ledger"]
        if not self.grant.reason:
            del table["grant"]["reason"]  # as approvals of earlier versions are
        return in_toto({RECORD: self.audit.audit_sha256}, APPROVAL_TYPE, table)

    @classmethod
    def of_statement(cls, stated: dict[str, Any]) -> "Approval":
        """The content of `statement`; see `opened`."""
        return from_table(cls, stated["predicate"])

    def facts(self) -> dict[str, str]:
        """What an attestation and the verbs' JSON say of it."""
        key = key_of_line(self.public_key)
        grant = {name: text for name, text in asdict(self.grant).items() if text or name != "reason"}
        ledger = {"ledger": self.ledger} if self.ledger else {}
        return {**grant, **ledger, "public_key": self.public_key, "key_fingerprint": fingerprint(key)}

    def trouble_on(self, today: date) -> str | None:
        """Why it does not hold on a day; None if it does."""
        if today.isoformat() > self.grant.until:
            return kept("ended on {day}", day=self.grant.until)
        if today.isoformat() < self.grant.approved:
            return kept("begins on {day}, which this machine's clock says is to come", day=self.grant.approved)
        return None


@dataclass(frozen=True, kw_only=True)
class SignedApproval:
    """An approval and the envelope that it stands in."""

    approval: Approval
    envelope: bytes

    @property
    def sha256(self) -> str:
        """Digest of the envelope."""
        return sha256_bytes(self.envelope)


@dataclass(frozen=True, kw_only=True)
class Revocation:
    """A signed withdrawal of an approval, and of every other approval of the same record.

    reason: in the officer's words; goes to recipients. revoked: the day, YYYY-MM-DD, UTC.
    """

    reason: str
    revoked: str
    approval_sha256: str
    audit_sha256: str
    public_key: str

    def __post_init__(self) -> None:
        require_line(_LONGEST_TEXT, reason=self.reason)
        _day(self.revoked)

    def statement(self) -> dict[str, Any]:
        """What is signed."""
        subjects = {APPROVAL: self.approval_sha256, RECORD: self.audit_sha256}
        told = {"reason": self.reason, "revoked": self.revoked, "public_key": self.public_key}
        return in_toto(subjects, REVOCATION_TYPE, told)

    @classmethod
    def of_statement(cls, stated: dict[str, Any]) -> "Revocation":
        """The content of `statement`; see `opened`."""
        subjects = {item["name"]: item["digest"]["sha256"] for item in stated["subject"]}
        digests = {"approval_sha256": subjects[APPROVAL], "audit_sha256": subjects[RECORD]}
        return from_table(cls, {**stated["predicate"], **digests})

    def takes_back(self, approval: Approval, sha256: str) -> bool:
        """Whether it is about this approval, whose file has this digest, or another one of the same record."""
        return sha256 == self.approval_sha256 or approval.audit.audit_sha256 == self.audit_sha256


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """A signed no: this set is not released, whatever else is signed of it.

    officer: who decided. reason: in the officer's words. rejected: the day, YYYY-MM-DD, UTC. synthetic_sha256: of the
    set's manifest.
    """

    officer: str
    reason: str
    rejected: str
    audit_sha256: str
    synthetic_sha256: str
    public_key: str

    def __post_init__(self) -> None:
        require_line(LONGEST_NAME, name=self.officer)
        require_line(_LONGEST_TEXT, reason=self.reason)
        _day(self.rejected)
        if not _DIGEST.fullmatch(self.synthetic_sha256):
            raise UsageError("Expected the hex SHA-256 of a set in the rejection.")

    def statement(self) -> dict[str, Any]:
        """What is signed."""
        told = {name: value for name, value in asdict(self).items() if name != "audit_sha256"}
        return in_toto({RECORD: self.audit_sha256}, REJECTION_TYPE, told)

    @classmethod
    def of_statement(cls, stated: dict[str, Any]) -> "Rejection":
        """The content of `statement`; see `opened`."""
        (subject,) = stated["subject"]
        return from_table(cls, {**stated["predicate"], "audit_sha256": subject["digest"]["sha256"]})


Signed = TypeVar("Signed", Approval, Revocation, Rejection)


def opened(kind: type[Signed], content: bytes, key: Ed25519PublicKey | None = None) -> Signed:
    """An approval, a revocation or a rejection, after its signature was checked.

    Args:
        kind: Approval, Revocation or Rejection.
        content: the envelope; anybody may have written it.
        key: whose it must be. None takes the key that it names: then it is intact, but not known to be anyone's.

    Raises:
        IntegrityError: not signed by the key, edited, or about something else.
    """
    what = _ARTICLES[kind]
    odd = IntegrityError(f"Expected {what} as privgan writes it, something of it is odd.")
    try:
        if key is None:
            key = key_of_line(unverified(content)["predicate"]["public_key"])
        stated = open_signed(content, key)
        value = kind.of_statement(stated)
        whole = canonical_json(value.statement()) == canonical_json(stated) and value.public_key == key_line(key)
    except IntegrityError as error:
        raise IntegrityError(f"Expected {what} by the officer's key. {error}") from None
    except (UsageError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
        raise odd from None
    if not whole:
        raise odd
    return value


_ARTICLES = to_tr({Approval: "an approval", Revocation: "a revocation", Rejection: "a rejection"})


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise UsageError(f"Expected a day as YYYY-MM-DD, got {text!r}.")
    return day
