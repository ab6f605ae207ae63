"""The pages in Chinese: no English word is left, numbers are the same, layouts hold; in English nothing moved."""

import html
import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from privgan.language import speaking
from privgan.run import PriorNamed
from privgan_audits.policy import Policy
from privgan_audits.release.render_again import render_again
from privgan_audits.report.public import public_page
from privgan_audits.report.write import render, write_pages
from tests.audits.report.browser import browsing, needs_browser, require_layout
from tests.audits.report.recorded import GALLERY
from tests.audits.report.test_public import RELEASED
from tests.places import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

EXAMPLES = ROOT / "docs/examples"
NAMES = ("pass", "fail", "inconclusive", "invalid")
TIERS = ("audit.html", "audit-public.html")
PRIOR = PriorNamed(source="NIH ChestX-ray14", licence="CC0", images=112_120, sha256="a" * 64)
# Names that no language translates: verdicts, standards, measures, their authors, files, and what is typed.
STAND = {
    *("PASS", "FAIL", "INVALID", "INCONCLUSIVE", "privgan", "DICOM", "UID", "SOP", "Instance", "SHA", "JPEG", "MIDI"),
    *(
        "AUC",
        "TPR",
        "FPR",
        "DCR",
        "NNDR",
        "FID",
        "C_T",
        "Meehan",
        "Alaa",
        "et",
        "al",
        "Fréchet",
        "Rényi",
        "odds",
        "UTC",
    ),
    *("WP", "EDPB", "NIST", "SP", "CFR", "ISO", "IEC", "cxr", "npz", "patient_id", "audit", "json"),
    *("sha", "sum", "openssl", "VERIFY", "md", "BUNDLE", "NAME", "pub", "public", "key"),
    *("verify", "approve", "release", "report", "revoke", "plan", "REPORT", "private", "gallery"),
    *("augment", "docs", "results", "uses"),
}
CHOSEN = {"default", "own", "picture", "accept", "low", "power", "delta", "max_auc"}  # of policies, options, presets
COLUMNS = ("columns", "not_applicable")


def shown(page: str, *, charts: bool = True) -> str:
    """What a reader sees or hears of a page; charts: with their axes, whose ticks hang on the room that is left."""
    left = re.sub(r"<style>.*?</style>|data:image/png;base64,[\w+/=]*", "", page, flags=re.DOTALL)
    left = left if charts else re.sub(r"<svg.*?</svg>", "", left, flags=re.DOTALL)
    heard = re.findall(r'(?:alt|aria-label)="([^"]*)"', left)
    text = html.unescape(" ".join([re.sub(r"<[^>]*>", " ", left), *heard]))
    return re.sub(r"\b[0-9a-f]{8,}\b", "", text)  # digests


