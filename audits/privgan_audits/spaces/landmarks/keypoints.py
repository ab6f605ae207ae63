"""Where parts of a picture can be known again, wherever they were moved to and at whatever size.

A part that was moved has the same landmarks at other places: the strongest points of its fine detail (Lowe 2004,
"Distinctive image features from scale-invariant keypoints", without the turns: the moved images are seen elsewhere).
Each is placed to a fraction of a pixel and described by a small window round that place, so that a copy need not lie
on anybody's grid. Windows of a few pixels are all that fits into a ninth of a picture.

All filters are narrow: what lies beside a pasted part leaves its inner landmarks as they were, to the last bit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from privgan.arrays import Flags, Floats, Images, Integers, Singles
from privgan.images.geometry import luminance, pool

SIDE = 64  # pixels on which landmarks are looked for
WINDOW = 13  # pixels a side, round a landmark
_REACH = 2  # pixels within which a landmark is the strongest point
_WIDE = 3  # smoothings that detail is told from
_QUIET = 0.1  # of the median strength: what is weaker shows nothing
_SEEN = 1e-3  # grey levels; less is rounding
_AT_ONCE = 64  # pictures
_MARGIN = WINDOW // 2 + 1

Size = tuple[float, float]
"""Height and width of a picture, of its own."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Landmarks:
    """Landmarks of several pictures at several sizes.

    image, size: which of them, int64 (k,). place: rows and columns in pixels, float64 (k, 2). window: float32
    (k, WINDOW * WINDOW), its mean taken off.
    """

    image: Integers
    size: Integers
    place: Floats
    window: Singles


def grey_pictures(images: Images) -> Singles:
    """The luminance of images uint8 (n, h, h, c) on at most SIDE pixels: float32 (n, s, s)."""
    small = images.astype(np.float32) if images.shape[1] <= SIDE else pool(images, SIDE)
    return np.asarray(luminance(small)[..., 0], np.float32)


def landmarks(pictures: Singles, sizes: Sequence[Size], floor: float) -> Iterator[Landmarks]:
    """Of pictures (n, s, s), some at a time, at each of some sizes; `floor` is their `least_strength`."""
    for start in range(0, len(pictures), _AT_ONCE):
        for number, size in enumerate(sizes):
            yield _of_some(_resized(pictures[start : start + _AT_ONCE], size), start, number, floor)


def least_strength(pictures: Singles) -> float:
    """A small share of the median strength of what could be landmarks of pictures (n, s, s)."""
    strengths = []
    for start in range(0, len(pictures), _AT_ONCE):
        strength = np.abs(_detail(_smoothed(_resized(pictures[start : start + _AT_ONCE], (1.0, 1.0)))))
        strengths.append(strength[_strongest(strength, _SEEN)])
    every = np.concatenate(strengths)
    return max(_SEEN, _QUIET * float(np.median(every))) if len(every) else _SEEN


def _of_some(pictures: Singles, first: int, number: int, floor: float) -> Landmarks:
    """Of pictures (n, h, w) of one size, which are called `first` and on."""
    fine = _smoothed(pictures)
    detail = _detail(fine)
    image, row, column = np.nonzero(_strongest(np.abs(detail), floor))
    down = _top(detail[image, row - 1, column], detail[image, row, column], detail[image, row + 1, column])
    right = _top(detail[image, row, column - 1], detail[image, row, column], detail[image, row, column + 1])
    window = _windows(fine, image, (row, column), (down, right))
    return Landmarks(
        image=image + first,
        size=np.full(len(image), number),
        place=np.stack([row + down, column + right], axis=1).astype(np.float64),
        window=window - window.mean(axis=1, keepdims=True),
    )


def _detail(fine: Singles) -> Singles:
    """What further smoothing takes off pictures (n, h, w)."""
    wide = fine
    for _ in range(_WIDE):
        wide = _smoothed(wide)
    return fine - wide


