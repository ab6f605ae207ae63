"""From stored pixel values to what the model sees: one fixed, public mapping for every image.

Windows come from the preset or the user, never from the data set: a minimum or percentile over patients would
leak outside the privacy accounting. `mr` scales each image by its own range, which concerns one patient only.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privgan.checks import one_of, within
from privgan.data.refusals import RefusedError
from privgan.errors import UsageError

SMALLEST, LARGEST = 28, 256
_COLUMNS_AT_ONCE = 256  # bounds the memory of resampling
STORED_RANGE = "stored"  # the full range of the stored bits is the window
OWN_RANGE = "own"  # each image's minimum and maximum are its window
GIVEN = "given"  # low and high in units after rescale


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A named window. `modality` and `body_part` are the public words that outputs will carry.

    admits: DICOM modalities it may be applied to; excludes: those it may not; both empty: any.
    """

    name: str
    scaling: str
    window: tuple[float, float] = (0.0, 1.0)
    admits: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    modality: str
    body_part: str

    def accepts(self, modality: str) -> bool:
        """Whether a DICOM modality may be read with this window."""
        return modality not in self.excludes and (not self.admits or modality in self.admits)


PRESETS = {
    preset.name: preset
    for preset in (
        # Projection images carry no physical unit; CT, MR, PT and NM do, and would be scaled wrongly. Masks, doses
        # and slides are no pictures of that kind at all.
        Preset(
            name="cxr",
            scaling=STORED_RANGE,
            excludes=("CT", "MR", "PT", "NM", "SEG", "RTDOSE", "SM"),
            modality="CR",
            body_part="CHEST",
        ),
        Preset(
            name="ct-lung",
            scaling=GIVEN,
            window=(-1350.0, 150.0),
            admits=("CT",),
            modality="CT",
            body_part="CHEST",
        ),
        Preset(
            name="ct-soft",
            scaling=GIVEN,
            window=(-160.0, 240.0),
            admits=("CT",),
            modality="CT",
            body_part="",
        ),
        Preset(name="mr", scaling=OWN_RANGE, admits=("MR",), modality="MR", body_part=""),
        Preset(name="custom", scaling=GIVEN, modality="OT", body_part=""),
    )
}


def preset_for(modality: str) -> str:
    """The preset that is used when nobody names one: CT gives ct-soft, MR gives mr, all else cxr."""
    return {"CT": "ct-soft", "MR": "mr"}.get(modality, "cxr")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How every image of a cohort is prepared: public configuration.

    size: side of the square result, 28 to 256 pixels.
    window: (low, high) after rescale; only with preset `custom`, and then required.
    roi: (left, top, right, bottom) as fractions of width and height; None keeps the whole picture.
    """

    preset: str = "cxr"
    size: int = 64
    window: tuple[float, float] | None = None
    roi: tuple[float, float, float, float] | None = None

    def __post_init__(self) -> None:
        one_of(tuple(PRESETS), preset=self.preset)
        within(SMALLEST, LARGEST, size=self.size)
        if (self.preset == "custom") != (self.window is not None):
            raise UsageError("Expected a window with the preset custom, and with no other preset.")
        if self.window is not None and not (np.isfinite(self.window).all() and self.window[0] < self.window[1]):
            raise UsageError(f"Expected a finite window with low < high, got {self.window}.")
        if self.roi is not None:
            left, top, right, bottom = self.roi
            if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
                raise UsageError(f"Expected roi left,top,right,bottom as fractions from 0 to 1, got {self.roi}.")

    @property
    def rule(self) -> Preset:
        """The preset's full description."""
        return PRESETS[self.preset]

    @property
    def limits(self) -> tuple[float, float]:
        """The window in force; (0, 1) stands for the whole range where the scaling is `stored` or `own`."""
        return self.window or self.rule.window


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """One decoded grey image before any interpretation.

    values: (h, w), integer or float; slope, intercept: the modality rescale; low, high: smallest and largest
    value that could have been stored; inverted: small values are bright (MONOCHROME1).
    """

    values: NDArray[np.generic]
    low: float
    high: float
    slope: float = 1.0
    intercept: float = 0.0
    inverted: bool = False


