"""report: the pages of a finished audit once more, from its record."""

from pathlib import Path
from typing import Annotated

import typer

from privgan.language import by_default, tr
from privgan_cli import before
from privgan_cli.console import console
from privgan_cli.line import following


def report(
    report: Annotated[Path, typer.Argument(help="A report folder.")],
    cohort: Annotated[Path | None, typer.Option(help="Ask this cohort's ledger whether it knows the record.")] = None,
) -> int:
    """Draw a report's two pages again from its audit.json, and refuse one that contradicts itself."""
    from privgan_audits.record import language_of

    before.sign(report, cohort)
    from privgan_audits.release.render_again import render_again
    from privgan_audits.report.write import INTERNAL_PAGE, PUBLIC_PAGE
    from privgan_audits.telling.strength import strength_of
    from privgan_audits.telling.verdict import verdict_line_of

    record = render_again(report, cohort)
    inside, outside = report / INTERNAL_PAGE, report / PUBLIC_PAGE
    with by_default(language_of(record)):
        console.result(
            {
                "verdict": record["verdict"],
                "strength": strength_of(record, inside=True).word,
                "scope": record["scope"],
                "internal": str(inside),
                "public": str(outside),
            },
            verdict_line_of(record),
            tr("drawn again: {inside} (internal), {outside} (may be shared)", inside=inside, outside=outside),
            then=following.after_audit(report, record=record, cohort=cohort),
        )
    return 0
