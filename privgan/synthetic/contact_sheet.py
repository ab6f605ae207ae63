"""A glance at a synthetic set: up to 100 images on one PNG, grouped by class."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from privgan.arrays import Images, Integers
from privgan.files import SHAREABLE_FILE, open_new

_COLUMNS, _ROWS = 10, 10
_STRIP_PIXELS = 16
_SMALLEST_TILE_PIXELS = 56


def write_contact_sheet(path: Path, images: Images, labels: Integers, classes: tuple[str, ...]) -> None:
    """Write `contact_sheet` as a PNG without text chunks to `path`, which must not exist."""
    sheet = contact_sheet(images, labels, classes)
    with open_new(path, SHAREABLE_FILE) as stream:
        Image.fromarray(sheet).save(stream, format="PNG")


def contact_sheet(images: Images, labels: Integers, classes: tuple[str, ...]) -> Images:
    """The sheet's pixels, uint8 (height, width) or (height, width, 3), computed from nothing but the arguments.

    Args:
        images: uint8 (n, s, s) or (n, s, s, 3).
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
        strip = _strip(classes[label], grid.shape[1])
        parts += [strip if grid.ndim == 2 else np.stack([strip] * 3, axis=-1), grid]
    return np.concatenate(parts)


def _grid(tiles: Images) -> Images:
    """Tiles (n, s, s[, 3]) in rows of ten, the last row filled up with black."""
    _, size, _, *channels = tiles.shape
    rows = -(-len(tiles) // _COLUMNS)
    filled = np.zeros((rows * _COLUMNS, *tiles.shape[1:]), np.uint8)
    filled[: len(tiles)] = tiles
    grid = filled.reshape(rows, _COLUMNS, *tiles.shape[1:]).swapaxes(1, 2)
    return grid.reshape(rows * size, _COLUMNS * size, *channels)


def _strip(text: str, width: int) -> Images:
    strip = Image.new("L", (width, _STRIP_PIXELS), color=0)
    ImageDraw.Draw(strip).text((4, 2), text.encode("ascii", "replace").decode(), 255, ImageFont.load_default())
    return np.asarray(strip)
