"""Our own check: each rule has a file that only that rule refuses, and nothing of a value is said."""

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.uid import ImplicitVRLittleEndian

from privgan.errors import PrivganError
from privgan.synthetic.dicom import conformance, writer
from privgan.synthetic.dicom.conformance import faults_of
from privgan.synthetic.dicom.form import DicomForm
from tests.synthetic.dicom.writing import SOFT, write

Change = Callable[[FileDataset], object]
CT = {"modality": "CT", "window": SOFT, "form": DicomForm(kind="ct", bits=12)}
PAGES = {"form": DicomForm(frames=3)}
COLOUR = {"colour": True}
PERSON = "Zorkel^Vimbru"


def put(**values: Any) -> Change:
    def change(dataset: FileDataset) -> None:
        for keyword, value in values.items():
            setattr(dataset, keyword, value)

    return change


def without(keyword: str) -> Change:
    return lambda dataset: dataset.pop(keyword)


def in_meta(**values: Any) -> Change:
    return lambda dataset: [setattr(dataset.file_meta, keyword, value) for keyword, value in values.items()]


def private(dataset: FileDataset) -> None:
    dataset.add_new(0x00111001, "LO", PERSON)


def lone_frame(dataset: FileDataset) -> None:
    del dataset.NumberOfFrames, dataset.FrameIncrementPointer, dataset.PageNumberVector
    dataset.PixelData = dataset.PixelData[: 28 * 28]


def other_kind(dataset: FileDataset) -> None:
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11"


def put_badly(**values: Any) -> Change:
    """Values that pydicom warns of."""

    def change(dataset: FileDataset) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            put(**values)(dataset)

    return change


def dated(day: str, **others: str) -> Change:
    return put(**{"SeriesDate": day, "AcquisitionDate": day, "ContentDate": day, **others})


def other_vr(dataset: FileDataset) -> None:
    dataset["StudyID"].VR = "LO"


FAULTS: dict[str, tuple[dict[str, Any], Change]] = {
    "SOPInstanceUID differs": ({}, put(SOPInstanceUID="2.25.1")),
    "SOPClassUID is not of a kind": ({}, other_kind),
    "TransferSyntaxUID": ({}, in_meta(TransferSyntaxUID=ImplicitVRLittleEndian)),
    "ImplementationClassUID": ({}, in_meta(ImplementationClassUID="")),
    "ImplementationVersionName": ({}, in_meta(ImplementationVersionName="")),
    "StudyInstanceUID has no value": ({}, put(StudyInstanceUID="")),
    "PatientBirthDate is missing": ({}, without("PatientBirthDate")),
    "ConversionType has no value": ({}, without("ConversionType")),
    "KVP is missing": (CT, without("KVP")),
    "PixelSpacing has no value": (CT, put(PixelSpacing=None)),
    "PageNumberVector or": (PAGES, put(PageNumberVector=[1, 2])),
    "PageNumberVector or FrameIncrementPointer": (PAGES, without("FrameIncrementPointer")),
    "NumberOfFrames has no value": (PAGES, lone_frame),
    "a private element": ({}, private),
    "FrameOfReferenceUID is no valid UID": (CT, put_badly(FrameOfReferenceUID="1.02.3")),
    "PatientBirthDate does not fit": ({}, put_badly(PatientBirthDate=PERSON)),
    "Modality does not fit": ({}, put_badly(Modality="lower case")),
    "StudyID does not fit": ({}, other_vr),
    "PixelData has another length": ({}, put(PixelData=bytes(10))),
    "BitsAllocated, BitsStored": ({}, put(HighBit=6)),
    "PhotometricInterpretation": ({}, put(PhotometricInterpretation="RGB")),
    "PlanarConfiguration is not 0": (COLOUR, put(PlanarConfiguration=1)),
    "RescaleSlope and": (CT, put(RescaleSlope="0")),
    "WindowCenter and": ({}, without("WindowWidth")),
    "SyntheticData is not YES": ({}, put(SyntheticData="NO")),
    "a side is missing": ({"body_part": ""}, without("ImageLaterality")),
    "a side is missing, of a body part": ({"body_part": "KNEE"}, without("ImageLaterality")),
    "SeriesDate, AcquisitionDate, ContentDate differ": ({}, dated("19000301", AcquisitionDate="19000302")),
    "SeriesDate, AcquisitionDate, ContentDate differ, or lie before": ({}, dated("18991231")),
    "ReferencedImageSequence would point": ({}, put(ReferencedImageSequence=[])),
}


