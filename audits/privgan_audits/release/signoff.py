"""The officer's sign-off: a second person says yes to a release, and a no outlives the file that it stands in.

Where a policy names the officer's key, or `prepare` has pinned it in the cohort, a set leaves only with a signed
approval of exactly its audit by exactly that key, and never on the word of one person with two roles.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from privgan.account import ledger_of
from privgan.checks import is_seen
from privgan.config import from_table
from privgan.data.cohort.cohort import open_cohort, read_facts
from privgan.dp.budget.ledger import Ledger
from privgan.errors import IntegrityError, UsageError
from privgan.files import SHAREABLE_FILE, write_bytes
from privgan.language import AS_WRITTEN, by_default, in_a_row, language, retold, tr
from privgan.run import FederationNamed, PriorNamed
from privgan.seals import key_line, key_of_line, read_bounded, sign
from privgan_audits.policy import OWN
from privgan_audits.questions.bounds import BOOKS
from privgan_audits.record import failed_before, project_of
from privgan_audits.release.approval import (
    APPROVAL,
    LARGEST_BYTES,
    SEEN,
    UNSEEN,
    Approval,
    Grant,
    SignedApproval,
    opened,
)
from privgan_audits.release.judged import Judged, judge_again, read_record, require_consistent
from privgan_audits.release.rejecting import demanded_key, require_not_rejected, require_not_withdrawn
from privgan_audits.release.remembered import remembered_audit
from privgan_audits.telling.leaving import leaving_columns, leaving_words

SHORT_DIGEST = 12  # hex digits of a set's, as page one shows them


@dataclass(frozen=True, kw_only=True)
class Draft:
    """An approval before it is signed. facts: what it means, in plain words. warnings: what belongs in red.

    ledger: see `Approval`. officer_key: the line of the key that must sign; empty where none is named.
    """

    report: Path
    grant: Grant
    judged: Judged
    ledger: str
    officer_key: str
    facts: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def confirmation(self) -> str:
        """What the officer types to sign: the verdict, and the first digits of the set's digest."""
        return f"{self.judged.approved.verdict} {self.judged.approved.synthetic_sha256[:SHORT_DIGEST]}"

    def require_typed(self, typed: str) -> None:
        """Refuse to sign until the officer typed what is approved: a signature by habit is none.

        Raises:
            UsageError: it is not `confirmation`, blanks aside.
        """
        if " ".join(typed.split()) != self.confirmation:
            raise UsageError(
                "Expected the verdict and the set's first digits as shown, got something else: not signed."
            )

    def sign(self, key: Ed25519PrivateKey) -> SignedApproval:
        """Sign and write REPORT/approval.dsse.json.

        Raises:
            UsageError: the cohort or the audit's policy names another key.
        """
        line = key_line(key.public_key())
        if self.officer_key not in ("", line):
            raise UsageError(
                "Expected the officer's key that the cohort or the audit's policy names, got another one: not signed."
            )
        approval = Approval(grant=self.grant, audit=self.judged.approved, public_key=line, ledger=self.ledger)
        signed = SignedApproval(approval=approval, envelope=sign(approval.statement(), key))
        write_bytes(self.report / APPROVAL, signed.envelope, SHAREABLE_FILE)
        return signed


def draft_approval(report: Path, grant: Grant, *, cohort: Path | None = None, force: bool = False) -> Draft:
    """Say in plain words what an approval of a report would mean; signs nothing.

    Args:
        report: the folder of an audit.
        grant: in the officer's words.
        cohort: see `approvable`.
        force: see `approvable`.

    Raises:
        UsageError: purpose, recipient, or the reason for overrides is not said; or as `approvable`.
        PrivganError: all else that `approvable` raises.
    """
    judged = approvable(report, cohort=cohort, force=force)
    with by_default(judged.policy.language):
        _require_said(grant, judged)
    pinned = read_facts(cohort).officer_key if cohort else ""
    try:
        with by_default(judged.policy.language):
            facts, warnings = tuple(_facts(judged, grant)), tuple(_warnings(judged, asked=cohort is not None))
    except (KeyError, TypeError, ValueError, OverflowError, UsageError):
        raise IntegrityError("Expected the record of an audit, a count of it is missing or odd.") from None
    if not all(map(is_seen, (*facts, *warnings))):
        raise IntegrityError("Expected lines of words in the record of an audit, one would be shown as another.")
    return Draft(
        report=report,
        grant=grant,
        judged=judged,
        ledger=SEEN if cohort else UNSEEN,
        officer_key=demanded_key(pinned, judged.policy.officer_key),
        facts=facts,
        warnings=warnings,
    )


