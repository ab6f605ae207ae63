"""One PNG or JPEG file, read as if it were hostile: dimensions are checked before pixels are unpacked."""

import io
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from privgan.data.formats.reading import Reading, Request
from privgan.data.formats.restored import CODE, MARK
from privgan.data.lettering import Lettering
from privgan.data.preprocess import Pixels, prepare_image, prepare_shown
from privgan.data.recipe import STORED_RANGE
from privgan.data.refusals import RefusedError, check_shape, read_regular

has_units = names_patients = False
tells: tuple[str, ...] = ()
KINDS = ("PNG", "JPEG")
SUFFIXES = (".png", ".jpg", ".jpeg")
SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I")


def claims(file: Path) -> bool:
    """Whether it is called as a picture is."""
    return file.suffix.lower() in SUFFIXES


def read(path: Path, request: Request) -> Reading:
    """Read one picture; where grey is wanted, colour becomes luminance. What it had is reported.

    Raises:
        RefusedError: it cannot be used.
    """
    content = read_regular(path)
    with _open(content) as picture:
        check_shape(picture.height, picture.width)
        if getattr(picture, "n_frames", 1) > 1:
            raise RefusedError("multi_frame")
        if MARK in picture.info:  # texts before the pixels
            raise RefusedError(CODE)
        values, highest = _values(picture)
    colour, side = values.ndim == 3, max(values.shape[:2])
    if colour and request.recipe.channels == 1:
        values = np.asarray(Image.fromarray(values).convert("L"))
    pixels = Pixels(values=values, low=0, high=highest)
    lettering = Lettering(os.fsencode(path.name), request.look_at_one_in)
    if request.may_be_blank:
        image = prepare_image(pixels, request.recipe)
    else:
        image = prepare_shown(pixels, request.recipe, lettering)
    deep = highest > 255 and request.recipe.rule.scaling == STORED_RANGE
    return Reading(images=image[None], side=side, colour=colour, deep=deep, remarks=lettering.remarks)


def _open(content: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(content), formats=KINDS) as unread:
            check_shape(unread.height, unread.width)
            unread.verify()  # checksums; the picture must be opened again afterwards
        return Image.open(io.BytesIO(content), formats=KINDS)
    except UnidentifiedImageError:
        raise RefusedError("not_an_image") from None
    except Image.DecompressionBombError:
        raise RefusedError("too_large") from None


def _values(picture: Image.Image) -> tuple[NDArray[np.generic], int]:
    """Grey values (h, w), or red, green and blue (h, w, 3) if they differ; and the highest that could be stored."""
    if picture.mode in SIXTEEN_BIT:
        values = np.asarray(picture)
        if values.min() < 0 or values.max() > 65535:
            raise RefusedError("bit_depth")
        return values, 65535
    upright = ImageOps.exif_transpose(picture)
    if upright.mode in ("1", "L", "LA"):
        return np.asarray(upright.convert("L")), 255
    channels = np.asarray(upright.convert("RGB"))
    stored_grey = (channels == channels[..., :1]).all()
    return (channels[..., 0] if stored_grey else channels), 255
