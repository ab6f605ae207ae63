"""One DICOM file, read as if it were hostile: what it claims is checked before anything is allocated for it.

The transfer syntax is looked up first, only allow-listed tags are parsed, and nothing of the header travels
further than the patient key, study and instance UIDs, and the values whose digests `prepare` keeps.
"""

import io
import itertools
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_dataset
from pydicom.pixels.utils import pixel_array
from pydicom.tag import BaseTag, Tag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from privgan.data import identifiers as kinds
from privgan.data.preprocess import Pixels, prepare_image
from privgan.data.reading import Reading, Request
from privgan.data.refusals import RefusedError, check_shape, read_regular

MAX_INFLATED_BYTES = 128 << 20
NATIVE = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)
READABLE = (*NATIVE, RLELossless)
LIKELY_BURNED_IN = ("US", "IVUS", "SC", "XA", "XC", "OT", "ES", "GM", "DOC")
ISSUER_MARK = "^^^"  # joins a patient number and who issued it, as HL7 does
IDENTIFYING = {
    kinds.NAME: (
        "PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName", "ResponsiblePerson",
        "ReferringPhysicianName", "PerformingPhysicianName", "PhysiciansOfRecord", "RequestingPhysician",
        "NameOfPhysiciansReadingStudy", "OperatorsName", "ConsultingPhysicianName",
        "ScheduledPerformingPhysicianName",
    ),
    kinds.IDENTIFIER: (
        "PatientID", "OtherPatientIDs", "AccessionNumber", "StudyID", "AdmissionID", "RequestedProcedureID",
        "PerformedProcedureStepID", "MedicalRecordLocator", "PatientTelephoneNumbers", "CurrentPatientLocation",
    ),
    kinds.UID: (
        "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID", "DeviceUID",
        "SynchronizationFrameOfReferenceUID", "IrradiationEventUID",
    ),
    kinds.DATE: (
        "PatientBirthDate", "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "AcquisitionDateTime",
        "InstanceCreationDate", "AdmittingDate", "PerformedProcedureStepStartDate",
    ),
    kinds.PLACE: (
        "InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "PatientAddress",
        "ReferringPhysicianAddress", "IssuerOfPatientID",
    ),
    kinds.DEVICE: ("StationName", "DeviceSerialNumber", "PerformedStationName", "PlateID", "DetectorID"),
    kinds.TEXT: ("PatientComments", "ImageComments", "StudyComments", "AdditionalPatientHistory"),
}  # fmt: skip
TECHNICAL = (
    "Modality", "BurnedInAnnotation", "PhotometricInterpretation", "SamplesPerPixel", "NumberOfFrames", "Rows",
    "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PlanarConfiguration",
    "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "PixelData",
)  # fmt: skip
TAGS: list[BaseTag | int] = [Tag(keyword) for keyword in (*TECHNICAL, *itertools.chain(*IDENTIFYING.values()))]


def read_dicom(path: Path, request: Request) -> Reading:
    """Read one DICOM file.

    Raises:
        RefusedError: nothing of its header could be read; later refusals are in the Reading's code.
    """
    dataset = _parse(read_regular(path))
    code, image = "", None
    try:
        image = _image(dataset, request)
    except RefusedError as refusal:
        code = refusal.code
    return Reading(
        code=code,
        image=image,
        patient=_patient_key(dataset),
        study=_text(dataset, "StudyInstanceUID"),
        instance=_text(dataset, "SOPInstanceUID"),
        modality=_text(dataset, "Modality").upper(),
        side=max(_integer(dataset, "Rows", 0), _integer(dataset, "Columns", 0)),
        identifiers=tuple(_identifiers(dataset)),
    )


def _parse(content: bytes) -> Dataset:
    if content[128:132] != b"DICM":
        raise RefusedError("not_dicom")
    stream = io.BytesIO(content)
    stream.seek(132)
    header = read_dataset(stream, False, True, stop_when=lambda tag, _vr, _length: tag >> 16 != 2)
    syntax = str(header.get("TransferSyntaxUID", ""))
    if syntax not in READABLE:
        raise RefusedError("transfer_syntax")
    if syntax == DeflatedExplicitVRLittleEndian:
        stream = io.BytesIO(_inflate(stream.read()))
    dataset = read_dataset(
        stream, syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian, specific_tags=TAGS
    )
    dataset.file_meta = FileMetaDataset(header)
    return dataset


def _inflate(content: bytes) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    plain = inflater.decompress(content, MAX_INFLATED_BYTES)
    if inflater.unconsumed_tail:
        raise RefusedError("too_large")
    if not inflater.eof:
        raise RefusedError("truncated")
    return plain


