"""Synthetic DICOM files: what stands in them, what never does, and what an independent validator says."""

from pathlib import Path

import numpy as np
import pytest
from pydicom import config, dcmread
from pydicom.dataset import Dataset

from privgan.errors import UsageError
from privgan.synthetic.dicom import writer
from privgan.synthetic.dicom.form import DicomForm, Place
from privgan.synthetic.dicom.look import DicomLook
from privgan.synthetic.dicom.writer import strict_validation
from tests.synthetic.dicom.writing import SOFT, images_of, look_of, looks, uids, write

EXPECTED_KEYWORDS = """
SpecificCharacterSet ImageType InstanceCreationDate SOPClassUID SOPInstanceUID SyntheticData StudyDate
ContentDate StudyTime ContentTime AccessionNumber Modality ConversionType Manufacturer
ReferringPhysicianName StudyDescription SeriesDescription ManufacturerModelName DerivationDescription
PatientName PatientID PatientBirthDate PatientSex PatientIdentityRemoved DeidentificationMethod
BodyPartExamined DeviceSerialNumber SoftwareVersions ContributingEquipmentSequence StudyInstanceUID
SeriesInstanceUID StudyID SeriesNumber InstanceNumber PatientOrientation ImageComments SamplesPerPixel
PhotometricInterpretation Rows Columns BitsAllocated BitsStored HighBit PixelRepresentation
BurnedInAnnotation RecognizableVisualFeatures WindowCenter WindowWidth ImageLaterality LossyImageCompression PixelData
"""


def test_a_file_holds_exactly_the_allow_list(tmp_path: Path) -> None:
    first, second = map(dcmread, write(tmp_path))
    assert {element.keyword for element in first} == set(EXPECTED_KEYWORDS.split())
    assert {element.keyword for element in first.file_meta} == {
        "FileMetaInformationGroupLength",
        "FileMetaInformationVersion",
        "MediaStorageSOPClassUID",
        "MediaStorageSOPInstanceUID",
        "TransferSyntaxUID",
        "ImplementationClassUID",
        "ImplementationVersionName",
    }
    assert first.preamble == bytes(128)
    assert (first.SyntheticData, first.ConversionType) == ("YES", "SYN")
    purpose = first.ContributingEquipmentSequence[0].PurposeOfReferenceCodeSequence[0]
    assert (purpose.CodeValue, purpose.CodingSchemeDesignator) == ("109100", "DCM")
    assert (first.PatientID, first.PatientName) == ("PG-0123abcd-000001", "SYNTHETIC^000001")
    assert first.ImageComments == "séquelle"
    different = [e.keyword for e in first if e != second[e.tag]]
    assert set(different) == {
        "PatientID",
        "PatientName",
        "SOPInstanceUID",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "SeriesNumber",
        "PixelData",
    }


def test_uids_of_two_sets_are_random_version_4_under_2_25(tmp_path: Path) -> None:
    files = [*write(tmp_path / "a", count=20), *write(tmp_path / "b", count=20, seed="6" * 64)]
    datasets = [dcmread(path) for path in files]
    found = [uid for dataset in datasets for uid in uids(dataset)]
    assert len(set(found)) == len(found) == 120
    for uid in found:
        number = int(uid.removeprefix("2.25."))
        assert (number >> 76) & 0xF == 4
    assert all(d.file_meta.MediaStorageSOPInstanceUID == d.SOPInstanceUID for d in datasets)


@pytest.mark.parametrize("name", looks())
@pytest.mark.parametrize("size", [28, 29])
def test_files_are_those_that_pydicom_encodes(name: str, size: int) -> None:
    """Its twin writes every file by itself; ours puts what varies into the first one of its frames and label."""
    look = look_of(**{**looks()[name], "size": size})
    ours, images = writer.DicomWriter(look), images_of(3, size, colour=look.form.colour)
    names = {1: "PG-0123abcd-000001", 20: "PG-0123abcd-000020", 1234567: "PG-0123abcd-1234567", 3: "séquelle^3"}
    for label in ("clear", "séquelle", "odd"):
        for frames in range(1, look.dicom.frames + 1):
            for number, patient in names.items():
                held = images[[number % 3] * frames]
                content = ours.content(held, label, patient_id=patient, place=Place.alone(number))
                twin = writer.DicomWriter(look).encoded(held, label, patient_id=patient, place=Place.alone(number))
                assert content == twin, (label, frames, number)


