"""Screens, paper, faces, localizers, maps and mosaics: what a header says is no image of its modality."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, MRImageStorage, SecondaryCaptureImageStorage

from privgan.data.cohort.scan import scan
from privgan.data.formats.dicom import reader as dicom
from privgan.data.formats.reading import Request
from privgan.data.formats.worker import read_entry
from privgan.data.recipe import Recipe
from privgan.data.selection import Selection
from privgan.data.sources.wishes import Wishes

PIXELS = np.random.default_rng(0).integers(0, 4096, (32, 32)).astype(np.uint16)
ANY = Recipe(preset="custom", window=(0.0, 4095.0))
SCREENS: list[dict[str, Any]] = [
    {"SOPClassUID": SecondaryCaptureImageStorage},
    *({"SOPClassUID": f"{SecondaryCaptureImageStorage}.{kind}"} for kind in range(1, 5)),
    {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]},
    {"ImageType": ["DERIVED", "SECONDARY", "OTHER", "CSA SCREENSHOT"]},
    {"ImageType": ["DERIVED", "SECONDARY", "CAPTURE"]},
    {"ImageType": ["DERIVED", "SECONDARY", "DOSE_INFO"]},
    *({"ConversionType": kind} for kind in ("WSD", "SD", "DV", "DF", "DRW")),
    {"SeriesDescription": "Screen_Save"},
    {"SeriesDescription": "DOSE REPORT"},
    {"ProtocolName": "x Patient  Protocol 3"},
    {"BurnedInAnnotation": "YES"},
]
ORDINARY: list[dict[str, Any]] = [
    {"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "LOW_DOSE"]},
    {"ImageType": ["DERIVED", "PRIMARY"]},
    {"ConversionType": "DI"},
    {"SeriesDescription": "Saved for teaching"},
    {"BurnedInAnnotation": "NO", "RecognizableVisualFeatures": "NO"},
]


def code_of(path: Path, **selecting: Any) -> str:
    return read_entry(path, Request(kind=dicom.__name__, recipe=ANY, selection=Selection(**selecting))).code


@pytest.mark.parametrize("modality", ["CR", "MR", "MG", "PX"])
@pytest.mark.parametrize("said", SCREENS, ids=str)
def test_what_was_on_a_screen_or_on_paper_is_read_only_when_accepted(
    make_dicom: Any, tmp_path: Path, modality: str, said: dict[str, Any]
) -> None:
    file = make_dicom(tmp_path / "a.dcm", PIXELS, Modality=modality, **said)
    assert code_of(file) == ("burned_in" if "BurnedInAnnotation" in said else "likely_burned_in")
    assert code_of(file, accept_burned_in=True) == code_of(file, trusted=True) == ""


@pytest.mark.parametrize("said", ORDINARY, ids=str)
def test_ordinary_images_are_read(make_dicom: Any, tmp_path: Path, said: dict[str, Any]) -> None:
    assert code_of(make_dicom(tmp_path / "a.dcm", PIXELS, **said)) == ""


def test_what_says_that_it_was_made_from_another_image_is_never_read(make_dicom: Any, tmp_path: Path) -> None:
    """Whoever made it, and among a generator's files too; what is of nobody has no source, and not all has one."""
    source, said = Dataset(), {"Manufacturer": "Somebody Else", "SyntheticData": "YES"}
    source.ReferencedSOPInstanceUID = "2.25.3"
    file = make_dicom(tmp_path / "a.dcm", PIXELS, SourceImageSequence=[source], **said)
    for selecting in ({}, {"accept_burned_in": True}, {"trusted": True}):
        assert code_of(file, **selecting) == "restored"
    for other in ({"SourceImageSequence": [source]}, said, {**said, "SourceImageSequence": []}):
        assert code_of(make_dicom(tmp_path / "b.dcm", PIXELS, **other), trusted=True) == ""


def test_a_face_is_never_read(make_dicom: Any, tmp_path: Path) -> None:
    file = make_dicom(tmp_path / "a.dcm", PIXELS, RecognizableVisualFeatures="YES")
    assert code_of(file) == code_of(file, accept_burned_in=True) == "recognisable"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["ORIGINAL", "PRIMARY", "LOCALIZER"], "localizer"),
        (["DERIVED", "SECONDARY", "SCOUT"], "localizer"),
        (["DERIVED", "PRIMARY", "DIFFUSION", "ADC"], "derived_map"),
        (["DERIVED", "SECONDARY", "PERFUSION", "NONE", "TTP"], "derived_map"),
        (["ORIGINAL", "PRIMARY", "P", "ND"], "derived_map"),
        (["DERIVED", "SECONDARY", "PROJECTION IMAGE"], "derived_map"),
        (["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"], "mosaic"),
        (["ORIGINAL", "PRIMARY", "M", "ND", "NORM"], ""),
        (["DERIVED", "SECONDARY", "MPR"], ""),
    ],
)
def test_slices_are_of_a_body_and_not_computed(make_dicom: Any, tmp_path: Path, words: list[str], code: str) -> None:
    for modality, kind in (("MR", MRImageStorage), ("CT", CTImageStorage)):
        units = {"RescaleSlope": "1", "RescaleIntercept": "-1024"} if modality == "CT" else {}
        file = make_dicom(
            tmp_path / f"{modality}.dcm", PIXELS, Modality=modality, SOPClassUID=kind, ImageType=words, **units
        )
        assert code_of(file) == code
        assert code_of(file, image_types=(words[-1],)) == ("mosaic" if code == "mosaic" else "")
        assert code_of(file, image_types=("SOMETHING",)) == "not_selected"


def test_a_radiograph_may_call_itself_what_slices_may_not(make_dicom: Any, tmp_path: Path) -> None:
    file = make_dicom(tmp_path / "a.dcm", PIXELS, ImageType=["DERIVED", "PRIMARY", "SUB"])
    assert code_of(file) == ""


def test_what_was_left_out_is_counted(make_dicom: Any, tmp_path: Path) -> None:
    for number, words in enumerate(
        (["ORIGINAL", "PRIMARY", "M"], ["DERIVED", "PRIMARY", "ADC"], ["A", "B", "LOCALIZER"])
    ):
        values = np.add.outer(np.arange(32), np.arange(32) * (number + 2)).astype(np.uint16)
        make_dicom(tmp_path / f"{number}.dcm", values, Modality="MR", SOPClassUID=MRImageStorage, ImageType=words)
    report = scan(tmp_path, Wishes(preset="mr"))
    assert (report.images, report.refused) == (1, {"derived_map": 1, "localizer": 1})