def changed(folder: Path, look: dict[str, Any], change: Change) -> bytes:
    dataset = dcmread(write(folder, 3, **look)[0])
    change(dataset)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=False)
    return buffer.getvalue()


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_and_no_other(tmp_path: Path, fault: str) -> None:
    found = faults_of(changed(tmp_path, *FAULTS[fault]))
    assert len(found) == 1
    assert found[0].startswith(fault)
    assert PERSON not in found[0]


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("SKIN", without("ImageLaterality")),  # nothing says that it is paired
        ("KNEE", lambda dataset: [without("ImageLaterality")(dataset), put(Laterality="")(dataset)]),
        ("", put(ImageLaterality="L")),
    ],
)
def test_a_side_is_demanded_of_no_more_than_the_standard_does(tmp_path: Path, part: str, change: Change) -> None:
    assert faults_of(changed(tmp_path, {"body_part": part}, change)) == []


def test_sixteen_bits_are_demanded_of_ct(tmp_path: Path) -> None:
    halved = put(BitsAllocated=8, BitsStored=8, HighBit=7, PixelData=bytes(28 * 28))
    assert faults_of(changed(tmp_path, CT, halved)) == ["BitsAllocated is not 16"]


def uids(value: str) -> Change:
    return lambda dataset: [put(SOPInstanceUID=value)(dataset), in_meta(MediaStorageSOPInstanceUID=value)(dataset)]


@pytest.mark.parametrize("look", [{}, CT, PAGES, COLOUR])
def test_files_like_one_that_is_right_are_not_read_again(
    tmp_path: Path, look: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = (path.read_bytes() for path in write(tmp_path, 12, **look))
    assert faults_of(first) == []

    def read(_: object) -> FileDataset:
        raise AssertionError

    monkeypatch.setattr(conformance, "dcmread", read)
    assert [faults_of(content) for content in others] == [[]] * len(others)
    monkeypatch.setattr(conformance, "_RIGHT", set())
    assert faults_of(others[0]) == ["it cannot be parsed"]  # so it was likeness alone


@pytest.mark.parametrize(
    "change",
    [
        put(SOPInstanceUID="2.25.7"),
        in_meta(MediaStorageSOPInstanceUID="2.25.7"),
        put_badly(StudyInstanceUID="2.25.07"),
        put_badly(SeriesInstanceUID="2.25." + "7" * 70),
        uids(""),
        put_badly(PatientName="SYNTHETIC^" + "7" * 70),
        put_badly(PatientID="A" * 65),
        put_badly(InstanceNumber="1.5"),
        put(PixelData=bytes(28 * 28 - 2)),
        put(PatientSex="Q"),
    ],
)
def test_what_is_a_files_own_is_looked_at_in_each(
    tmp_path: Path, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slow twin has seen no file that was right."""
    content = changed(tmp_path, {}, change)
    assert faults_of(write(tmp_path / "right", 3)[0].read_bytes()) == []
    found = faults_of(content)
    monkeypatch.setattr(conformance, "_RIGHT", set())
    assert found == faults_of(content) != []


@pytest.mark.parametrize("harm", [lambda c: c + b"\0\0", lambda c: c[:-2], lambda c: c[:400] + c[410:]])
def test_a_file_that_is_cut_or_goes_on_is_read(
    tmp_path: Path, harm: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = write(tmp_path, 3)[0].read_bytes()
    assert faults_of(content) == []
    found = faults_of(harm(content))
    monkeypatch.setattr(conformance, "_RIGHT", set())
    assert found == faults_of(harm(content))


def test_preambles_and_other_files() -> None:
    assert faults_of(b"MZ" + bytes(200)) == ["the preamble is not zero"]
    assert faults_of(bytes(300)) == ["it cannot be parsed"]


def test_a_file_with_a_fault_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "faults_of", lambda _: ["KVP is missing"])
    with pytest.raises(PrivganError, match="KVP"):
        write(tmp_path)
    assert not list(tmp_path.rglob("*.dcm"))
