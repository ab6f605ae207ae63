"""A glance at a synthetic set: up to 100 images on one PNG, grouped by class."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from privgan.arrays import Images, Integers

_COLUMNS, _ROWS = 10, 10
_STRIP_PIXELS = 16
_SMALLEST_TILE_PIXELS = 56


def tile_pixels(side: int) -> int:
    """Pixels a side of an image on the sheet: small ones are enlarged by a whole number."""
    return side * -(-_SMALLEST_TILE_PIXELS // side)


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
    scale = tile_pixels(images.shape[1]) // images.shape[1]
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
    words = text.encode("ascii", "replace").decode()
    ImageDraw.Draw(strip).text((4, 2), words, 255, ImageFont.load_default_imagefont())  # the one that is a picture
    return np.asarray(strip)
