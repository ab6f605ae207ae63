"""approve, revoke: what the privacy officer does with a key of their own."""

from pathlib import Path
from typing import Annotated

import typer

from privgan_cli.console import console
from privgan_cli.options import Force, read_key, today

Report = Annotated[Path, typer.Argument(help="The report folder that `privgan audit` made.")]
OfficerKey = Annotated[Path, typer.Option(help="The officer's own signing key.")]


def approve(
    report: Report,
    key: OfficerKey,
    name: Annotated[str, typer.Option(help="Who approves; the recipient will read it.")],
    until: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The last day on which it holds, UTC.")],
    purpose: Annotated[str, typer.Option(help="What the recipient may use the images for.")] = "",
    recipient: Annotated[str, typer.Option(help="Who may have them.")] = "",
    force: Force = False,
) -> int:
    """Judge a report again, say what it means, and sign that its set may be released."""
    from privgan_audits.release.approval import APPROVAL, Grant
    from privgan_audits.release.signoff import draft_approval

    grant = Grant(
        officer=name.strip(),
        purpose=purpose.strip(),
        recipient=recipient.strip(),
        approved=today().isoformat(),
        until=until,
    )
    draft = draft_approval(report, grant, force=force)
    console.note("You are about to sign that this synthetic set may be released:")
    for fact in draft.facts:
        console.note(f"  {fact}")
    for warning in draft.warnings:
        console.warn(warning)
    signed = draft.sign(read_key(key))
    from privgan_audits.release.render_again import render_again  # the page is drawn once the signature stands

    render_again(report)  # the sign-off box names the officer
    what, facts = signed.approval.audit, signed.approval.facts()
    console.result(
        {
            "approval": str(report / APPROVAL),
            "sha256": signed.sha256,
            **facts,
            "verdict": what.verdict,
            "scope": what.scope,
            "epsilon": what.spend.epsilon,
            "delta": what.spend.delta,
            "overrides": list(what.overrides),
        },
        f"approved until {until}: {report / APPROVAL}",
        f"signed with key {facts['key_fingerprint']}",
    )
    return 0


def revoke(
    report: Report,
    key: OfficerKey,
    cohort: Annotated[Path, typer.Option(help="The cohort whose ledger will remember it.")],
    reason: Annotated[str, typer.Option(help="Why, in a line; recipients will read it.")],
    force: Force = False,
) -> int:
    """Withdraw an approval for good, in the cohort's ledger and in a file for those who have the bundle."""
    from privgan_audits.release.approval import REVOCATION
    from privgan_audits.release.signoff import revoke as revoke_approval

    found = revoke_approval(report, cohort, read_key(key), reason=reason.strip(), today=today(), force=force)
    from privgan_audits.release.render_again import render_again

    render_again(report)
    console.result(
        {
            "revocation": str(report / REVOCATION),
            "approval_sha256": found.approval_sha256,
            "audit_sha256": found.audit_sha256,
            "revoked": found.revoked,
            "reason": found.reason,
        },
        f"withdrawn, and remembered by the cohort's ledger: {report / REVOCATION}",
        "give that file to everyone who has the bundle: privgan verify BUNDLE --public-key K --revocation FILE",
    )
    return 0
