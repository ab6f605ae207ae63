"""What kind of picture a header says this is: restored, a screen or paper, a face, a localizer, a map, a mosaic.

Modality alone says nothing of it: a capture of a workstation's screen, with a name in it, calls itself MR.
"""

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameSingleBitSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)

from privgan.data.formats.dicom.values import text_of, values_of
from privgan.data.formats.restored import CODE
from privgan.data.refusals import RefusedError
from privgan.data.selection import Selection

KEYWORDS = (
    "SOPClassUID", "ImageType", "ConversionType", "RecognizableVisualFeatures", "BurnedInAnnotation",
    "SeriesDescription", "ProtocolName", "SyntheticData", "SourceImageSequence",
)  # fmt: skip
LIKELY_BURNED_IN = ("US", "IVUS", "SC", "XA", "XC", "OT", "ES", "GM", "DOC")
SLICES = ("CT", "MR", "PT")  # where an image is one of a series through a body
_SECONDARY_CAPTURE = (
    SecondaryCaptureImageStorage,
    MultiFrameSingleBitSecondaryCaptureImageStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
)
# Conversion Type (PS3.3 C.8.6.1): workstation, scanned document, video, film, drawing.
_FROM_A_SCREEN_OR_PAPER = ("WSD", "SD", "DV", "DF", "DRW")
_SCREEN_WORDS = ("SCREEN", "SAVE", "CAPTURE")  # in a value of Image Type, whose further values are free
_SCREEN_PHRASES = ("screen save", "screen capture", "screenshot", "dose report", "dose info", "patient protocol")
_LOCALIZERS = ("LOCALIZER", "SCOUT", "SURVEY")
# Computed from other images: their values are no longer the modality's, or a slice is no longer one.
_MAPS = frozenset(
    (
        "ADC", "EADC", "FA", "TRACEW", "DIFFUSION_ADC", "T1 MAP", "T2 MAP", "T1_MAP", "T2_MAP", "PERFUSION", "CBF",
        "CBV", "MTT", "TTP", "TMAX", "RCBF", "RCBV", "RELCBF", "PCASL", "PHASE", "P", "PHASE MAP", "VELOCITY",
        "FIELDMAP", "B0 MAP", "COLMAP", "PROJECTION IMAGE", "MIP", "MINIP", "MAX_IP", "MIN_IP", "SUBTRACTION", "SUB",
        "VRT", "VOLUME_RENDER",
    )
)  # fmt: skip


def check_kind(dataset: Dataset, sop_class: str, selection: Selection) -> None:
    """Refuse what would show a name or a face, or is no image of its modality.

    Raises:
        RefusedError: burned_in, likely_burned_in, recognisable, mosaic, localizer or derived_map.
    """
    modality, words = text_of(dataset, "Modality").upper(), image_types(dataset)
    if text_of(dataset, "RecognizableVisualFeatures").upper() == "YES":
        raise RefusedError("recognisable")
    if not selection.accept_burned_in:
        if text_of(dataset, "BurnedInAnnotation").upper() == "YES":
            raise RefusedError("burned_in")
        if modality in LIKELY_BURNED_IN or _is_screen(dataset, sop_class, words):
            raise RefusedError("likely_burned_in")
    if "MOSAIC" in words:
        raise RefusedError("mosaic")
    if modality not in SLICES or set(words) & set(selection.image_types):
        return
    if any(word.startswith(_LOCALIZERS) for word in words):
        raise RefusedError("localizer")
    if set(words[2:]) & _MAPS:
        raise RefusedError("derived_map")


def image_types(dataset: Dataset) -> tuple[str, ...]:
    """The values of Image Type, in capitals."""
    return tuple(word.strip().upper() for word in values_of(dataset, "ImageType"))


def require_unrestored(dataset: Dataset) -> None:
    """Refuse what says that some of it was made artificially, from another image: what is of nobody has no source.

    Synthetic Data is YES where any of the pixels were (PS3.3 C.12.1), whoever wrote the file. Words and equipment
    would tell our own files from other makers', but go where identities are removed; these two marks stay.

    Raises:
        RefusedError: restored.
    """
    sources = dataset.get("SourceImageSequence")
    if text_of(dataset, "SyntheticData").upper() == "YES" and isinstance(sources, Sequence) and len(sources) > 0:
        raise RefusedError(CODE)


def _is_screen(dataset: Dataset, sop_class: str, words: tuple[str, ...]) -> bool:
    said = " ".join(text_of(dataset, keyword) for keyword in ("SeriesDescription", "ProtocolName")).casefold()
    plain = " ".join(said.replace("_", " ").replace("-", " ").split())
    return (
        bool({sop_class, text_of(dataset, "SOPClassUID")} & set(_SECONDARY_CAPTURE))
        or text_of(dataset, "ConversionType").upper() in _FROM_A_SCREEN_OR_PAPER
        or any(word.startswith("DOSE") or any(part in word for part in _SCREEN_WORDS) for word in words)
        or any(phrase in plain for phrase in _SCREEN_PHRASES)
    )
