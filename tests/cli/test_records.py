"""Declared columns as somebody types them: what scan says beforehand, what prepare makes of them, what it refuses."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from privgan.data.cohort.cohort import open_cohort
from tests.cli.conftest import blobs

Privgan = Callable[..., subprocess.CompletedProcess[str]]
COLUMNS = "Sex:category(F|M):patient, stage:ordinal(I<II<III<IV),age:number(0..100/5),ward"
NOBODYS = "Zorkel"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 invented patients with a spelling, a name and an age of 140 where they do not fit, and a contradiction."""
    folder = tmp_path_factory.mktemp("records")
    owners = np.repeat(np.arange(100), 2)
    sex = np.array(["F", "M"])[owners % 2].astype(object)
    stage = np.array(["I", "II", "III", "IV", ""])[owners % 5].astype(object)
    age = (20 + owners % 60).astype(object)
    sex[4], stage[6], stage[8], age[10] = "M", "iv", NOBODYS, 140
    path = folder / "images.npz"
    np.savez(
        path,
        images=blobs(200, 3),
        patient_id=np.array([f"QZX-{owner:05d}-PAT" for owner in owners]),
        sex=np.array(sex.tolist()),
        stage=np.array(stage.tolist()),
        age=np.array(age.tolist()),
        ward=np.array(["north", "south"])[owners % 2],
    )
    return path


def test_scan_says_what_prepare_will_do(privgan: Privgan, source: Path, tmp_path: Path) -> None:
    said = json.loads(privgan("scan", source, "--columns", COLUMNS, "--json").stdout)
    assert said["columns"] == {
        "sex": {"fit": 200, "empty": 0, "unknown": 0, "near": 0, "outside": 0, "contradicted": 1},
        "stage": {"fit": 159, "empty": 39, "unknown": 2, "near": 1, "outside": 0, "contradicted": 0},
        "age": {"fit": 199, "empty": 0, "unknown": 0, "near": 0, "outside": 1, "contradicted": 0},
        "ward": {"fit": 200, "empty": 0, "unknown": 0, "near": 0, "outside": 0, "contradicted": 0},
    }
    assert said["refused"] == {"out_of_range": 1, "unknown_value": 2}
    words = privgan("scan", source, "--columns", COLUMNS).stdout
    assert "column sex: 200 cells fit, 1 patients of whom it says different things" in words
    assert "column age: 199 cells fit, 1 out of range" in words
    assert "column stage: 159 cells fit, 39 empty, 2 not declared (1 only by case" in words
    chinese = privgan("scan", source, "--columns", COLUMNS, "--language", "zh").stdout
    assert "列 stage：159 个单元格相符" in chinese
    made = json.loads(
        privgan("prepare", source, tmp_path / "c", "--accept-low-power", "--columns", COLUMNS, "--json").stdout
    )
    assert made["refused"] == {**said["refused"], "contradiction": 2}
    assert (made["images"], made["patients"]) == (195, 99)
    for text in (words, chinese, *made["notes"]):
        assert NOBODYS not in text
        assert "QZX-" not in text


def test_prepare_says_what_records_hold_and_keeps_them_typed(privgan: Privgan, source: Path, tmp_path: Path) -> None:
    done = privgan("prepare", source, tmp_path / "c", "--accept-low-power", "--size", 28, "--columns", COLUMNS)
    assert (
        "records of sex:category(F|M):patient, stage:ordinal(I<II<III<IV), age:number(0..100/5)\n"
        "columns for the audit alone: ward\n"
    ) in done.stdout
    cohort = open_cohort(tmp_path / "c")
    assert cohort.schema.levels == (3, 5, 6)
    np.testing.assert_array_equal(cohort.codes[:, 2], 1 + np.minimum(cohort.columns["age"] // 20, 4))
    assert not any(NOBODYS.encode() in file.read_bytes() for file in (tmp_path / "c").rglob("*") if file.is_file())


@pytest.mark.parametrize(
    ("columns", "code", "said"),
    [
        ("sex:category(F,M)", 2, "declaration of the column sex"),
        ("sex:category(f|m)", 5, "200 of them only by case"),
        ("weight:number(0..300)", 2, "weight"),
        ("day:category(2020-01-31|2020-02-01)", 2, "without dates"),
        ("a:number(0..1000/32),b:number(0..1000/32),c:number(0..1000/32),d:number(0..1000/32)", 2, "combinations"),
    ],
)
def test_what_cannot_be_records_is_refused(
    privgan: Privgan, source: Path, tmp_path: Path, columns: str, code: int, said: str
) -> None:
    done = privgan("prepare", source, tmp_path / "c", "--accept-low-power", "--columns", columns, code=code)
    assert said in done.stderr
    assert NOBODYS not in done.stdout + done.stderr
    assert not (tmp_path / "c").exists()