def _smoothed(pictures: Singles) -> Singles:
    """Pictures (n, h, w) averaged with weights 1, 2, 1 in both directions; borders repeat."""
    for axis in (1, 2):
        found = np.empty_like(pictures)
        lines, sums = np.swapaxes(pictures, 0, axis), np.swapaxes(found, 0, axis)
        np.add(lines[:-2], lines[2:], out=sums[1:-1])
        for border, inner in ((0, 1), (-1, -2)):
            np.add(lines[border], lines[inner], out=sums[border])
        found += 2 * pictures
        found /= 4
        pictures = found
    return pictures


def _strongest(strength: Singles, floor: float) -> Flags:
    """Where strength (n, h, w) exceeds the floor and everything within _REACH; not where a window would not fit."""
    strong = np.zeros(strength.shape, np.bool_)
    high, wide = (side - 2 * _MARGIN for side in strength.shape[1:])
    if min(high, wide) < 1:
        return strong
    span = range(_MARGIN - _REACH, _MARGIN + _REACH + 1)
    near = np.maximum.reduce([strength[:, :, x : x + wide] for x in span])
    others = [near[:, y : y + high] for y in span if y != _MARGIN]
    others += [strength[:, _MARGIN : _MARGIN + high, x : x + wide] for x in span if x != _MARGIN]
    inner = slice(_MARGIN, _MARGIN + high), slice(_MARGIN, _MARGIN + wide)
    value = strength[:, inner[0], inner[1]]
    strong[:, inner[0], inner[1]] = (value > np.maximum.reduce(others)) & (value > floor)
    return strong


def _top(before: Singles, here: Singles, after: Singles) -> Singles:
    """Where a parabola through three neighbours has its extremum, within half a pixel of the middle one."""
    bend = before + after - 2 * here
    return np.asarray(np.clip((before - after) / (2 * np.where(np.abs(bend) > _SEEN**2, bend, np.inf)), -0.5, 0.5))


def _windows(
    pictures: Singles, image: Integers, pixel: tuple[Integers, Integers], moved: tuple[Singles, Singles]
) -> Singles:
    """Windows round places a fraction of a pixel from a pixel, bilinear: (k, WINDOW * WINDOW)."""
    if not len(image):
        return np.zeros((0, WINDOW * WINDOW), np.float32)
    before = [(part < 0).astype(np.int64) for part in moved]
    below, beside = ((part + back)[:, None, None] for part, back in zip(moved, before, strict=True))
    top, left = (place - WINDOW // 2 - back for place, back in zip(pixel, before, strict=True))
    view = np.lib.stride_tricks.sliding_window_view(pictures, (WINDOW + 1, WINDOW + 1), axis=(1, 2))
    window = view[image, top, left]
    for first, second, share in (
        (np.s_[:, :-1], np.s_[:, 1:], below),
        (np.s_[:, :, :-1], np.s_[:, :, 1:], beside),
    ):
        step = (window[second] - window[first]) * share
        step += window[first]
        window = step
    return np.asarray(window.reshape(len(image), -1))


def _resized(pictures: Singles, size: Size) -> Singles:
    """Pictures (n, s, s) at another size, averaged, with pixels between those of small ones."""
    side = pictures.shape[1]
    times = max(1, SIDE // side)
    for axis, share in enumerate(size):
        weights = _averages(side, share)
        if times > 1:
            weights = _between(len(weights), times) @ weights
        if weights.shape[0] != side or share != 1.0:
            pictures = weights @ pictures if axis == 0 else pictures @ weights.T
    return pictures


def _averages(side: int, share: float) -> Singles:
    """Row i averages the pixels under pixel i of a picture that is `share` as wide."""
    width = 1.0 / share
    edge = np.arange(int(side * share + 1e-6))[:, None] * width
    pixel = np.arange(side)
    covered = np.minimum(edge + width, pixel + 1) - np.maximum(edge, pixel)
    return np.asarray(np.maximum(covered, 0.0) * share, np.float32)


def _between(side: int, times: int) -> Singles:
    """Row i is bilinear between the pixels beside pixel i of a picture `times` as wide."""
    at = np.clip((np.arange(side * times) + 0.5) / times - 0.5, 0, side - 1)
    return np.asarray(np.maximum(0.0, 1.0 - np.abs(at[:, None] - np.arange(side))), np.float32)