def approvable(report: Path, *, cohort: Path | None = None, force: bool = False) -> Judged:
    """Judge a report again, and refuse one that no officer's words make fit to be approved.

    Args:
        report: the folder of an audit.
        cohort: whose ledger shall remember the audit; without it the approval says that nobody asked.
        force: an older approval may be replaced.

    Raises:
        UsageError: there is no such folder, or it has an approval; or no cohort is named though it pins the officer's
            key.
        AuditFailedError, NotReleasableError: the audit did not pass, or has no privacy claim.
        IntegrityError: the record is odd, or its approval was withdrawn, or the set rejected, or the ledger remembers
            another audit or attempt.
        BudgetError: the ledger is damaged, or the cohort was charged since.
    """
    record, digest = read_record(report)
    judged = judge_again(record, digest)
    with by_default(judged.policy.language):
        require_consistent(record)
        _require_remembered(report, judged, digest, cohort)
        require_not_withdrawn(report)
        require_not_rejected(report)
        if os.path.lexists(report / APPROVAL) and not force:
            raise UsageError(
                f"Expected a report without an approval, {report / APPROVAL} exists. --force replaces it."
            )
    return judged


def permission(
    report: Path, judged: Judged, ledger: Ledger, *, pinned: str, release_key: Ed25519PublicKey, today: date
) -> SignedApproval | None:
    """The approval that a release carries; None if none is demanded and none is there.

    Args:
        report: the folder that alone is looked into.
        judged: its record.
        ledger: of the cohort; remembers withdrawals.
        pinned: the line of the officer's key in cohort.json, or "".
        release_key: which must be another person's.
        today: the day of the release, UTC.

    Raises:
        IntegrityError: missing though demanded; of another key, report or set; not valid today; withdrawn; the set
            was rejected; or the officer is the one who releases.
    """
    require_not_withdrawn(report)
    require_not_rejected(report, ledger, judged.approved.synthetic_sha256)
    for entry in ledger.of_kind("revoked"):
        if entry["synthetic_sha256"] == judged.approved.synthetic_sha256:
            raise IntegrityError(f"The officer withdrew the approval of this set on {entry['date']}, for good.")
    demanded = demanded_key(pinned, judged.policy.officer_key)
    if not os.path.lexists(report / APPROVAL):
        if demanded:
            raise IntegrityError(
                "Expected the privacy officer's approval in the report's folder, there is none. "
                "The officer signs with 'privgan approve REPORT'."
            )
        return None
    envelope = read_bounded(report / APPROVAL, LARGEST_BYTES)
    approval = opened(Approval, envelope, key_of_line(demanded) if demanded else None)
    if approval.audit != judged.approved:
        raise IntegrityError("Expected the officer's approval of this very audit, it is of another one.")
    if pinned and approval.ledger == UNSEEN:
        raise IntegrityError(
            "Expected an approval by an officer who asked the cohort's ledger: approve again, with --cohort."
        )
    if trouble := approval.trouble_on(today):
        raise IntegrityError(f"Expected an approval that holds today, it {trouble}. Ask the officer for a new one.")
    if approval.public_key == key_line(release_key):
        raise IntegrityError("Expected two people: the officer who approved and whoever releases have the same key.")
    return SignedApproval(approval=approval, envelope=envelope)


def _require_remembered(report: Path, judged: Judged, digest: str, cohort: Path | None) -> None:
    """An edited record that contradicts nothing is known by the ledger alone."""
    about = judged.record.get("cohort")
    if cohort is None:
        if isinstance(about, Mapping) and about.get("officer_pinned"):
            raise UsageError(
                "Expected --cohort: this cohort names the officer's key, and its ledger alone knows whether this "
                "report is the audit that was made, and which attempt it was."
            )
        return
    opened_cohort = open_cohort(cohort)
    if not isinstance(about, Mapping) or about.get("cohort_id") != opened_cohort.facts.cohort_id:
        raise IntegrityError("Expected the cohort that this report is about, got another one.")
    ledger, synthetic = ledger_of(cohort), judged.approved.synthetic_sha256
    require_not_rejected(report, ledger, synthetic)
    remembered_audit(ledger, synthetic, digest).require_attempt(judged.record)


