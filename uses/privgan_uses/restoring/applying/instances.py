"""Restored images as DICOM: new instances beside their sources, of their patient and study, in a series of its own.

Every instance is a Secondary Capture, whatever its source was: it has no scale and no place in the body, because
nobody should measure in it, and no software takes it for what the scanner made. Of CT the values still lie on the
scale of Hounsfield units, so that windows work, but a network changed them: their type is HU_MOD, modified Hounsfield
units (PS3.3 C.11.1.1.2), and the derivation says so in words. What is taken from a source is the
list below and nothing else: whose it is, which study it belongs to, and what it shows. Such an image is that
patient's, so nothing is removed from these.
"""

import io
import warnings
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import (
    JPEG2000,
    UID,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSNearLossless,
    SecondaryCaptureImageStorage,
    generate_uid,
)

from privgan import __version__
from privgan.arrays import Images
from privgan.data.formats.dicom.parsing import parse
from privgan.data.refusals import open_input
from privgan.data.sources.source import Entry
from privgan.errors import UsageError
from privgan.files import open_new
from privgan.images.stored import as_stored
from privgan.synthetic.dicom.form import DicomForm
from privgan.synthetic.dicom.modules import IMPLEMENTATION_CLASS_UID
from privgan.synthetic.dicom.values import Window, display_window, pixel_bytes, pixel_module, rescale
from privgan_uses.restoring.applying.writing import Names
from privgan_uses.restoring.model import Restorer

