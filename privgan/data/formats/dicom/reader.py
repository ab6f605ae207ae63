"""One DICOM file, read as if it were hostile: what it claims is checked before anything is allocated for it.

The transfer syntax is looked up first, only allow-listed tags are parsed, and nothing of the header travels further
than the patient key, study and instance UIDs, the values whose digests `prepare` keeps, and columns asked for.
"""

import math
import os
from dataclasses import replace
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import MediaStorageDirectoryStorage

from privgan.data.formats.dicom import attributes, frames, identifying, image_header, kinds, meaning
from privgan.data.formats.dicom.frames import Wanted, decoded_frames
from privgan.data.formats.dicom.identifying import identifiers_of, patient_key, person_of
from privgan.data.formats.dicom.kinds import check_kind, image_types, require_unrestored
from privgan.data.formats.dicom.meaning import PRESENTATION, contradicts_its_shape, unit_is_unspecified
from privgan.data.formats.dicom.parsing import Parsed, parse
from privgan.data.formats.dicom.values import integer_of, text_of
from privgan.data.formats.reading import MAX_RESULT_BYTES, Reading, Request
from privgan.data.lettering import Lettering
from privgan.data.preprocess import Look, prepare_images
from privgan.data.recipe import FILES_OWN
from privgan.data.refusals import RefusedError, open_input, read_regular
from privgan.data.selection import Selection

has_units = names_patients = True
tells = attributes.COLUMNS.keys()
MAX_BYTES = 2 << 30
_TECHNICAL = ("Modality", "BodyPartExamined", "ViewPosition", "InstanceNumber")
TAGS: list[BaseTag | int] = [
    Tag(keyword)
    for keyword in (
        *_TECHNICAL,
        *image_header.KEYWORDS,
        *frames.KEYWORDS,
        *kinds.KEYWORDS,
        *meaning.KEYWORDS,
        *identifying.KEYWORDS,
        *attributes.KEYWORDS,
    )
]


def claims(file: Path) -> bool:
    """Whether it is called as a DICOM file is, or begins as one does."""
    if file.suffix.lower() in (".dcm", ".dicom"):
        return True
    try:
        return read_regular(file, head=132)[128:] == b"DICM"
    except RefusedError:
        return False


def read(path: Path, request: Request) -> Reading:
    """Read one DICOM file; a file of many frames gives many images, all of one patient.

    Raises:
        RefusedError: nothing of its header could be read; later refusals are in the Reading's code.
    """
    with open_input(path, MAX_BYTES) as stream:
        parsed = parse(stream, TAGS)
        if parsed.sop_class == MediaStorageDirectoryStorage:
            raise RefusedError("directory")
        lettering = Lettering(os.fsencode(path.name), request.look_at_one_in)
        try:
            found = _images(parsed, request, lettering)
        except RefusedError as refusal:
            found = Reading(code=refusal.code)
    dataset, code = parsed.dataset, found.code
    return replace(
        found,
        patient=patient_key(dataset),
        study=text_of(dataset, "StudyInstanceUID"),
        series=text_of(dataset, "SeriesInstanceUID"),
        instance=text_of(dataset, "SOPInstanceUID"),
        modality=text_of(dataset, "Modality").upper(),
        body_part=text_of(dataset, "BodyPartExamined").upper(),
        side=0 if code else max(integer_of(dataset, "Rows"), integer_of(dataset, "Columns")),
        unstated=unit_is_unspecified(dataset),
        remarks=() if code else (*_contradictions(dataset), *lettering.remarks),
        person=person_of(dataset),
        columns=tuple(attributes.COLUMNS[name](dataset) for name in request.columns),
        identifiers=tuple(identifiers_of(dataset)),
    )


def _contradictions(dataset: Dataset) -> tuple[str, ...]:
    return (PRESENTATION,) if contradicts_its_shape(dataset) else ()


def _images(parsed: Parsed, request: Request, look: Look) -> Reading:
    """The wanted frames, uint8 (k, *shape) of the recipe, their numbers, and how many more were blank."""
    _check_wanted(parsed.dataset, request.selection)
    require_unrestored(parsed.dataset)  # among a generator's files too: it is a patient's
    if not request.selection.trusted:
        _check_source(parsed, request)
    header = image_header.image_header(parsed)
    numbers = _wanted_frames(parsed.dataset, request.selection, header.frames)
    recipe = request.recipe
    wanted = Wanted(
        units=recipe.preset.startswith("ct-") and not request.selection.trusted,
        own_window=recipe.rule.scaling == FILES_OWN,
        colour=recipe.channels == 3,
    )
    if len(numbers) * math.prod(recipe.shape) > MAX_RESULT_BYTES:
        raise RefusedError("too_large")
    decoded = decoded_frames(parsed, header, numbers, wanted)
    kept = request.may_be_blank
    images, places = prepare_images(enumerate(decoded), recipe, len(numbers), may_be_blank=kept, look=look)
    return Reading(
        images=images,
        colour=header.coloured,
        blank=len(numbers) - len(images),
        frames=tuple(numbers[place] + 1 for place in places.tolist()) if header.frames > 1 else (),
    )


def _check_source(parsed: Parsed, request: Request) -> None:
    """Refuse what would endanger or misplace a patient."""
    dataset = parsed.dataset
    modality = text_of(dataset, "Modality").upper()
    check_kind(dataset, parsed.sop_class, request.selection)
    if parsed.pixel_bytes is None:
        raise RefusedError("no_pixels")
    if not request.recipe.rule.accepts(modality):
        raise RefusedError("other_modality")
    if not (patient_key(dataset) or request.patient_from_table):
        raise RefusedError("missing_patient_id")


def _check_wanted(dataset: Dataset, selection: Selection) -> None:
    """Refuse what was not asked for, whatever else may be wrong with it."""
    wanted = selection.wants(
        modality=text_of(dataset, "Modality").upper(),
        body_part=text_of(dataset, "BodyPartExamined").upper(),
        view=text_of(dataset, "ViewPosition").upper(),
        image_types=image_types(dataset),
    )
    if not wanted:
        raise RefusedError("not_selected")


def _wanted_frames(dataset: Dataset, selection: Selection, frames: int) -> range:
    """Positions of the frames to read; a file of one is a slice of its series."""
    if selection.every > 1 and frames == 1:
        if not text_of(dataset, "InstanceNumber"):
            raise RefusedError("missing_slice_number")
        if not selection.wants_slice(integer_of(dataset, "InstanceNumber")):
            raise RefusedError("not_selected")
    numbers = selection.frame_numbers(frames)
    if not numbers:
        raise RefusedError("not_selected")
    return numbers
