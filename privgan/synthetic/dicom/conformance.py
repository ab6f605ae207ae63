"""Our own check that a DICOM file is what it says: read from its bytes, against tables of the standard (PS3.3).

Independent of the code that writes: `modules` says what we mean to write, this file what the standard demands. A
fault names an attribute and never a value.
"""

import io
import warnings
from collections.abc import Iterator
from functools import lru_cache

from pydicom import config, dcmread
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.multival import MultiValue
from pydicom.uid import UID, ExplicitVRLittleEndian
from pydicom.valuerep import STR_VR, VR, validate_value

from privgan.synthetic.dicom.likeness import Likeness

# Of each module the attributes of type 1 (present, with a value) and of type 2 (present).
_COMMON = {
    "C.7.1.1 Patient": ("", "PatientName PatientID PatientBirthDate PatientSex"),
    "C.7.2.1 General Study": (
        "StudyInstanceUID",
        "StudyDate StudyTime ReferringPhysicianName StudyID AccessionNumber",
    ),
    "C.7.3.1 General Series": ("Modality SeriesInstanceUID", "SeriesNumber"),
    "C.7.6.1 General Image": ("", "InstanceNumber"),
    "C.7.6.3 Image Pixel": ("SamplesPerPixel PhotometricInterpretation Rows Columns PixelData", ""),
    "C.7.6.3 bits": ("BitsAllocated BitsStored HighBit PixelRepresentation", ""),
    "C.12.1 SOP Common": ("SOPClassUID SOPInstanceUID SyntheticData ContributingEquipmentSequence", ""),
}
_CAPTURE = {"C.8.6.1 SC Equipment": ("ConversionType", "")}
_PAGES = {
    **_CAPTURE,
    "C.7.6.6 Multi-frame": ("NumberOfFrames", ""),
    "C.8.6.3 SC Multi-frame Image": ("BurnedInAnnotation", ""),
}
_GREY_PAGES = {**_PAGES, "C.8.6.3 of grey": ("PresentationLUTShape RescaleIntercept RescaleSlope RescaleType", "")}
_EQUIPMENT = {"C.7.5.1 General Equipment": ("", "Manufacturer")}
_PLANE = {
    **_EQUIPMENT,
    "C.7.4.1 Frame of Reference": ("FrameOfReferenceUID", "PositionReferenceIndicator"),
    "C.7.6.2 Image Plane": ("PixelSpacing ImageOrientationPatient ImagePositionPatient", "SliceThickness"),
}
_MODULES = {
    "1.2.840.10008.5.1.4.1.1.7": _CAPTURE,
    "1.2.840.10008.5.1.4.1.1.7.2": _GREY_PAGES,
    "1.2.840.10008.5.1.4.1.1.7.3": _GREY_PAGES,
    "1.2.840.10008.5.1.4.1.1.7.4": _PAGES,
    "1.2.840.10008.5.1.4.1.1.2": {
        **_PLANE,
        "C.8.2.1 CT Image": ("ImageType RescaleIntercept RescaleSlope", "KVP AcquisitionNumber"),
    },
    "1.2.840.10008.5.1.4.1.1.4": {
        **_PLANE,
        "C.8.3.1 MR Image": (
            "ImageType ScanningSequence SequenceVariant",
            "ScanOptions MRAcquisitionType EchoTime EchoTrainLength RepetitionTime",
        ),
    },
    "1.2.840.10008.5.1.4.1.1.1": {**_EQUIPMENT, "C.8.1.1 CR Series": ("", "ViewPosition BodyPartExamined")},
    "1.2.840.10008.5.1.4.1.1.1.1": {
        **_EQUIPMENT,
        "C.8.11.1 DX Series": ("PresentationIntentType", ""),
        "C.8.11.2 DX Anatomy Imaged": ("ImageLaterality AnatomicRegionSequence", ""),
        "C.8.11.3 DX Image": ("ImageType PixelIntensityRelationship PixelIntensityRelationshipSign", ""),
        "C.8.11.3 shown": ("RescaleIntercept RescaleSlope RescaleType PresentationLUTShape", ""),
        "C.8.11.3 history": ("LossyImageCompression BurnedInAnnotation", ""),
        "C.8.11.4 DX Detector": ("ImagerPixelSpacing", "DetectorType"),
        "C.7.6.14 Acquisition Context": ("", "AcquisitionContextSequence"),
    },
}
# Of the defined terms for Body Part Examined (PS3.16 annex L) those of which there are a left and a right one.
_LIMBS = ("ANKLE", "ARM", "ELBOW", "EXTREMITY", "FOOT", "HAND", "HIP", "KNEE", "LEG", "SHOULDER")
_PAIRED = (*_LIMBS, "BREAST", "CLAVICLE", "EYE", "KIDNEY", "LUNG")
_ENUMERATED = {"PatientSex": ("M", "F", "O"), "ImageLaterality": ("R", "L", "U", "B")}
_DATED = ("SeriesDate", "AcquisitionDate", "ContentDate")
_AGES = ("D", "W", "M", "Y")
_MOST = 4096
_RIGHT: set[bytes] = set()  # kinds of files of which one was found right
_SIXTEEN_BITS = ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4")


