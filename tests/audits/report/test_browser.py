"""The pages in a real browser: they ask for nothing, complain about nothing, and can be read by everybody."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.audits.report.browser import browsing, needs_browser, require_layout
from tests.audits.report.reading import written
from tests.audits.report.recorded import record

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = needs_browser
TIERS = ("audit.html", "audit-public.html")
NARROW = {"width": 375, "height": 800}
WIDE = {"width": 1100, "height": 900}
A4_WIDTH_PX = 794


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser") / "report"
    written(folder, record("FAIL"))
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with browsing() as opened:
        yield opened


@pytest.mark.parametrize("tier", TIERS)
def test_no_request_leaves_the_page_and_the_console_is_silent(browser: "Browser", report: Path, tier: str) -> None:
    """The only request is for the file itself; a planted picture from outside would be blocked and noticed."""
    with browser.new_page(viewport=WIDE) as page:
        asked: list[str] = []
        said: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.goto(f"file://{report / tier}")
        assert [url for url in asked if not url.startswith("data:")] == [f"file://{report / tier}"]
        assert said == []
        planted = (
            (report / tier).read_text().replace("</main>", '<img src="http://127.0.0.1:9/x.png" alt="x"></main>')
        )
        (report / "planted.html").write_text(planted)
        page.goto(f"file://{report / 'planted.html'}")
        page.wait_for_timeout(200)
        assert any("Content Security Policy" in line for line in said)


def violations(browser: "Browser", page_path: Path, **context: Any) -> Iterator[str]:
    """What axe finds, one line each."""
    from axe_playwright_python.sync_playwright import Axe

    with browser.new_page(bypass_csp=True, **context) as page:  # axe is a script; the page itself would not run it
        page.goto(f"file://{page_path}")
        for found in Axe().run(page).response["violations"]:
            for node in found["nodes"]:
                yield f"{found['id']}: {json.dumps(node['target'])} {node.get('failureSummary', '')}"


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(("viewport", "scheme"), [(WIDE, "light"), (NARROW, "dark")], ids=["wide", "narrow"])
def test_axe_finds_no_violation(
    browser: "Browser", report: Path, tier: str, scheme: str, viewport: dict[str, int]
) -> None:
    """Contrast, names, landmarks, headings, tables: in both colour schemes and on a telephone.

    Colours do not change with the width, so that each of either is looked at once.
    """
    assert list(violations(browser, report / tier, color_scheme=scheme, viewport=viewport)) == []


def test_axe_would_find_a_violation(browser: "Browser", report: Path) -> None:
    """The control: grey on white, and a picture without words."""
    text = (report / TIERS[0]).read_text()
    spoiled = text.replace("</main>", '<p style="color:#ccc">pale words</p><img src="data:image/png;base64,"></main>')
    (report / "spoiled.html").write_text(spoiled)
    found = " ".join(violations(browser, report / "spoiled.html", color_scheme="light", viewport=WIDE))
    assert "color-contrast" in found
    assert "image-alt" in found


@pytest.mark.parametrize("tier", TIERS)
def test_every_link_and_scrolling_table_is_reached_by_the_keyboard(
    browser: "Browser", report: Path, tier: str
) -> None:
    """Tab goes through all of them in order, starting with the link that skips the summary, and focus is visible."""
    with browser.new_page(viewport=WIDE) as page:
        page.goto(f"file://{report / tier}")
        wanted = page.evaluate("document.querySelectorAll('a[href], [tabindex=\"0\"]').length")
        reached = []
        for _ in range(wanted):
            page.keyboard.press("Tab")
            reached.append(
                page.evaluate(
                    "(() => { const e = document.activeElement; const s = getComputedStyle(e);"
                    " return [e.tagName, e.className, s.outlineStyle]; })()"
                )
            )
        assert reached[0][:2] == (
            ["A", "skip"] if tier == "audit.html" else ["DIV", "scroll"]
        )  # one sheet skips nothing
        assert {tag for tag, _, _ in reached} == ({"A", "DIV"} if tier == "audit.html" else {"DIV"})
        assert {style for _, _, style in reached} == {"solid"}


@pytest.mark.parametrize("tier", TIERS)
def test_nothing_sticks_out_sideways(browser: "Browser", report: Path, tier: str) -> None:
    with browser.new_page(viewport=WIDE) as page:
        page.goto(f"file://{report / tier}")
        for width in (1100, 768, 375, 320):
            page.set_viewport_size({"width": width, "height": 800})
            require_layout(page)


def test_prints_on_a4_with_the_verdict_on_a_page_of_its_own(browser: "Browser", report: Path, tmp_path: Path) -> None:
    """The first printed page holds verdict, tiles, next steps and questions, whole; nothing is cut off sideways."""
    with browser.new_page(viewport={"width": A4_WIDTH_PX, "height": 1123}) as page:
        page.goto(f"file://{report / TIERS[0]}")
        page.emulate_media(media="print")
        top, bottom = page.evaluate(
            "[document.querySelector('h1').getBoundingClientRect().top,"
            " document.querySelector('#glance').parentElement.getBoundingClientRect().bottom]"
        )
        assert bottom - top < (297 - 14 - 16) / 25.4 * 96
        require_layout(page)
        page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)
    content = (tmp_path / "page.pdf").read_bytes()
    assert content.count(b"/MediaBox [0 0 594") + content.count(b"/MediaBox [0 0 595") >= 3