def prepare_image(pixels: Pixels, recipe: Recipe) -> NDArray[np.uint8]:
    """Rescale, window, invert, crop, resample by area and pad with black to uint8 (size, size).

    Raises:
        RefusedError: non_finite_pixels.
    """
    cropped = _crop(pixels.values, recipe.roi)
    if _is_ready(cropped, pixels, recipe):
        return np.array(cropped, dtype=np.uint8)
    with np.errstate(all="ignore"):  # overflow shows as infinity, which is refused below
        values = cropped.astype(np.float32)
        values *= np.float32(pixels.slope)
        values += np.float32(pixels.intercept)
    if not np.isfinite(values).all():
        raise RefusedError("non_finite_pixels")
    low, high = _window(values, pixels, recipe)
    values -= np.float32(low)  # in place from here: a mammogram leaves little room in a worker
    values /= np.float32(max(high - low, 1e-12))
    np.clip(values, 0, 1, out=values)
    if pixels.inverted:
        np.subtract(1, values, out=values)
    return np.rint(_fit(values, recipe.size) * 255).astype(np.uint8)


def _is_ready(values: NDArray[np.generic], pixels: Pixels, recipe: Recipe) -> bool:
    """8-bit, of the wanted size, and mapped onto itself: passes bit by bit."""
    return (
        values.dtype == np.uint8
        and values.shape == (recipe.size, recipe.size)
        and recipe.rule.scaling == STORED_RANGE
        and (pixels.low, pixels.high, pixels.slope, pixels.intercept) == (0, 255, 1, 0)
        and not pixels.inverted
    )


def _crop(values: NDArray[np.generic], roi: tuple[float, float, float, float] | None) -> NDArray[np.generic]:
    if roi is None:
        return values
    height, width = values.shape
    left, top, right, bottom = roi
    x, y = int(left * width), int(top * height)
    return values[y : max(y + 1, round(bottom * height)), x : max(x + 1, round(right * width))]


def _window(values: NDArray[np.float32], pixels: Pixels, recipe: Recipe) -> tuple[float, float]:
    match recipe.rule.scaling:
        case "stored":
            ends = [end * pixels.slope + pixels.intercept for end in (pixels.low, pixels.high)]
            return min(ends), max(ends)
        case "own":
            return float(values.min()), float(values.max())
        case _:
            return recipe.limits


def _fit(unit: NDArray[np.float32], size: int) -> NDArray[np.float64]:
    """Scale the longer side to `size`, keep the aspect, centre on black."""
    height, width = unit.shape
    scale = size / max(height, width)
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    small = _area(_area(unit, rows).T, columns).T
    square = np.zeros((size, size))
    top, left = (size - rows) // 2, (size - columns) // 2
    square[top : top + rows, left : left + columns] = small
    return square


def _area(values: NDArray[np.floating], length: int) -> NDArray[np.float64]:
    """Mean over each of `length` equal intervals of the first axis: differences of the running integral."""
    count = len(values)
    if count == length:
        return values.astype(np.float64)
    edges = np.linspace(0, count, length + 1)
    below = np.minimum(edges.astype(np.int64), count - 1)
    part = (edges - below)[:, None]
    means = np.empty((length, values.shape[1]))
    for start in range(0, values.shape[1], _COLUMNS_AT_ONCE):
        block = values[:, start : start + _COLUMNS_AT_ONCE]
        integral = np.zeros((count + 1, block.shape[1]))
        np.cumsum(block, axis=0, out=integral[1:])
        means[:, start : start + _COLUMNS_AT_ONCE] = np.diff(integral[below] + part * block[below], axis=0)
    return np.clip(means * (length / count), 0, 1)
