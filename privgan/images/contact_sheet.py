"""A glance at a synthetic set: up to 100 images on one PNG, grouped by class."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from privgan.arrays import Images, Integers

COLUMNS, _ROWS = 10, 10
_STRIP_PIXELS = 16
_LARGE_TILE_PIXELS = 128  # a side: words above tiles of so many times as many are so many times as large
_SMALLEST_TILE_PIXELS = 56


def tile_pixels(side: int) -> int:
    """Pixels a side of an image on the sheet: small ones are enlarged by a whole number."""
    return side * -(-_SMALLEST_TILE_PIXELS // side)


def contact_sheet(images: Images, labels: Integers, classes: tuple[str, ...], columns: int = COLUMNS) -> Images:
    """The sheet's pixels, uint8 (height, width) or (height, width, 3), computed from nothing but the arguments.

    Args:
        images: uint8 (n, s, s) or (n, s, s, 3).
        labels: int64 (n,), indices into `classes`.
        classes: a strip with the name stands above the images of each, see `caption`; a class without images is left
            out, and so are classes after the tenth.
        columns: images in a row.
    """
    present = np.unique(labels)[:_ROWS]
    tiles_each = columns * (_ROWS // len(present))
    scale = tile_pixels(images.shape[1]) // images.shape[1]
    parts = []
    for label in present:
        grid = _grid(images[labels == label][:tiles_each], columns).repeat(scale, axis=0).repeat(scale, axis=1)
        times, width = max(1, images.shape[1] // _LARGE_TILE_PIXELS), grid.shape[1]
        strip = _strip(caption(classes[label], label + 1), -(-width // times))
        strip = strip.repeat(times, axis=0).repeat(times, axis=1)[:, :width]
        parts += [strip if grid.ndim == 2 else np.stack([strip] * 3, axis=-1), grid]
    return np.concatenate(parts)


def _grid(tiles: Images, columns: int) -> Images:
    """Tiles (n, s, s[, 3]) in rows of so many, the last row filled up with black."""
    _, size, _, *channels = tiles.shape
    rows = -(-len(tiles) // columns)
    filled = np.zeros((rows * columns, *tiles.shape[1:]), np.uint8)
    filled[: len(tiles)] = tiles
    grid = filled.reshape(rows, columns, *tiles.shape[1:]).swapaxes(1, 2)
    return grid.reshape(rows * size, columns * size, *channels)


def is_drawable(name: str) -> bool:
    """Whether the sheet's own letters, those of ISO 8859-1, have all of a name's.

    >>> is_drawable("Lungenödem"), is_drawable("肺炎")
    (True, False)
    """
    return all(" " <= letter <= "~" or "¡" <= letter <= "ÿ" for letter in name)


def caption(name: str, number: int) -> str:
    """What stands above the images of a class: its name, or its number, with which the set's card names it.

    A system's fonts would draw any name, and another machine's another picture; a set is compared to the byte.

    >>> caption("normal", 1), caption("肺炎", 2)
    ('normal', '2 (README.md)')
    """
    return name if is_drawable(name) else f"{number} (README.md)"


def _strip(text: str, width: int) -> Images:
    strip = Image.new("L", (width, _STRIP_PIXELS), color=0)
    ImageDraw.Draw(strip).text((4, 2), text, 255, ImageFont.load_default_imagefont())  # the one that is a picture
    return np.asarray(strip)
