"""How readers find the images of a set: each by itself, or all of one study with a series for each class."""

import json
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread

from privgan.errors import UsageError
from privgan.synthetic.dicom.form import DicomForm, Place, files_of, places_of, resolved
from privgan.synthetic.drawing import Asked, Drawing
from privgan.synthetic.synthetic_set import SyntheticSet, open_synthetic_set
from tests.synthetic.making import SEED, make_set

ONE = DicomForm(one_study=True)


def made(folder: Path, *, one_study: bool) -> SyntheticSet:
    folder.mkdir(exist_ok=True)
    return open_synthetic_set(make_set(folder / "set", 12, form={"one_study": one_study}))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60).map(np.array))
def test_one_study_numbers_each_class_through(labels: np.ndarray) -> None:
    places = places_of(labels, files_of(labels, 1), ONE)
    assert [place.number for place in places] == list(range(1, len(labels) + 1))
    assert {place.patient for place in places} == {1}
    for label in set(labels.tolist()):
        held = [place.instance for place in places if place.series == label + 1]
        assert held == list(range(1, int((labels == label).sum()) + 1))
    assert len({place.name for place in places}) == len(labels)


def test_alone_is_what_it_has_always_been() -> None:
    assert places_of(np.zeros(2, np.int64), files_of([0, 0], 1), DicomForm()) == [Place.alone(1), Place.alone(2)]
    assert Place.alone(7).name == "dicom/000007/000007.dcm"


@pytest.mark.parametrize(
    "wrong", [{"kind": "ct", "bits": 12}, {"kind": "mr", "bits": 12}, {"frames": 2}], ids=["ct", "mr", "frames"]
)
def test_what_would_look_like_a_volume_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="one-study"):
        DicomForm(one_study=True, **wrong)  # type: ignore[arg-type]
    assert resolved("match", modality="DX", bits=None, frames=1, one_study=True).one_study
    assert resolved("match", modality="CT", bits=None, frames=1, one_study=True, colour=True).one_study


def test_headers_agree_with_one_study(tmp_path: Path) -> None:
    held = made(tmp_path, one_study=True)
    files = [dcmread(held.folder / name) for name in sorted(held.files) if name.endswith(".dcm")]
    assert len(files) == 12
    assert len({file.StudyInstanceUID for file in files}) == len({file.PatientID for file in files}) == 1
    assert len({file.SOPInstanceUID for file in files}) == 12
    series = defaultdict(list)
    for file in files:
        series[file.SeriesInstanceUID, int(file.SeriesNumber), file.ImageComments].append(int(file.InstanceNumber))
    assert sorted(key[1:] for key in series) == [(1, "normal"), (2, "effusion")]
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in series.values())


@pytest.mark.parametrize("one_study", [False, True])
def test_the_manifest_remembers_and_whoever_draws_again_asks_for_the_same(tmp_path: Path, one_study: bool) -> None:
    held = made(tmp_path, one_study=one_study)
    table = json.loads((held.folder / "manifest.json").read_text())
    assert table["dicom"].get("one_study", False) is one_study
    assert ("one_study" in table["dicom"]) is one_study, "other sets stay as they were, to the byte"
    again = Drawing.of(tmp_path / "set-run", Asked.of(held.manifest), SEED)
    assert again.manifest == held.manifest


@pytest.mark.parametrize("one_study", [False, True])
def test_gdcm_finds_the_series_that_there_are(tmp_path: Path, one_study: bool) -> None:
    """One folder is asked at a time; SimpleITK's reader does not look into the folders below."""
    sitk = pytest.importorskip("SimpleITK")
    held = made(tmp_path, one_study=one_study)
    found = {}
    for folder in sorted((held.folder / "dicom").iterdir()):
        for uid in sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder)):
            found[uid] = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), uid)
    assert len(found) == (2 if one_study else 12)
    for names in found.values():
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(names)
        pixels = sitk.GetArrayFromImage(reader.Execute())
        numbers = [int(Path(name).stem) - 1 for name in names]
        assert numbers == sorted(numbers)
        assert (pixels == held.images[numbers]).all()


@pytest.mark.parametrize("one_study", [False, True])
def test_dcm2niix_loses_no_image(tmp_path: Path, one_study: bool) -> None:
    """With its usual names; several images of a series become a stack."""
    program = shutil.which("dcm2niix")
    if program is None:
        pytest.skip("dcm2niix is not installed")
    nibabel = pytest.importorskip("nibabel")
    held = made(tmp_path, one_study=one_study)
    (tmp_path / "out").mkdir()
    done = subprocess.run(
        [program, "-o", str(tmp_path / "out"), str(held.folder / "dicom")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    shapes = [nibabel.load(path).shape for path in (tmp_path / "out").glob("*.nii")]
    assert len(shapes) == (2 if one_study else 12)
    assert sum(shape[2] if len(shape) > 2 else 1 for shape in shapes) == 12


def test_the_card_says_what_a_reader_will_find(tmp_path: Path) -> None:
    alone = (made(tmp_path / "a", one_study=False).folder / "README.md").read_text()
    together = (made(tmp_path / "b", one_study=True).folder / "README.md").read_text()
    assert "a study and a series of its own" in alone
    assert "is no volume" in together
    assert "one for all images" in together
