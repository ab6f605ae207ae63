"""desk: a page on this machine that leads the privacy officer through the decision."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from privgan.language import by_default, language, tr
from privgan_cli import before
from privgan_cli.console import console
from privgan_cli.dispatch import explained
from privgan_cli.line import following
from privgan_cli.options import Force, today
from privgan_cli.verbs.officer import OfficerKey, told_approval, told_rejection

if TYPE_CHECKING:
    from privgan_audits.desk.sitting import Sitting


def desk(
    reports: Annotated[list[Path], typer.Argument(metavar="REPORT", help="Folders that `privgan audit` made.")],
    key: OfficerKey,
    cohort: Annotated[
        list[Path] | None, typer.Option(help="A cohort, whose ledger shall know its audits; once for each.")
    ] = None,
    idle_minutes: Annotated[float, typer.Option(help="Close when nobody came for so long.")] = 30.0,
    force: Force = False,
) -> int:
    """Decide in a browser on this machine: read, look, say, sign; approve or reject one report or several."""
    before.desk(reports, cohort or (), key)
    from privgan_audits.desk.desk import Setting, sit_down
    from privgan_audits.release.judged import policy_of, read_record

    record, _ = read_record(reports[0])
    policy, _ = policy_of(record)
    with by_default(policy.language):
        setting = Setting(
            reports=tuple(reports),
            key=key,
            cohorts=tuple(cohort or ()),
            force=force,
            language=language(),
            idle_minutes=idle_minutes,
        )
        with console.asking():
            sittings = sit_down(setting, today=today, explain=lambda error: explained(error)[1], announce=_announce)
        told = [_told(sitting) for sitting in sittings]
        first = cohort[0] if cohort else None
        then = following.after_approve(reports[0], first, several="federation" in record)
        lines = (line for _, lines in told for line in lines)
        console.result({"reports": [facts for facts, _ in told]}, *lines, then=then if _approved(sittings) else "")
    return 0


def _approved(sittings: "Sequence[Sitting]") -> bool:
    """Whether the first report was approved."""
    from privgan_audits.release.approval import SignedApproval

    return isinstance(sittings[0].outcome, SignedApproval)


def _announce(address: str) -> None:
    """Also where notes are not wanted: without the address there is no desk."""
    opened = tr("Open this address in a browser on this machine; it opens the desk once: {address}", address=address)
    sys.stderr.write(f"{opened}\n")
    console.note(tr("The desk closes with the last decision, or by Ctrl-C. Nothing is signed before you sign it."))
    sys.stderr.flush()


def _told(sitting: "Sitting") -> tuple[dict[str, Any], list[str]]:
    from privgan_audits.release.approval import Rejection

    report, outcome = sitting.report.folder, sitting.outcome
    if outcome is None:
        return {"report": str(report)}, [tr("nothing was signed of {report}", report=report)]
    told = told_rejection(report, outcome) if isinstance(outcome, Rejection) else told_approval(report, outcome)
    facts, *lines = told
    return {"report": str(report), **facts}, lines
