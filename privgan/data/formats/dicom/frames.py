"""From the decoded frames of a file to pixels in the units that the header defines.

Colour stays or becomes luminance (ITU-R BT.601), palettes are looked up, and the modality's own table or slope and
intercept, which an enhanced object may give for each frame, say what the stored values mean (PS3.3 C.11.1,
C.7.6.16.2.9).
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, JPEGLSTransferSyntaxes, JPEGTransferSyntaxes

from privgan.data.formats.dicom import palette
from privgan.data.formats.dicom.image_header import PALETTE, ImageHeader
from privgan.data.formats.dicom.meaning import aspect_of, own_window, padding_of, require_hounsfield
from privgan.data.formats.dicom.parsing import UNDEFINED_LENGTH, Parsed
from privgan.data.formats.dicom.syntaxes import Decoder, decoder_for
from privgan.data.formats.dicom.values import number_of, text_of, values_of
from privgan.data.preprocess import Pixels
from privgan.data.refusals import RefusedError

_END_OF_IMAGE = b"\xff\xd9"
_ADOBE, _ADOBE_TRANSFORM = b"\xff\xee\0\x0eAdobe", 15  # the marker segment, and where it names the transform
_LONGEST_JPEG_HEAD = 1 << 16
_RED_GREEN_BLUE = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_MOST_ENTRIES = 65536
_NUMBERS = ("OB", "OW")  # VRs of pixels
_NOTHING = np.zeros((0, 0), dtype=np.uint8)
_SHARED, _PER_FRAME = "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"
_TRANSFORMATION = "PixelValueTransformationSequence"
KEYWORDS = (
    "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", *palette.KEYWORDS, _SHARED, _PER_FRAME,
    "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What values frames are wanted in.

    units: physical units, so that the header must say how. own_window: 0..1 by the file's own window. colour: red,
    green and blue are kept; luminance otherwise.
    """

    units: bool = False
    own_window: bool = False
    colour: bool = False


def decoded_frames(parsed: Parsed, header: ImageHeader, numbers: range, wanted: Wanted) -> Iterator[Pixels]:
    """The frames at these positions, decoded one after another.

    Args:
        parsed: the file.
        header: what it says about its pixels.
        numbers: positions from 0; they must be below the number of frames.
        wanted: what values are wanted.

    Raises:
        RefusedError: transfer_syntax, no_decoder, decoder_disagrees, colour, missing_rescale, rescale_type,
            modality_lut, no_window, non_finite_pixels, damaged.
    """
    if (wanted.units or wanted.own_window) and header.coloured:
        raise RefusedError("colour")
    aspect = aspect_of(parsed.dataset)
    for number, frame in zip(numbers, _decoded(parsed, header, numbers), strict=True):
        if header.coloured:
            yield replace(_coloured(frame, parsed, header, keep=wanted.colour), aspect=aspect)
        else:
            pixels = _in_units(frame, parsed, header, number, required=wanted.units)
            yield replace(_windowed(pixels, parsed) if wanted.own_window else pixels, aspect=aspect)


def untouched(parsed: Parsed, header: ImageHeader, numbers: range, wanted: Wanted) -> Pixels | None:
    """What a file says of the only frame that it has, but for its values, where these lie there as they are.

    None where more than that has to be done: what is compressed, coloured, looked up, or shown by the file's window.

    Args:
        parsed: the file; its stream is not looked at.
        header: what it says about its pixels.
        numbers: positions of the frames that are wanted.
        wanted: what values are wanted.

    Raises:
        RefusedError: as `decoded_frames` does.
    """
    if parsed.syntax != ExplicitVRLittleEndian or parsed.vr not in _NUMBERS or numbers != range(1):
        return None
    if header.frames != 1 or header.coloured or wanted.own_window or "ModalityLUTSequence" in parsed.dataset:
        return None
    aspect = aspect_of(parsed.dataset)
    return replace(_in_units(_NOTHING, parsed, header, 0, required=wanted.units), aspect=aspect)


