"""`generate --where` as a user meets it: records that say what was asked, and refusals that say what to do."""

import csv
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.synthetic.making import make_run
from tests.synthetic.recorded import recorded_run

Privgan = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded_run(tmp_path_factory.mktemp("where") / "run")


def test_records_say_what_was_asked(fresh: Privgan, run: Path, tmp_path: Path) -> None:
    made = tmp_path / "set"
    fresh("generate", run, made, "--count", 20, "--format", "npz", "--where", "stage=II..III,age=60..70")
    with (made / "records.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 20
    assert {row["stage"] for row in rows} == {"II", "III"}
    assert all(60 <= int(row["age"]) <= 70 for row in rows)
    for name in ("data-dictionary.json", "README.md"):
        assert "age=60..70,stage=II|III" in (made / name).read_text()


@pytest.mark.parametrize(
    ("where", "said"), [("stage=IV", "I, II, III"), ("age=80..89", "may be noise"), ("height=2", "Declared: sex")]
)
def test_what_cannot_be_drawn_is_refused_and_nothing_is_written(
    privgan: Privgan, run: Path, tmp_path: Path, where: str, said: str
) -> None:
    assert said in privgan("generate", run, tmp_path / "set", "--count", 5, "--where", where, code=2).stderr
    assert not (tmp_path / "set").exists()


def test_a_run_without_records_says_so(privgan: Privgan, tmp_path: Path) -> None:
    bare = make_run(tmp_path / "run")
    said = privgan("generate", bare, tmp_path / "set", "--count", 5, "--where", "sex=F", code=2).stderr
    assert "declared columns" in said