def faults_of(content: bytes, dataset: FileDataset | None = None) -> list[str]:
    """What is wrong with a DICOM file, one phrase each; empty when nothing is.

    Args:
        content: the whole file.
        dataset: the same, where somebody has read it already.
    """
    if any(content[:128]):
        return ["the preamble is not zero"]
    likeness = Likeness.of(content)
    if likeness is not None and likeness.kind in _RIGHT and _own_fit(likeness):
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they quote values; what they warn of is looked for below
            found = _faults(dcmread(io.BytesIO(content)) if dataset is None else dataset)
    except Exception:  # noqa: BLE001 - whatever a parser says may quote the file
        return ["it cannot be parsed"]
    if likeness is not None and not found and len(_RIGHT) < _MOST:
        _RIGHT.add(likeness.kind)
    return found


def _own_fit(likeness: Likeness) -> bool:
    texts = likeness.texts
    return texts is not None and all(_fits(tag, vr, (text,)) for tag, (vr, text) in texts.items())


def _faults(dataset: FileDataset) -> list[str]:
    said = (*_values(dataset), *_enumerated(dataset), *_dates(dataset))
    return [*_file_meta(dataset), *_modules(dataset), *said, *_pixels(dataset), *_marks(dataset)]


def _file_meta(dataset: FileDataset) -> Iterator[str]:
    meta = dataset.file_meta
    pairs = (("SOPClassUID", "MediaStorageSOPClassUID"), ("SOPInstanceUID", "MediaStorageSOPInstanceUID"))
    for keyword, named in pairs:
        if dataset.get(keyword) != meta.get(named):
            yield f"{keyword} differs from {named}"
    if meta.get("TransferSyntaxUID") != ExplicitVRLittleEndian:
        yield "TransferSyntaxUID is not Explicit VR Little Endian"
    for keyword in ("ImplementationClassUID", "ImplementationVersionName"):
        if not meta.get(keyword):
            yield f"{keyword} is missing"


def _modules(dataset: Dataset) -> Iterator[str]:
    modules = _MODULES.get(str(dataset.get("SOPClassUID", "")))
    if modules is None:
        yield "SOPClassUID is not of a kind that privgan writes"
        return
    for module, (first, second) in {**_COMMON, **modules}.items():
        for keyword in first.split():
            if keyword not in dataset or dataset[keyword].is_empty:
                yield f"{keyword} has no value (type 1, PS3.3 {module})"
        for keyword in second.split():
            if keyword not in dataset:
                yield f"{keyword} is missing (type 2, PS3.3 {module})"


def _values(dataset: Dataset) -> Iterator[str]:
    for element in dataset.iterall():
        if element.tag.is_private:
            yield "a private element is present"
        if element.VR == "UI" and any(not UID(uid).is_valid for uid in _several(element.value)):
            yield f"{element.keyword} is no valid UID"
        if not element.tag.is_private and not _fits_its_vr(element):
            yield f"{element.keyword} does not fit its VR (PS3.5 6.2, PS3.6)"


def _fits_its_vr(element: DataElement) -> bool:
    """Whether the VR is the dictionary's and the values are such as it allows; of UIDs it is asked elsewhere."""
    asked = element.VR in STR_VR and element.VR != VR.UI
    return _fits(int(element.tag), str(element.VR), tuple(_several(element.value)) if asked else ())


