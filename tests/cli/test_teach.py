"""A classifier as people make and examine it: from a released bundle, on another hospital's patients."""

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from privgan.synthetic.synthetic_set import open_synthetic_set
from tests.audits.releasing import Gate, gate_around
from tests.synthetic.recorded import COLUMNS, recorded_set
from tests.uses.teaching.teachable import WORDS, make_teachable, write_patients

Privgan = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    return make_teachable(tmp_path_factory.mktemp("site") / "site", today=datetime.now(UTC).date())


@pytest.fixture(scope="module")
def model(privgan: Privgan, site: Gate) -> Path:
    folder = site.root / "model"
    told = privgan("teach", site.root / "bundle", folder, "--public-key", site.root / "site.pub", "--steps", 30)
    assert "learned 2 classes from 112 synthetic images" in told.stdout
    assert "not on patients" in told.stdout
    assert f"next: privgan evaluate {folder} COHORT EVALUATION" in told.stdout
    return folder


@pytest.fixture(scope="module")
def elsewhere(privgan: Privgan, site: Gate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another hospital's cohort."""
    folder = tmp_path_factory.mktemp("elsewhere")
    source = write_patients(folder / "images.npz", site.root / "synthetic-run")
    privgan("prepare", source, folder / "cohort", *WORDS, "--columns", "sex")
    return folder / "cohort"


def test_a_recipient_teaches_and_evaluates(privgan: Privgan, model: Path, elsewhere: Path, tmp_path: Path) -> None:
    report = tmp_path / "evaluation"
    told = privgan("evaluate", model, elsewhere, report, "--json")
    answer, kept = json.loads(told.stdout), json.loads((report / "evaluation.json").read_text())
    assert {name: kept[name] for name in answer if name != "schema_version"} == {
        name: answer[name] for name in answer if name != "schema_version"
    }
    assert answer["whom"] == "all"
    assert not answer["own_cohort"]
    assert answer["patients"] == 60
    assert answer["auc"]["value"] > 0.75
    assert {each["name"] for each in answer["groups"]["sex"]["groups"]} == {"F", "M"}
    page = (report / "evaluation.html").read_text()
    assert "INTERNAL" in page
    assert "<script" not in page
    assert "://" not in page
    assert "PAT-" not in page + json.dumps(kept)
    for path in (report, *report.iterdir()):
        assert path.stat().st_mode & 0o077 == 0
    assert privgan("evaluate", model, elsewhere, report, code=2).stderr.count("exists") == 1
    said = privgan("evaluate", model, elsewhere, tmp_path / "held", "--on", "held-back", "--language", "zh")
    assert "敏感度" in said.stdout
    assert "内部" in (tmp_path / "held" / "evaluation.html").read_text()


def test_members_whom_the_generator_saw_are_refused(
    privgan: Privgan, site: Gate, model: Path, tmp_path: Path
) -> None:
    """The four patients of this cohort are too few, too, once the members are not asked for."""
    said = privgan("evaluate", model, site.root / "cohort", tmp_path / "e", "--on", "all", code=2).stderr
    assert "came from members of this cohort" in said
    assert "at least 10 patients" in privgan("evaluate", model, site.root / "cohort", tmp_path / "e", code=5).stderr
    assert not (tmp_path / "e").exists()


def test_a_set_that_was_not_released_is_refused(privgan: Privgan, site: Gate, tmp_path: Path) -> None:
    words = (tmp_path / "model", "--public-key", site.root / "site.pub")
    assert "Expected a bundle" in privgan("teach", site.root / "synthetic", *words, code=2).stderr
    privgan("teach", site.root / "bundle", tmp_path / "model", "--public-key", site.root / "officer.pub", code=6)
    assert not (tmp_path / "model").exists()


def test_what_the_model_does_not_know_is_refused(privgan: Privgan, site: Gate, model: Path, tmp_path: Path) -> None:
    source = write_patients(tmp_path / "images.npz", site.root / "synthetic-run")
    privgan("prepare", source, tmp_path / "cohort", *WORDS[:2], "--modality", "MR", "--accept-low-power")
    before = {path: path.read_bytes() for path in (tmp_path / "cohort").rglob("*") if path.is_file()}
    assert "'MR'" in privgan("evaluate", model, tmp_path / "cohort", tmp_path / "e", code=2).stderr
    assert {path: path.read_bytes() for path in before} == before


def test_a_column_of_the_records_is_taught(privgan: Privgan, tmp_path: Path) -> None:
    """Values that are not known are left out; what was declared is what a cohort must declare."""
    recorded_set(tmp_path / "synthetic", 160, formats=("npz",))
    site = gate_around(tmp_path)
    site.audit(lambda record: record.update(columns=COLUMNS))
    site.release(today=datetime.now(UTC).date())
    words = (tmp_path / "bundle", tmp_path / "model", "--public-key", tmp_path / "site.pub", "--steps", 2)
    told = json.loads(privgan("teach", *words, "--column", "view", "--json").stdout)
    assert (told["classes"], told["column"]) == (["AP", "PA"], "view")
    known = sum(cell != "" for cell in open_synthetic_set(tmp_path / "synthetic").records.cells[:, 3])
    assert sum(told["images"].values()) == known < 160
    assert "values of the column `view`" in (tmp_path / "model" / "README.md").read_text()


def test_it_is_there_in_a_notebook(site: Gate, elsewhere: Path, tmp_path: Path) -> None:
    import privgan

    settings = privgan.TeachSettings(steps=1)
    key, quiet = site.root / "site.pub", privgan.silent
    made = privgan.teach(site.root / "plain", tmp_path / "model", key, settings, progress=quiet)
    assert made.classes == ("normal", "effusion")
    found = privgan.evaluate(tmp_path / "model", elsewhere, tmp_path / "e", progress=quiet)
    assert found["patients"] == 60
