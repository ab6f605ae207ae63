"""Writes the three files of a report: audit.json for machines, one page for the hospital, one that may leave.

Rendering only: nothing is measured and nothing is judged here. The pages are single files without scripts,
and a content security policy forbids whatever might still get in.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from privgan.dp.tradeoff import tpr_bound, tpr_bound_at
from privgan.files import PRIVATE_FILE, SHAREABLE_FILE, sha256_file, write_json, write_text
from privgan_audits.interface import Evidence
from privgan_audits.report.page import Page
from privgan_audits.report.pictures import charts, closest_pairs
from privgan_audits.report.view import Record, internal_page, public_page

RECORD, INTERNAL_PAGE, PUBLIC_PAGE = "audit.json", "audit.html", "audit-public.html"
BOUND_FPR = np.geomspace(1e-3, 1.0, 121)
_ONE_PERCENT = int(np.argmin(np.abs(BOUND_FPR - 0.01)))


def write_report(folder: Path, record: Record, internal: Mapping[str, Any], evidence: Evidence | None) -> str:
    """Write audit.json, audit.html and audit-public.html.

    Args:
        folder: an existing, private folder (a staged one).
        record: the JSON of the audit, as judged.
        internal: per test, what only the internal page may show: rows of closest pairs, values of patients.
        evidence: what was audited; without it the pages have no pictures and no ledger.

    Returns:
        The hex SHA-256 of audit.json, which the cohort's ledger remembers.
    """
    ledger = evidence.ledger if evidence else None
    bound = _attack_bound(record, evidence)
    ceiling = None if bound is None else float(bound[_ONE_PERCENT])
    inside = internal_page(
        record,
        ledger=ledger,
        ceiling=ceiling,
        charts=charts(record, internal, BOUND_FPR, bound),
        pairs=closest_pairs(internal, evidence),
    )
    write_json(folder / RECORD, dict(record), PRIVATE_FILE)
    write_text(folder / INTERNAL_PAGE, render(inside), PRIVATE_FILE)
    outside = public_page(record, ledger=ledger, ceiling=ceiling)
    write_text(folder / PUBLIC_PAGE, render(outside), SHAREABLE_FILE)
    return sha256_file(folder / RECORD)


def render(page: Page) -> str:
    """One page as a single HTML file; every value is escaped, a missing one is an error."""
    environment = Environment(
        loader=PackageLoader("privgan_audits.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    # The style sheet is our own file; as text it would be escaped.
    style = Markup(environment.get_template("style.css").render())  # noqa: S704
    return environment.get_template("report.html.j2").render(page=page, style=style)


def _attack_bound(record: Record, evidence: Evidence | None) -> Any:
    """The accountant's ceiling on any attack at BOUND_FPR, float64 (121,); None without a privacy claim."""
    privacy = record["privacy"]
    if privacy["epsilon"] is None:
        return None
    queries = evidence.ledger.queries() if evidence is not None and evidence.ledger is not None else []
    if queries:  # a claim without a charge has only its own word
        return tpr_bound(queries, BOUND_FPR)
    return tpr_bound_at(float(privacy["epsilon"]), float(privacy["delta"]), BOUND_FPR)
