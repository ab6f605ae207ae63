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
from privgan.language import (
    AS_WRITTEN,
    LANGUAGES,
    OWN_WORDS,
    by_default,
    kept,
    language,
    retold,
    speaking,
    tag,
    tr,
    tr_count,
)
from tests.places import ROOT

OTHERS = [name for name in LANGUAGES if name != AS_WRITTEN]
MARKERS = {"tr": 0, "to_tr": 0, "kept": 0, "tr_count": 1}  # which argument is the sentence that a catalogue has
FORMS = {  # whose fields are sentences; `spoken` gives them in the current language
    "Words": ("title", "short", "tries", "caught", "good"),
    "Label": ("name", "note"),
    "VerdictWords": ("headline", "next_steps"),
    "OutcomeWords": ("label",),
}
PACKAGES = ("privgan", "audits/privgan_audits", "cli/privgan_cli")
ENTRY = "entry {number}"  # too short to be known again; `identifiers/words.py` does it by its form
RECORDED = (
    *("privgan/data/sources/*.py", "privgan/data/lettering.py", "audits/privgan_audits/evidence/*.py"),
    *("audits/privgan_audits/gate/*.py", "audits/privgan_audits/questions/*/rule.py"),
    *("audits/privgan_audits/questions/bounds.py", "audits/privgan_audits/questions/*/measure.py"),
)


def in_code(path: Path) -> Iterator[str]:
    """Sentences that a file marks: written out there, or, in a name, marked where they are written."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id=name), args=arguments) if name in MARKERS:
                marked = [arguments[MARKERS[name]]]
            case ast.Call(func=ast.Name(id=name), keywords=keywords) if name in FORMS:
                marked = [keyword.value for keyword in keywords if keyword.arg in FORMS[name]]
            case ast.ClassDef(name=name, body=body) if name in FORMS:
                marked = [each.value for each in body if isinstance(each, ast.AnnAssign) and each.value]
            case _:
                marked = []
        for each in marked:
            assert not isinstance(each, ast.JoinedStr), f"{path}:{each.lineno}: values are filled in afterwards"
            yield from texts(each)


def texts(node: ast.expr) -> Iterator[str]:
    """What is written out in a constant, in a tuple of some, beside the keys of a table, or in a choice."""
    match node:
        case ast.Constant(value=str(text)) if text:
            yield text
        case ast.Tuple(elts=parts) | ast.Dict(values=parts):
            for part in parts:
                yield from texts(part)
        case ast.Starred(value=part):
            yield from texts(part)
        case ast.IfExp(body=one, orelse=other):
            yield from (*texts(one), *texts(other))


def in_template(path: Path) -> Iterator[str]:
    """Sentences in `{{ tr("...") }}`."""
    parsed = Environment(autoescape=True).parse(path.read_text("utf-8"))
    for _, _, sentences in extract_from_ast(parsed, ("tr",), babel_style=False):
        yield str(sentences[0])


def used() -> set[str]:
    found: set[str] = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
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
    assert language() == AS_WRITTEN
    with pytest.raises(UsageError, match="among en, zh"), speaking("xx"):
        pass


def test_a_default_gives_way_to_a_choice() -> None:
    with by_default("zh"):
        assert (language(), tag()) == ("zh", "zh-Hans")
        with by_default("en"):
            assert language() == "zh"
    with speaking("en"), by_default("zh"):
        assert (language(), tag()) == ("en", "en")
    with speaking(None), by_default("zh"):
        assert language() == "zh"


def in_records() -> Iterator[str]:
    """Sentences with values in the files that write records, long enough to be known again."""
    for pattern in RECORDED:
        for path in ROOT.glob(pattern):
            yield from (sentence for sentence in in_code(path) if fields(sentence) and sentence != ENTRY)


@pytest.mark.parametrize("sentence", sorted(set(in_records())))
def test_what_a_record_keeps_is_known_again(catalogue: polib.POFile, sentence: str) -> None:
    """Whatever the values, also those that look like other sentences' parts, and only by the right sentence."""
    spoken = next(entry.msgstr for entry in catalogue if entry.msgid == sentence)
    for values in ("{}", "1,2{}3", "a: {}", "{} (members)", "肺炎 {}"):
        filled = {name: values.format(place) for place, name in enumerate(fields(sentence))}
        with speaking("zh"):
            if not OWN_WORDS & set(filled):
                assert retold(kept(sentence, **filled)) == spoken.format(**filled)
            else:
                assert retold(kept(sentence, **filled)) != kept(sentence, **filled)


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            (
                "Too weak to see copies (noise 4 percent): 22 distinct patients would have to be copied before they "
                "are surely found, at most 20 are allowed."
            ),
            "（加 4 % 噪声）",
        ),
        (
            (
                "What was audited is not what would leave: files differ from the audited images (missing files 3, "
                "pixels 1). If another version of privgan wrote them, generate the set again."
            ),
            "（缺失的文件 3、像素 1）",
        ),
        ("The privacy claim does not hold: run is charged once is not so.", "“训练只记账一次”不符"),
        (
            "Members: Preset cxr was chosen: stored values from black to white.",
            "成员：已选定预设 cxr：存储值由黑到白。",
        ),
        ("T4 did not run: there are no non-members to compare with.", "T4 未进行：没有可供比较的非成员。"),
        (
            (
                "there is nothing to infer (label: everybody has the same value; sex: known for fewer than 10 "
                "members or non-members)"
            ),
            "（label：所有人的取值相同；sex：成员或非成员中已知该信息的人数少于 10）",
        ),
        ("Every file is what was audited. None was found.", "每个文件均与所审计的一致。未发现任何标识符。"),
    ],
)
def test_own_words_in_a_record_are_told_on(english: str, chinese: str) -> None:
    with speaking("zh"):
        assert chinese in retold(english)


def test_what_nobody_of_us_said_stays_as_it_is() -> None:
    with speaking("zh"):
        for text in ("", "all is well", "Members and others.", "x" * 5000, "Every file is what was audited. Or not."):
            assert retold(text) == text
