"""A wrong value is refused in one clear sentence, before anything heavy is loaded and before anything is made."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import environment
from tests.cli.wrong_values import HEAVY, WRONG, furnish, refusals
from tests.in_chinese import english_in
from tests.places import ROOT

Privgan = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def answers(
    trained: tuple[Path, Path], privgan: Privgan, source: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """What each line of the table came to; `left` is what lies in the folder afterwards."""
    home = tmp_path_factory.mktemp("wrong")
    synthetic = tmp_path_factory.mktemp("made") / "synthetic"
    privgan("generate", trained[1], synthetic, "--count", 4)
    furnish(home, *trained, synthetic, source)
    before = sorted(home.iterdir())
    lines = [line for line, _ in WRONG]
    told = refusals(
        home, lines, environment() | {"PYTHONPATH": f"{ROOT}:{ROOT / 'audits'}:{ROOT / 'uses'}:{ROOT / 'cli'}"}
    )
    assert sorted(home.iterdir()) == before
    return dict(zip(lines, told, strict=True))


@pytest.mark.parametrize(("line", "said"), WRONG, ids=[line for line, _ in WRONG])
def test_a_wrong_value_is_refused_before_anything_is_loaded(
    answers: dict[str, dict[str, Any]], line: str, said: str
) -> None:
    answer = answers[line]
    assert answer["code"] == 2, answer["said"]
    assert said in answer["said"]
    assert "Internal error" not in answer["said"]
    assert len(answer["said"].splitlines()) == 1
    assert answer["loaded"] == []


@pytest.mark.parametrize("line", [line for line, _ in WRONG])
def test_it_is_refused_in_chinese_for_people_alone(answers: dict[str, dict[str, Any]], line: str) -> None:
    """Names, options and what was typed stand in it as they are."""
    answer = answers[line]
    told = answer["in_chinese"].removeprefix("privgan: ")
    assert len(told.splitlines()) == 1
    assert re.search("[\u4e00-\u9fff]", told)
    assert not english_in(told)
    assert answer["same"]


def test_what_is_called_heavy_is_loaded_where_it_is_needed(
    answers: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    """So that an empty list means something."""
    (told,) = refusals(
        tmp_path, ["plan --patients 1000 --batch 10 --steps 5 --epsilon 1 --accept-low-power"], environment()
    )
    assert told["code"] == 0
    assert set(told["loaded"]) & set(HEAVY)


def test_capitals_are_taken(privgan: Privgan, source: Path, tmp_path: Path) -> None:
    privgan("prepare", source, tmp_path / "cohort", "--size", 28, "--preset", "CXR", "--accept-low-power")
