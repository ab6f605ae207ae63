"""Every language has every sentence, with the same values, and none that nobody says."""

import ast
import string
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import polib
import pytest
from jinja2 import Environment
from jinja2.ext import extract_from_ast

from privgan import language as module
from privgan.errors import UsageError
from privgan.language import ENGLISH, LANGUAGES, language, speaking, tr, tr_count
from tests.places import ROOT

OTHERS = [name for name in LANGUAGES if name != ENGLISH]
MARKERS = {"tr": 0, "to_tr": 0, "tr_count": 1}  # which argument is the sentence that a catalogue has
PACKAGES = ("privgan", "audits/privgan_audits", "cli/privgan_cli")


def in_code(path: Path) -> Iterator[str]:
    """Sentences that a file marks: written out there, or, in a name, marked where they are written."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKERS:
            sentence = node.args[MARKERS[node.func.id]]
            assert not isinstance(sentence, ast.JoinedStr), f"{path}:{node.lineno}: values are filled in afterwards"
            if isinstance(sentence, ast.Constant):
                yield sentence.value


def in_template(path: Path) -> Iterator[str]:
    """Sentences in `{{ tr("...") }}`."""
    for _, _, sentence in extract_from_ast(Environment(autoescape=True).parse(path.read_text("utf-8")), ("tr",)):
        yield str(sentence)


def used() -> set[str]:
    found: set[str] = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if path != Path(module.__file__):
                found.update(in_code(path))
        for path in (ROOT / package).rglob("*.j2"):
            found.update(in_template(path))
    return found


def fields(sentence: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None)


@pytest.fixture(params=OTHERS)
def catalogue(request: pytest.FixtureRequest) -> polib.POFile:
    return polib.pofile(files("privgan").joinpath("languages", f"{request.param}.po").read_text("utf-8"))


def test_every_sentence_is_there_once_and_is_said_somewhere(catalogue: polib.POFile) -> None:
    known = [entry.msgid for entry in catalogue]
    assert sorted(set(known)) == sorted(known)
    assert used() - set(known) == set()
    assert set(known) - used() == set()


def test_every_sentence_is_translated_with_the_same_values(catalogue: polib.POFile) -> None:
    assert not [entry.msgid for entry in catalogue if not entry.translated()]
    wrong = [entry.msgid for entry in catalogue if fields(entry.msgid) != fields(entry.msgstr)]
    assert wrong == []


def test_a_language_is_spoken_inside_and_not_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        module, "_catalogue", lambda name: {"{count} images": "{count} 幅图像"} if name == "zh" else {}
    )
    assert (tr("{count} images", count=1), tr_count("one image", "{count} images", 1)) == ("1 images", "one image")
    with speaking("zh"):
        assert language() == "zh"
        assert tr_count("one image", "{count} images", 1) == "1 幅图像"
        assert tr_count("one image", "{count} images", 1234) == "1,234 幅图像"
        assert tr("braces {stay} where nothing is filled in") == "braces {stay} where nothing is filled in"
    assert language() == ENGLISH
    with pytest.raises(UsageError, match="among en, zh"), speaking("xx"):
        pass