_PATIENT = (
    *("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "PatientAge"),
    *("PatientIdentityRemoved", "DeidentificationMethod"),
)
_STUDY = (
    *("StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "StudyDescription"),
    "ReferringPhysicianName",
)
_SHOWN = ("Modality", "BodyPartExamined", "Laterality", "PatientOrientation")
_HONEST = (
    *("BurnedInAnnotation", "RecognizableVisualFeatures", "LossyImageCompression"),
    *("LossyImageCompressionRatio", "LossyImageCompressionMethod"),
)
KEPT = (*_PATIENT, *_STUDY, *_SHOWN, *_HONEST)
_EMPTY = (  # of type 2: there, with or without a value
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID"),
    *("AccessionNumber", "ReferringPhysicianName", "PatientOrientation"),
)
_OTHER_SIDE = "ImageLaterality"  # what newer kinds of objects call the side; a capture has the older name alone
_READ = (
    _OTHER_SIDE,
    "SOPClassUID",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "InstanceNumber",
    "SpecificCharacterSet",
    "Rows",
    "Columns",
)
_TAGS = frozenset(int(Tag(keyword)) for keyword in (*KEPT, *_READ))
_LOSSY: tuple[UID, ...] = (JPEG2000, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless)
_MOST_BYTES = 2 << 30
_FORM = DicomForm()
_SERIES_NUMBER = 9000  # where viewers look last


class InstanceWriter:
    """A new instance for each image of a DICOM source."""

    def __init__(self, folder: Path, root: Path, model: Restorer, *, resized: bool) -> None:
        """root: below which sources lie. resized: images may have been brought to another size."""
        self._names = Names(folder, ".dcm")
        self._root, self._model, self._resized = root, model, resized
        self._series: dict[str, str] = {}
        self._now = datetime.now(UTC)
        self._numbers = Counter[str]()  # of the instances of each new series

    def put(self, entry: Entry, image: Images) -> None:
        """See `writing.Writer`."""
        buffer = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # of values that do not fit their VR, which they quote; they stay as they are
            dataset = self._instance(_header(self._root / entry.where), entry.frame, image)
            dcmwrite(buffer, dataset, enforce_file_format=True)
        with open_new(self._names.path(entry)) as stream:
            stream.write(buffer.getvalue())

    def close(self) -> None:
        """See `writing.Writer`."""

    def _instance(self, source: Dataset, frame: int, image: Images) -> Dataset:
        form, series = self._model.facts.form, self._series_of(source)
        self._numbers[series] += 1
        own = None if frame else source.get("InstanceNumber")  # frames of a file have one number together
        dataset = Dataset()
        dataset.preamble = bytes(128)
        dataset.file_meta = FileMetaDataset()
        for keyword in _EMPTY:
            setattr(dataset, keyword, "")
        for keyword in KEPT:
            if keyword in source:
                setattr(dataset, keyword, source[keyword].value)
        if side := source.get("Laterality") or source.get(_OTHER_SIDE):
            dataset.Laterality = side
        values: dict[str, Any] = {
            "SpecificCharacterSet": "ISO_IR 192",
            "SOPClassUID": SecondaryCaptureImageStorage,
            "SOPInstanceUID": generate_uid(prefix=None),
            "SeriesInstanceUID": series,
            "SeriesNumber": _SERIES_NUMBER,
            "InstanceNumber": own or self._numbers[series],
            "InstanceCreationDate": self._now.strftime("%Y%m%d"),
            "InstanceCreationTime": self._now.strftime("%H%M%S"),
            "SeriesDescription": f"RESTORED, not for diagnosis: {self._model.facts.task}",
            "ConversionType": "WSD",
            "ImageType": ["DERIVED", "SECONDARY"],
            "SyntheticData": "YES",  # some of what is shown was made by a network (PS3.3 C.12.1)
            "DerivationDescription": self._derivation(),
            "ImageComments": "Not for diagnosis. Restored by a network, which may add or remove findings.",
            "SourceImageSequence": Sequence([self._source(source, frame)]),
            "ContributingEquipmentSequence": Sequence([self._equipment()]),
            **pixel_module((form.side, form.side), _FORM, colour=form.colour),
            **({} if form.colour else _shown(form.window)),
            "PixelData": pixel_bytes(as_stored(image)[None], _FORM, form.window),
        }
        for keyword, value in values.items():
            setattr(dataset, keyword, value)
        dataset["PixelData"].VR = "OB"
        meta = dataset.file_meta
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
        meta.TransferSyntaxUID, meta.ImplementationClassUID = ExplicitVRLittleEndian, IMPLEMENTATION_CLASS_UID
        return dataset

    def _series_of(self, source: Dataset) -> str:
        """One new series for each series of the source."""
        known = f"{source.get('StudyInstanceUID', '')} {source.get('SeriesInstanceUID', '')}"
        return self._series.setdefault(known, generate_uid(prefix=None))

    def _derivation(self) -> str:
        facts = self._model.facts
        window = (
            ""
            if facts.form.window is None
            else " A network changed the values: they lie on the scale of Hounsfield units and were not measured. "
            "What was beyond {:g} to {:g} HU was cut off.".format(*facts.form.window)
        )
        return (
            f"privgan {__version__}: {facts.task} by a network that learned from synthetic or public images, model "
            f"{self._model.sha256[:16]}; {facts.form.side} x {facts.form.side} pixels.{window} Not for diagnosis."
        )

    def _source(self, source: Dataset, frame: int) -> Dataset:
        item = Dataset()
        if frame:
            item.ReferencedFrameNumber = frame
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = source.SOPClassUID, source.SOPInstanceUID
        item.PurposeOfReferenceCodeSequence = Sequence(
            [_code("121322", "Source image for image processing operation")]
        )
        side = self._model.facts.form.side
        same = (source.get("Rows"), source.get("Columns")) == (side, side) and not self._resized
        item.SpatialLocationsPreserved = "YES" if same else "NO"
        return item

    def _equipment(self) -> Dataset:
        item = Dataset()
        item.Manufacturer = item.ManufacturerModelName = "privgan"
        item.SoftwareVersions = __version__
        item.ContributionDescription = f"restored, task {self._model.facts.task}"
        item.PurposeOfReferenceCodeSequence = Sequence([_code("109102", "Processing Equipment")])
        return item


def _header(path: Path) -> Dataset:
    """What is kept of a source, which has been read once already.

    Raises:
        UsageError: it changed meanwhile, or says not which instance it is.
    """
    with open_input(path, _MOST_BYTES) as stream:
        parsed = parse(stream, _TAGS)
    source = parsed.dataset
    if not all(source.get(keyword) for keyword in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID")):
        raise UsageError(
            "Expected DICOM files that say which instance and study they are, one does not: what is restored could "
            "not refer to it."
        )
    if parsed.syntax in _LOSSY and "LossyImageCompression" not in source:
        source.LossyImageCompression = "01"  # once lossy, always lossy
    return source


def _shown(window: Window | None) -> dict[str, Any]:
    """How grey values are shown and, of CT, on what scale they lie."""
    units = rescale(_FORM, window)
    return {**display_window(_FORM, window), **units, **({"RescaleType": "HU_MOD"} if units else {})}


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item
