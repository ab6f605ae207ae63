"""One DICOM file, read as if it were hostile: what it claims is checked before anything is allocated for it.

The transfer syntax is looked up first, only allow-listed tags are parsed, and nothing of the header travels further
than the patient key, study and instance UIDs, the values whose digests `prepare` keeps, and columns asked for.
"""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.tag import Tag
from pydicom.uid import MediaStorageDirectoryStorage

from privgan.arrays import Integers
from privgan.data.formats.dicom import identifying, technical
from privgan.data.formats.dicom.frames import decoded_frames, frame_of
from privgan.data.formats.dicom.identifying import COLUMNS, identifiers_of, patient_key, person_of
from privgan.data.formats.dicom.parsing import Parsed, parse
from privgan.data.formats.dicom.technical import Technical, technical_of
from privgan.data.formats.dicom.values import text_of
from privgan.data.formats.reading import Reading, Request
from privgan.data.lettering import Lettering
from privgan.data.preprocess import Look, prepare_images
from privgan.data.refusals import RefusedError, open_input

MAX_BYTES = 2 << 30
TAGS = [Tag(keyword) for keyword in (*technical.KEYWORDS, *identifying.KEYWORDS)]
LISTED = frozenset(map(int, TAGS))
_NONE = np.zeros(0, dtype=np.int64)


def read(path: Path, request: Request) -> Reading:
    """Read one DICOM file; a file of many frames gives many images, all of one patient.

    Raises:
        RefusedError: nothing of its header could be read; later refusals are in the Reading's code.
    """
    with open_input(path, MAX_BYTES) as stream:
        parsed = parse(stream, LISTED)
        if parsed.sop_class == MediaStorageDirectoryStorage:
            raise RefusedError("directory")
        header = parsed.header
        patient = patient_key(header)
        said = technical_of(parsed, request, named=bool(patient or request.patient_from_table))
        lettering = Lettering(os.fsencode(path.name), request.look_at_one_in)
        try:
            images, places = _images(parsed, said, request, lettering)
        except RefusedError as refusal:
            code, images, places = refusal.code, None, _NONE
        else:
            code = ""
    return Reading(
        code=code,
        images=images,
        patient=patient,
        study=text_of(header, "StudyInstanceUID"),
        series=text_of(header, "SeriesInstanceUID"),
        instance=text_of(header, "SOPInstanceUID"),
        modality=said.modality,
        body_part=said.body_part,
        side=0 if code else said.side,
        colour=not code and said.header is not None and said.header.coloured,
        blank=0 if images is None else len(said.numbers) - len(images),
        unstated=said.unstated,
        frames=_frame_numbers(said, places),
        remarks=() if code else (*said.remarks, *lettering.remarks),
        person=person_of(header),
        columns=tuple(COLUMNS[name](header) for name in request.columns),
        identifiers=tuple(identifiers_of(header)),
    )


def _images(parsed: Parsed, said: Technical, request: Request, look: Look) -> tuple[NDArray[np.uint8], Integers]:
    """The wanted frames that show something, uint8 (k, *shape) of the recipe, and their places among the wanted."""
    if said.header is None or said.code:
        raise RefusedError(said.code)
    if said.like is not None:
        decoded = iter((frame_of(parsed, said.header, said.like),))
    else:
        decoded = decoded_frames(parsed, said.header, said.numbers, said.wanted)
    kept = request.may_be_blank
    return prepare_images(enumerate(decoded), request.recipe, len(said.numbers), may_be_blank=kept, look=look)


def _frame_numbers(said: Technical, places: Integers) -> tuple[int, ...]:
    """From 1; none of a file of one frame."""
    if said.header is None or said.header.frames == 1:
        return ()
    return tuple(said.numbers[place] + 1 for place in places.tolist())
