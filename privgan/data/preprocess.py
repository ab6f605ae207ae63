"""From stored pixel values to what the model sees: rescale, window, crop and resample, as a recipe says."""

import functools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Flags, Integers, Singles
from privgan.data.recipe import FILES_OWN, GIVEN, OWN_RANGE, STORED_RANGE, Recipe
from privgan.data.refusals import RefusedError

BLANK = "blank"
MOST_ASPECT = 20.0  # of a pixel; beyond it no image is meant
_TAIL = 0.005  # of the values at either end, for a range of an image's own
_GRID, _LEAST_LIKENESS = 16, 0.35
_VALUES_AT_ONCE = 1 << 16
_LARGEST = float(np.finfo(np.float32).max)

Look = Callable[[NDArray[Any], float, float], None]
"""Sees stored values before they shrink, and which of them are shown black and white."""


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """One decoded image before any interpretation.

    values: (h, w), or (h, w, 3) of red, green and blue, integer or float; slope, intercept: the modality rescale;
    low, high: smallest and largest value that could have been stored; inverted: small values are bright
    (MONOCHROME1). padding: stored values from and to which a pixel is no part of the picture. aspect: how much taller
    a pixel is than wide.
    """

    values: NDArray[np.generic]
    low: float
    high: float
    slope: float = 1.0
    intercept: float = 0.0
    inverted: bool = False
    padding: tuple[float, float] | None = None
    aspect: float = 1.0


def prepare_image(pixels: Pixels, recipe: Recipe) -> NDArray[np.uint8]:
    """Rescale, window, invert, crop, resample by area and pad with black to uint8 of the recipe's shape.

    Padding that the file names is black, and pixels that are no squares become some. Red, green and blue are prepared
    alike, each as a grey image would be. Where colour is wanted, grey values are repeated for all three.

    Raises:
        RefusedError: non_finite_pixels.
    """
    return _padded(_content(pixels, recipe), recipe)


def prepare_shown(pixels: Pixels, recipe: Recipe, look: Look | None = None) -> NDArray[np.uint8]:
    """Like `prepare_image`, of an image that must show something; `look` sees it as it is stored.

    Raises:
        RefusedError: non_finite_pixels; blank, if it is of one grey or colour before it is padded, or nothing but
            noise that its own range would show at full contrast; mask, if it has two values where a picture in units
            has many.
    """
    content = _content(pixels, recipe, look)
    own = recipe.rule.scaling == OWN_RANGE
    if (content == content[0, 0]).all() or (own and is_noise(content)):
        raise RefusedError(BLANK)
    if recipe.rule.scaling != STORED_RANGE and _has_two_values(pixels.values):
        raise RefusedError("mask")
    return _padded(content, recipe)


def _content(pixels: Pixels, recipe: Recipe, look: Look | None = None) -> NDArray[np.uint8]:
    cropped = _crop(pixels.values, recipe.roi)
    if _is_ready(cropped, pixels, recipe):
        if look:
            look(cropped, 0, 255)
        return np.array(cropped, dtype=np.uint8)
    window = _window(cropped, pixels, recipe)
    if look:
        look(cropped, *window.ends)
    planes = [cropped] if cropped.ndim == 2 else [cropped[..., channel] for channel in range(3)]
    fitted = [np.rint(_fitted(plane, window, recipe.size, pixels.aspect) * 255).astype(np.uint8) for plane in planes]
    return fitted[0] if cropped.ndim == 2 else np.stack(fitted, axis=-1)


def _padded(content: NDArray[np.uint8], recipe: Recipe) -> NDArray[np.uint8]:
    image = content if content.shape[0] == content.shape[1] else _square(content)
    return image if image.shape == recipe.shape else np.repeat(image[..., None], 3, axis=-1)


