"""approve, reject, revoke: what the privacy officer does with a key of their own."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from privgan.errors import UsageError
from privgan.language import by_default, tr
from privgan_cli import before
from privgan_cli.console import console
from privgan_cli.line import following
from privgan_cli.options import Force, read_key, today

if TYPE_CHECKING:
    from privgan_audits.release.approval import Rejection, SignedApproval
    from privgan_audits.release.signoff import Draft

    Told = tuple[dict[str, Any], str, str]

Report = Annotated[Path, typer.Argument(help="The report folder that `privgan audit` made.")]
OfficerKey = Annotated[Path, typer.Option(help="The officer's own signing key.")]
Cohort = Annotated[Path, typer.Option(help="The cohort whose ledger will remember it.")]


def approve(
    report: Report,
    key: OfficerKey,
    name: Annotated[str, typer.Option(help="Who approves; the recipient will read it.")],
    until: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The last day on which it holds, UTC.")],
    purpose: Annotated[str, typer.Option(help="What the recipient may use the images for.")],
    recipient: Annotated[str, typer.Option(help="Who may have them.")],
    cohort: Annotated[Path | None, typer.Option(help="The cohort, whose ledger shall know this audit.")] = None,
    reason: Annotated[str, typer.Option(help="Why overrides do no harm; needed where there are any.")] = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="Sign without asking; needed where there is no terminal.")
    ] = False,
    force: Force = False,
) -> int:
    """Judge a report again, say what it means, and sign that its set may be released."""
    before.sign(report, cohort)
    before.require_key(key)
    from privgan_audits.release.approval import Grant
    from privgan_audits.release.signoff import draft_approval

    grant = Grant(
        officer=name.strip(),
        purpose=purpose.strip(),
        recipient=recipient.strip(),
        reason=reason.strip(),
        approved=today().isoformat(),
        until=until,
    )
    draft = draft_approval(report, grant, cohort=cohort, force=force)
    with by_default(draft.judged.policy.language):
        console.note(tr("You are about to sign that this synthetic set may be released:"))
        for fact in draft.facts:
            console.note(f"  {fact}")
        for warning in draft.warnings:
            console.warn(warning)
        if not yes:
            _require_confirmed(draft)
        _approve(report, draft, key, cohort)
    return 0


def _approve(report: Path, draft: "Draft", key: Path, cohort: Path | None) -> None:
    """Sign, draw the report again and say what was signed."""
    signed = draft.sign(read_key(key))
    from privgan_audits.release.render_again import render_again  # the page is drawn once the signature stands

    render_again(report)  # the sign-off box names the officer
    console.result(
        *told_approval(report, signed),
        then=following.after_approve(report, cohort, several="federation" in draft.judged.record),
    )


def told_approval(report: Path, signed: "SignedApproval") -> "Told":
    """An approval that was just signed, as an object and in lines."""
    from privgan_audits.release.approval import APPROVAL
    from privgan_audits.release.judged import read_record
    from privgan_audits.telling.strength import strength_of

    what, facts = signed.approval.audit, signed.approval.facts()
    strength = strength_of(read_record(report)[0], inside=True)
    told = {
        "approval": str(report / APPROVAL),
        "sha256": signed.sha256,
        **facts,
        "verdict": what.verdict,
        "strength": strength.word,
        "scope": what.scope,
        "epsilon": what.spend.epsilon,
        "delta": what.spend.delta,
        "overrides": list(what.overrides),
    }
    until = tr(
        "approved until {day}, {promise}: {file}",
        day=facts["until"],
        promise=strength.promise,
        file=report / APPROVAL,
    )
    return told, until, tr("signed with key {key}", key=facts["key_fingerprint"])


def _require_confirmed(draft: "Draft") -> None:
    """Ask on the terminal; see `Draft.require_typed`."""
    if not sys.stdin.isatty():
        raise UsageError("Expected a terminal to confirm on, or --yes, which signs what was just listed.")
    asked = tr('Type "{words}" (verdict and set) to sign, anything else to stop:', words=draft.confirmation)
    sys.stderr.write(f"{asked} ")
    sys.stderr.flush()
    with console.asking():
        typed = sys.stdin.readline()
    draft.require_typed(typed)


def reject(
    report: Report,
    key: OfficerKey,
    cohort: Cohort,
    name: Annotated[str, typer.Option(help="Who rejects.")],
    reason: Annotated[str, typer.Option(help="Why, in a line; the ledger keeps it.")],
) -> int:
    """Sign that a set is not released, for good, in the cohort's ledger and in the report's folder."""
    before.sign(report, cohort)
    before.require_key(key)
    from privgan_audits.record import language_of
    from privgan_audits.release.rejecting import reject as reject_set

    words = {"officer": name.strip(), "reason": reason.strip()}
    found = reject_set(report, cohort, read_key(key), today=today(), **words)
    from privgan_audits.release.render_again import render_again

    with by_default(language_of(render_again(report))):
        console.result(*told_rejection(report, found), then=following.after_reject(report))
    return 0


def told_rejection(report: Path, found: "Rejection") -> "Told":
    """A rejection that was just signed, as an object and in lines."""
    from privgan_audits.release.approval import REJECTION

    told = {
        "rejection": str(report / REJECTION),
        "audit_sha256": found.audit_sha256,
        "synthetic_sha256": found.synthetic_sha256,
        "officer": found.officer,
        "rejected": found.rejected,
        "reason": found.reason,
    }
    remembered = tr(
        "rejected by {officer}, and remembered by the cohort's ledger: {file}",
        officer=found.officer,
        file=report / REJECTION,
    )
    return told, remembered, tr("for a release generate another set and have it audited; drawing costs no privacy")


def revoke(
    report: Report,
    key: OfficerKey,
    cohort: Cohort,
    reason: Annotated[str, typer.Option(help="Why, in a line; recipients will read it.")],
    force: Force = False,
) -> int:
    """Withdraw an approval for good, in the cohort's ledger and in a file for those who have the bundle."""
    before.sign(report, cohort)
    before.require_key(key)
    from privgan_audits.record import language_of
    from privgan_audits.release.approval import REVOCATION
    from privgan_audits.release.rejecting import revoke as revoke_approval

    found = revoke_approval(report, cohort, read_key(key), reason=reason.strip(), today=today(), force=force)
    from privgan_audits.release.render_again import render_again

    record, value = render_again(report), asdict(found)
    del value["public_key"]
    file = report / REVOCATION
    with by_default(language_of(record)):
        console.result(
            {"revocation": str(file), **value},
            tr("withdrawn, and remembered by the cohort's ledger: {file}", file=file),
            tr(
                "give that file to everyone who has the bundle: privgan verify BUNDLE --public-key K --revocation "
                "FILE"
            ),
            then=following.after_revoke(file),
        )
    return 0
