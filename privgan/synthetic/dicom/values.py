"""From the audited 8-bit images to the values in a file: fixed, exact, and invertible.

The generator makes 256 grey levels. Twelve or sixteen bits are a wider container for them, not more information;
of a cohort in Hounsfield units they hold whole units again, and in every kind of file slope and intercept lead there.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.valuerep import DSfloat

from privgan.synthetic.dicom.form import DicomForm

Window = tuple[float, float]


def stored(images: NDArray[np.uint8], form: DicomForm, window: Window | None) -> NDArray[np.unsignedinteger]:
    """Values as they are stored: uint8 or little-endian uint16, of the same shape as the images.

    Args:
        images: uint8, grey or with three colours last.
        form: how many bits.
        window: Hounsfield units of black and white; None where values have no unit.
    """
    if form.bits == 8:
        return images
    return _levels(form, window)[images]


def pixel_bytes(images: NDArray[np.uint8], form: DicomForm, window: Window | None) -> bytes:
    """The value of Pixel Data for the frames of one file, padded to an even length."""
    content = np.ascontiguousarray(stored(images, form, window)).tobytes()
    return content + b"\0" * (len(content) % 2)


def pixel_module(size: tuple[int, int], form: DicomForm, *, colour: bool) -> dict[str, Any]:
    """The Image Pixel attributes (PS3.3 C.7.6.3)."""
    bits = 8 if colour else form.bits
    return {
        "SamplesPerPixel": 3 if colour else 1,
        "PhotometricInterpretation": "RGB" if colour else "MONOCHROME2",
        **({"PlanarConfiguration": 0} if colour else {}),
        "Rows": size[0],
        "Columns": size[1],
        "BitsAllocated": 8 if bits == 8 else 16,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": 0,
    }


def display_window(form: DicomForm, window: Window | None) -> dict[str, Any]:
    """Centre and width that show black as black and white as white; none is narrower than 1 (PS3.3 C.11.2.1.2)."""
    low, high = window or (0.0, float(2**form.bits))
    if high - low < 1:
        return {}
    width = DSfloat(high - low, auto_format=True)
    return {"WindowCenter": DSfloat((low + high) / 2, auto_format=True), "WindowWidth": width}


def rescale(form: DicomForm, window: Window | None) -> dict[str, Any]:
    """Slope and intercept from stored values to Hounsfield units; nothing where values have no unit."""
    if window is None:
        return {}
    low, high = window
    slope = 1.0 if _whole_units(form, window) else (high - low) / (2**form.bits - 1)
    return {
        "RescaleIntercept": DSfloat(low, auto_format=True),
        "RescaleSlope": DSfloat(slope, auto_format=True),
        "RescaleType": "HU",
    }


def _whole_units(form: DicomForm, window: Window) -> bool:
    """Whether a stored value can be a whole Hounsfield unit above black, and no two grey levels the same."""
    width = window[1] - window[0]
    return form.bits > 8 and 255 <= width < 2**form.bits


def _levels(form: DicomForm, window: Window | None) -> NDArray[np.uint16]:
    """The stored value of each of the 256 grey levels."""
    whole = window is not None and _whole_units(form, window)
    highest = window[1] - window[0] if window and whole else 2**form.bits - 1
    return np.rint(np.arange(256) * (highest / 255)).astype("<u2")
