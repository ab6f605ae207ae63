"""What each kind of object has beside what all of them have: one entry a SOP class (PS3.3 annex A)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    MRImageStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)
from pydicom.valuerep import DSfloat

from privgan.synthetic.dicom.form import SECONDARY_CAPTURE, DicomForm

Attributes = dict[str, Any]
# Nominal, in millimetres: what such an examination usually covers. The images themselves have no scale.
FIELD_OF_VIEW_MM = {"ct": 400.0, "mr": 240.0, "dx": 430.0}
SLICE_THICKNESS_MM = 5.0
# PS3.16 CID 4009, for DX; an unknown part is the entire body.
_ANATOMY = {
    "ABDOMEN": ("818981001", "Abdomen"),
    "BREAST": ("76752008", "Breast"),
    "CHEST": ("816094009", "Chest"),
    "HAND": ("85562004", "Hand"),
    "HEAD": ("69536005", "Head"),
    "KNEE": ("72696002", "Knee"),
    "PELVIS": ("816092008", "Pelvis"),
}
_ENTIRE_BODY = ("38266002", "Entire body")
_PAGE_NUMBER_VECTOR = 0x00182001


@dataclass(frozen=True, kw_only=True)
class Kind:
    """sop_class; image_type: what follows DERIVED and SECONDARY; own_uids: beside study, series and instance.

    attributes: of the kind alone, for an image of so many pixels a side and this body part.
    """

    sop_class: UID
    image_type: tuple[str, ...] = ()
    own_uids: tuple[str, ...] = ()
    attributes: Callable[[int, str], Attributes]


def kind_of(form: DicomForm, *, colour: bool) -> Kind:
    """The kind of object for a form, of grey or colour images."""
    if form.kind != SECONDARY_CAPTURE:
        return _MATCHING[form.kind]
    if form.frames == 1:
        return _CAPTURE
    if colour:
        return _CAPTURES_IN_COLOUR
    return _CAPTURES_IN_BYTES if form.bits == 8 else _CAPTURES_IN_WORDS


def pages(count: int) -> Attributes:
    """What says that a file has many frames, and that they are pages and not moments (PS3.3 C.7.6.6, C.8.6.4)."""
    if count == 1:
        return {"NumberOfFrames": 1}
    return {
        "NumberOfFrames": count,
        "FrameIncrementPointer": _PAGE_NUMBER_VECTOR,
        "PageNumberVector": list(range(1, count + 1)),
    }


def _capture(_size: int, _part: str) -> Attributes:
    return {"ConversionType": "SYN"}


def _grey_captures(_size: int, _part: str) -> Attributes:
    identity = {"RescaleIntercept": "0", "RescaleSlope": "1", "RescaleType": "US"}
    return {"ConversionType": "SYN", "PresentationLUTShape": "IDENTITY", **identity}


def _plane(kind: str, size: int) -> Attributes:
    """Where the image lies: a nominal square around the origin, head first, supine (PS3.3 C.7.6.2)."""
    spacing = FIELD_OF_VIEW_MM[kind] / size
    corner = DSfloat(-FIELD_OF_VIEW_MM[kind] / 2 + spacing / 2, auto_format=True)
    return {
        "PixelSpacing": [DSfloat(spacing, auto_format=True)] * 2,
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "ImagePositionPatient": [corner, corner, 0],
        "SliceThickness": SLICE_THICKNESS_MM,
        "PositionReferenceIndicator": "",
        "PatientPosition": "HFS",
        "AcquisitionNumber": None,
    }


def _ct(size: int, _part: str) -> Attributes:
    return {**_plane("ct", size), "KVP": None}


def _mr(size: int, _part: str) -> Attributes:
    return {
        **_plane("mr", size),
        "ScanningSequence": "RM",
        "SequenceVariant": "NONE",
        "ScanOptions": "",
        "MRAcquisitionType": "",
        "EchoTime": None,
        "EchoTrainLength": None,
        "RepetitionTime": None,
    }


def _cr(_size: int, _part: str) -> Attributes:
    return {"ViewPosition": ""}


def _dx(size: int, part: str) -> Attributes:
    code, meaning = _ANATOMY.get(part, _ENTIRE_BODY)
    region = Dataset()
    region.CodeValue, region.CodingSchemeDesignator, region.CodeMeaning = code, "SCT", meaning
    return {
        "PresentationIntentType": "FOR PRESENTATION",
        "AnatomicRegionSequence": Sequence([region]),
        "PatientOrientation": ["L", "F"],
        "PixelIntensityRelationship": "LOG",
        "PixelIntensityRelationshipSign": 1,
        "RescaleIntercept": "0",
        "RescaleSlope": "1",
        "RescaleType": "US",
        "PresentationLUTShape": "IDENTITY",
        "DetectorType": "",
        "PositionerType": "",
        "AcquisitionContextSequence": Sequence([]),
        "ImagerPixelSpacing": [DSfloat(FIELD_OF_VIEW_MM["dx"] / size, auto_format=True)] * 2,
    }


_CAPTURE = Kind(sop_class=SecondaryCaptureImageStorage, attributes=_capture)
_CAPTURES_IN_BYTES = Kind(sop_class=MultiFrameGrayscaleByteSecondaryCaptureImageStorage, attributes=_grey_captures)
_CAPTURES_IN_WORDS = Kind(sop_class=MultiFrameGrayscaleWordSecondaryCaptureImageStorage, attributes=_grey_captures)
_CAPTURES_IN_COLOUR = Kind(sop_class=MultiFrameTrueColorSecondaryCaptureImageStorage, attributes=_capture)
_FRAME = ("FrameOfReferenceUID",)
_MATCHING = {
    "ct": Kind(sop_class=CTImageStorage, image_type=("AXIAL",), own_uids=_FRAME, attributes=_ct),
    "mr": Kind(sop_class=MRImageStorage, image_type=("OTHER",), own_uids=_FRAME, attributes=_mr),
    "cr": Kind(sop_class=ComputedRadiographyImageStorage, attributes=_cr),
    "dx": Kind(sop_class=DigitalXRayImageStorageForPresentation, attributes=_dx),
}
