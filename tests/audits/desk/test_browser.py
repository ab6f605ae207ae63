"""The whole decision in a real browser, with the keyboard alone, on a telephone's width; axe looks at every page."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from privgan_audits.release.approval import APPROVAL, REJECTION
from tests.audits.desk.client import OTHERS, PASSPHRASE, make_desk_gate, next_month, open_desk, words
from tests.audits.releasing import Gate, copied
from tests.audits.report.browser import browsing, needs_browser, require_layout

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

pytestmark = needs_browser
NARROW: "ViewportSize" = {"width": 375, "height": 800}
WIDE: "ViewportSize" = {"width": 1280, "height": 900}
MOST_TABS = 80


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with browsing() as opened:
        yield opened


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    return make_desk_gate(tmp_path_factory.mktemp("desk"), locked=True)


def tab_to(page: "Page", selector: str) -> None:
    """Press Tab until the element has the focus, which is seen."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"the focus on {selector} is not seen"
            return
    pytest.fail(f"Tab never reaches {selector} on {page.url}")


def type_into(page: "Page", selector: str, text: str) -> None:
    tab_to(page, selector)
    page.keyboard.type(text)


def press(page: "Page", selector: str) -> None:
    """Press Enter on a link or a button, and wait for what comes."""
    tab_to(page, selector)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def keyed(day: str) -> str:
    """A day as it is typed into a browser's field in American English."""
    year, month, of_month = day.split("-")
    return month + of_month + year


class Watched:
    """A page that is looked at by axe and by its width wherever it is; what it asked for and said is kept."""

    def __init__(self, page: "Page", *schemes: Literal["light", "dark"]) -> None:
        self.page, self.asked, self.said = page, list[str](), list[str]()
        self.schemes = schemes or ("light",)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))

    def check(self, heading: str) -> None:
        """This is the page, nothing sticks out of it sideways, and axe finds nothing wrong with it, light or dark."""
        from axe_playwright_python.sync_playwright import Axe

        page = self.page
        assert page.locator("h1").inner_text() == heading
        require_layout(page)
        for scheme in self.schemes:
            page.emulate_media(color_scheme=scheme)
            found = Axe().run(page).response["violations"]
            nodes = [(each["id"], json.dumps(node["target"])) for each in found for node in each["nodes"]]
            assert nodes == [], (heading, scheme)

    def kept_to(self, origin: str) -> bool:
        """Whether nothing was asked of anybody but this desk."""
        return all(url.startswith((f"{origin}/", "data:")) for url in self.asked)


def new_page(browser: "Browser", **context: Any) -> "Page":
    """Axe is a script, and the desk's pages run none: only a page that ignores its policy can be looked at by it."""
    return browser.new_page(bypass_csp=True, locale="en-US", **context)


def test_an_approval_by_keyboard_alone(browser: "Browser", untouched: Gate, tmp_path: Path) -> None:
    """Each page is looked at in both colour schemes."""
    gate = copied(untouched, tmp_path / "gate")
    short = gate.record()["synthetic"]["sha256"][:12]
    said = words()
    with open_desk(gate) as desk, new_page(browser, viewport=NARROW) as page:
        watched = Watched(page, "light", "dark")
        page.goto(desk.address)
        page.wait_for_selector("text=Chests for teaching")
        watched.check("Chests for teaching")
        press(page, "a.button")
        watched.check("Which of these are the same patient?")
        tab_to(page, f'input[name="pair"][value="{OTHERS[0]}"]')
        page.keyboard.press("Space")
        tab_to(page, 'input[name="looked"]')
        page.keyboard.press("Space")
        press(page, "button")
        watched.check("For whom, what for, and until when?")
        assert "You ticked 0 of 6 pairs of members, and 1 of 6" in page.content()
        tab_to(page, "summary")
        page.keyboard.press("Enter")
        assert page.locator("td", has_text="non-member").first.is_visible()
        for name in ("officer", "purpose", "recipient"):
            type_into(page, f"#{name}", said[name])
        type_into(page, "#until", keyed(next_month()))
        type_into(page, "#reason-0", said["reason-0"])
        press(page, "button")
        watched.check("You are about to sign")
        type_into(page, "#typed", "PASS")
        type_into(page, "#passphrase", PASSPHRASE)
        press(page, "button")
        watched.check("You are about to sign")
        assert "not signed" in page.locator("[role=alert]").inner_text()
        focused = page.evaluate("document.activeElement.getAttribute('role')")
        assert focused == "alert", "the focus is on what is wrong"
        assert page.locator("#passphrase").input_value() == ""
        tab_to(page, "#typed")
        page.keyboard.press("Control+A")
        page.keyboard.type(f"PASS {short}")
        type_into(page, "#passphrase", PASSPHRASE)
        press(page, "button")
        watched.check("What was signed")
        assert "Dr. Ada Byron" in page.content()
        told = desk.closed()["reports"][0]
        assert watched.kept_to(desk.visitor.origin)
        assert [line for line in watched.said if "status of 422" not in line] == [], "but that nothing was signed yet"
    assert told["until"] == next_month()
    assert (gate.root / "report" / APPROVAL).exists()