def prepare_images(
    some: Iterable[tuple[int, Pixels]], recipe: Recipe, count: int, *, may_be_blank: bool, look: Look | None = None
) -> tuple[NDArray[np.uint8], Integers]:
    """The images of one file, uint8 (k, *shape) of the recipe, in order and without those that are blank.

    Beside them the place (k,) of each.

    Args:
        some: all of them in any order, each with its place from 0.
        recipe: how they are prepared.
        count: of all.
        may_be_blank: keep those that are blank, too, and look at none.
        look: sees each of the others before it shrinks.

    Raises:
        RefusedError: non_finite_pixels; blank if all of them are.
    """
    prepare = prepare_image if may_be_blank else functools.partial(prepare_shown, look=look)
    images, shows = np.empty((count, *recipe.shape), dtype=np.uint8), np.zeros(count, dtype=np.bool_)
    for place, pixels in some:
        try:
            images[place] = prepare(pixels, recipe)
        except RefusedError as refusal:
            if refusal.code != BLANK:
                raise
        else:
            shows[place] = True
    if not shows.any():
        raise RefusedError(BLANK)
    return (images if shows.all() else images[shows]), np.flatnonzero(shows)


def _square(content: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An image (h, w) or (h, w, 3) in the middle of a black square."""
    height, width, *channels = content.shape
    size = max(height, width)
    square = np.zeros((size, size, *channels), dtype=np.uint8)
    top, left = (size - height) // 2, (size - width) // 2
    square[top : top + height, left : left + width] = content
    return square


def _is_ready(values: NDArray[np.generic], pixels: Pixels, recipe: Recipe) -> bool:
    """8-bit, of the wanted size, and mapped onto itself: passes bit by bit."""
    return (
        values.dtype == np.uint8
        and values.shape[:2] == (recipe.size, recipe.size)
        and recipe.rule.scaling == STORED_RANGE
        and (pixels.low, pixels.high, pixels.slope, pixels.intercept) == (0, 255, 1, 0)
        and not pixels.inverted
        and pixels.padding is None
        and pixels.aspect == 1
    )


def _crop(values: NDArray[np.generic], roi: tuple[float, float, float, float] | None) -> NDArray[np.generic]:
    if roi is None:
        return values
    height, width = values.shape[:2]
    left, top, right, bottom = roi
    x, y = int(left * width), int(top * height)
    return values[y : max(y + 1, round(bottom * height)), x : max(x + 1, round(right * width))]


@dataclass(frozen=True, kw_only=True)
class _Window:
    """Takes stored values to value * slope + offset, clipped to 0..width, and turned around if inverted.

    Padding becomes 0, whatever it was.
    """

    slope: float
    offset: float
    width: float
    inverted: bool
    padding: tuple[float, float] | None = None

    @property
    def ends(self) -> tuple[float, float]:
        """The stored values that are shown black and white."""
        low, high = -self.offset / self.slope, (self.width - self.offset) / self.slope
        return (high, low) if self.inverted else (low, high)

    def clipped(self, values: NDArray[np.generic]) -> Singles:
        """In this order exact wherever whole numbers are; the division by width comes after the means."""
        scaled = values if self.slope == 1 else np.multiply(values, np.float32(self.slope), dtype=np.float32)
        block: Singles = np.add(scaled, np.float32(self.offset), dtype=np.float32)
        np.clip(block, 0, np.float32(self.width), out=block)
        if self.inverted:
            np.subtract(np.float32(self.width), block, out=block)
        if self.padding is not None:
            block[_within(values, self.padding)] = 0
        return block


def _window(values: NDArray[np.generic], pixels: Pixels, recipe: Recipe) -> _Window:
    """What maps the values of one image.

    Raises:
        RefusedError: non_finite_pixels.
    """
    scaling = recipe.rule.scaling
    if scaling == OWN_RANGE:
        ends = _own_ends(values, pixels.padding)
    elif values.dtype.kind == "f":
        ends = (float(values.min()), float(values.max()))
    else:
        ends = (pixels.low, pixels.high)
    low, high = sorted(end * pixels.slope + pixels.intercept for end in ends)
    if not (-_LARGEST <= low <= high <= _LARGEST):
        raise RefusedError("non_finite_pixels")
    if scaling == STORED_RANGE:
        low, high = sorted(end * pixels.slope + pixels.intercept for end in (pixels.low, pixels.high))
    elif scaling in (GIVEN, FILES_OWN):  # the latter are 0..1 already
        low, high = recipe.limits
    return _Window(
        slope=pixels.slope,
        offset=pixels.intercept - low,
        width=max(high - low, 1e-12),
        inverted=pixels.inverted,
        padding=pixels.padding,
    )


def _own_ends(values: NDArray[np.generic], padding: tuple[float, float] | None) -> tuple[float, float]:
    """Percentiles of what is no padding: one hot voxel must not darken a whole picture. NaN if there is one."""
    shown = values.ravel() if padding is None else values[~_within(values, padding)]
    if not len(shown):
        return 0.0, 0.0
    last = len(shown) - 1
    places = [0, int(_TAIL * last), last - int(_TAIL * last), last]
    lowest, low, high, highest = np.partition(shown, places)[places].astype(np.float64)
    if math.isnan(highest):  # partition puts it last
        return math.nan, math.nan
    return (float(low), float(high)) if low < high else (float(lowest), float(highest))


def _within(values: NDArray[np.generic], span: tuple[float, float]) -> Flags:
    inside: Flags = np.greater_equal(values, span[0]) & np.less_equal(values, span[1])
    return inside


def _has_two_values(values: NDArray[np.generic]) -> bool:
    return bool(((values == values.min()) | (values == values.max())).all())


def is_noise(content: NDArray[np.uint8]) -> bool:
    """Whether neighbours have little in common: a slice beyond the body, of noise alone.

    Means over a coarse grid keep what anatomy shares between neighbours and average noise away; between neighbours of
    white noise they are uncorrelated, of what is shown they are nearly alike.
    """
    planes = content[..., None] if content.ndim == 2 else content
    grey = planes.mean(axis=-1, dtype=np.float32)
    tall, wide = (max(1, side // _GRID) for side in grey.shape)
    rows, columns = grey.shape[0] // tall, grey.shape[1] // wide
    means = grey[: rows * tall, : columns * wide].reshape(rows, tall, columns, wide).mean(axis=(1, 3))
    means -= means.mean()
    spread = float((means**2).mean())
    if spread == 0:
        return True
    pairs = (means[1:] * means[:-1]).mean(), (means[:, 1:] * means[:, :-1]).mean()
    return float(sum(pairs)) / 2 < _LEAST_LIKENESS * spread


def _fitted(values: NDArray[np.generic], window: _Window, size: int, aspect: float = 1.0) -> Singles:
    """Scale the longer side to `size` by area means, keeping the aspect of what is shown; values 0..1.

    Some rows at a time become numbers, so that a mammogram needs no room for itself as such.
    """
    height, width = values.shape
    scale = size / max(height * aspect, width)
    rows, columns = max(1, round(height * aspect * scale)), max(1, round(width * scale))
    if (rows, columns) == (height, width):  # each mean would be of one value
        same: Singles = np.clip(window.clipped(values) / np.float32(window.width), 0, 1)
        return same
    flat = np.empty((rows, width), dtype=np.float32)
    intervals = _intervals(height, rows)
    at_once = max(1, _VALUES_AT_ONCE * rows // (height * width))
    for first in range(0, rows, at_once):
        some = intervals[first : first + at_once]
        top, (bottom, last) = some[0][0], some[-1]
        block = window.clipped(values[top : bottom + len(last)])
        for row, (start, weights) in enumerate(some, start=first):
            np.dot(weights, block[start - top : start - top + len(weights)], out=flat[row])
    across = np.zeros((width, columns), dtype=np.float32)
    for column, (start, weights) in enumerate(_intervals(width, columns)):
        across[start : start + len(weights), column] = weights
    fitted: Singles = np.clip(flat @ across / np.float32(window.width), 0, 1)
    return fitted


@functools.lru_cache(maxsize=16)
def _intervals(count: int, length: int) -> tuple[tuple[int, Singles], ...]:
    """For each of `length` equal intervals of `count` samples: its first sample, and how much each counts."""
    found = []
    for number in range(length):
        left, right = number * count / length, (number + 1) * count / length
        first, last = int(left), min(math.ceil(right), count)
        edges = np.clip(np.arange(first, last + 1), left, right)
        found.append((first, (np.diff(edges) / (right - left)).astype(np.float32)))
    return tuple(found)
