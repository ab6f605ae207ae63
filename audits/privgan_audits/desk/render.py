"""A page of the desk as one HTML file and its content security policy: no script, one style, by its digest."""

from dataclasses import dataclass
from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from privgan.language import language, tag, tr
from privgan.languages.pages import page_environment, source_of
from privgan_audits.desk.page import Page
from privgan_audits.report.write import style_sheets


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """html: the page. csp: for its header."""

    html: str
    csp: str


def render(page: Page) -> Rendered:
    """One page in the current language; every value is escaped, a missing one is an error."""
    style = _style(language())
    own = Markup(style)  # noqa: S704 our own file; as text it would be escaped
    html = _environment().get_template(page.template).render(page=page, style=own, language=tag())
    return Rendered(html=html, csp=_csp(style))


@cache
def _environment() -> Environment:
    """The desk's templates over the report's, whose parts they use."""
    environment = page_environment("privgan_audits.desk", over="privgan_audits.report")
    environment.globals["tr"] = tr
    return environment


@cache
def _style(_: str) -> str:
    """As the report's in this language, which is the current one, and the desk's own."""
    sheets = (_environment().get_template(name).render() for name in (*style_sheets(), "desk.css"))
    return "\n".join(sheets)


@cache
def _csp(style: str) -> str:
    allowed = f"img-src data:; style-src '{source_of(style)}'; form-action 'self'"
    return f"default-src 'none'; {allowed}; base-uri 'none'; frame-ancestors 'none'"
