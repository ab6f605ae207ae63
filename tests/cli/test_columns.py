"""Further columns from the command line into an audit's evidence."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from privgan_audits.evidence import load_cohort_evidence
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


@pytest.mark.parametrize(("columns", "code"), [("age", 5), ("name", 5), ("weight", 2), ("sex,sex", 2), ("a b", 2)])
def test_what_is_no_column_of_categories_is_refused(
    privgan: Privgan, source: Path, tmp_path: Path, columns: str, code: int
) -> None:
    done = privgan("prepare", source, tmp_path / "c", "--accept-low-power", "--columns", columns, code=code)
    assert "Expected" in done.stderr
    assert "QZX" not in done.stdout + done.stderr
    assert not (tmp_path / "c").exists()