def _image(dataset: Dataset, request: Request) -> NDArray[np.uint8]:
    if not request.trusted:
        _check_source(dataset, request)
    _check_format(dataset)
    slope, intercept = _rescale(dataset, required=request.recipe.preset.startswith("ct-") and not request.trusted)
    bits = _integer(dataset, "BitsStored")
    signed = _integer(dataset, "PixelRepresentation") == 1
    return prepare_image(
        Pixels(
            values=pixel_array(dataset, raw=True),
            low=-(2 ** (bits - 1)) if signed else 0,
            high=2 ** (bits - 1) - 1 if signed else 2**bits - 1,
            slope=slope,
            intercept=intercept,
            inverted=_text(dataset, "PhotometricInterpretation") == "MONOCHROME1",
        ),
        request.recipe,
    )


def _check_source(dataset: Dataset, request: Request) -> None:
    """Refuse what would endanger or misplace a patient."""
    modality = _text(dataset, "Modality").upper()
    if not request.accept_burned_in:
        if _text(dataset, "BurnedInAnnotation").upper() == "YES":
            raise RefusedError("burned_in")
        if modality in LIKELY_BURNED_IN:
            raise RefusedError("likely_burned_in")
    if "PixelData" not in dataset:
        raise RefusedError("no_pixels")
    if not request.recipe.rule.accepts(modality):
        raise RefusedError("other_modality")
    if not _text(dataset, "PatientID") and not request.patient_from_table:
        raise RefusedError("missing_patient_id")


def _check_format(dataset: Dataset) -> None:
    """Refuse what cannot be decoded, from numbers alone, before pixels are touched."""
    if "PixelData" not in dataset:
        raise RefusedError("no_pixels")
    rows, columns = _integer(dataset, "Rows"), _integer(dataset, "Columns")
    check_shape(rows, columns)
    grey = _text(dataset, "PhotometricInterpretation") in ("MONOCHROME1", "MONOCHROME2")
    if not grey or _integer(dataset, "SamplesPerPixel") != 1:
        raise RefusedError("colour")
    if _integer(dataset, "NumberOfFrames", 1) > 1:
        raise RefusedError("multi_frame")
    allocated, stored = _integer(dataset, "BitsAllocated"), _integer(dataset, "BitsStored")
    packed = _integer(dataset, "HighBit", stored - 1) != stored - 1
    if allocated not in (8, 16) or not 8 <= stored <= allocated or packed:
        raise RefusedError("bit_depth")
    if _integer(dataset, "PixelRepresentation") not in (0, 1):
        raise RefusedError("damaged")
    native = dataset.file_meta.TransferSyntaxUID in NATIVE
    if native and len(dataset.PixelData) < rows * columns * allocated // 8:
        raise RefusedError("truncated")


def _rescale(dataset: Dataset, *, required: bool) -> tuple[float, float]:
    if dataset.get("ModalityLUTSequence"):
        raise RefusedError("modality_lut")
    if required and (dataset.get("RescaleSlope") is None or dataset.get("RescaleIntercept") is None):
        raise RefusedError("missing_rescale")
    slope, intercept = (
        float(1 if dataset.get("RescaleSlope") is None else dataset.RescaleSlope),
        float(0 if dataset.get("RescaleIntercept") is None else dataset.RescaleIntercept),
    )
    if not (math.isfinite(slope) and math.isfinite(intercept)):
        raise RefusedError("non_finite_pixels")
    if slope == 0:
        raise RefusedError("damaged")
    return slope, intercept


def _identifiers(dataset: Dataset) -> list[tuple[str, str]]:
    return [
        (category, value)
        for category, keywords in IDENTIFYING.items()
        for keyword in keywords
        for value in _values(dataset, keyword)
    ]


def _patient_key(dataset: Dataset) -> str:
    number, issuer = _text(dataset, "PatientID"), _text(dataset, "IssuerOfPatientID")
    return f"{number}{ISSUER_MARK}{issuer}" if number and issuer else number


def _values(dataset: Dataset, keyword: str) -> list[str]:
    value = dataset.get(keyword)
    if value is None:
        return []
    several = value if isinstance(value, list) or hasattr(value, "__delitem__") else [value]
    return [text for text in (str(item).strip(" \0") for item in several) if text]


def _text(dataset: Dataset, keyword: str) -> str:
    return "\\".join(_values(dataset, keyword))


def _integer(dataset: Dataset, keyword: str, default: int | None = None) -> int:
    value = dataset.get(keyword)
    if value is None or value == "":
        if default is None:
            raise RefusedError("damaged")
        return default
    return int(value)
