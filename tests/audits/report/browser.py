"""A real browser for the report's pages: Debian's chromium, driven by playwright; without them tests skip."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="Debian's package chromium is not installed (.ci/run installs it)"
)
# Without these, chromium looks for its maker's servers at every start.
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Boxes of all texts' lines, of which two may share a fifth of the lower one's height: letters leave that much free.
_ON_ANOTHER = """() => {
    const boxes = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const text = texts.currentNode;
        if (!text.data.trim() || !text.parentElement.checkVisibility({visibilityProperty: true})) continue;
        const range = document.createRange();
        range.selectNodeContents(text);
        for (const box of range.getClientRects()) boxes.push([box, text]);
    }
    const found = [];
    boxes.forEach(([one, text], place) => boxes.slice(place + 1).forEach(([other, another]) => {
        const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
        const tall = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
        const free = 0.2 * Math.min(one.height, other.height);
        if (text !== another && wide > 2 && tall > free) found.push([text.data.trim(), another.data.trim()]);
    }));
    return found;
}"""


@contextmanager
def browsing() -> Iterator["Browser"]:
    """A browser; its pages come from `browser.new_page(...)`, each with a context of its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def require_layout(page: "Page") -> None:
    """Nothing sticks out of the page sideways, and no text lies on another."""
    assert page.viewport_size is not None
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    found = page.evaluate(_ON_ANOTHER)
    assert found == [], found
