"""Further columns from the command line into an audit's evidence."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from privgan_audits.evidence.loading import load_cohort_evidence
from tests.cli.conftest import blobs

Privgan = Callable[..., subprocess.CompletedProcess[str]]
NUMBER = "QZX-00007-PAT"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 invented patients: sex by number, an age that is a number, and a column that is an identifier."""
    numbers = np.arange(100)
    path = tmp_path_factory.mktemp("columns") / "images.npz"
    people = np.array([f"QZX-{number:05d}-PAT" for number in numbers])
    sex = np.where(numbers % 2, "f", "m")
    np.savez(path, images=blobs(100, 3), patient_id=people, Sex=sex, age=numbers % 50, name=people)
    return path


def test_columns_reach_the_evidence_of_an_audit(privgan: Privgan, source: Path, tmp_path: Path) -> None:
    cohort = tmp_path / "cohort"
    words = ("prepare", source, cohort, "--size", 28, "--accept-low-power", "--columns", "sex")
    said = json.loads(privgan(*words, "--json").stdout)
    assert said["columns"] == {"sex": "category"}
    assert not any(NUMBER.encode() in path.read_bytes() for path in cohort.rglob("*") if path.is_file())
    synthetic = tmp_path / "synthetic.npz"
    np.savez(synthetic, images=blobs(20, 4), sex=np.array(["f", "m"] * 10), unheard_of=np.arange(20) % 3)
    found = load_cohort_evidence(synthetic, cohort)
    assert found.non_members is not None
    for side in (found.members, found.non_members):  # patient numbers follow the source
        assert side.columns.keys() == {"sex"}
        assert side.columns["sex"].tolist() == ["f" if number % 2 else "m" for number in side.patients]
    assert found.synthetic.columns["sex"].tolist() == ["f", "m"] * 10


def test_numbers_reach_the_tests_as_quarters(privgan: Privgan, source: Path, tmp_path: Path) -> None:
    """Of both sides together; the synthetic set's numbers are banded by the cohort's edges."""
    cohort, synthetic = tmp_path / "cohort", tmp_path / "synthetic.npz"
    words = ("prepare", source, cohort, "--size", 28, "--accept-low-power", "--columns", "age:number,sex")
    privgan(*words)
    np.savez(synthetic, images=blobs(40, 4), age=np.linspace(-5, 60, 40))
    found = load_cohort_evidence(synthetic, cohort)
    assert found.non_members is not None
    sides = (found.members, found.non_members)
    quarters = np.concatenate([side.columns["age"] for side in sides])
    ages = np.concatenate([side.patients for side in sides]) % 50
    for number, name in enumerate(("1st quarter", "2nd quarter", "3rd quarter", "4th quarter")):
        assert 24 <= (quarters == name).sum() <= 26
        assert ages[quarters == name].min() >= 12 * number
    made = found.synthetic.columns["age"].tolist()
    assert made == sorted(made)
    assert set(made) == set(quarters)


@pytest.mark.parametrize(
    ("columns", "code"),
    [("age", 5), ("name", 5), ("weight", 2), ("sex,sex", 2), ("a b", 2), ("sex:number", 5), ("age:text", 2)],
)
def test_what_is_no_column_of_categories_is_refused(
    privgan: Privgan, source: Path, tmp_path: Path, columns: str, code: int
) -> None:
    done = privgan("prepare", source, tmp_path / "c", "--accept-low-power", "--columns", columns, code=code)
    assert "Expected" in done.stderr
    assert "QZX-" not in done.stdout + done.stderr
    assert not (tmp_path / "c").exists()
