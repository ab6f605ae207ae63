"""What an officer does with one report, step by step; every refusal of `approve` and `reject` is theirs as well.

The ticks, and what they came to, are kept in memory until the desk closes and are written nowhere: they were computed
from patients' images, an approval goes to the recipient, and a file beside the report would be one more that nobody
signed.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privgan.errors import IntegrityError, PrivganError, UsageError
from privgan.files import canonical_json, sha256_bytes
from privgan.seals import is_encrypted, load_private_key
from privgan_audits.desk.reports import ReportOnDesk
from privgan_audits.desk.server import Form
from privgan_audits.release.approval import Grant, Rejection, SignedApproval
from privgan_audits.release.rejecting import reject
from privgan_audits.release.render_again import render_again
from privgan_audits.release.signoff import Draft, approvable, draft_approval
from privgan_audits.report.gallery import MEMBER, Gallery, worrying_excess

DRAFT = "draft"  # the field with the digest of what a page shows


@dataclass(frozen=True, kw_only=True)
class Review:
    """What the ticks came to.

    ticks: numbers of blinded pairs, from 1. members, others: how many of them on either side, of so many `pairs`
    each. worry: how many more ticks among members are too many.
    """

    ticks: frozenset[int]
    members: int
    others: int
    pairs: int
    worry: int

    @property
    def is_worrying(self) -> bool:
        """Whether a fair reviewer ticks so in fewer than one report in twenty."""
        return self.pairs > 0 and self.members - self.others >= self.worry

    @classmethod
    def of(cls, gallery: Gallery, ticks: frozenset[int]) -> "Review":
        """Count the ticks of a report's pairs."""
        ticked = [pair.side for number, pair in enumerate(gallery.blinded, start=1) if number in ticks]
        members, pairs = ticked.count(MEMBER), len(gallery.blinded) // 2
        return cls(
            ticks=ticks,
            members=members,
            others=len(ticked) - members,
            pairs=pairs,
            worry=worrying_excess(pairs) if pairs else 0,
        )


class Sitting:
    """One report in this sitting. key: the officer's, opened for a signature and not before."""

    def __init__(self, report: ReportOnDesk, key: Path, *, force: bool) -> None:
        self.report = report
        self._key, self._force = key, force
        self.review: Review | None = None
        self.draft: Draft | None = None
        self.outcome: SignedApproval | Rejection | None = None
        self._obstacle: str | None = None

    @property
    def key_name(self) -> str:
        """The file of a key that needs a passphrase; empty for one that needs none."""
        return self._key.name if is_encrypted(self._key) else ""

    @property
    def draft_sha256(self) -> str:
        """Digest of what was drafted, by which a page that was shown is known again; empty where nothing was."""
        if self.draft is None:
            return ""
        return sha256_bytes(canonical_json([*asdict(self.draft.grant).values(), self.report.sha256]))

    def obstacle(self) -> str:
        """Why the report cannot be approved whatever is said; empty where nothing stands in the way.

        Asked once: the cohort's images are hashed for it. What is said and signed is checked anew each time.
        """
        if self._obstacle is None:
            try:
                approvable(self.report.folder, cohort=self.report.cohort_folder, force=self._force)
                self._obstacle = ""
            except PrivganError as error:
                self._obstacle = str(error)
        return self._obstacle

    def tick(self, form: Form) -> None:
        """Take the ticks, once: whoever knows the key cannot be blind again.

        Raises:
            UsageError: they were given before, are no pairs, or nobody says to have looked.
        """
        if self.review is not None:
            raise UsageError("Expected ticks once; the key was shown since, and they stay as they were.")
        gallery = self.report.gallery(self.report.read()) or Gallery(identical=(), blinded=())
        numbers = {str(number): number for number in range(1, len(gallery.blinded) + 1)}
        ticks = form.all("pair")
        if not set(ticks) <= set(numbers):
            raise UsageError("Expected numbers of the pairs that are shown, got others.")
        if not form.one("looked"):
            raise UsageError("Expected you to have looked at every pair: say so below them.")
        self.review = Review.of(gallery, frozenset(numbers[tick] for tick in ticks))

    def say(self, form: Form, today: date) -> None:
        """Take the officer's words, and make a draft of them; raises what `draft_approval` raises.

        Raises:
            UsageError: the pairs come first, or they speak against an approval; or a word is missing or odd.
        """
        self._require_calm()
        grant = Grant(
            officer=form.one("officer").strip(),
            purpose=form.one("purpose").strip(),
            recipient=form.one("recipient").strip(),
            reason=_reason(form, tuple(self.report.read()["overrides"])),
            approved=today.isoformat(),
            until=form.one("until").strip(),
        )
        self.draft = self._drafted(grant)

    def sign(self, form: Form) -> SignedApproval:
        """Sign what was drafted, once everything was checked again; raises what `Draft.sign` raises.

        Raises:
            UsageError: nothing was drafted, or other words since the page was shown; the verdict and the set are not
                typed, or the passphrase is wrong.
            IntegrityError: the report is another one now.
        """
        self._require_calm()
        if self.draft is None:
            raise UsageError("Expected your words first: purpose, recipient and last day.")
        if form.one(DRAFT) != self.draft_sha256:
            raise UsageError("Expected the words that this page shows, they were changed since: read them again.")
        draft = self._drafted(self.draft.grant)
        draft.require_typed(form.one("typed"))
        signed = draft.sign(self._unlocked(form))
        self.outcome = signed
        render_again(self.report.folder)
        return signed

    def reject(self, form: Form, today: date) -> Rejection:
        """Say no, for good; raises what `rejecting.reject` raises.

        Raises:
            UsageError: no cohort is on the desk, or nobody says to know that it is final.
        """
        cohort = self.report.cohort_folder
        if cohort is None:
            raise UsageError("Expected --cohort when the desk was opened: a no is kept by the cohort's ledger.")
        if not form.one("final"):
            raise UsageError("Expected you to know that a no is final: say so in the form.")
        self.report.read()
        words = {"officer": form.one("officer").strip(), "reason": form.one("reason").strip()}
        found = reject(self.report.folder, cohort, self._unlocked(form), today=today, **words)
        self.outcome = found
        render_again(self.report.folder)
        return found

    def _require_calm(self) -> None:
        if self.review is None:
            raise UsageError("Expected the closest pairs to be ticked first.")
        if self.review.is_worrying:
            raise UsageError(
                "Expected no more ticks among members than chance gives: have the pairs looked into first."
            )

    def _drafted(self, grant: Grant) -> Draft:
        draft = draft_approval(self.report.folder, grant, cohort=self.report.cohort_folder, force=self._force)
        if draft.judged.approved.audit_sha256 != self.report.sha256:
            raise IntegrityError("Expected the report that this desk was opened with, it was written anew.")
        return draft

    def _unlocked(self, form: Form) -> Ed25519PrivateKey:
        return load_private_key(self._key, form.one("passphrase").encode() if is_encrypted(self._key) else None)


def reason_field(index: int) -> str:
    """The field of the reason for an override, by its place in the record, from 0."""
    return f"reason-{index}"


def _reason(form: Form, overrides: tuple[str, ...]) -> str:
    """One line for the approval: each override with its reason; of a single one the reason alone."""
    said: Mapping[str, str] = {name: form.one(reason_field(index)).strip() for index, name in enumerate(overrides)}
    if not all(said.values()):
        raise UsageError("Expected a reason for each safeguard that was switched off: why that does no harm here.")
    if len(said) == 1:
        return next(iter(said.values()))
    return "; ".join(f"{name}: {text.rstrip('.;')}" for name, text in said.items())
