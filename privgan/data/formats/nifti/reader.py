"""One NIfTI-1 file, plain or compressed, read as if it were hostile: its slices are images of one patient.

What the header claims is checked before a voxel is unpacked, and no more is ever unpacked than it claims. A volume
says neither whose it is nor in what unit; both are asked of whoever reads it.
"""

import contextlib
import gzip
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from privgan.data import identifiers as kinds
from privgan.data.formats.nifti.header import BYTES, ONE_FILE, PAIR, VolumeHeader, volume_header
from privgan.data.formats.nifti.volume import exactly, slices, view_of
from privgan.data.formats.reading import MAX_RESULT_BYTES, Reading, Request
from privgan.data.lettering import Lettering
from privgan.data.preprocess import MOST_ASPECT, Look, Pixels, prepare_images
from privgan.data.recipe import GIVEN, STORED_RANGE, Recipe
from privgan.data.refusals import RefusedError, check_shape, open_input, read_regular

has_units, names_patients = True, False
tells: tuple[str, ...] = ()
MAX_BYTES = 2 << 30
SUFFIXES = (".nii", ".nii.gz")
PARTS = (".hdr", ".hdr.gz", ".img", ".img.gz")
_GZIP, _NAMED, _EXTRA = b"\x1f\x8b", 8, 4  # magic and flags (RFC 1952)
_NAME_WITHIN = 4096  # bytes of a compressed file
_BETWEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\"'<>{}\[\]]+")
_SEPARATORS = str.maketrans(";,=|:", "     ")


def claims(file: Path) -> bool:
    """Whether it is called as a volume is, or is a header without its voxels."""
    name = file.name.lower()
    if not name.endswith(".hdr"):
        return name.endswith(SUFFIXES)
    try:
        return read_regular(file, head=BYTES)[344:] in (PAIR, ONE_FILE)
    except RefusedError:
        return False


def read(path: Path, request: Request) -> Reading:
    """Read one volume.

    Raises:
        RefusedError: nothing of its header could be read; later refusals are in the Reading's code.
    """
    if path.name.lower().endswith(PARTS):
        raise RefusedError("nifti_pair")
    with open_input(path, MAX_BYTES) as stored:
        name = _name_inside(stored)
        with _unpacked(stored) as stream:
            header = volume_header(stream.read(BYTES))
            written = (*header.texts, exactly(stream, header.offset - BYTES))
            code, images, side, blank = "", None, 0, 0
            lettering = Lettering(os.fsencode(path.name), request.look_at_one_in)
            try:
                images, side, blank = _images(stream, header, request, lettering)
            except RefusedError as refusal:
                code = refusal.code
    found = tuple(pair for raw in written for pair in _identifiers(raw))
    return Reading(
        code=code,
        images=images,
        side=side,
        blank=blank,
        unstated=True,
        remarks=() if code else lettering.remarks,
        identifiers=(*found, (kinds.FILE_NAME, name)) if name else found,
    )


def _images(
    stream: BinaryIO, header: VolumeHeader, request: Request, look: Look
) -> tuple[NDArray[np.uint8], int, int]:
    """The wanted slices, uint8 (k, *shape) of the recipe, the longer side of one, and how many more were blank."""
    recipe, selection = request.recipe, request.selection
    _check_meaning(header, recipe)
    view = view_of(header.affine, selection.axis)
    columns, rows, count = (header.shape[axis] for axis in view.axes)
    check_shape(rows, columns)
    wanted = selection.frame_numbers(count)
    if not wanted or min(rows, columns) < 2:  # a single slice cannot be cut across
        raise RefusedError("not_selected")
    if len(wanted) * math.prod(recipe.shape) > MAX_RESULT_BYTES:
        raise RefusedError("too_large")
    low, high = header.stored_range
    aspect = header.spacing[view.axes[1]] / header.spacing[view.axes[0]]
    if not 1 / MOST_ASPECT <= aspect <= MOST_ASPECT:
        raise RefusedError("damaged")
    stored = (
        (
            place,
            Pixels(values=values, low=low, high=high, slope=header.slope, intercept=header.intercept, aspect=aspect),
        )
        for place, values in slices(stream, header, view, wanted)
    )
    images, _ = prepare_images(stored, recipe, len(wanted), may_be_blank=request.may_be_blank, look=look)
    return images, max(rows, columns), len(wanted) - len(images)


def _check_meaning(header: VolumeHeader, recipe: Recipe) -> None:
    """Refuse a window that these values cannot have been meant for.

    The whole stored range says something of 8 or 16 bits without a sign alone, and Hounsfield units go below zero.
    """
    scaling, unsigned = recipe.rule.scaling, header.dtype.kind == "u"
    if scaling == STORED_RANGE and not (unsigned and header.dtype.itemsize <= 2):
        raise RefusedError("no_range")
    lowest = -math.inf if header.dtype.kind == "f" else header.stored_range[0] * header.slope + header.intercept
    if scaling == GIVEN and recipe.window is None and lowest >= 0:
        raise RefusedError("missing_rescale")


@contextlib.contextmanager
def _unpacked(stored: BinaryIO) -> Iterator[BinaryIO]:
    """The file as it was before it was compressed, if it was; unpacked only as far as it is read."""
    compressed = stored.read(2) == _GZIP
    stored.seek(0)
    if not compressed:
        yield stored
        return
    with gzip.GzipFile(fileobj=stored, mode="rb") as stream:
        yield cast("BinaryIO", stream)


def _name_inside(stored: BinaryIO) -> str:
    """What a compressed file was called before, without its suffix; renaming it does not change that. Sensitive."""
    head = stored.read(_NAME_WITHIN)
    stored.seek(0)
    if head[:2] != _GZIP or len(head) < 12 or not head[3] & _NAMED:
        return ""
    start = 12 + int.from_bytes(head[10:12], "little") if head[3] & _EXTRA else 10
    return Path(head[start:].partition(b"\0")[0].decode("latin-1")).stem


def _identifiers(raw: bytes) -> Iterator[tuple[str, str]]:
    """(category, value) of every readable piece, behind a zero byte, too. Sensitive."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    for piece in _BETWEEN.split(text):
        plain = piece.translate(_SEPARATORS).strip()
        if len(plain) >= kinds.SHORTEST:
            yield kinds.NAME if "^" in plain else kinds.TEXT, plain
