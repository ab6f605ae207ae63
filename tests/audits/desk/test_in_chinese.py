"""The desk in Chinese: no English word is left on its pages, and numbers are the same."""

import re
import shutil
from collections import Counter
from dataclasses import replace

import pytest

from tests.audits.desk import client
from tests.audits.desk.client import make_desk_gate, pictured, words
from tests.audits.desk.test_sitting import Window
from tests.audits.report.recorded import GALLERY
from tests.audits.report.test_in_chinese import CHOSEN, STAND, shown
from tests.audits.report.test_in_chinese import words as english

TYPED = {"again", "cohort", "officer", "html", "revoke", "release"}  # names of folders, files, options and verbs
STEPS = {"": {}, "/pairs": {"looked": "yes"}, "/words": words(), "/sign": {"typed": "PASS"}, "/no": {"officer": "A"}}
SAID = "Chests for teaching, Anytown Hospital, data office, clear, site, north, south"


def pages(window: Window) -> dict[str, str]:
    """The pages of the way, and those on which something is refused."""
    found = {"overview": window.ask("GET", window.door.inside).page}
    for step, sent in STEPS.items():
        at = f"{window.door.inside}1{step}"
        found[step] = window.ask("GET", at).page
        hidden = dict(re.findall(r'name="(draft)" value="(\w+)"', found[step]))
        found[f"{step} sent"] = window.ask("POST", at, **sent, **hidden).page
    return found


@pytest.fixture(scope="module")
def shown_in(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """What is shown on each page, by language."""
    root = tmp_path_factory.mktemp("desk")
    told = tuple(replace(pair, how="12 %, by embedding") for pair in GALLERY.blinded)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "GALLERY", replace(GALLERY, identical=(), blinded=told))
        gate = make_desk_gate(root)
        pictured(gate, notes=[])
    shutil.copytree(root / "report", root / "again")
    answers = {name: pages(Window(gate, "report", "again", language=name)) for name in ("en", "zh")}
    return {
        name: {step: shown(page).replace(str(root), "") for step, page in each.items()}
        for name, each in answers.items()
    }


def test_no_english_word_is_left(shown_in: dict[str, dict[str, str]]) -> None:
    own = STAND | CHOSEN | TYPED | english(f"{SAID} {' '.join(words().values())}")
    left = {step: english(text) - own for step, text in shown_in["zh"].items()}
    assert {step: found for step, found in left.items() if found} == {}
    assert sum(len(english(text) - own) for text in shown_in["en"].values()) > 400, "the control"


def test_an_epsilon_is_no_capital_letter(shown_in: dict[str, dict[str, str]]) -> None:
    assert "ε = 3，δ = 1e-05" in shown_in["zh"]["/sign"]
    assert "Ε" not in "".join(shown_in["zh"].values()), "a capital epsilon, which looks like an E"


def test_numbers_are_the_same(shown_in: dict[str, dict[str, str]]) -> None:
    for step, text in shown_in["zh"].items():
        counted = (Counter(re.findall(r"\d(?:[\d,.]*\d)?", said)) for said in (text, shown_in["en"][step]))
        chinese, in_english = counted
        assert chinese == in_english, step
