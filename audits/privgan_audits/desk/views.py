"""From a report on the desk to its pages; what the report's own pages say is taken from there."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from privgan.account import Statement
from privgan.language import tr
from privgan.seals import fingerprint, key_of_line
from privgan_audits.desk.page import Card, Question, Spent
from privgan_audits.desk.reports import CohortOnDesk, ReportOnDesk
from privgan_audits.desk.sitting import Review, reason_field
from privgan_audits.record import Record, project_of
from privgan_audits.release.approval import (
    APPROVAL,
    LONGEST_DAYS,
    LONGEST_NAME,
    REJECTION,
    Approval,
    Rejection,
    SignedApproval,
)
from privgan_audits.release.signoff import SHORT_DIGEST
from privgan_audits.report.front import front
from privgan_audits.report.gallery import Gallery
from privgan_audits.report.page import Table
from privgan_audits.report.pictures import pictures_of
from privgan_audits.telling.numbers import plain
from privgan_audits.telling.words import Fact


def title_of(record: Record) -> str:
    """The project's title, or the set's first digits in records that have none."""
    short = str(record["synthetic"]["sha256"])[:SHORT_DIGEST]
    return project_of(record)["title"] or tr("Set {digits}", digits=short)


def card(report: ReportOnDesk, record: Record, link: str, today: date) -> Card:
    """One report among several."""
    standing = report.standing(record, today)
    return Card(
        title=title_of(record),
        link=link,
        front=front(record),
        facts=tuple(about(report, record)),
        standing=standing.words,
        standing_tone=standing.tone,
    )


def about(report: ReportOnDesk, record: Record) -> Iterator[Fact]:
    """What it is: whose, of whom, how large, and where."""
    project = project_of(record)
    for name, value in ((tr("House"), project["house"]), (tr("Contact"), project["contact"])):
        yield Fact(name=name, value=value or tr("not said"))
    yield Fact(name=tr("Synthetic images"), value=plain(record["counts"]["synthetic"]))
    yield Fact(name=tr("Set"), value=str(record["synthetic"]["sha256"])[:SHORT_DIGEST])
    yield Fact(name=tr("Day of the audit"), value=str(record["date"]))
    yield Fact(name=tr("Report"), value=str(report.folder))


def spent(cohort: CohortOnDesk) -> Spent:
    """What `budget` says of a cohort."""
    return Spent(name=str(cohort.folder), facts=tuple(_spent(cohort.statement)))


def _spent(statement: Statement) -> Iterator[Fact]:
    total = statement.spend
    yield Fact(
        name=tr("Spent"),
        value=tr("epsilon {epsilon} at delta {delta}", epsilon=f"{total.epsilon:.3g}", delta=f"{total.delta:g}"),
        note=tr("per patient, by all runs together"),
    )
    if len(statement.runs) > 1:
        yield Fact(
            name=tr("Proven for runs that were chosen after others"),
            value=tr("epsilon {epsilon}", epsilon=f"{statement.proven:.3g}"),
        )
    left = tr("one more run of up to about epsilon {epsilon} fits", epsilon=f"{statement.room:.3g}")
    yield Fact(
        name=tr("Cap"),
        value=tr("epsilon {epsilon}", epsilon=f"{statement.max_epsilon:g}"),
        note=left if statement.room else tr("no further run fits"),
    )
    yield Fact(name=tr("Runs charged"), value=plain(len(statement.runs)))
    yield Fact(
        name=tr("Audits"),
        value=plain(statement.audits),
        note=tr("sets tried: {count}", count=plain(statement.attempts)),
    )
    unseen = tr("none: a copy of the cohort's folder that was put back would not be noticed")
    yield Fact(name=tr("Site anchor"), value=tr("knows all entries") if statement.site else unseen)


def ticked(review: Review) -> Iterator[str]:
    """What the ticks came to, and what it means."""
    if not review.pairs:
        yield tr("There were no pairs to look at.")
        return
    yield tr(
        "You ticked {members} of {pairs} pairs of members, and {others} of {pairs} pairs of patients whom the "
        "generator never saw.",
        members=review.members,
        others=review.others,
        pairs=review.pairs,
    )
    if review.is_worrying:
        yield tr(
            "At least {worry} more ticks among members than among the others happen to a fair reviewer in fewer than "
            "one report in twenty. This set is not approved in this sitting: have the pairs looked into, then decide "
            "again.",
            worry=review.worry,
        )
    else:
        yield tr(
            "A fair reviewer's ticks may differ so by chance; at least {worry} more among members than among the "
            "others would speak of copies.",
            worry=review.worry,
        )


def key_of(gallery: Gallery, ticks: frozenset[int]) -> Table | None:
    """What each blinded pair was, beside the ticks; None where there are none."""
    told = pictures_of(gallery).key
    rows = ((pair, tr("yes") if int(pair) in ticks else tr("no"), *rest) for pair, *rest in told.rows)
    first, *heads = told.head
    table = Table(caption=told.caption, head=(first, tr("Ticked"), *heads), rows=tuple(rows))
    return table if table.rows else None


def words_asked(overrides: Sequence[str], today: date) -> Iterator[Question]:
    """What `approve` takes as options."""
    yield _officer_asked()
    yield Question(name="purpose", label=tr("Purpose"), hint=tr("What the recipient may use the images for."))
    yield Question(name="recipient", label=tr("Recipient"), hint=tr("Who may have them."))
    yield Question(
        name="until",
        label=tr("Last day"),
        hint=tr("The last day on which the approval holds, UTC; at most two years ahead."),
        kind="date",
        first=today.isoformat(),
        last=(today + timedelta(days=LONGEST_DAYS)).isoformat(),
    )
    for index, name in enumerate(overrides):
        yield Question(
            name=reason_field(index),
            label=tr("Why --{option} does no harm here", option=name),
            hint=tr("A safeguard was switched off by this option; an approval says why that does not matter."),
        )


def signature_asked(confirmation: str, key_name: str) -> Iterator[Question]:
    """What is typed to sign. key_name: of a key with a passphrase, or empty."""
    yield Question(
        name="typed",
        label=tr('Type "{confirmation}"', confirmation=confirmation),
        hint=tr("The verdict and the first digits of the set. Anything else signs nothing."),
        exact=True,
    )
    yield from _passphrase_asked(key_name)


def no_asked(key_name: str) -> Iterator[Question]:
    """What `reject` takes. key_name: of a key with a passphrase, or empty."""
    yield _officer_asked()
    yield Question(name="reason", label=tr("Reason"), hint=tr("Why, in a line; the ledger keeps it."))
    yield from _passphrase_asked(key_name)


def _officer_asked() -> Question:
    return Question(name="officer", label=tr("Your name and role"), hint=tr("Who decides."), longest=LONGEST_NAME)


def _passphrase_asked(key_name: str) -> Iterator[Question]:
    if key_name:
        yield Question(
            name="passphrase",
            label=tr("Passphrase of {key}", key=key_name),
            hint=tr("Used for this signature, and kept no longer."),
            kind="password",
            longest=1024,
        )


def signed_facts(report: ReportOnDesk, signed: SignedApproval) -> Iterator[Fact]:
    """What an approval says, and where it lies."""
    approval: Approval = signed.approval
    told = approval.facts()
    names = {
        "officer": tr("Approved by"),
        "purpose": tr("Purpose"),
        "recipient": tr("Recipient"),
        "reason": tr("Why what was switched off does no harm"),
        "approved": tr("First day"),
        "until": tr("Last day"),
        "key_fingerprint": tr("Key"),
    }
    yield from (Fact(name=name, value=told[key]) for key, name in names.items() if key in told)
    yield Fact(name=tr("Set"), value=approval.audit.synthetic_sha256)
    yield Fact(name=tr("Record of the audit"), value=approval.audit.audit_sha256)
    yield Fact(name=tr("File"), value=str(report.folder / APPROVAL), note=f"SHA-256 {signed.sha256}")


def rejected_facts(report: ReportOnDesk, found: Rejection) -> Iterator[Fact]:
    """What a rejection says, and where it lies."""
    yield Fact(name=tr("Rejected by"), value=found.officer)
    yield Fact(name=tr("Reason"), value=found.reason)
    yield Fact(name=tr("Day"), value=found.rejected)
    yield Fact(name=tr("Key"), value=fingerprint(key_of_line(found.public_key)))
    yield Fact(name=tr("Set"), value=found.synthetic_sha256)
    yield Fact(name=tr("Record of the audit"), value=found.audit_sha256)
    yield Fact(name=tr("File"), value=str(report.folder / REJECTION))
