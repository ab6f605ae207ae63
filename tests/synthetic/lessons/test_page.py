"""The lesson page: it asks for nothing, can be used by keyboard and read by everybody, and tells a right answer."""

import base64
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from privgan.errors import UsageError
from privgan.images.stored import as_stored, with_channels
from privgan.synthetic.lessons.page import Lesson, lesson_page
from tests.audits.hostile import ATTACK
from tests.audits.report.browser import browsing, needs_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

STAGES = ("I", "II", "III")
WIDE, NARROW = {"width": 1100, "height": 900}, {"width": 375, "height": 800}


def lesson(patients: int = 2, **changes: object) -> Lesson:
    """Grey images whose middle grows brighter from stage to stage."""
    images = np.full((patients, 3, 16, 16), 60, np.uint8)
    images += 10 * np.arange(patients, dtype=np.uint8)[:, None, None, None]
    images[:, :, 4:12, 4:12] += 60 * np.arange(3, dtype=np.uint8)[None, :, None, None]
    rows = with_channels(images.reshape(-1, 16, 16))
    return Lesson(**{"images": rows, "column": "stage", "stages": STAGES, "source": "Of the test."} | changes)


def test_every_image_is_in_the_page_as_it_is_and_nothing_comes_from_elsewhere() -> None:
    shown = lesson()
    html = lesson_page(shown)
    found = [base64.b64decode(each) for each in re.findall(r'src="data:image/png;base64,([^"]+)"', html)]
    read = np.stack([np.asarray(Image.open(io.BytesIO(each))) for each in found])
    np.testing.assert_array_equal(read, as_stored(shown.images))
    assert not re.findall(r"https?://", html)
    assert lesson_page(shown) == html


def test_hostile_names_are_text() -> None:
    html = lesson_page(lesson(column=ATTACK[:64], stages=("<b>", '"quoted"', "</script>")))
    assert "<b>" not in html
    assert html.count("</script>") == 2
    (said,) = re.findall(r'<script type="application/json" id="said">(.*?)</script>', html)
    assert ATTACK[:64] in json.loads(said)["described"]


@pytest.mark.parametrize("stages", [("I",), ("I", "II", "III", "IV"), ("I", "II", "")])
def test_what_is_no_sequence_is_refused(stages: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="stages"):
        lesson(stages=stages)


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with browsing() as opened:
        yield opened


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("lesson") / "lesson.html"
    target.write_text(lesson_page(lesson()), "utf-8")
    return target


def _shown(page: "Page") -> list[int]:
    """The brightness of the middle and of a corner."""
    return list(
        page.evaluate(
            "[[8, 8], [1, 1]].map(([x, y]) => "
            "document.querySelector('canvas').getContext('2d').getImageData(x, y, 1, 1).data[0])"
        )
    )


@needs_browser
def test_a_keyboard_moves_through_the_stages_and_the_page_asks_for_nothing(browser: "Browser", path: Path) -> None:
    with browser.new_page(viewport=WIDE) as page:
        asked: list[str] = []
        said: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"file://{path}")
        page.wait_for_function("document.querySelector('canvas').width === 16")
        assert _shown(page) == [60, 60]
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        assert page.locator("#name").text_content() == "II"
        assert _shown(page) == [120, 60]
        page.keyboard.press("ArrowRight")
        assert _shown(page) == [180, 60]
        assert page.locator("canvas").get_attribute("aria-label") == "Patient 1, stage III"
        page.locator("#changed").check()
        middle, corner = page.evaluate(
            "[[8, 8], [1, 1]].map(([x, y]) => "
            "[...document.querySelector('canvas').getContext('2d').getImageData(x, y, 1, 1).data])"
        )
        assert middle[0] > middle[2] + 50, "what became brighter is orange"
        assert max(corner[:3]) - min(corner[:3]) < 3, "what did not change is grey"
        assert page.locator("#legend").is_visible()
        assert [url for url in asked if not url.startswith("data:")] == [f"file://{path}"]
        assert said == []


@needs_browser
def test_who_tests_themselves_is_told_right_from_wrong_and_sees_no_name_before(
    browser: "Browser", path: Path
) -> None:
    with browser.new_page(viewport=NARROW, has_touch=True) as page:
        page.goto(f"file://{path}")
        page.wait_for_function("document.querySelector('canvas').width === 16")
        page.locator("#test").check()
        assert not page.locator("#mover").is_visible()
        assert not page.locator("#all").is_visible()
        for number in range(4):
            middle, corner = _shown(page)
            stage, wrong = (middle - corner) // 60, number % 2
            assert STAGES[stage] not in (page.locator("canvas").get_attribute("aria-label") or "").split()
            page.locator("#quiz input").nth((stage + wrong) % 3).tap()
            page.locator("#check").tap()
            expected = f"This is {STAGES[stage]}." if wrong else f"Right: {STAGES[stage]}."
            right = f"{number // 2 + 1} of {number + 1} right so far."
            assert page.locator("#verdict").text_content() == f"{expected} {right}"
            page.locator("#next").tap()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("testing", [False, True])
def test_axe_finds_no_violation(browser: "Browser", path: Path, scheme: str, testing: bool) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with browser.new_page(bypass_csp=True, viewport=NARROW, color_scheme=scheme) as page:  # type: ignore[arg-type]
        page.goto(f"file://{path}")
        page.wait_for_function("document.querySelector('canvas').width === 16")
        page.locator("#test" if testing else "#changed").check()
        if not testing:
            page.locator("summary").click()
        assert Axe().run(page).response["violations"] == []


@needs_browser
def test_without_script_every_image_is_there(browser: "Browser", path: Path) -> None:
    with browser.new_page(viewport=WIDE, java_script_enabled=False) as page:
        page.goto(f"file://{path}")
        assert not page.locator("#viewer").is_visible()
        assert page.locator("td img").count() == 6
        assert page.locator("td img").first.is_visible()