@lru_cache(maxsize=4096)  # the files of a set say nearly the same
def _fits(tag: int, vr: str, texts: tuple[str, ...]) -> bool:
    if dictionary_has_tag(tag) and vr not in dictionary_VR(tag).split(" or "):
        return False
    try:
        for text in texts:
            validate_value(vr, text, config.RAISE)
    except ValueError:
        return False
    return True


def _several(value: object) -> list[str]:
    if isinstance(value, list | MultiValue):
        return [str(part) for part in value]
    return [] if value is None or value == "" else [str(value)]


def _pixels(dataset: Dataset) -> Iterator[str]:
    allocated, stored, samples = dataset.BitsAllocated, dataset.BitsStored, dataset.SamplesPerPixel
    frames = int(dataset.get("NumberOfFrames") or 1)
    expected = frames * dataset.Rows * dataset.Columns * samples * allocated // 8
    if len(dataset.PixelData) != expected + expected % 2:
        yield "PixelData has another length than rows, columns, frames and bits give"
    if allocated not in (8, 16) or not 8 <= stored <= allocated or dataset.HighBit != stored - 1:
        yield "BitsAllocated, BitsStored and HighBit contradict each other"
    if (dataset.PhotometricInterpretation, samples) not in (("MONOCHROME2", 1), ("RGB", 3)):
        yield "PhotometricInterpretation does not fit SamplesPerPixel"
    if samples == 3 and dataset.get("PlanarConfiguration") != 0:
        yield "PlanarConfiguration is not 0"
    if dataset.SOPClassUID in _SIXTEEN_BITS and allocated != 16:
        yield "BitsAllocated is not 16"
    pages = len(_several(dataset.get("PageNumberVector")))
    if pages != (frames if frames > 1 else 0) or ("FrameIncrementPointer" in dataset) != (frames > 1):
        yield "PageNumberVector or FrameIncrementPointer does not fit NumberOfFrames (type 1C, PS3.3 C.7.6.6)"
    if ("RescaleSlope" in dataset) != ("RescaleIntercept" in dataset) or dataset.get("RescaleSlope", 1) == 0:
        yield "RescaleSlope and RescaleIntercept contradict each other"
    if ("WindowCenter" in dataset) != ("WindowWidth" in dataset) or dataset.get("WindowWidth", 1) < 1:
        yield "WindowCenter and WindowWidth contradict each other"


def _enumerated(dataset: Dataset) -> Iterator[str]:
    """Values of which the standard lists all there may be (PS3.3 C.7.1.1, C.7.6.1), and an age that is one."""
    for keyword, allowed in _ENUMERATED.items():
        if not set(_several(dataset.get(keyword))) <= set(allowed):
            yield f"{keyword} is none of {', '.join(allowed)}"
    if any(age[-1:] not in _AGES for age in _several(dataset.get("PatientAge"))):
        yield "PatientAge is no age (PS3.5 6.2)"


def _dates(dataset: Dataset) -> Iterator[str]:
    """When an image was made, as far as it is said: on one day, not before its study (PS3.3 C.7.2.1, C.7.3.1)."""
    said = {str(dataset[keyword].value) for keyword in _DATED if keyword in dataset}
    if "SeriesDate" in dataset and (len(said) != 1 or min(said) < str(dataset.get("StudyDate", ""))):
        yield f"{', '.join(_DATED)} differ, or lie before StudyDate"


def _marks(dataset: Dataset) -> Iterator[str]:
    if dataset.get("SyntheticData") != "YES":
        yield "SyntheticData is not YES"
    part, sided = dataset.get("BodyPartExamined"), "Laterality" in dataset or dataset.get("ImageLaterality")
    if (not part or part in _PAIRED) and not sided:
        yield "a side is missing, of a body part that is unknown or paired (type 2C, PS3.3 C.7.3.1)"
    forbidden = ("SourceImageSequence", "ReferencedImageSequence", "OriginalAttributesSequence")
    for keyword in forbidden:
        if keyword in dataset:
            yield f"{keyword} would point at a source"
