"""A glance at a synthetic set: up to 100 images on one PNG, grouped by class."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from privgan.files import SHAREABLE_FILE, open_new

_COLUMNS, _ROWS = 10, 10
_STRIP_PIXELS = 16
_SMALLEST_TILE_PIXELS = 56

Grey = NDArray[np.uint8]


def write_contact_sheet(path: Path, images: Grey, labels: NDArray[np.int64], classes: tuple[str, ...]) -> None:
    """Write `contact_sheet` as a PNG without text chunks to `path`, which must not exist."""
    sheet = contact_sheet(images, labels, classes)
    with open_new(path, SHAREABLE_FILE) as stream:
        Image.fromarray(sheet).save(stream, format="PNG")


def contact_sheet(images: Grey, labels: NDArray[np.int64], classes: tuple[str, ...]) -> Grey:
    """The sheet's pixels, uint8 (height, width), computed from nothing but the arguments.

    Args:
        images: uint8 (n, s, s).
        labels: int64 (n,), indices into `classes`.
        classes: a strip with the name stands above the images of each; a class without images is left out, and
            so are classes after the tenth.
    """
    present = np.unique(labels)[:_ROWS]
    tiles_each = _COLUMNS * (_ROWS // len(present))
    scale = -(-_SMALLEST_TILE_PIXELS // images.shape[1])
    parts = []
    for label in present:
        grid = _grid(images[labels == label][:tiles_each]).repeat(scale, axis=0).repeat(scale, axis=1)
        parts += [_strip(classes[label], grid.shape[1]), grid]
    return np.concatenate(parts)


def _grid(tiles: Grey) -> Grey:
    """Tiles (n, s, s) in rows of ten, the last row filled up with black."""
    size = tiles.shape[1]
    rows = -(-len(tiles) // _COLUMNS)
    filled = np.zeros((rows * _COLUMNS, size, size), np.uint8)
    filled[: len(tiles)] = tiles
    return filled.reshape(rows, _COLUMNS, size, size).swapaxes(1, 2).reshape(rows * size, _COLUMNS * size)


def _strip(text: str, width: int) -> Grey:
    strip = Image.new("L", (width, _STRIP_PIXELS), color=0)
    ImageDraw.Draw(strip).text((4, 2), text.encode("ascii", "replace").decode(), 255, ImageFont.load_default())
    return np.asarray(strip)
