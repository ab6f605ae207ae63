"""One PNG or JPEG file, read as if it were hostile: dimensions are checked before pixels are unpacked."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from privgan.data.preprocess import STORED_RANGE, Pixels, prepare_image
from privgan.data.reading import Reading, Request
from privgan.data.refusals import RefusedError, check_shape, read_regular

FORMATS = ("PNG", "JPEG")
SUFFIXES = (".png", ".jpg", ".jpeg")
SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I")


def read_picture(path: Path, request: Request) -> Reading:
    """Read one picture; colour becomes grey by luminance and is reported.

    Raises:
        RefusedError: it cannot be used.
    """
    content = read_regular(path)
    with _open(content) as picture:
        check_shape(picture.height, picture.width)
        if getattr(picture, "n_frames", 1) > 1:
            raise RefusedError("multi_frame")
        values, highest, colour = _grey(picture)
    image = prepare_image(Pixels(values=values, low=0, high=highest), request.recipe)
    deep = highest > 255 and request.recipe.rule.scaling == STORED_RANGE
    return Reading(images=image[None], side=max(values.shape), colour=colour, deep=deep)


def _open(content: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as unread:
            check_shape(unread.height, unread.width)
            unread.verify()  # checksums; the picture must be opened again afterwards
        return Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:
        raise RefusedError("not_an_image") from None
    except Image.DecompressionBombError:
        raise RefusedError("too_large") from None


def _grey(picture: Image.Image) -> tuple[NDArray[np.generic], int, bool]:
    """Grey values, the highest that could be stored, and whether there was colour."""
    if picture.mode in SIXTEEN_BIT:
        values = np.asarray(picture)
        if values.min() < 0 or values.max() > 65535:
            raise RefusedError("bit_depth")
        return values, 65535, False
    upright = ImageOps.exif_transpose(picture)
    if upright.mode in ("1", "L", "LA"):
        return np.asarray(upright.convert("L")), 255, False
    channels = np.asarray(upright.convert("RGB"))
    if (channels == channels[..., :1]).all():  # grey, stored as colour
        return channels[..., 0], 255, False
    return np.asarray(upright.convert("RGB").convert("L")), 255, True
