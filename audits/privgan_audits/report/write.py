"""Writes a report: audit.json for machines, one page for the hospital, one that may leave, and its pictures.

Rendering only: nothing is measured and nothing is judged here. The pages are single files without scripts,
and a content security policy forbids whatever might still get in.
"""

from dataclasses import replace
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from privgan.errors import IntegrityError
from privgan.files import PRIVATE_FILE, SHAREABLE_FILE, sha256_file, write_json, write_text
from privgan_audits.approval import RECORD
from privgan_audits.judged import read_record, require_consistent
from privgan_audits.record import Record
from privgan_audits.report.gallery import Gallery, read_gallery, write_gallery
from privgan_audits.report.page import Page
from privgan_audits.report.sign_off import sign_off
from privgan_audits.report.view import internal_page, public_page
from privgan_audits.statement import ledger_of

INTERNAL_PAGE, PUBLIC_PAGE = "audit.html", "audit-public.html"


def write_report(folder: Path, record: Record, gallery: Gallery | None) -> str:
    """Write audit.json, audit.html, audit-public.html and the pictures.

    Args:
        folder: an existing, private folder (a staged one).
        record: the JSON of the audit, as judged.
        gallery: pictures for the internal page.

    Returns:
        The hex SHA-256 of audit.json, which the cohort's ledger remembers.
    """
    content = {**record, "gallery_sha256": write_gallery(folder, gallery)}
    write_json(folder / RECORD, content, PRIVATE_FILE)
    digest = sha256_file(folder / RECORD)
    _write_pages(folder, content, digest, gallery)
    return digest


def render_again(folder: Path, cohort: Path | None = None) -> Record:
    """Draw both pages of a report again from its audit.json and its pictures.

    Args:
        folder: the report.
        cohort: whose ledger is asked; without it only edits that contradict something else in the file are found.

    Raises:
        UsageError: there is no such folder.
        IntegrityError: audit.json or the pictures were edited, or the cohort's ledger does not know the record.
    """
    record, digest = read_record(folder)
    if cohort is not None:
        _require_known(cohort, digest)
    require_consistent(record)
    try:
        gallery = read_gallery(folder, record["gallery_sha256"]) if record["gallery_sha256"] else None
        _write_pages(folder, record, digest, gallery)
    except (KeyError, TypeError, AttributeError, ValueError):
        raise IntegrityError("Expected audit.json as the audit wrote it, a field of it is missing or odd.") from None
    return record


def _require_known(cohort: Path, digest: str) -> None:
    if digest not in {entry["report_sha256"] for entry in ledger_of(cohort).of_kind("audit")}:
        raise IntegrityError("Expected an audit that this cohort's ledger knows; this record is edited or foreign.")


def render(page: Page) -> str:
    """One page as a single HTML file; every value is escaped, a missing one is an error."""
    environment = Environment(
        loader=PackageLoader("privgan_audits.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # The style sheet is our own file; as text it would be escaped.
    style = Markup(environment.get_template("style.css").render())  # noqa: S704
    return environment.get_template("report.html.j2").render(page=page, style=style)


def _write_pages(folder: Path, record: Record, digest: str, gallery: Gallery | None) -> None:
    inside = replace(internal_page(record, digest, gallery), approval=tuple(sign_off(folder, digest)))
    write_text(folder / INTERNAL_PAGE, render(inside), PRIVATE_FILE)
    write_text(folder / PUBLIC_PAGE, render(public_page(record)), SHAREABLE_FILE)