def frame_of(parsed: Parsed, header: ImageHeader, like: Pixels) -> Pixels:
    """The frame of a file of which `untouched` said all but its values."""
    octets = header.allocated // 8
    content = parsed.stream.read(header.rows * header.columns * octets)
    values = np.frombuffer(content, dtype=f"<{'i' if header.signed else 'u'}{octets}").reshape(header.rows, -1)
    if unused := header.allocated - header.stored:  # bits that may hold anything (PS3.5 8.1.1)
        values = values << unused >> unused
    return replace(like, values=values)


def _decoded(parsed: Parsed, header: ImageHeader, numbers: range) -> Iterator[NDArray[Any]]:
    decoder = decoder_for(parsed.syntax, header.stored)
    options: dict[str, Any] = {
        "rows": header.rows,
        "columns": header.columns,
        "number_of_frames": header.frames,
        "samples_per_pixel": header.samples,
        "photometric_interpretation": header.photometric,
        "bits_allocated": header.allocated,
        "bits_stored": header.stored,
        "pixel_representation": int(header.signed),
        "planar_configuration": header.planar,
        "pixel_keyword": "PixelData",
        "pixel_vr": parsed.vr,
    }
    if "ExtendedOffsetTable" in parsed.dataset and parsed.pixel_bytes == UNDEFINED_LENGTH:
        tables = parsed.dataset.ExtendedOffsetTable, parsed.dataset.get("ExtendedOffsetTableLengths")
        options["extended_offsets"] = tables
    if parsed.syntax in JPEGTransferSyntaxes and header.samples == 3 and _is_turned_into_rgb(parsed):
        options["photometric_interpretation"] = "RGB"
    if parsed.syntax in JPEGLSTransferSyntaxes:
        _require_ends(parsed, header.frames)
    start, done = parsed.stream.tell(), 0
    try:
        for frame in _unpacked(parsed, decoder, numbers, options):
            yield frame
            done += 1
    except RuntimeError:  # the decoder gave up
        if decoder.second is None:
            raise
        if not decoder.second.installed:
            raise RefusedError("decoder_disagrees") from None
        parsed.stream.seek(start)
        yield from _unpacked(parsed, decoder.second, numbers[done:], options)


def _unpacked(parsed: Parsed, decoder: Decoder, numbers: range, options: dict[str, Any]) -> Iterator[NDArray[Any]]:
    """The frames as one decoder reads them; RuntimeError where it gives up."""
    everything = numbers == range(options["number_of_frames"])
    found = get_decoder(parsed.syntax).iter_array(
        parsed.stream, indices=None if everything else numbers, decoding_plugin=decoder.plugin, **options
    )
    for _, (frame, _properties) in zip(numbers, found, strict=False):  # more frames than announced are not read
        yield frame


def _is_turned_into_rgb(parsed: Parsed) -> bool:
    """Whether Pillow undoes the colour coding: where Adobe's marker names one, which pydicom would undo again.

    Pillow 13 with pydicom 3.0.2; DICOM says what the decoder must give (PS3.3 C.7.6.3.1.2).
    """
    start = parsed.stream.tell()
    first = next(generate_frames(parsed.stream, number_of_frames=1), b"")
    parsed.stream.seek(start)
    place = first.find(_ADOBE, 0, _LONGEST_JPEG_HEAD)
    return place >= 0 and first[place + _ADOBE_TRANSFORM : place + _ADOBE_TRANSFORM + 1] == b"\1"


def _require_ends(parsed: Parsed, frames: int) -> None:
    """Refuse JPEG-LS frames without their end marker: the decoder looks for it for seconds behind the last byte."""
    start = parsed.stream.tell()
    for frame in itertools.islice(generate_frames(parsed.stream, number_of_frames=frames), frames):
        if _END_OF_IMAGE not in frame[-4:]:
            raise RefusedError("truncated")
    parsed.stream.seek(start)


def _coloured(frame: NDArray[Any], parsed: Parsed, header: ImageHeader, *, keep: bool) -> Pixels:
    high = header.high
    if header.photometric == PALETTE:
        frame, high = palette.coloured(frame, parsed.dataset, _word(parsed))
    colours = frame[..., :3]
    if (colours == colours[..., :1]).all():  # grey, stored as colour
        return Pixels(values=colours[..., 0], low=0, high=high)
    return Pixels(values=colours if keep else colours.astype(np.float32) @ _RED_GREEN_BLUE, low=0, high=high)


