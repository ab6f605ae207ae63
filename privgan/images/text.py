"""Whether a picture shows lines of printed letters: names and dates burned into the pixels.

No download and no further dependency. Letters are strokes of one width and contrast, of one height, on one baseline,
a letter's width apart, and above and below them it is quiet (Epshtein, Ofek and Wexler 2010, "Detecting text in
natural scenes with stroke width transform", section 3; here strokes are what an opening removes, which needs no
rays). Few rows say whether a closer look is worth it, so that pictures without letters cost next to nothing.

What it sees is measured in docs/results/burned-in-text.md: upright lines of five printed letters or more, of 10 to 48
pixels. Not: handwriting, single markers, letters that touch, faint ones, those in strong texture.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Images, Integers, Singles
from privgan.images.letters import LEAST_CONTRAST, has_line

MOST_SIDE = 1024  # pixels of the longer side that is looked at; larger pictures are halved until they fit
_LEVELS = 3  # letters of 5 to 24 pixels, and so of twice and four times as many
_REACH = 2  # pixels to either side of a stroke at which it is over
_CELL = 32  # columns
_LEAST_DENSE = 5  # strokes in two cells of a row
_SMALL, _LEAST_OF_SMALL = 128, 3  # pixels of a picture in which a closer look costs little, and strokes that suffice
_NEAREST, _FARTHEST = 3, 5  # of the three rows above and below a line where it must be quiet
_LOUD = 0.35  # strokes there against those of the line
_CROWDED = 0.005  # share of a picture's pixels; with more strokes than these they must stand out from each other
_CLOSER_LOOKS = 3
_MOST = np.iinfo(np.int16).max
_MOST_EXACT = 16  # pixels to a side, of which the sum of 16-bit numbers is a number of single precision
_TALL, _WIDE = 32, 128  # pixels around a place that is looked at


def shows_text(values: NDArray[Any], low: float = 0.0, high: float = 255.0) -> bool:
    """Whether there is a line of at least five letters.

    Args:
        values: (h, w), or (h, w, 3) of red, green and blue; finite.
        low: the value that is shown black.
        high: the value that is shown white; below `low` for a negative.
    """
    levels = 255 / (high - low) if high != low else 0.0
    grey = values if len(values.shape) == 2 else values.max(axis=-1)
    places = sorted(_places(grey, low, levels), reverse=True)
    around = dict.fromkeys(_around(place, grey.shape) for place in places[:_CLOSER_LOOKS])
    return any(has_line(_shown(grey, part, low, levels)) for part in around)


class _Place(NamedTuple):
    """Where strokes are dense: how many in a row, how many pixels are taken together, where, bright or dark."""

    strokes: int
    step: int
    row: int
    column: int
    bright: bool


class _Part(NamedTuple):
    """What is looked at around a place: its edges in pixels, how many of these are taken together, bright or dark."""

    top: int
    bottom: int
    left: int
    right: int
    step: int
    bright: bool


def _around(place: _Place, shape: tuple[int, ...]) -> _Part:
    """In a picture of this shape; of several places of a small picture it is the same."""
    tall, wide = _TALL * place.step, _WIDE * place.step
    return _Part(
        top=max(0, place.row - tall),
        bottom=min(shape[0], place.row + tall),
        left=max(0, place.column - wide),
        right=min(shape[1], place.column + wide),
        step=place.step,
        bright=place.bright,
    )


def _places(grey: NDArray[Any], low: float, levels: float) -> Iterator[_Place]:
    """Of every size of letters and both polarities."""
    first, lowest = 1, min(low, low + 255 / levels) if levels else low
    least = _LEAST_DENSE if max(grey.shape) > _SMALL else _LEAST_OF_SMALL
    while max(grey.shape) > first * MOST_SIDE:
        first *= 2
    for step in (first << level for level in range(_LEVELS)):
        if min(grey.shape) < 8 * step:
            return
        every = step * (4 if max(grey.shape) > _SMALL * step else 2)
        sample, contrast = _whole(grey[::every, ::step], lowest, levels)
        both = _strokes(sample, contrast)
        pairs = np.minimum(both[:, :-1], both[:, 1:])
        if pairs.max(initial=0) < least:
            continue
        for bright, counts, pair in zip((True, False), both, pairs, strict=True):
            for count, row, cell in _dense(counts, pair, least):
                yield _Place(count, step, row * every, (cell + 1) * _CELL * step, bright)


def _whole(sample: NDArray[Any], lowest: float, levels: float) -> tuple[NDArray[np.int16], float]:
    """Values as 16-bit numbers whose differences fit, and how many of these are the least contrast."""
    if sample.dtype == np.uint8:
        return sample.astype(np.int16), _of_stored(levels)
    if sample.dtype.kind in "iu" and sample.dtype.itemsize == 2:
        return (sample >> 1).view(np.int16), _of_stored(levels) / 2
    return np.clip((sample - lowest) * abs(levels), 0, 255).astype(np.int16), LEAST_CONTRAST


def _of_stored(levels: float) -> float:
    return max(LEAST_CONTRAST / abs(levels), 1) if levels else np.inf


def _strokes(sample: NDArray[np.int16], contrast: float) -> Integers:
    """How many bright and how many dark strokes two neighbouring cells of each row have, int64 (2, rows, cells)."""
    rows, columns = len(sample), sample.shape[1] - 2 * _REACH
    if columns <= 0 or contrast > _MOST:
        return np.zeros((2, rows, 1), dtype=np.int64)
    middle, left, right = sample[:, _REACH:-_REACH], sample[:, : -2 * _REACH], sample[:, 2 * _REACH :]
    heights = np.empty((2, rows, columns), dtype=np.int16)
    np.subtract(middle, np.maximum(left, right), out=heights[0])
    np.subtract(np.minimum(left, right), middle, out=heights[1])
    cells = -(-columns // _CELL)
    padded = np.zeros((2, rows, (cells + 1) * _CELL), dtype=np.bool_)
    strokes = padded[..., :columns]
    np.greater_equal(heights, np.int16(contrast), out=strokes)
    for height, found in zip(heights, strokes, strict=True):
        if np.count_nonzero(found) > _CROWDED * found.size:
            least = min(max(contrast, _outstanding(height)), 4 * contrast, _MOST)
            np.greater_equal(height, np.int16(least), out=found)
    strokes[..., 1:] &= ~strokes[..., :-1]  # one pixel a stroke
    eights = np.bitwise_count(padded.view(np.uint64)).reshape(2, rows, cells + 1, _CELL // 8)
    counts = eights.sum(axis=-1, dtype=np.int64)
    both: Integers = counts[..., :-1] + counts[..., 1:]
    return both


def _outstanding(height: NDArray[np.int16]) -> float:
    """What only few strokes of a crowded picture reach."""
    some = height[::3, ::4].flatten()
    place = int((1 - _CROWDED / 2) * (len(some) - 1))
    some.partition(place)
    return float(some[place])


def _dense(counts: Integers, pairs: Integers, least: int) -> Iterator[tuple[int, int, int]]:
    """Where two neighbouring rows have many strokes, and rows above or below few: how many, row, cell.

    Densest first, no two of one place. pairs: what each row and the next one have at least.
    """
    if pairs.max(initial=0) < least:
        return
    rows, cells = counts.shape
    padded = np.zeros((_FARTHEST + rows + _FARTHEST, cells), dtype=np.int64)
    padded[_FARTHEST : _FARTHEST + rows] = counts
    strip = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])
    above, below = strip[: rows - 1], strip[_FARTHEST + _NEAREST + 1 :]
    quiet = np.minimum(above, below) <= _LOUD * pairs
    score = np.where((pairs >= least) & quiet, pairs, 0)
    for _ in range(_CLOSER_LOOKS):
        row, cell = divmod(int(score.argmax()), cells)
        if not score[row, cell]:
            return
        yield int(score[row, cell]), row, cell
        score[max(0, row - 4) : row + 5, max(0, cell - 2) : cell + 3] = 0


def _shown(grey: NDArray[Any], part: _Part, low: float, levels: float) -> Images:
    """Grey levels of a part, means of step x step pixels, letters bright: uint8 (h, w)."""
    step = part.step
    tall, wide = (part.bottom - part.top) // step, (part.right - part.left) // step
    some = grey[part.top : part.top + tall * step, part.left : part.left + wide * step]
    means = (_means(some, step) - low) * levels
    shown: Images = np.minimum(np.maximum(means, 0), 255).astype(np.uint8)
    return shown if part.bright == (levels > 0) else 255 - shown


def _means(some: NDArray[Any], step: int) -> Singles:
    """Of step x step pixels each; sums of few whole numbers are exact in whatever order."""
    tall, wide = some.shape
    if some.dtype.kind not in "iu" or some.dtype.itemsize > 2 or step > _MOST_EXACT:
        means: Singles = some.reshape(tall // step, step, wide // step, step).mean(axis=(1, 3), dtype=np.float32)
        return means
    rows = some[::step].astype(np.int32)
    for row in range(1, step):
        rows += some[row::step]
    sums = rows[:, ::step].copy()
    for column in range(1, step):
        sums += rows[:, column::step]
    exact: Singles = sums.astype(np.float32)
    exact /= np.float32(step * step)  # a power of two
    return exact
