"""What a header says its stored values and their places mean, beside slope and intercept.

Padding (PS3.3 C.7.5.1.1.2), the form of a pixel (C.7.6.3.1.7, 10.7.1.3), the unit after rescale (C.11.1.1.2), and the
window that the file itself proposes (C.11.2).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from privgan.arrays import Singles
from privgan.data.formats.dicom.values import items_of, number_of, text_of, values_of
from privgan.data.preprocess import MOST_ASPECT
from privgan.data.refusals import RefusedError

_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio")
KEYWORDS = (
    *_SPACINGS, "PixelPaddingValue", "PixelPaddingRangeLimit", "RescaleType", "PresentationLUTShape", "WindowCenter",
    "WindowWidth", "VOILUTFunction", "VOILUTSequence",
)  # fmt: skip
_EQUAL_WITHIN = 0.01  # spacings are rounded when they are written
_SPELLED_OUT = "HOUN"  # GE writes "Houndsfield Unit" on reformatted CT
UNSPECIFIED = "US"
_HOUNSFIELD = ("", "HU", "HU_MOD", UNSPECIFIED)
_LINEAR, _EXACT, _SIGMOID = "LINEAR", "LINEAR_EXACT", "SIGMOID"
Voi = Callable[[Singles], Singles]


def padding_of(dataset: Dataset, *, signed: bool) -> tuple[float, float] | None:
    """Stored values from and to which a pixel is no part of the picture, both included; None where nothing is said.

    Raises:
        RefusedError: damaged.
    """
    if not values_of(dataset, "PixelPaddingValue"):
        return None
    value = number_of(dataset, "PixelPaddingValue")
    limit = number_of(dataset, "PixelPaddingRangeLimit", value)
    first, last = sorted(_as_stored(number, signed=signed) for number in (value, limit))
    return first, last


def _as_stored(number: float, *, signed: bool) -> float:
    """Written as unsigned beside signed pixels, it is the value of the same bits."""
    return number - 65536 if signed and 32768 <= number < 65536 else number


def aspect_of(dataset: Dataset) -> float:
    """How much taller a pixel is than wide: by its spacing, else by the detector's, else by the ratio; 1 if unsaid.

    Raises:
        RefusedError: damaged; no such pixel exists.
    """
    for keyword in _SPACINGS:
        if written := values_of(dataset, keyword):
            try:
                height, width = map(float, written)
                aspect = height / width
            except (ValueError, ZeroDivisionError):
                raise RefusedError("damaged") from None
            if not (height > 0 and 1 / MOST_ASPECT <= aspect <= MOST_ASPECT):  # NaN is refused as well
                raise RefusedError("damaged")
            return 1.0 if abs(aspect - 1) <= _EQUAL_WITHIN else aspect
    return 1.0


def require_hounsfield(dataset: Dataset) -> None:
    """Refuse values that say that they are in another unit than a CT window is.

    Raises:
        RefusedError: rescale_type.
    """
    unit = text_of(dataset, "RescaleType").upper()
    if unit not in _HOUNSFIELD and not unit.startswith(_SPELLED_OUT):
        raise RefusedError("rescale_type")


def unit_is_unspecified(dataset: Dataset) -> bool:
    """Whether it says that the unit is unspecified, which values in Hounsfield units may be as well."""
    return text_of(dataset, "RescaleType").upper() == UNSPECIFIED


def contradicts_its_shape(dataset: Dataset) -> bool:
    """Whether Presentation LUT Shape says the opposite of Photometric Interpretation (PS3.3 C.8.11.3.1.2)."""
    pair = text_of(dataset, "PhotometricInterpretation"), text_of(dataset, "PresentationLUTShape").upper()
    return pair in (("MONOCHROME1", "IDENTITY"), ("MONOCHROME2", "INVERSE"))


def own_window(dataset: Dataset, word: str) -> Voi:
    """The file's first window or table: from values after rescale to 0..1.

    Args:
        dataset: of the file.
        word: numpy's name of a 16-bit number in its byte order.

    Raises:
        RefusedError: no_window, or damaged.
    """
    table = next(items_of(dataset, "VOILUTSequence"), None)
    if table is not None:
        return _Table.of(table, word)
    centres, widths = values_of(dataset, "WindowCenter"), values_of(dataset, "WindowWidth")
    if not (centres and widths):
        raise RefusedError("no_window")
    try:
        centre, width = float(centres[0]), float(widths[0])
    except ValueError:
        raise RefusedError("damaged") from None
    function = text_of(dataset, "VOILUTFunction").upper() or _LINEAR
    least = 1.0 if function == _LINEAR else 0.0
    if not (math.isfinite(centre) and least <= width < math.inf and width > 0) or function not in _FUNCTIONS:
        raise RefusedError("damaged")
    apply = _FUNCTIONS[function]
    return lambda values: apply(values, centre, width)


def _linear(values: Singles, centre: float, width: float) -> Singles:
    """C.11.2.1.2.1: of whole numbers, so that a width of 1 is a step."""
    if width == 1:
        return _clipped(np.greater(values, centre - 0.5).astype(np.float32))
    return _clipped((values - np.float32(centre - 0.5)) / np.float32(width - 1) + np.float32(0.5))


def _linear_exact(values: Singles, centre: float, width: float) -> Singles:
    return _clipped((values - np.float32(centre)) / np.float32(width) + np.float32(0.5))


def _sigmoid(values: Singles, centre: float, width: float) -> Singles:
    steepness = np.clip(-4 * (values - np.float32(centre)) / np.float32(width), -80, 80)
    return _clipped(1 / (1 + np.exp(steepness)))


_FUNCTIONS: dict[str, Callable[[Singles, float, float], Singles]] = {
    _LINEAR: _linear,
    _EXACT: _linear_exact,
    _SIGMOID: _sigmoid,
}


def _clipped(values: NDArray[np.floating]) -> Singles:
    clipped: Singles = np.clip(values, 0, 1).astype(np.float32)
    return clipped


@dataclass(frozen=True)
class _Table:
    """C.11.2.1.1: one output a whole input from `first` on; what lies outside takes the nearest."""

    first: int
    outputs: Singles

    @classmethod
    def of(cls, item: Dataset, word: str) -> "_Table":
        try:
            entries, first, bits = (int(float(text)) for text in values_of(item, "LUTDescriptor"))
        except ValueError:
            raise RefusedError("damaged") from None
        data = item.get("LUTData")
        lut = np.frombuffer(data, dtype=word) if isinstance(data, bytes) else np.asarray(data if data else [])
        entries = entries or 65536
        if not (8 <= bits <= 16 and 1 <= entries <= len(lut)):
            raise RefusedError("damaged")
        return cls(first, (lut[:entries].astype(np.float32) / np.float32(2**bits - 1)).clip(0, 1))

    def __call__(self, values: Singles) -> Singles:
        places = np.clip(np.rint(values) - self.first, 0, len(self.outputs) - 1).astype(np.intp)
        outputs: Singles = self.outputs[places]
        return outputs
