"""NIfTI volumes on the command line: looked at, prepared into a cohort, and without the library that reads them."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from privgan.data.identifiers import IdentifierDigests
from tests.cli.conftest import as_expected, environment
from tests.cli.forking import warm
from tests.data.volumes import nifti, smooth, written

Privgan = Callable[..., subprocess.CompletedProcess[str]]
PATIENTS, SLICES, MARK = 12, 5, "ZZ-4711-MARK"


@pytest.fixture(scope="module")
def volumes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two volumes a patient, and a file that is none."""
    folder = tmp_path_factory.mktemp("volumes")
    for number in range(2 * PATIENTS):
        voxels = smooth((28, 28, SLICES), number) - 500
        content = nifti(voxels, descrip=f"{MARK}{number // 2:02d}".encode())
        written(folder / f"ward{number % 3}" / f"Zorkel{number:02d}.nii.gz", content)
    written(folder / "broken.nii", nifti(smooth((28, 28, SLICES), 0), scl_slope=-1.0))
    return folder


def test_scan_says_what_would_be_read_and_never_a_name(privgan: Privgan, volumes: Path) -> None:
    said = privgan("scan", volumes, "--preset", "ct-soft", "--json")
    found = json.loads(said.stdout)
    assert (found["files"], found["readable"], found["images"]) == (25, 24, 24 * SLICES)
    assert (found["refused"], found["patients"], found["preset"]) == ({"scaling": 1}, 24, "ct-soft")
    assert any("each file counts as one patient" in note for note in found["notes"])
    assert (found["each_image_is_a_patient"], found["modality"], found["body_part"]) == (True, "CT", "")
    assert "RED  Nothing says whose each image is" in said.stderr
    assert any(note.startswith("24 files do not say in what unit") for note in found["notes"])
    assert "Zorkel" not in said.stdout + said.stderr
    assert MARK not in said.stdout + said.stderr


@pytest.mark.parametrize(
    ("words", "images"),
    [
        (("--every", 2), 24 * 3),
        (("--frames", "middle"), 24),
        (("--axis", "coronal", "--frames", "5-8"), 24 * 4),
        (("--axis", "stored"), 24 * SLICES),
    ],
)
def test_slices_are_chosen(privgan: Privgan, volumes: Path, words: tuple[object, ...], images: int) -> None:
    said = privgan("scan", volumes, "--preset", "mr", "--json", *words)
    assert json.loads(said.stdout)["images"] == images


def test_what_volumes_cannot_say_must_be_said(privgan: Privgan, volumes: Path) -> None:
    assert "--window" in privgan("scan", volumes, code=2).stderr
    assert "axial, coronal" in privgan("scan", volumes, "--preset", "mr", "--axis", "upwards", code=2).stderr
    refused = privgan("scan", volumes, "--preset", "cxr", "--json", code=5)
    assert json.loads(refused.stdout)["refused"] == {"no_range": 24, "scaling": 1}


def test_volumes_become_a_cohort_whose_patients_are_a_tables(privgan: Privgan, volumes: Path, tmp_path: Path) -> None:
    table, cohort = tmp_path / "persons.csv", tmp_path / "cohort"
    names = sorted(path.relative_to(volumes).as_posix() for path in volumes.rglob("*.nii.gz"))
    rows = [f"{name},person{int(Path(name).name[6:8]) // 2}" for name in names]
    table.write_text("\n".join(["file,patient", *rows, "broken.nii,person0"]))
    words = ("--preset", "ct-soft", "--size", 28, "--csv", table, "--accept-low-power", "--json")
    said = json.loads(privgan("prepare", volumes, cohort, *words).stdout)
    assert (said["patients"], said["images"]) == (PATIENTS, 2 * PATIENTS * SLICES)
    facts = json.loads((cohort / "cohort.json").read_text())
    assert (facts["modality"], facts["window_low"], facts["refused"]) == ("CT", -160.0, {"scaling": 1})
    images = np.load(cohort / "images.npy")
    first = np.clip((smooth((28, 28, SLICES), 0)[::-1, ::-1, 0].T - 500.0 + 160) / 400, 0, 1)
    np.testing.assert_allclose(images[0], first * 255, atol=0.51)
    with np.load(cohort / "patients.npz") as columns:
        owners, split = columns["patient"], columns["split"]
    assert np.bincount(owners).tolist() == [2 * SLICES] * PATIENTS
    assert all(len(set(split[owners == owner])) == 1 for owner in range(PATIENTS))  # all slices on one side
    key = (cohort / "private" / "hmac.key").read_bytes()
    known = IdentifierDigests.read(cohort / "private" / "identifiers", key)
    assert known.find(f"{MARK}07") == "text"
    assert known.find("Zorkel07") == "file_name"  # without .nii and .gz
    assert MARK.encode() not in b"".join(path.read_bytes() for path in cohort.rglob("*") if path.is_file())


def test_without_nibabel_one_sentence_names_the_extra(volumes: Path, tmp_path: Path) -> None:
    (tmp_path / "nibabel.py").write_text("raise ImportError\n")
    variables = environment()
    variables["PYTHONPATH"] = os.pathsep.join((str(tmp_path), variables["PYTHONPATH"]))
    prepare = ("prepare", volumes, tmp_path / "cohort", "--preset", "mr", "--each-image-is-a-patient")
    (tmp_path / "warm").mkdir()
    with warm(tmp_path / "warm", variables, light=()) as process:
        for words, place in ((("scan", volumes, "--preset", "mr"), "stdout"), (prepare, "stderr")):
            done = as_expected(process.run(*words), 5)
            assert 'pip install "privgan[nifti]"' in getattr(done, place)
            assert "no_nibabel" in getattr(done, place)
    assert not (tmp_path / "cohort").exists()
