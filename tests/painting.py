"""Pictures with and without text that is painted into them, as consoles and scanners do."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from privgan.arrays import Floats, Images

WORDS = (
    "ZORKEL VIMBRU",
    "19540312",
    "Vimbru, Hans",
    "ID 4471-203",
    "12.03.1954 14:07",
    "ST MARY HOSP",
    "Portable AP",
)
WHITE = 255.0


def enlarged(picture: Images, side: int, rng: np.random.Generator, noise: float = 4.0) -> Floats:
    """A picture (h, w) at another size with noise as detectors have it, in grey levels."""
    large = np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC))
    return large + rng.normal(0, noise, (side, side))


def painted(picture: NDArray[Any], text: str, size: int, contrast: float, at: tuple[float, float]) -> Floats:
    """A picture (h, w) with text: brighter than what it covers where that is dark, darker where it is bright.

    Args:
        picture: grey levels, 0 to 255.
        text: as much of it is painted as fits.
        size: of the font in pixels.
        contrast: grey levels.
        at: how far down and right of the places where it fits, each from 0 to 1.
    """
    height, width = picture.shape
    font = ImageFont.load_default(size=size)
    while font.getbbox(text)[2] > width - 2:
        text = text[:-1]
    _, _, right, bottom = map(int, font.getbbox(text))
    top, left = int(at[0] * max(0, height - bottom - 1)), int(at[1] * max(0, width - right - 1))
    canvas = Image.new("L", (width, height))
    ImageDraw.Draw(canvas).text((left, top), text, fill=255, font=font)
    covered = picture[top : top + bottom, left : left + right]
    sign = -1 if float(np.median(covered)) > WHITE / 2 else 1
    return np.clip(picture + sign * contrast * np.asarray(canvas, dtype=np.float64) / 255, 0, WHITE)
