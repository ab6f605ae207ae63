"""Every language has every sentence, with the same values, and none that nobody says."""

import errno
import os
import string
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from unittest.mock import patch

import polib
import pytest
from jinja2 import Environment
from jinja2.ext import extract_from_ast
from typer import Context
from typer.main import get_command

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
from privgan_audits.release.recipient.sentences import said_in
from privgan_cli.line import page
from privgan_cli.main import app
from tests.code import SOURCES, parsed
from tests.places import ROOT

OTHERS = [name for name in LANGUAGES if name != AS_WRITTEN]
PACKAGES = ("privgan", "audits/privgan_audits", "uses/privgan_uses", "cli/privgan_cli")
PARSERS = (  # what the parser of command lines says of a line
    "No such option: {option}",
    "No such option: {option} (Possible options: {options})",
    "No such command {command}.",
    "Option {option} does not take a value.",
    "Option {option} requires an argument.",
    "Got unexpected extra argument(s) ({arguments})",
    "Invalid value: {error}",
    "Invalid value for {parameter}: {error}",
    "Value {value} is not a valid {kind}.",
    "Missing command.",
)
SYSTEMS = (  # what an operating system says of a path
    *(errno.ENOENT, errno.EACCES, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOSPC, errno.EROFS, errno.ELOOP),
    *(errno.ENAMETOOLONG, errno.EIO, errno.ENXIO, errno.EMFILE),
)
RECORDED = (
    *("privgan/data/sources/*.py", "privgan/data/lettering.py", "audits/privgan_audits/evidence/*.py"),
    *("audits/privgan_audits/gate/*.py", "audits/privgan_audits/questions/*/rule.py"),
    *("audits/privgan_audits/questions/bounds.py", "audits/privgan_audits/questions/*/measure.py"),
)


def in_template(path: Path) -> Iterator[str]:
    """Sentences in `{{ tr("...") }}`."""
    parsed = Environment(autoescape=True).parse(path.read_text("utf-8"))
    for _, _, sentences in extract_from_ast(parsed, ("tr",), babel_style=False):
        yield str(sentences[0])


def in_help() -> set[str]:
    """Sentences that typer writes when any verb is asked for help, as a page in another language looks them up."""
    asked: set[str] = set()

    def heard(sentence: str, /, **values: object) -> str:
        asked.add(sentence)
        return tr(sentence, **values)

    verbs = get_command(app)
    with patch.object(page, "tr", heard), speaking(OTHERS[0]):
        waiting = [Context(verbs, info_name=verbs.name)]
        while waiting:
            context = waiting.pop()
            context.command.get_help(context)
            further = getattr(context.command, "commands", {})  # of a verb that is several
            waiting += [Context(verb, info_name=name, parent=context) for name, verb in further.items()]
    return asked


def used() -> set[str]:
    found = {*PARSERS, *map(os.strerror, SYSTEMS), *in_help()}
    for path in SOURCES:
        found.update(said_in(parsed(path)))
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.j2"):
            found.update(in_template(path))
    return found


def fields(sentence: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None)


@pytest.fixture(scope="module", params=OTHERS)
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
        module, "catalogue", lambda name: {"{count} images": "{count} 幅图像"} if name == "zh" else {}
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
            said = said_in(parsed(path))
            yield from (sentence for sentence in said if fields(sentence))


def test_what_a_record_keeps_is_known_again(catalogue: polib.POFile) -> None:
    spoken = {entry.msgid: entry.msgstr for entry in catalogue}
    for sentence in sorted(set(in_records())):
        is_known_again(sentence, spoken[sentence])


def is_known_again(sentence: str, spoken: str) -> None:
    """Whatever the values, also those that look like other sentences' parts, and only by the right sentence."""
    for values in ("{}", "1,2{}3", "a: {}", "{} (members)", "肺炎 {}"):
        filled = {name: values.format(place) for place, name in enumerate(fields(sentence))}
        with speaking("zh"):
            told, english = retold(kept(sentence, **filled)), kept(sentence, **filled)
        if not OWN_WORDS & set(filled):
            assert told == spoken.format(**filled), sentence
        else:
            assert told != english, sentence


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
        (
            "Interrupted; 5 steps are learned. Go on by the same command with --resume.",
            "已中断；已学习 5 步。用同一命令加 --resume 可继续。",
        ),
        (
            (
                "Expected one number for one person, got: 2 patient numbers have several birth dates or sexes (a "
                "label table says who they are); 7 patient numbers are in scientific notation, as a spreadsheet "
                "writes long ones; many people share them (export the table again, with that column as text)."
            ),
            (
                "一人应只有一个编号，但发现：2 个患者编号有多个出生日期或性别（请用标签表说明他们是谁）；"
                "7 个患者编号是"
                "科学记数法，电子表格会把长编号写成这样；许多人会共用它们（请将该列设为文本后重新导出）。"
            ),
        ),
        (
            "Expected a synthetic set (of `privgan generate`), a, b.png is a cohort (of `privgan prepare`).",
            "应为合成数据集（由 `privgan generate` 生成），但 a, b.png 是队列文件夹（由 `privgan prepare` 生成）。",
        ),
    ],
)
def test_own_words_in_a_record_are_told_on(english: str, chinese: str) -> None:
    with speaking("zh"):
        assert chinese in retold(english)


def test_what_nobody_of_us_said_stays_as_it_is() -> None:
    with speaking("zh"):
        nested = "Members: " * 200
        for text in (
            "",
            "all is well",
            "Members and others.",
            "x" * 5000,
            "Every file is what was audited. Or not.",
            nested,
        ):
            assert retold(text) == text
