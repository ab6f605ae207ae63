"""What programs that know nothing of us say about every form: dicom3tools, dcmtk and SimpleITK."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

from privgan.synthetic.dicom import validator
from privgan.synthetic.dicom.conformance import faults_of
from tests.synthetic.dicom.writing import SOFT, images_of, looks, write

LOOKS = looks()
EVERY_FORM = pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)


def program(name: str, package: str) -> str:
    """Where Debian puts it: a virtual environment may hold others of the same name."""
    path = shutil.which(name, path="/usr/bin:/usr/local/bin")
    if path is None:
        pytest.skip(f"{name} (Debian package {package}) is not installed")
    return path


@EVERY_FORM
def test_dciodvfy_finds_no_fault(tmp_path: Path, look: dict[str, Any]) -> None:
    dciodvfy = program("dciodvfy", "dicom3tools")
    for path in write(tmp_path, 3, **look):
        done = subprocess.run([dciodvfy, "-new", path], capture_output=True, text=True, check=False)
        lines = [line for line in done.stderr.splitlines() if line.startswith(("Error", "Warning"))]
        # The validator's dictionary is older than Synthetic Data, and does not hold every body part.
        assert [line for line in lines if not any(term in line for term in ("</(0008,001c)>", "= <SKIN>"))] == []
        assert done.returncode == 0
        assert "Image" in done.stderr  # the kind that it recognised
    assert validator.complaints(sorted(tmp_path.rglob("*.dcm"))) == 0


@EVERY_FORM
def test_dcentvfy_finds_the_files_of_a_set_consistent(tmp_path: Path, look: dict[str, Any]) -> None:
    dcentvfy = program("dcentvfy", "dicom3tools")
    done = subprocess.run([dcentvfy, *write(tmp_path, 5, **look)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_the_validator_complains_of_what_is_wrong(tmp_path: Path) -> None:
    program("dciodvfy", "dicom3tools")
    path = write(tmp_path)[0]
    path.write_bytes(b"no DICOM")
    assert validator.complaints([path])


@pytest.mark.parametrize("keyword", ["ConversionType", "ImageLaterality"])
def test_of_a_body_part_that_it_does_not_know_only_the_term_is_let_pass(tmp_path: Path, keyword: str) -> None:
    """Whatever it misses in a file of skin still counts, and so does another term that it does not know."""
    program("dciodvfy", "dicom3tools")
    path = write(tmp_path, body_part="SKIN")[0]
    assert validator.complaints([path]) == 0
    whole = dcmread(path)
    del whole[keyword]
    whole.save_as(path)
    assert validator.complaints([path]) == 1
    setattr(whole, keyword, "SKIN")
    whole.save_as(path)
    assert validator.complaints([path]) == 1


def test_without_a_validator_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validator, "NAME", "no-such-validator")
    assert validator.complaints(write(tmp_path)) is None


def stored_values(path: Path) -> np.ndarray[Any, Any]:
    """By pydicom, frames first."""
    dataset = dcmread(path)
    frames = int(dataset.get("NumberOfFrames", 1))
    shape = (frames, dataset.Rows, dataset.Columns, 3)[: 3 if dataset.SamplesPerPixel == 1 else 4]
    return np.asarray(dataset.pixel_array).reshape(shape)


@EVERY_FORM
def test_dcmtk_reads_the_same_values(tmp_path: Path, look: dict[str, Any]) -> None:
    dcmdump = program("dcmdump", "dcmtk")
    for number, path in enumerate(write(tmp_path, 3, **look)):
        raw = tmp_path / f"raw{number}"
        raw.mkdir()
        done = subprocess.run([dcmdump, "+W", raw, path], capture_output=True, text=True, check=True)
        assert "PixelData" in done.stdout
        (written,) = raw.iterdir()
        values = stored_values(path)
        assert written.read_bytes()[: values.nbytes] == values.tobytes()
        mark = subprocess.run([dcmdump, "+P", "0008,001c", path], capture_output=True, text=True, check=True)
        assert "[YES]" in mark.stdout


@EVERY_FORM
def test_simpleitk_reads_the_same_values_in_their_units(tmp_path: Path, look: dict[str, Any]) -> None:
    sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")
    for path in write(tmp_path, 3, **look):
        found = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
        values, dataset = stored_values(path), dcmread(path)
        expected = values * float(dataset.get("RescaleSlope", 1)) + float(dataset.get("RescaleIntercept", 0))
        np.testing.assert_allclose(found.reshape(expected.shape), expected, atol=1e-3)


@EVERY_FORM
def test_the_audited_levels_come_back_from_what_is_stored(tmp_path: Path, look: dict[str, Any]) -> None:
    """Every level once more, by rounding; and Hounsfield units where the images have them."""
    levels = images_of(3, colour=look.get("colour", False))
    stored = np.concatenate([stored_values(path) for path in write(tmp_path, 3, **look)])
    dataset = dcmread(next(iter(tmp_path.rglob("*.dcm"))))
    if "window" in look:
        units = stored * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
        low, high = SOFT
        np.testing.assert_allclose(units, low + levels * (high - low) / 255, atol=0.51)
        np.testing.assert_array_equal(np.rint((units - low) / (high - low) * 255), levels)
        if dataset.BitsStored > 8:
            np.testing.assert_array_equal(units, np.rint(units))
    else:
        np.testing.assert_array_equal(np.rint(stored / (2**dataset.BitsStored - 1) * 255), levels)


@EVERY_FORM
def test_our_own_check_agrees(tmp_path: Path, look: dict[str, Any]) -> None:
    assert [fault for path in write(tmp_path, 4, **look) for fault in faults_of(path.read_bytes())] == []
