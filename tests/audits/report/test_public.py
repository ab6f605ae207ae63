"""The sheet that may leave: one page of A4 that speaks of itself alone and of nothing that was measured."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from privgan.dp.strength import Tiers
from privgan_audits.report.public import PICTURES, Released, public_page
from privgan_audits.report.write import render
from tests.audits.entries import passing
from tests.audits.report.browser import CHROMIUM, needs_browser
from tests.audits.report.reading import seen, written
from tests.audits.report.recorded import record

APPROVAL = {
    "officer": "Dr. Ada Byron, privacy officer",
    "purpose": "teaching radiology students",
    "recipient": "Anytown University",
    "reason": "the cohort is small and the recipient is bound by contract",
    "approved": "2026-01-31",
    "until": "2026-12-31",
    "key_fingerprint": "ab" * 32,
}
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 64, 64), dtype=np.uint8)
RELEASED = Released(approval=APPROVAL, images=IMAGES)
VERDICTS = ("PASS", "FAIL", "INVALID", "INCONCLUSIVE")
# What a sentence may point to, and where it then is on the sheet.
REFERENCES = {
    r"\bappendix\b": None,
    r"\bledger\'s head\b": None,
    r"\b(above|below|overleaf)\b": None,
    r"\bnext page|page one|first page\b": None,
    r"\bcards?\b": None,
    r"\binternal report\b": None,
    r"\bclosest pairs|blinded\b": None,
    r"\bin the table|table of\b": None,
    r"\bthis page\b": "<body",
    r"\bfirst images of the set\b": "<img",
}


def write(folder: Path, verdict: str, released: Released | None = None) -> Path:
    path = folder / f"{verdict}.html"
    path.write_text(render(public_page(record(verdict, tests=passing()), released)))
    return path


def test_it_says_who_what_until_when_and_how_strong(tmp_path: Path) -> None:
    path = write(tmp_path, "PASS", RELEASED)
    text = seen(path).text
    for words in ("Anytown Hospital", "data office", "PASS", " promise", "until 2026-12-31", "teaching radiology"):
        assert words in text
    for words in (
        "What is promised",
        "What was asked",
        "What this does not cover",
        "Who approved it",
        "How to verify",
    ):
        assert text.count(words) == 1
    assert Tiers().rule in text
    assert path.read_text().count("<img ") == PICTURES
    assert path.read_text().count("<table>") == 1


def test_before_a_release_nobody_approved_and_no_image_is_shown(tmp_path: Path) -> None:
    page = write(tmp_path, "PASS").read_text()
    assert "Not released, and not approved by anybody." in page
    assert "<img" not in page


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("released", [None, RELEASED], ids=["inside", "released"])
def test_it_refers_to_nothing_that_is_not_on_it(tmp_path: Path, verdict: str, released: Released | None) -> None:
    path = write(tmp_path, verdict, released)
    _, style, text = seen(path).text.partition("font-size: 7.5pt; } }")  # a style sheet speaks of cards
    assert style
    for pattern, there in REFERENCES.items():
        if re.search(pattern, text, flags=re.IGNORECASE):
            assert there is not None, pattern
            assert there in path.read_text(), pattern
    assert not [target for target in seen(path).loads if target.startswith("#")]


def test_a_reference_would_be_found() -> None:
    said = "The reasons above are in the table of the appendix."
    assert [re.search(pattern, said) is not None for pattern in REFERENCES].count(True) == 3


def test_nobody_again_gets_no_green_tick(tmp_path: Path) -> None:
    page = write(tmp_path, "PASS", RELEASED).read_text()
    row = page[page.index("Can another image of a patient") :]
    assert 'class="state pass"' not in row[: row.index("</tr>")]
    assert 'class="state pass"' in page


@pytest.mark.parametrize("verdict", ["FAIL", "INVALID", "INCONCLUSIVE"])
def test_another_verdict_ticks_nothing(tmp_path: Path, verdict: str) -> None:
    assert 'class="state pass"' not in write(tmp_path, verdict).read_text()


@needs_browser
@pytest.mark.parametrize("verdict", VERDICTS)
def test_it_is_one_sheet_of_a4(tmp_path: Path, verdict: str) -> None:
    """Printed by a browser, with an approval, twelve images and every warning of the recorded audit."""
    page, printed = write(tmp_path, verdict, RELEASED), tmp_path / "sheet.pdf"
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
    quiet = ("--disable-background-networking", "--disable-component-update", f"--user-data-dir={tmp_path / 'home'}")
    command = [str(CHROMIUM), *flags, *quiet, "--no-pdf-header-footer", f"--print-to-pdf={printed}", f"file://{page}"]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    assert re.findall(rb"/Count (\d+)", printed.read_bytes()) == [b"1"]


def test_both_pages_say_which_columns_invented_records_have(tmp_path: Path) -> None:
    """And neither does of a set that has none."""
    columns = {"sex": "category(F|M):patient", "stage_of_disease": "ordinal(I<II<III<IV)"}
    for number, changes in enumerate(({"columns": columns}, {})):
        folder = tmp_path / str(number)
        folder.mkdir()
        for page in written(folder, record(tests=passing(), **changes)):
            text = seen(page).text
            assert ("sex" in text and "stage of disease" in text) == bool(changes)
