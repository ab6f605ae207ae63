"""One invented mark in each of 36 places of a DICOM file that can name a patient; no two files share a mark."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence

Mark = Callable[[str], str]  # from the name of a place to the mark of this file there


def _item(**values: object) -> Sequence:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return Sequence([item])


def _texts(dataset: Dataset, mark: Mark) -> None:
    for keyword in (
        "PatientName", "PatientID", "PatientBirthName", "PatientAddress", "PatientComments", "StudyDescription",
        "SeriesDescription", "AccessionNumber", "InstitutionName", "InstitutionAddress", "StationName",
        "ReferringPhysicianName", "DeviceSerialNumber", "ProtocolName", "ImageComments", "StudyID",
        "IssuerOfPatientID",
    ):  # fmt: skip
        setattr(dataset, keyword, mark(keyword))
    dataset.OperatorsName = [mark("OperatorsName"), "Nobody"]


def _sequences(dataset: Dataset, mark: Mark) -> None:
    dataset.OtherPatientIDsSequence = _item(PatientID=mark("other number"))
    dataset.RequestAttributesSequence = _item(RequestedProcedureID=mark("request"))
    dataset.OriginalAttributesSequence = _item(
        ModifiedAttributesSequence=_item(PatientName=mark("original attributes")),
        SourceOfPreviousValues="", AttributeModificationDateTime="20260101", ModifyingSystem="X",
        ReasonForTheAttributeModification="CORRECT",
    )  # fmt: skip
    dataset.ContentSequence = _item(TextValue=mark("text value"), ValueType="TEXT")
    dataset.IconImageSequence = _item(PixelData=mark("icon").encode())
    dataset.IconImageSequence[0]["PixelData"].VR = "OB"


def _hidden(dataset: Dataset, mark: Mark) -> None:
    block = dataset.private_block(0x0011, "ACME 1.0", create=True)
    block.add_new(0x01, "LO", mark("private text"))
    block.add_new(0x02, "OB", mark("private bytes").encode())
    block.add_new(0x03, "SQ", _item(PatientName=mark("private sequence")))
    block.add_new(0x04, "UN", mark("unknown").encode())
    dataset.add_new(0x60000022, "LO", mark("overlay description"))
    dataset.add_new(0x60003000, "OW", mark("overlay").encode())
    dataset.add_new(0x50003000, "OW", mark("curve").encode())
    dataset.add_new(0x00282000, "OB", mark("ICC profile").encode())
    dataset.add_new(0xFFFCFFFC, "OB", mark("padding").encode())
    if not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        dataset.PixelData = dataset.PixelData[:-16] + mark("pixels").ljust(16).encode()


def _around(dataset: FileDataset, mark: Mark) -> None:
    dataset.file_meta.SourceApplicationEntityTitle = mark("AE title")
    dataset.file_meta.PrivateInformationCreatorUID = "1.2.3"
    dataset.file_meta.PrivateInformation = mark("file meta").encode()
    dataset.preamble = mark("preamble").encode().ljust(128, b"\0")


def plant(path: Path, number: int, owner: int) -> Iterator[str]:
    """Put a mark of its own into every place of one file; gives the marks.

    Args:
        path: the file, which is written anew.
        number: of the file.
        owner: of the patient, whose number and name all of their files share.
    """
    found: dict[str, str] = {}

    def mark(place: str) -> str:
        shared = place in ("PatientID", "PatientName", "IssuerOfPatientID")
        whose = f"P{owner:05d}" if shared else f"F{number:05d}"
        return found.setdefault(place, f"QZ{len(found):02d}{whose}VK")

    dataset = dcmread(path)
    for planting in (_texts, _sequences, _hidden):
        planting(dataset, mark)
    _around(dataset, mark)
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    path.write_bytes(buffer.getvalue() + mark("behind the end").encode())
    assert len(found) >= 36
    yield from found.values()
