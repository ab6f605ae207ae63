"""What stands for an image where copies must be exact: its pixels, and the order of their grey values.

Which pixel is darker than which survives every strictly monotone change of the grey values (brightness, contrast
stretch, a look-up table), and an inversion turns it round. In colour all channels are compared; their ranks are taken
in each by itself and know no order of channels, so that another white balance or an exchange of red and blue hides
nothing either. A print is as exact as a hash: one changed pixel hides a copy from it, and so do two grey values that
became one (clipped, or contrast reduced, or nearly any gamma when written in 8 bits).
"""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from privgan.arrays import Images, Integers
from privgan.images.geometry import channels, orbit
from privgan.language import tr
from privgan.progress import Progress, silent

# With fewer different grey values only the pixels themselves count: masks and drawings of two or three tones share
# their ranks with strangers. If unrelated images order their pixels independently, then one pixel for each of 16
# tones comes out in the same order with chance 1/16! = 5e-14, and somewhere among 20,000 x 20,000 pairs,
# 8 orientations and both signs in one of 3,000 audits.
MIN_TONES = 16
_BLOCK_BYTES = 1 << 22
_GREYS = 256


@dataclass(frozen=True)
class Print:
    """What stands for one image and its orbit: of the 8 images, the first in the order of bytes is digested.

    pixels: of the grey values. tones: of their ranks, or of the grey values if tones are few; equal pixels have
    equal tones.
    """

    pixels: bytes
    tones: bytes


def prints(images: Images, progress: Progress = silent) -> list[Print | None]:
    """One print for each image uint8 (n, h, h, c), None for constant ones."""
    found: list[Print | None] = []
    step = max(1, _BLOCK_BYTES // math.prod(images.shape[1:]))
    for start in range(0, len(images), step):
        block = images[start : start + step]
        ranks, tones = tone_ranks(block)
        opposite = (tones[:, None, None] - 1 - ranks).astype(np.uint8)
        most = tones.max(axis=1)  # channels are too alike to add their tones up
        views = (_smallest_turn(block), *(_smallest_turn(order, _any_order) for order in (ranks, opposite)))
        smallest = zip(*views, most, strict=True)
        for pixels, upright, inverted, count in smallest:
            exact = hashlib.sha256(pixels).digest()
            ordered = hashlib.sha256(min(upright, inverted)).digest() if count >= MIN_TONES else exact
            found.append(Print(exact, ordered) if count > 1 else None)
        progress(tr("exact duplicates"), len(found), len(images))
    return found


def tone_ranks(images: Images) -> tuple[Images, Integers]:
    """Dense ranks: of each pixel, how many different grey values of its image, or of its channel, are darker.

    Returns:
        uint8 as the images (n, h, w, c), and how many different values each channel has, int64 (n, c).
    """
    ranks, tones = zip(*map(_plane_ranks, channels(images)), strict=True)
    return np.stack(ranks, axis=-1), np.stack(tones, axis=-1)


def _plane_ranks(plane: Images) -> tuple[Images, Integers]:
    """Of one channel (n, h, w), and how many different values it has (n,)."""
    flat = plane.reshape(len(plane), -1)
    keys = flat + _GREYS * np.arange(len(flat), dtype=np.int64)[:, None]
    used = np.bincount(keys.ravel(), minlength=_GREYS * len(flat)).reshape(len(flat), _GREYS) > 0
    table = (np.cumsum(used, axis=1) - 1).astype(np.uint8)  # of values that are not used it says nothing
    return np.take_along_axis(table, flat, axis=1).reshape(plane.shape), used.sum(axis=1)


def _smallest_turn(images: Images, in_bytes: Callable[[Images], bytes] = np.ndarray.tobytes) -> list[bytes]:
    """Of each image the first, in the order of bytes, of its 8 orientations."""
    turned = [np.ascontiguousarray(view) for view in orbit(images)]
    return [min(in_bytes(view[row]) for view in turned) for row in range(len(images))]


def _any_order(image: Images) -> bytes:
    """The bytes of the channels of an image (h, w, c), in their own order."""
    return b"".join(sorted(image[..., channel].tobytes() for channel in range(image.shape[2])))
