"""What a header says of its pixels alone: whether they may be used, how they are coded, what they show.

Files of one scanner differ in names, numbers and dates and agree in all of this. So it is asked once of all files
whose technical elements are the same bytes. That it follows from these alone is no assumption: whoever is asked is
given a header that has no other element, and no pixel.
"""

import io
import math
from collections.abc import Hashable
from dataclasses import dataclass, replace

from privgan.data.formats.dicom import frames, identifying, image_header, kinds, meaning
from privgan.data.formats.dicom.frames import Wanted, untouched
from privgan.data.formats.dicom.header import CHARACTER_SET, tag_of
from privgan.data.formats.dicom.image_header import ImageHeader
from privgan.data.formats.dicom.kinds import check_kind, image_types, require_unrestored
from privgan.data.formats.dicom.meaning import contradicts_its_shape, unit_is_unspecified
from privgan.data.formats.dicom.parsing import UNDEFINED_LENGTH, Parsed
from privgan.data.formats.dicom.values import integer_of, text_of
from privgan.data.formats.reading import MAX_RESULT_BYTES, PRESENTATION, Request
from privgan.data.preprocess import Pixels
from privgan.data.recipe import FILES_OWN
from privgan.data.refusals import RefusedError

_SLICE = "InstanceNumber"
KEYWORDS = (
    *("Modality", "BodyPartExamined", "ViewPosition", _SLICE),
    *image_header.KEYWORDS,
    *frames.KEYWORDS,
    *kinds.KEYWORDS,
    *meaning.KEYWORDS,
)
_TAGS = frozenset(map(tag_of, KEYWORDS)) - set(map(tag_of, identifying.KEYWORDS)) | {CHARACTER_SET}
_WITHOUT_SLICES = _TAGS - {tag_of(_SLICE)}
_MOST_REMEMBERED = 16  # kinds of files; an archive's files come scanner by scanner


@dataclass(frozen=True, kw_only=True)
class Technical:
    """What follows from the technical elements of a file.

    code: why it is refused before its pixels are looked at; nothing else of them is known then. header, numbers,
    wanted: what its pixels are, which frames are read, in what values. like: its only frame but for the values,
    where no more has to be done. modality, body_part: as it says itself. side: of the pixels as stored.
    unstated: it says that the unit is unspecified. remarks: what the notes count.
    """

    code: str
    header: ImageHeader | None
    numbers: range
    wanted: Wanted
    like: Pixels | None
    modality: str
    body_part: str
    side: int
    unstated: bool
    remarks: tuple[str, ...]


_remembered: dict[Hashable, Technical] = {}


def technical_of(parsed: Parsed, request: Request, *, named: bool) -> Technical:
    """What a file says of its pixels; of those whose technical elements were met before, remembered.

    Args:
        parsed: the file; its stream is not looked at.
        request: how it is to be read.
        named: its patient is known.
    """
    if parsed.header.read is not None:  # pydicom had to read it
        return _asked(parsed, request, named=named)
    slices = request.selection.every > 1
    header = parsed.header.only(_TAGS if slices else _WITHOUT_SLICES)
    remaining = 0 if parsed.pixel_bytes == UNDEFINED_LENGTH else parsed.remaining
    facts = (parsed.syntax, parsed.sop_class, parsed.vr, parsed.pixel_bytes, remaining)
    key = (tuple((tag, vr, value) for tag, (vr, value, _) in header.elements.items()), facts, request, named)
    found = _remembered.pop(key, None)
    if found is None:
        alone = replace(parsed, header=header, stream=io.BytesIO(), remaining=remaining)
        found = _asked(alone, request, named=named)
        if len(_remembered) >= _MOST_REMEMBERED:
            del _remembered[next(iter(_remembered))]
    _remembered[key] = found  # behind all others: the first is the one that was longest of no use
    return found


def _asked(parsed: Parsed, request: Request, *, named: bool) -> Technical:
    dataset = parsed.dataset
    code, header, numbers, like = "", None, range(0), None
    recipe = request.recipe
    wanted = Wanted(
        units=recipe.preset.startswith("ct-") and not request.selection.trusted,
        own_window=recipe.rule.scaling == FILES_OWN,
        colour=recipe.channels == 3,
    )
    try:
        header, numbers = _checked(parsed, request, named=named)
        like = untouched(parsed, header, numbers, wanted)
    except RefusedError as refusal:
        code = refusal.code
    return Technical(
        code=code,
        header=header,
        numbers=numbers,
        wanted=wanted,
        like=like,
        modality=text_of(dataset, "Modality").upper(),
        body_part=text_of(dataset, "BodyPartExamined").upper(),
        side=0 if code else max(integer_of(dataset, "Rows"), integer_of(dataset, "Columns")),
        unstated=unit_is_unspecified(dataset),
        remarks=(PRESENTATION,) if not code and contradicts_its_shape(dataset) else (),
    )


def _checked(parsed: Parsed, request: Request, *, named: bool) -> tuple[ImageHeader, range]:
    """The shape and coding of pixels that may be used, and which frames are wanted."""
    dataset, selection = parsed.dataset, request.selection
    wanted = selection.wants(
        modality=text_of(dataset, "Modality").upper(),
        body_part=text_of(dataset, "BodyPartExamined").upper(),
        view=text_of(dataset, "ViewPosition").upper(),
        image_types=image_types(dataset),
    )
    if not wanted:  # whatever else may be wrong with it
        raise RefusedError("not_selected")
    require_unrestored(dataset)  # among a generator's files too: it is a patient's
    if not selection.trusted:
        _check_source(parsed, request, named=named)
    header = image_header.image_header(parsed)
    numbers = _wanted_frames(parsed, request, header.frames)
    if len(numbers) * math.prod(request.recipe.shape) > MAX_RESULT_BYTES:
        raise RefusedError("too_large")
    return header, numbers


def _check_source(parsed: Parsed, request: Request, *, named: bool) -> None:
    """Refuse what would endanger or misplace a patient."""
    modality = text_of(parsed.dataset, "Modality").upper()
    check_kind(parsed.dataset, parsed.sop_class, request.selection)
    if parsed.pixel_bytes is None:
        raise RefusedError("no_pixels")
    if not request.recipe.rule.accepts(modality):
        raise RefusedError("other_modality")
    if not named:
        raise RefusedError("missing_patient_id")


def _wanted_frames(parsed: Parsed, request: Request, frames: int) -> range:
    """Positions of the frames to read; a file of one is a slice of its series."""
    dataset, selection = parsed.dataset, request.selection
    if selection.every > 1 and frames == 1:
        if not text_of(dataset, _SLICE):
            raise RefusedError("missing_slice_number")
        if not selection.wants_slice(integer_of(dataset, _SLICE)):
            raise RefusedError("not_selected")
    numbers = selection.frame_numbers(frames)
    if not numbers:
        raise RefusedError("not_selected")
    return numbers
