"""Synthetic DICOM files: what stands in them, what never does, and what an independent validator says."""

from pathlib import Path

import numpy as np
import pytest
from pydicom import config, dcmread
from pydicom.dataset import Dataset

from privgan.errors import UsageError
from privgan.synthetic.dicom.writer import strict_validation
from tests.synthetic.dicom.writing import uids, write

EXPECTED_KEYWORDS = """
SpecificCharacterSet ImageType InstanceCreationDate SOPClassUID SOPInstanceUID SyntheticData StudyDate
ContentDate StudyTime ContentTime AccessionNumber Modality ConversionType Manufacturer
ReferringPhysicianName StudyDescription SeriesDescription ManufacturerModelName DerivationDescription
PatientName PatientID PatientBirthDate PatientSex PatientIdentityRemoved DeidentificationMethod
BodyPartExamined DeviceSerialNumber SoftwareVersions ContributingEquipmentSequence StudyInstanceUID
SeriesInstanceUID StudyID SeriesNumber InstanceNumber PatientOrientation ImageComments SamplesPerPixel
PhotometricInterpretation Rows Columns BitsAllocated BitsStored HighBit PixelRepresentation
BurnedInAnnotation RecognizableVisualFeatures WindowCenter WindowWidth LossyImageCompression PixelData
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
        "PixelData",
    }


def test_uids_are_random_version_4_under_2_25(tmp_path: Path) -> None:
    files = [*write(tmp_path / "a", count=20), *write(tmp_path / "b", count=20)]
    datasets = [dcmread(path) for path in files]
    found = [uid for dataset in datasets for uid in uids(dataset)]
    assert len(set(found)) == len(found) == 120
    for uid in found:
        number = int(uid.removeprefix("2.25."))
        assert (number >> 76) & 0xF == 4
    assert all(d.file_meta.MediaStorageSOPInstanceUID == d.SOPInstanceUID for d in datasets)


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