def _in_units(frame: NDArray[Any], parsed: Parsed, header: ImageHeader, number: int, *, required: bool) -> Pixels:
    inverted, dataset = header.photometric == "MONOCHROME1", parsed.dataset
    padding = padding_of(dataset, signed=header.signed)
    table = _item(parsed.dataset, "ModalityLUTSequence", 0)
    if table is not None:
        if required and text_of(table, "ModalityLUTType") != "HU":
            raise RefusedError("modality_lut")
        values, high = _looked_up(frame, table, _word(parsed))
        return _without_padding(Pixels(values=values, low=0, high=high, inverted=inverted), frame, padding)
    if required:
        require_hounsfield(dataset)
    slope, intercept = _rescale(dataset, number, required=required)
    pixels = Pixels(
        values=frame, low=header.low, high=header.high, slope=slope, intercept=intercept, inverted=inverted
    )
    return replace(pixels, padding=padding)


def _windowed(pixels: Pixels, parsed: Parsed) -> Pixels:
    """Values 0..1 by the file's own window, which is meant for values after rescale."""
    values = pixels.values.astype(np.float32) * np.float32(pixels.slope) + np.float32(pixels.intercept)
    shown = Pixels(values=own_window(parsed.dataset, _word(parsed))(values), low=0, high=1, inverted=pixels.inverted)
    return _without_padding(shown, pixels.values, pixels.padding)


def _without_padding(pixels: Pixels, stored: NDArray[Any], padding: tuple[float, float] | None) -> Pixels:
    """Values that are no longer the stored ones, with what will be black where those say padding."""
    if padding is None:
        return pixels
    values = np.array(pixels.values)
    values[(stored >= padding[0]) & (stored <= padding[1])] = pixels.high if pixels.inverted else pixels.low
    return replace(pixels, values=values)


def _word(parsed: Parsed) -> str:
    return "<u2" if parsed.syntax.is_little_endian else ">u2"


def _looked_up(frame: NDArray[Any], table: Dataset, word: str) -> tuple[NDArray[np.uint16], int]:
    """Values of a modality table (PS3.3 C.11.1.1) and the largest that it can hold."""
    descriptor = values_of(table, "LUTDescriptor")
    if len(descriptor) != 3:
        raise RefusedError("modality_lut")
    entries, first, bits = (int(float(text)) for text in descriptor)
    entries = entries or _MOST_ENTRIES
    if frame.dtype.kind == "i" and first >= _MOST_ENTRIES // 2:  # signed, read as unsigned
        first -= _MOST_ENTRIES
    data = table.get("LUTData")
    if not 1 <= entries <= _MOST_ENTRIES or not 8 <= bits <= 16:
        raise RefusedError("modality_lut")
    lut = np.frombuffer(data, dtype=word) if isinstance(data, bytes) else np.asarray(data)
    if len(lut) < entries or lut.min() < 0 or lut.max() >= 2**bits:
        raise RefusedError("modality_lut")
    positions = np.clip(frame.astype(np.int64) - first, 0, entries - 1)
    return lut.astype(np.uint16)[positions], 2**bits - 1


def _rescale(dataset: Dataset, number: int, *, required: bool) -> tuple[float, float]:
    """Slope and intercept of one frame: its own, those of all frames, or those of the file."""
    for group in (_item(dataset, _PER_FRAME, number), _item(dataset, _SHARED, 0)):
        own = _item(group, _TRANSFORMATION, 0)
        if own is not None:
            dataset = own
            break
    if required and not (values_of(dataset, "RescaleSlope") and values_of(dataset, "RescaleIntercept")):
        raise RefusedError("missing_rescale")
    slope, intercept = number_of(dataset, "RescaleSlope", 1), number_of(dataset, "RescaleIntercept", 0)
    if not (math.isfinite(slope) and math.isfinite(intercept)):
        raise RefusedError("non_finite_pixels")
    if slope == 0:
        raise RefusedError("damaged")
    return slope, intercept


def _item(dataset: Dataset | None, keyword: str, number: int) -> Dataset | None:
    """One item of a sequence, if it is there."""
    items = dataset.get(keyword) if dataset is not None else None
    if not isinstance(items, Sequence) or number >= len(items):
        return None
    return items[number]
