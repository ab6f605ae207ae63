"""budget: what a cohort has spent, what is left, and what was done with one patient's images."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from privgan_cli.console import console
from privgan_cli.line import following

if TYPE_CHECKING:
    from privgan.account import Statement

_SIDES = {
    "member": "a member of this cohort: every run charged to it may have drawn from this patient",
    "non-member": "held back for the audit: no run has learned from this patient",
    None: "unknown to this cohort",
}


def budget(
    cohort: Annotated[Path, typer.Argument(help="A folder made by `privgan prepare`.")],
    patient: Annotated[
        str | None, typer.Option(help="Which runs used this patient; - reads the number from standard input.")
    ] = None,
) -> int:
    """Say what this cohort has spent over all runs, and what is left."""
    from privgan.account import answer_about, statement_of

    if patient is not None:
        answer = answer_about(cohort, sys.stdin.readline() if patient == "-" else patient)
        console.result(
            {"side": answer.side, "runs": list(answer.runs), "elsewhere": answer.elsewhere},
            _SIDES[answer.side],
            *(f"  run {run}" for run in answer.runs),
            *(
                line
                for other, runs in answer.elsewhere.items()
                for line in (f"a member of cohort {other} of this site", *(f"  run {run}" for run in runs))
            ),
        )
        return 0
    statement = statement_of(cohort)
    then = following.after_budget(cohort, statement.room)
    console.result(statement.to_json(), *_lines(statement), then=then)
    return 0


def _lines(statement: "Statement") -> list[str]:
    left = (
        f"one more run of up to about epsilon {statement.room:.3g} fits" if statement.room else "no further run fits"
    )
    lines = [
        f"spent: {statement.spend}, composed {statement.composition}"
        + (f"; epsilon {statement.proven:.3g} is proven, by a Renyi filter" if len(statement.runs) > 1 else ""),
        f"cap: epsilon {statement.max_epsilon:g} at that delta; {left}",
    ]
    lines += [
        f"  {run.date}  {run.run_id}  epsilon {run.spend.epsilon:.3g} alone, {run.queries} noisy queries, {run.state}"
        for run in statement.runs
    ]
    looked = f"{statement.audits} audits, {statement.attempts} attempts counted"
    lines.append(f"{len(statement.runs)} runs charged; {looked}")
    if statement.site is None:
        return [
            *lines,
            "no site anchor: a copy of this folder that was put back would not be noticed, nor forged lines",
        ]
    shared = len(statement.site.connected)
    return [
        *lines,
        f"site anchor: knows all entries; {statement.site.cohorts} cohorts, {shared} others share members with it"
        + (", and what they spent is counted above" if shared else ""),
    ]