def words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_](?:[^\W\d]|'(?=\w))*[^\W\d_]", re.sub(r"[\u2e80-\u9fff]", " ", text)))


def said_by_the_hospital(record: dict[str, Any]) -> Iterator[str]:
    """Texts of its own: of the project, of classes and columns and their values, and of public images."""
    yield from (*record.get("project", {}).values(), *map(str, record.get("prior", {}).values()))
    yield from (name for test in record["tests"] for each in COLUMNS for name in test.get(each, {}))
    groups = (group for test in record["tests"] for group in test.get("groups", ()))
    yield from (group["value"] for group in groups)


def record_of(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((EXAMPLES / name / "audit.json").read_text())
    return content


def with_more(record: dict[str, Any]) -> dict[str, Any]:
    """As of a cohort with a column and of a run with public images."""
    tests = []
    for test in record["tests"]:
        more = dict(test)
        if test["id"] == "T8":
            more["columns"] = {**test["columns"], "sex": test["columns"]["label"]}
            more["not_applicable"] = {"age": "known for fewer than 10 members or non-members"}
        if test["id"] == "T11":
            more |= {"outcome": "measured", "exact_copies": 0, "near_copies": 0, "compared_public_images": 112_120}
            del more["reason"]
        tests.append(more)
    policy = Policy(max_auc=0.6, house="Anytown Hospital").to_json()
    return {**record, "tests": tests, "prior": asdict(PRIOR), "policy": policy, "overrides": ["accept-delta"]}


RECORDS = {**{name: record_of(name) for name in NAMES}, "more": with_more(record_of("pass"))}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both pages of every record, in both languages."""
    root = tmp_path_factory.mktemp("languages")
    for language in ("en", "zh"):
        for name, record in RECORDS.items():
            folder = root / language / name
            folder.mkdir(parents=True)
            with speaking(language):
                write_pages(folder, record, "d" * 64, None if name == "more" else gallery_of(record))
    return root


def gallery_of(record: dict[str, Any]) -> Any:
    """Pictures whose distances are told as an audit tells them; none where the record has none."""
    if not record["gallery_sha256"]:
        return None
    told = ("identical pixels", "12 %, by embedding", "9 %, by small parts", "identical but for brightness")
    pairs = [replace(pair, how=told[place % len(told)]) for place, pair in enumerate(GALLERY.blinded)]
    return replace(GALLERY, identical=(replace(GALLERY.identical[0], how=told[0]),), blinded=tuple(pairs))


@pytest.mark.parametrize("name", NAMES)
def test_english_pages_are_the_committed_ones(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    subprocess.run(["cp", "-r", str(EXAMPLES / name), str(folder)], check=True)
    for tier in TIERS:
        (folder / tier).unlink()
    render_again(folder)
    for tier in TIERS:
        assert (folder / tier).read_bytes() == (EXAMPLES / name / tier).read_bytes()


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("name", RECORDS)
def test_no_english_word_is_left(pages: Path, name: str, tier: str) -> None:
    page = (pages / "zh" / name / tier).read_text()
    assert '<html lang="zh-Hans">' in page
    own = " ".join(said_by_the_hospital(RECORDS[name]))
    assert words(shown(page)) - STAND - CHOSEN - words(f"{own} {own.title()}") == set()


def test_an_english_word_would_be_seen(pages: Path) -> None:
    """The control: the English page has hundreds."""
    assert len(words(shown((pages / "en/pass/audit.html").read_text())) - STAND) > 400


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("name", RECORDS)
def test_numbers_are_the_same(pages: Path, name: str, tier: str) -> None:
    english, chinese = (
        Counter(re.findall(r"\d(?:[\d,.]*\d)?", shown((pages / language / name / tier).read_text(), charts=False)))
        for language in ("en", "zh")
    )
    assert english == chinese
    assert sum(english.values()) > 10


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with browsing() as opened:
        yield opened


@needs_browser
@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("name", ["pass", "more"])
def test_nothing_sticks_out_sideways(browser: "Browser", pages: Path, name: str, tier: str, width: int) -> None:
    with browser.new_page(viewport={"width": width, "height": 800}) as page:
        page.goto(f"file://{pages / 'zh' / name / tier}")
        require_layout(page)


@needs_browser
@pytest.mark.parametrize("name", RECORDS)
def test_the_public_page_is_one_sheet(browser: "Browser", tmp_path: Path, name: str) -> None:
    if not subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=False).stdout:
        pytest.skip("there is no Chinese font here, without which letters have no width")
    with speaking("zh"):
        (tmp_path / "sheet.html").write_text(render(public_page(RECORDS[name], RELEASED)))
    with browser.new_page() as page:
        page.goto(f"file://{tmp_path / 'sheet.html'}")
        page.pdf(path=tmp_path / "sheet.pdf", prefer_css_page_size=True)
    assert (tmp_path / "sheet.pdf").read_bytes().count(b"/Type /Page\n") == 1


@needs_browser
@pytest.mark.parametrize("name", ["pass", "more"])
def test_labels_of_charts_stay_inside(browser: "Browser", pages: Path, name: str) -> None:
    """They are laid out without a font that has them: as wide as tall, which other fonts may not exceed."""
    with browser.new_page(viewport={"width": 1280, "height": 900}) as page:
        page.goto(f"file://{pages / 'zh' / name / 'audit.html'}")
        outside = page.evaluate(
            "[...document.querySelectorAll('svg[role=img]')].flatMap(svg => {"
            " const box = svg.getBoundingClientRect();"
            " return [...svg.querySelectorAll('text')].filter(text => {"
            "  const own = text.getBoundingClientRect();"
            "  return own.left < box.left - 1 || own.right > box.right + 1 || own.top < box.top - 1"
            "   || own.bottom > box.bottom + 1 }).map(text => text.textContent) })"
        )
        assert outside == []
