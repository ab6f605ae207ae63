"""budget: what a cohort has spent, what is left, and what was done with one patient's images."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from privgan.language import to_tr, tr
from privgan_cli.console import console
from privgan_cli.line import following

if TYPE_CHECKING:
    from privgan.account import SiteLine, Statement

_SIDES = to_tr(
    {
        "member": "a member of this cohort: every run charged to it may have drawn from this patient",
        "non-member": "held back for the audit: no run has learned from this patient",
        None: "unknown to this cohort",
    }
)
_STATES = to_tr({"open": "open", "closed": "closed", "replayable": "replayable"})


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
            tr(_SIDES[answer.side]),
            *_runs(answer.runs),
            *(
                line
                for other, runs in answer.elsewhere.items()
                for line in (tr("a member of cohort {cohort} of this site", cohort=other), *_runs(runs))
            ),
        )
        return 0
    statement = statement_of(cohort)
    then = following.after_budget(cohort, statement.room)
    console.result(statement.to_json(), *_lines(statement), then=then)
    return 0


def _runs(names: Iterable[str]) -> Iterator[str]:
    return (tr("  run {name}", name=name) for name in names)


def _lines(statement: "Statement") -> list[str]:
    return [
        _spent(statement),
        tr(
            "cap: epsilon {most} at that delta; {left}",
            most=f"{statement.max_epsilon:g}",
            left=tr("one more run of up to about epsilon {epsilon} fits", epsilon=f"{statement.room:.3g}")
            if statement.room
            else tr("no further run fits"),
        ),
        *(
            tr(
                "  {day}  {name}  epsilon {epsilon} alone, {queries} noisy queries, {state}",
                day=run.date,
                name=run.run_id,
                epsilon=f"{run.spend.epsilon:.3g}",
                queries=run.queries,
                state=tr(_STATES[run.state]),
            )
            for run in statement.runs
        ),
        tr(
            "runs charged: {runs}; audits counted: {audits}, attempts: {attempts}",
            runs=len(statement.runs),
            audits=statement.audits,
            attempts=statement.attempts,
        ),
        _anchored(statement.site),
    ]


def _spent(statement: "Statement") -> str:
    composition = tr(statement.composition)
    if len(statement.runs) < 2:
        return tr("spent: {spend}, composed {composition}", spend=statement.spend, composition=composition)
    return tr(
        "spent: {spend}, composed {composition}; epsilon {proven} is proven, by a Renyi filter",
        spend=statement.spend,
        composition=composition,
        proven=f"{statement.proven:.3g}",
    )


def _anchored(site: "SiteLine | None") -> str:
    if site is None:
        return tr("no site anchor: a copy of this folder that was put back would not be noticed, nor forged lines")
    if not site.connected:
        return tr(
            "site anchor: knows all entries; {cohorts} cohorts, 0 others share members with it", cohorts=site.cohorts
        )
    return tr(
        "site anchor: knows all entries; {cohorts} cohorts, {others} others share members with it, and what they "
        "spent is counted above",
        cohorts=site.cohorts,
        others=len(site.connected),
    )
