"""What pages show of a terminal is what a terminal shows: each block `console` is typed again, in its page's order.

A page may leave lines out, or the end of one, and shows the others as they come. Where lot or today decides a number,
any number will do; `plan` asks nobody, so that every digit of its page is compared.
"""

import re
import shlex
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from privgan.dp.odds import belief, percent_at_most
from privgan.dp.strength import Tiers
from privgan_cli.asked import PlanOptions
from privgan_cli.options import today
from privgan_cli.surface import plan
from tests.cli.conftest import Privgan, blobs
from tests.places import ROOT

EXACTLY, ALIKE = "docs/how-to/choose-epsilon.md", "docs/how-to/troubleshooting.md"
GIVEN = ("archive", "fail", "imagez", "inconclusive", "notes", "pass", "pictures", "ward.npz")  # one is missing
MADE = ("cohort", "officer", "officer.key", "officer.pub", "policy.toml", "run", "ward-cohort")
NUMBER = re.compile(r"\d[\d.,]*\d|\d")


def transcripts(page: str) -> Iterator[tuple[list[str], list[str], int]]:
    """Of every command of a page: its words, the lines that are shown, its exit code."""
    for block in re.findall(r"^```console\n(.*?)^```$", (ROOT / page).read_text(), flags=re.DOTALL | re.MULTILINE):
        for shown in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *lines, code = shown.splitlines()
            yield shlex.split(command)[1:], lines, int(code.removeprefix("exit code "))


@pytest.fixture(scope="module")
def desk(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the pages speak of."""
    folder = tmp_path_factory.mktemp("desk")
    for pictures in (folder / "pictures", folder / "archive" / "pictures"):
        pictures.mkdir(parents=True)
        for number, image in enumerate(blobs(12, 1)):
            Image.fromarray(image).save(pictures / f"{number}.png")
    rows = "".join(f"{number}.png,{number},clear\n" for number in range(12))
    (folder / "archive" / "pictures" / "labels.csv").write_text(f"file,patient,label\n{rows}")
    (folder / "notes").mkdir()
    (folder / "notes" / "todo.txt").write_text("no image")
    shutil.copy(source, folder / "ward.npz")
    for verdict in ("fail", "inconclusive", "pass"):
        shutil.copytree(ROOT / "docs" / "examples" / verdict, folder / verdict)
    return folder


@pytest.mark.parametrize("page", [EXACTLY, ALIKE])
def test_a_page_shows_what_the_terminal_says(privgan: Privgan, desk: Path, page: str) -> None:
    for words, shown, code in transcripts(page):
        done = privgan(*(_said(word, desk) for word in words), code=code)
        said = (done.stdout + done.stderr).replace(f"{desk}/", "").splitlines()
        rest = iter(said if page == EXACTLY else [NUMBER.sub("N", line) for line in said])
        for line in shown if page == EXACTLY else [NUMBER.sub("N", line) for line in shown]:
            start = line.removesuffix("…")
            assert any(other == line or (start != line and other.startswith(start)) for other in rest), (words, line)


def _said(word: str, desk: Path) -> str:
    if word == "TOMORROW":
        return (today() + timedelta(days=1)).isoformat()
    return str(desk / word) if word in (*GIVEN, *MADE) else word


def rows(page: str, first: str) -> list[list[str]]:
    """The cells of the table whose head starts so, without the head."""
    table = (ROOT / page).read_text().split(f"\n| {first}", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.strip("| ").split("|")] for line in table.splitlines()[2:]]


EPSILONS = (0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 10.0)


def test_the_table_of_odds_is_what_reports_say() -> None:
    *told, strengths = rows(EXACTLY, "before |")
    for before, *after in told:
        prior = float(before.removesuffix(" %")) / 100
        assert after == [percent_at_most(belief(prior, epsilon)) for epsilon in EPSILONS]
    assert strengths == ["the promise", *map(Tiers().word, EPSILONS)]


def test_the_guarantee_tells_the_same_odds() -> None:
    for before, *after in rows("docs/explanation/guarantee.md", 'before: "that patient was a member"'):
        prior = float(before.split()[0]) / 100
        assert after == [percent_at_most(belief(prior, epsilon)) for epsilon in (1.0, 3.0, 10.0)]


@pytest.mark.parametrize("row", rows(EXACTLY, "learned from |"), ids=lambda row: str(row[0]))
def test_the_table_of_patients_is_what_plan_says(row: list[str]) -> None:
    members, *bands, chance = row
    for epsilon, band in zip((1.0, 3.0, 10.0), bands, strict=True):
        found = plan(
            PlanOptions(patients=int(members.replace(",", "")), batch=128, steps=300, epsilon=epsilon, delta=None)
        )
        outlook = found.choice.outlook
        assert band == f"{outlook.band} ({100 * outlook.hidden:.2g} %)"
    assert chance == f"{100 * round(found.preflight.chance, 2):.0f} of 100"


def test_every_exit_code_has_its_place() -> None:
    """Those of the reference, but for 0."""
    codes = re.findall(r"^\| (\d+) \|", (ROOT / "docs/reference/exit-codes.md").read_text(), flags=re.MULTILINE)
    headings = " ".join(re.findall(r"^## .*", (ROOT / ALIKE).read_text(), flags=re.MULTILINE))
    assert set(codes) - {"0"} == set(NUMBER.findall(headings))
