"""Writes a report: audit.json for machines, one page for the hospital, one that may leave, and its pictures.

Rendering only: nothing is measured and nothing is judged here. The pages are single files without scripts,
and a content security policy forbids whatever might still get in.
"""

from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup

from privgan.files import PRIVATE_FILE, SHAREABLE_FILE, sha256_file, write_json, write_text
from privgan.language import AS_WRITTEN, by_default, language, tag, tr
from privgan.languages.pages import page_environment
from privgan_audits.record import RECORD, Record, language_of
from privgan_audits.report.gallery import Gallery, write_gallery
from privgan_audits.report.page import Page
from privgan_audits.report.public import PublicPage, public_page
from privgan_audits.report.view import internal_page
from privgan_audits.telling.words import Fact

INTERNAL_PAGE, PUBLIC_PAGE = "audit.html", "audit-public.html"


def write_report(folder: Path, record: Record, gallery: Gallery | None, *, salt: str) -> str:
    """Write audit.json, audit.html, audit-public.html and the pictures.

    The digest of audit.json leaves with a bundle and the officer's approval. Without something in it that nobody
    else knows, whoever knows all patients but one could compute it for either case and compare.

    Args:
        folder: an existing, private folder (a staged one).
        record: the JSON of the audit, as judged.
        gallery: pictures for the internal page.
        salt: of `record.SALT_BYTES` random bytes, hex; never told outside.

    Returns:
        The hex SHA-256 of audit.json, which the cohort's ledger remembers.
    """
    content = {**record, "gallery_sha256": write_gallery(folder, gallery), "salt": salt}
    write_json(folder / RECORD, content, PRIVATE_FILE)
    digest = sha256_file(folder / RECORD)
    write_pages(folder, content, digest, gallery)
    return digest


def render(page: Page | PublicPage) -> str:
    """One page as a single HTML file in the current language; every value is escaped, a missing one is an error."""
    environment = page_environment("privgan_audits.report")
    environment.globals.update(tr=marked)
    return environment.get_template(page.template).render(page=page, style=style_of(environment), language=tag())


def style_of(environment: Environment) -> Markup:
    """The style of pages like the report's, of whoever has its templates, too, in the current language."""
    # Our own files; as text they would be escaped.
    return Markup("".join(environment.get_template(name).render() for name in style_sheets()))  # noqa: S704


def marked(sentence: str, **values: object) -> Markup:
    """A sentence of a template, which is our own and is not escaped, with values that are."""
    return Markup(tr(sentence)).format(**values)  # noqa: S704


def style_sheets() -> Iterator[str]:
    """The templates that a page's style is made of, the last one of the current language's own letters."""
    yield "style.css"
    if language() != AS_WRITTEN:
        yield f"style.{language()}.css"


def write_pages(
    folder: Path, record: Record, digest: str, gallery: Gallery | None, approval: tuple[Fact, ...] = ()
) -> None:
    """Write both pages, in the language of the record's policy if nobody chose another.

    approval: what the sign-off box says of the officer's approval.
    """
    with by_default(language_of(record)):
        inside = internal_page(record, digest, gallery, approval)
        write_text(folder / INTERNAL_PAGE, render(inside), PRIVATE_FILE)
        write_text(folder / PUBLIC_PAGE, render(public_page(record)), SHAREABLE_FILE)
