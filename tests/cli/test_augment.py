"""`privgan augment` as a process, from a released bundle and a second hospital's cohort to a page."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import privgan as toolkit
from privgan_uses.augmenting.arms import MIXED_ALL, REAL
from tests.audits.releasing import Gate, make_released

Privgan = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    return make_released(tmp_path_factory.mktemp("gate"))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 90 patients of another hospital."""
    path = tmp_path_factory.mktemp("second") / "images.npz"
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 256, (90, 28, 28), dtype=np.uint8)
    np.savez(
        path, images=levels, labels=np.array(["normal", "effusion"])[np.arange(90) % 2], patient_id=np.arange(90)
    )
    return path


def test_whether_a_set_helps_a_second_hospital(privgan: Privgan, site: Gate, images: Path, tmp_path: Path) -> None:
    cohort, worth, key = tmp_path / "cohort", tmp_path / "worth", site.root / "site.pub"
    named = ("--classes", "normal,effusion", "--modality", "CR", "--body-part", "CHEST", "--size", "28")
    privgan("prepare", str(images), str(cohort), *named, "--non-members", "0.5", "--accept-low-power")
    asked = ("augment", str(site.root / "bundle"), str(cohort), str(worth), "--public-key", str(key))
    said = privgan(*asked, "--patients", "5", "--repeats", "2", "--steps", "11", "--json")
    told = json.loads(said.stdout)
    assert [size["patients"] for size in told["sizes"]] == [5]
    assert told["sizes"] == json.loads((worth / "augment.json").read_text())["sizes"]
    assert (worth / "augment.html").is_file()
    again = privgan(*asked, code=2)
    design = toolkit.AugmentDesign(sizes=(5,), repeats=2, steps=11, arms=(REAL, MIXED_ALL))
    found = toolkit.augment(site.root / "bundle", cohort, tmp_path / "again", key, design, progress=toolkit.silent)
    assert set(found["sizes"][0]["arms"]) == {"real", "mixed all"}
    assert "--force" in again.stderr


def test_the_cohort_that_made_the_set_is_refused(privgan: Privgan, site: Gate, tmp_path: Path) -> None:
    root, worth = site.root, tmp_path / "worth"
    asked = (
        "augment",
        str(root / "bundle"),
        str(root / "cohort"),
        str(worth),
        "--public-key",
        str(root / "site.pub"),
    )
    assert "this one made the set" in privgan(*asked, code=2).stderr
    assert not worth.exists()