def _require_said(grant: Grant, judged: Judged) -> None:
    """Whom a release is for and what for is the decision itself; and what was switched off needs a reason."""
    if not (grant.purpose and grant.recipient):
        raise UsageError("Expected --purpose and --recipient in words: an approval is for something and somebody.")
    overrides = ", ".join(f"--{name}" for name in judged.approved.overrides)
    if overrides and not grant.reason:
        raise UsageError(f"Expected --reason: why {overrides}, which switched a safeguard off, does no harm here.")


def _facts(judged: Judged, grant: Grant) -> Iterator[str]:
    from privgan.dp.odds import odds
    from privgan_audits.gate.record_facts import class_names
    from privgan_audits.questions.books.words import together
    from privgan_audits.report.limits import detection_limit
    from privgan_audits.report.words import frame
    from privgan_audits.telling.strength import strength_of

    spend = judged.approved.spend
    books = next(test for test in judged.record["tests"] if test["id"] == BOOKS)
    yield tr(
        "Verdict {verdict}, judged again just now, under the policy {policy}.",
        verdict=tr(judged.approved.verdict),
        policy=repr(judged.policy.preset),
    )
    if judged.policy.preset == OWN and (other := tr("; ").join(judged.policy.other_than_default())):
        yield tr("What that policy asks otherwise than the default one: {thresholds}.", thresholds=other)
    strength = tr("Strength of the promise: {strength}.", strength=strength_of(judged.record, inside=True))
    yield in_a_row((strength, judged.policy.tiers.rule))
    yield tr("Set {sha256}.", sha256=judged.approved.synthetic_sha256)
    means = tr("{odds}, by any means.", odds=odds(spend.epsilon))
    yield in_a_row((tr("{spend}.", spend=_opening(str(spend))), means))
    yield tr("All runs on this cohort together: {together}.", together=together(books))
    yield from _words(judged)
    if classes := judged.record.get("classes"):
        they = tr("They are: {classes}.", classes=tr(", ").join(map(str, classes)))
        yield in_a_row((retold(class_names(classes)), they))
    yield from leaving_columns(judged.record.get("columns", {}))
    yield in_a_row((detection_limit(judged.record), tr(frame.INVISIBLE).capitalize()))
    yield from (tr("Not covered: {limit}", limit=tr(limit)) for limit in frame.NOT_COVERED)
    yield tr("Purpose: {purpose}. Recipient: {recipient}.", purpose=grant.purpose, recipient=grant.recipient)
    if reason := grant.reason.rstrip("."):
        yield tr("Reason for what was switched off: {reason}.", reason=reason)
    yield tr(
        "Approved by {officer}, from {first} until {last}. The recipient will read this.",
        officer=grant.officer,
        first=grant.approved,
        last=grant.until,
    )


def _words(judged: Judged) -> Iterator[str]:
    """What others typed and this signature lets out."""
    if words := tr("; ").join(leaving_words({**project_of(judged.record), **judged.policy.words})):
        yield tr("Words that leave with the set: {words}.", words=words)
    if not judged.policy.licence:
        yield tr("The policy names no licence: whoever releases may name one that dataset hubs know.")
    if prior := judged.record.get("prior"):
        yield from_table(PriorNamed, prior).sentence
    if named := judged.record.get("federation"):
        alone = tr("You answer for your own patients; it leaves once the officer of each hospital has approved it.")
        yield in_a_row((from_table(FederationNamed, named).sentence, alone))


def _opening(words: str) -> str:
    """As a sentence begins; where no language asks for it no letter grows, which would make an E of an ε."""
    return words.capitalize() if language() == AS_WRITTEN else words


def _warnings(judged: Judged, *, asked: bool) -> Iterator[str]:
    from privgan_audits.report.words import frame

    if not asked:
        yield tr(
            "No --cohort was named: nobody asked the cohort's ledger whether this report is the audit that was made. "
            "The approval says so."
        )
    yield from map(frame.override, judged.approved.overrides)
    yield from map(frame.looser, judged.policy.looser_than_default())
    yield from map(frame.failed_before, failed_before(judged.record))
