"""Writes the files of one synthetic set.

Every data set is built new from the list in `modules`; nothing is ever copied from a source file. A file is a
function of what it is given, so that audit and release write it again and compare it to the byte.
"""

import contextlib
import hashlib
import io
import re
import uuid
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import config, dcmwrite
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import UID

from privgan.errors import PrivganError, UsageError
from privgan.files import SHAREABLE_FILE, open_new
from privgan.synthetic.dicom.conformance import faults_of
from privgan.synthetic.dicom.form import Place
from privgan.synthetic.dicom.kinds import kind_of
from privgan.synthetic.dicom.look import DicomLook
from privgan.synthetic.dicom.modules import template
from privgan.synthetic.dicom.pattern import MEDIA_UID, Pattern
from privgan.synthetic.dicom.values import pixel_bytes

_STUDY, _SERIES, _SOP = "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"
_TEXTS = ("PatientName", "PatientID", "SeriesNumber", "InstanceNumber")
NOTHING_SAID: Mapping[str, str] = {}
_PLAIN = re.compile(r"[A-Za-z0-9-]{1,64}")  # what any encoder writes as it is


def uid_of(seed_sha256: str, number: int, keyword: str) -> UID:
    """A UID under 2.25 (PS3.5 B.2) of a file, series or study: random, as the seed is, and the same for ever."""
    digest = hashlib.sha256(f"{seed_sha256} {number} {keyword}".encode()).digest()
    return UID(f"2.25.{uuid.UUID(bytes=digest[:16], version=4).int}")


@contextlib.contextmanager
def strict_validation() -> Iterator[None]:
    """Make pydicom refuse bad values on assignment and on writing; its own default only warns.

    The modes are global in pydicom; the former ones return when the block ends.
    """
    before = config.settings.reading_validation_mode, config.settings.writing_validation_mode
    config.settings.reading_validation_mode = config.settings.writing_validation_mode = config.RAISE
    try:
        yield
    finally:
        config.settings.reading_validation_mode, config.settings.writing_validation_mode = before


class DicomWriter:
    """Writes the files of one set; what they share is built once for each number of frames and each label."""

    def __init__(self, look: DicomLook) -> None:
        """Check that the look can be written at all.

        Raises:
            UsageError: modality or body part are no DICOM code strings.
        """
        self._look = look
        own = kind_of(look.dicom, colour=look.form.colour).own_uids
        self._uids = (_STUDY, _SERIES, _SOP, *own)
        self._varying = {MEDIA_UID, *map(_tag, (*self._uids, *_TEXTS, "PixelData"))}
        self._templates: dict[tuple[int, tuple[str, ...]], Dataset] = {}
        self._patterns: dict[tuple[int | str, ...], Pattern] = {}
        with strict_validation():
            try:
                self._templates[1, ()] = template(look)
            except ValueError:
                raise UsageError(
                    "Expected modality and body part as DICOM code strings (capital letters, at most 16)."
                ) from None

    def write(
        self,
        folder: Path,
        images: NDArray[np.uint8],
        label: str,
        *,
        patient_id: str,
        place: Place,
        said: Mapping[str, str] = NOTHING_SAID,
    ) -> Path:
        """Write a file below `folder`; it must not exist.

        Args:
            folder: the synthetic set.
            images: uint8 (k, n, n) or (k, n, n, 3), 0 black: the frames of the file.
            label: the class name. It becomes Image Comments (0020,4000): shown by viewers, used by no software,
                and, unlike a description of the study or a diagnosis, no statement about a person.
            patient_id: the invented one.
            place: among the set's files.
            said: values of further attributes by keyword, see `said.said_of`.

        Returns:
            The file.

        Raises:
            PrivganError: what came out does not conform to the standard; the file is not written.
        """
        content = self.content(images, label, patient_id=patient_id, place=place, said=said)
        if faults := faults_of(content):
            raise PrivganError(f"Expected a DICOM file that conforms to the standard, it does not: {faults[0]}.")
        target = folder / place.name
        target.parent.mkdir(parents=True, exist_ok=True)
        with open_new(target, SHAREABLE_FILE) as stream:
            stream.write(content)
        return target

    def content(
        self,
        images: NDArray[np.uint8],
        label: str,
        *,
        patient_id: str,
        place: Place,
        said: Mapping[str, str] = NOTHING_SAID,
    ) -> bytes:
        """The bytes that `write` writes."""
        pattern = self._patterns.get((len(images), label, *said))
        if pattern is None or not _PLAIN.fullmatch(patient_id):
            content = self.encoded(images, label, patient_id=patient_id, place=place, said=said)
            self._patterns[len(images), label, *said] = Pattern.of(content, {*self._varying, *map(_tag, said)})
            return content
        uids = {keyword: self._uid(keyword, place).encode() for keyword in self._uids}
        own = (patient_name(place.patient), patient_id, str(place.series), str(place.instance))
        texts = {**dict(zip(_TEXTS, own, strict=True)), **said}
        pixels = pixel_bytes(images, self._look.dicom, self._look.form.window)
        values = {**uids, **{keyword: text.encode() for keyword, text in texts.items()}, "PixelData": pixels}
        return pattern.filled({MEDIA_UID: uids[_SOP], **{_tag(keyword): value for keyword, value in values.items()}})

    def encoded(
        self,
        images: NDArray[np.uint8],
        label: str,
        *,
        patient_id: str,
        place: Place,
        said: Mapping[str, str] = NOTHING_SAID,
    ) -> bytes:
        """`content` as pydicom encodes it, which refuses values that are not of their VR."""
        with strict_validation():
            dataset = self._template(len(images), (*said,))
            dataset.PatientName = patient_name(place.patient)
            dataset.PatientID = patient_id
            for keyword, value in said.items():
                setattr(dataset, keyword, value)
            for keyword in self._uids:
                setattr(dataset, keyword, self._uid(keyword, place))
            dataset.SeriesNumber = place.series  # tools name what they make of a file by it
            dataset.InstanceNumber = place.instance
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            dataset.ImageComments = label
            dataset.PixelData = pixel_bytes(images, self._look.dicom, self._look.form.window)
            dataset["PixelData"].VR = "OB" if dataset.BitsAllocated == 8 else "OW"
            buffer = io.BytesIO()
            dcmwrite(buffer, dataset, enforce_file_format=True)
        return buffer.getvalue()

    def _uid(self, keyword: str, place: Place) -> UID:
        """Of the study, the series, or the file."""
        number = {_STUDY: place.patient, _SERIES: place.series}.get(keyword, place.number)
        return uid_of(self._look.seed_sha256, number, keyword)

    def _template(self, frames: int, said: tuple[str, ...]) -> Dataset:
        if (frames, said) not in self._templates:
            self._templates[frames, said] = template(self._look, frames=frames)
        return self._templates[frames, said]


@cache
def _tag(keyword: str) -> int:
    return int(Tag(keyword))


def patient_name(number: int) -> str:
    """The invented patient's name."""
    return f"SYNTHETIC^{number:06d}"
