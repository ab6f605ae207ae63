"""Help in another language: every verb's, whole, and in columns that line up."""

import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from privgan_cli.line.columns import columns
from privgan_cli.line.page import Page
from tests.cli.conftest import environment
from tests.test_docs import documented_verbs

Privgan = Callable[..., subprocess.CompletedProcess[str]]

VERBS = sorted(documented_verbs())
EXAMPLE, OPTION = "\n示例：\n", re.compile(r"^  (-.*?)(?:  |$)", re.MULTILINE)
SPELLED = re.compile(  # what is typed, or read by a program: options, values with a name, code, files
    r"(?<![\w-])--?[a-z][a-z-]*|\S+=\S+|`[^`]*`|\{[^}]*\}|[\w-]*\.[a-z]+\b|dataset/"
)
NAMES = {"DICOMweb", "NIfTI", "privgan", "shell", "stderr", "stdout"}
VALUES = {
    *("picture", "cxr", "ct-lung", "ct-soft", "mr", "photo", "file-window", "custom", "file"),
    *("all", "first", "middle", "axial", "coronal", "sagittal", "stored"),
    *("studies", "issuers", "spellings", "those", "placeholders", "facts"),
    *("privgan-demo", "auto", "small-cohort", "balanced", "large-cohort", "slices", "cpu", "cuda", "default"),
    *("dicom", "npz", "png", "secondary-capture", "match", "uniform", "measured", "medmnist", "imagefolder"),
    *("denoise", "super-resolve", "artefact", "stripes", "ghosts", "streaks", "ceiling", "damage", "learning"),
    *("sex", "age", "number", "stage", "ordinal", "en", "zh", "files", "masked", "held-back"),
}


def english(text: str) -> set[str]:
    """Words in small Latin letters that stand for themselves."""
    words = re.findall("[A-Za-z][A-Za-z-]+", SPELLED.sub(" ", text))
    return (
        {word for word in words if not word.isupper()}
        - NAMES
        - VALUES
        - {word for verb in VERBS for word in verb.split()}
    )


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_the_help_of_a_verb_is_whole_and_lines_up(privgan: Privgan, verb: str) -> None:
    """No English is left but what is typed, and names; every option is there, and every example."""
    words = verb.split()
    said = privgan("--language", "zh", *words, "--help")
    page, _, example = said.stdout.partition(EXAMPLE)
    assert (said.stderr, english(page)) == ("", set())
    assert page.startswith("用法：privgan")
    written, _, typed = privgan(*words, "--help").stdout.partition("\nExample:\n")
    assert (OPTION.findall(page), example) == (OPTION.findall(written), typed)
    for line in page.splitlines():
        assert columns(line) <= 78
        assert not re.match(r"\s*[，。、；：！？）》”】]", line)
    for section in page.split("\n\n"):
        rows = [re.match(r"(  (?:\S+ )*\S+\s{2,})\S", line) for line in section.splitlines()[1:]]
        assert len({columns(row[1]) for row in rows if row}) <= 1


def test_the_language_may_stand_behind_the_help(privgan: Privgan) -> None:
    said = [privgan(*words).stdout for words in (("plan", "--help", "--language=zh"), ("plan", "--help"))]
    assert [page.partition(" ")[0] for page in said] == ["用法：privgan", "Usage:"]
    assert privgan("plan", "--help", "--language", "en").stdout == said[1]


def test_whoever_types_nothing_is_helped_in_the_language_that_was_typed(privgan: Privgan) -> None:
    assert "用法：privgan" in privgan("--language", "zh", code=2).stderr


def test_a_page_is_no_narrower_than_typers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    page = Page()
    with page.indentation():
        page.write_text("图像" * 100 + "。")
    widths = [*map(columns, page.getvalue().splitlines())]
    assert set(widths[:-1]) == {50}
    assert "".join(page.getvalue().split()) == "图像" * 100 + "。"


def test_help_in_english_opens_no_catalogue() -> None:
    line = (
        "import sys; from privgan_cli.main import run; run(['train', '--help']); "
        "sys.exit(str({'polib', 'numpy', 'rich', 'torch'} & set(sys.modules) or ''))"
    )
    words = [sys.executable, "-c", line]
    done = subprocess.run(words, capture_output=True, text=True, env=environment(), check=False)
    assert (done.stderr.strip(), done.stdout.partition(" ")[0]) == ("", "Usage:")