def test_a_rejection_by_keyboard_alone_in_chinese(browser: "Browser", untouched: Gate, tmp_path: Path) -> None:
    gate = copied(untouched, tmp_path / "gate")
    options = ("--language", "zh")
    with open_desk(gate, *options) as desk, new_page(browser, viewport=NARROW) as page:
        watched = Watched(page)
        page.goto(desk.address)
        page.wait_for_selector("text=Chests for teaching")
        assert page.evaluate("document.documentElement.lang") == "zh-Hans"
        press(page, ".aside a")
        watched.check("永久否决该数据集")
        type_into(page, "#officer", "王医生，隐私负责人")
        type_into(page, "#reason", "接收方没有合同")
        type_into(page, "#passphrase", PASSPHRASE)
        tab_to(page, 'input[name="final"]')
        page.keyboard.press("Space")
        press(page, "button")
        watched.check("已签署的内容")
        told = desk.closed()["reports"][0]
    assert (told["officer"], told["reason"]) == ("王医生，隐私负责人", "接收方没有合同")
    assert (gate.root / "report" / REJECTION).exists()


def test_reports_side_by_side(browser: "Browser", untouched: Gate, tmp_path: Path) -> None:
    """Two of them beside each other where there is room, below each other where there is none."""
    gate = copied(untouched, tmp_path / "gate")
    shutil.copytree(gate.root / "report", gate.root / "again")
    with open_desk(gate, reports=("report", "again")) as desk, new_page(browser, viewport=WIDE) as page:
        watched = Watched(page)
        page.goto(desk.address)
        page.wait_for_selector("article")
        for viewport in (WIDE, NARROW):
            page.set_viewport_size(viewport)
            watched.check("Which of these sets may leave?")
            first, second = (page.locator("article").nth(index).bounding_box() or {} for index in (0, 1))
            beside = first["y"] == second["y"]
            assert beside == (viewport == WIDE)
        press(page, "article:nth-child(2) a")
        page.set_viewport_size(WIDE)
        watched.check("Chests for teaching")
        press(page, "header p a")
        press(page, "button.quiet")
        watched.check("The officer's desk")
        desk.closed()


def test_a_script_that_got_in_would_not_run(browser: "Browser", untouched: Gate, tmp_path: Path) -> None:
    """The control of the policy: with it in force, a planted script is blocked and the style is not."""
    gate = copied(untouched, tmp_path / "gate")
    with open_desk(gate) as desk, browser.new_page(viewport=WIDE) as page:
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))

        def plant(route: Any) -> None:
            answer = route.fetch()
            route.fulfill(
                response=answer, body=answer.text().replace("</main>", "<script>window.ran = 1</script></main>")
            )

        page.goto(desk.address)
        page.wait_for_selector("text=Chests for teaching")
        assert said == [], "the style is the one that the policy names"
        page.route("**/1", plant)
        page.reload()
        assert page.evaluate("window.ran") is None
        assert any("Content Security Policy" in line for line in said)