@pytest.mark.parametrize("size", [28, 29])
def test_pixels_come_back_and_odd_lengths_are_padded(tmp_path: Path, size: int) -> None:
    expected = np.random.default_rng(0).integers(0, 256, (2, size, size), dtype=np.uint8)
    for path, image in zip(write(tmp_path, size=size), expected, strict=True):
        dataset = dcmread(path)
        assert len(dataset.PixelData) % 2 == 0
        np.testing.assert_array_equal(dataset.pixel_array, image)


def test_a_test_run_claims_nothing(tmp_path: Path) -> None:
    dataset = dcmread(write(tmp_path, not_private=True)[0])
    for keyword in ("PatientIdentityRemoved", "BurnedInAnnotation", "RecognizableVisualFeatures"):
        assert keyword not in dataset
    assert "NOT PRIVATE" in dataset.DeidentificationMethod
    assert "epsilon" not in dataset.DerivationDescription


def test_heads_are_not_called_unrecognisable(tmp_path: Path) -> None:
    assert "RecognizableVisualFeatures" not in dcmread(write(tmp_path, body_part="HEAD")[0])


def test_validation_raises_inside_and_is_restored(tmp_path: Path) -> None:
    before = config.settings.reading_validation_mode, config.settings.writing_validation_mode
    with pytest.raises(UsageError, match="code strings"):
        write(tmp_path, modality="not a code string at all")
    assert (config.settings.reading_validation_mode, config.settings.writing_validation_mode) == before
    with strict_validation(), pytest.raises(ValueError, match="Invalid"):
        Dataset().Modality = "lower case"
    assert (config.settings.reading_validation_mode, config.settings.writing_validation_mode) == before


def test_what_files_share_is_built_once_for_each_number_of_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built, template = [], writer.template

    def counted(look: DicomLook, *, frames: int = 1) -> Dataset:
        built.append(frames)
        return template(look, frames=frames)

    monkeypatch.setattr(writer, "template", counted)
    write(tmp_path, 10, form=DicomForm(frames=3))
    assert built == [1, 3]


@pytest.mark.parametrize("kind", ["ct", "mr"])
def test_geometry_is_a_square_around_the_origin(tmp_path: Path, kind: str) -> None:
    """The corners of the first and the last pixel mirror each other, and the pixels fill the field of view."""
    dataset = dcmread(write(tmp_path, form=DicomForm(kind=kind, bits=12), modality=kind.upper(), window=SOFT)[0])
    row, column = map(float, dataset.PixelSpacing)
    assert row == column == pytest.approx({"ct": 400, "mr": 240}[kind] / 28)
    first = np.array(dataset.ImagePositionPatient, float)
    last = first + np.array([27 * column, 27 * row, 0])
    np.testing.assert_allclose(last, [-first[0], -first[1], 0], atol=1e-6)
    assert "nominal" in dataset.DerivationDescription
    assert "nominal" not in dcmread(write(tmp_path / "sc")[0]).DerivationDescription


@pytest.mark.parametrize("window", [(0.1, 0.3), (1 / 3, 2000 / 3), (-1000.1, 400.3)])
@pytest.mark.parametrize("form", [DicomForm(), DicomForm(kind="ct", bits=12)], ids=str)
def test_any_window_can_be_written(tmp_path: Path, window: tuple[float, float], form: DicomForm) -> None:
    dataset = dcmread(write(tmp_path, modality="CT", window=window, form=form)[0])
    assert ("WindowWidth" in dataset) == (window[1] - window[0] >= 1)


def test_colours_have_eight_bits_and_no_units(tmp_path: Path) -> None:
    assert "RescaleSlope" not in dcmread(write(tmp_path, colour=True, modality="CT", window=SOFT)[0])
    for form in (DicomForm(bits=12), DicomForm(kind="cr")):
        with pytest.raises(UsageError, match="colour"):
            write(tmp_path / "other", colour=True, form=form)
