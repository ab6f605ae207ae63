"""What the 348 bytes before a volume say, checked from numbers alone before anything is allocated for it.

nibabel names the fields and computes the affine; every limit is our own, because its checks mend and log where a
refusal is wanted.
"""

import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from privgan.arrays import Floats
from privgan.data.refusals import RefusedError

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Header

BYTES = 348
MAX_SLICES = 16384
MAX_VOXEL_BYTES = 1 << 30  # of the whole volume, as stored
MAX_EXTENSION_BYTES = 1 << 20
ONE_FILE, PAIR = b"n+1\0", b"ni1\0"  # magic of a header with its voxels behind it, and of one without
_BYTES_OF_NIFTI_2 = 540
_FIRST_VOXEL = 352
# Numbers by NIfTI-1's code. Not here: colours, complex numbers, single bits, 128-bit floats.
_DATATYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8",
}  # fmt: skip
_LARGEST_CODE = 5  # of what an affine refers to
TEXTS = ("data_type", "db_name", "descrip", "aux_file", "intent_name")


@dataclass(frozen=True, kw_only=True)
class VolumeHeader:
    """One volume of single numbers, all of whose claims are possible.

    shape: voxels along the stored axes, of which the first is the fastest. dtype: of a stored value, in the file's
    byte order. offset: of the first voxel, in bytes. slope, intercept: from stored values to those that are meant.
    affine: (4, 4) from stored voxels to millimetres to the right, to the front and upwards; None where the file does
    not say how it lies. spacing: of voxels along the stored axes; 1 where it does not say. texts: what a person or a
    program wrote into the header, as bytes; sensitive.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype[np.number]
    offset: int
    slope: float
    intercept: float
    affine: Floats | None
    spacing: tuple[float, float, float]
    texts: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"VolumeHeader({self.shape}, {self.dtype})"

    @property
    def stored_range(self) -> tuple[float, float]:
        """The smallest and largest number that could have been stored; of floats, without bounds, 0 and 1."""
        if self.dtype.kind == "f":
            return 0.0, 1.0
        limits = np.iinfo(self.dtype.name)
        return float(limits.min), float(limits.max)


def volume_header(raw: bytes) -> VolumeHeader:
    """Read and check the first bytes of a file.

    Raises:
        RefusedError: not_nifti, nifti_pair, nifti_2, multi_frame, datatype, scaling, too_large, damaged, or
            no_nibabel.
    """
    order = _byte_order(raw)
    try:
        from nibabel.nifti1 import Nifti1Header
    except ImportError:
        raise RefusedError("no_nibabel") from None
    header = Nifti1Header(raw, endianness=order, check=False)
    shape, dtype = _shape(header), _dtype(header, order)
    if max(shape) > MAX_SLICES or math.prod(shape) * dtype.itemsize > MAX_VOXEL_BYTES:
        raise RefusedError("too_large")
    slope, intercept = _scaling(header)
    return VolumeHeader(
        shape=shape,
        dtype=dtype,
        offset=_offset(header),
        slope=slope,
        intercept=intercept,
        spacing=_spacing(header),
        affine=_affine(header),
        texts=tuple(bytes(header[name].item()) for name in TEXTS),
    )


def _byte_order(raw: bytes) -> str:
    for order in "<>" if len(raw) >= BYTES else "":
        (size,) = struct.unpack_from(f"{order}i", raw)
        if size == _BYTES_OF_NIFTI_2 and raw[4:7] in (b"n+2", b"ni2"):
            raise RefusedError("nifti_2")
        if size == BYTES and raw[344:BYTES] == PAIR:
            raise RefusedError("nifti_pair")
        if size == BYTES and raw[344:BYTES] == ONE_FILE:
            return order
    raise RefusedError("not_nifti")


def _shape(header: "Nifti1Header") -> tuple[int, int, int]:
    """Sides of the one volume; further dimensions may be there, but with one place each."""
    count, *sides = (int(number) for number in header["dim"])
    if not 1 <= count <= len(sides) or min(sides[:count]) < 1:
        raise RefusedError("damaged")
    if math.prod(sides[3:count]) > 1:
        raise RefusedError("multi_frame")
    first, second, third = (*sides[:count], 1, 1)[:3]
    return first, second, third


def _dtype(header: "Nifti1Header", order: str) -> np.dtype[np.number]:
    name = _DATATYPES.get(int(header["datatype"]))
    if name is None:
        raise RefusedError("datatype")
    dtype = np.dtype(f"{order}{name}")
    if int(header["bitpix"]) != dtype.itemsize * 8:
        raise RefusedError("damaged")
    return dtype


def _offset(header: "Nifti1Header") -> int:
    offset = float(header["vox_offset"])
    if not (offset >= _FIRST_VOXEL and offset.is_integer()):
        raise RefusedError("damaged")
    if offset > _FIRST_VOXEL + MAX_EXTENSION_BYTES:
        raise RefusedError("too_large")
    return int(offset)


def _scaling(header: "Nifti1Header") -> tuple[float, float]:
    """Slope and intercept; a slope of zero means that there is no scaling at all."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0:
        return 1.0, 0.0
    if not (0 < slope < math.inf and math.isfinite(intercept)):
        raise RefusedError("scaling")
    return slope, intercept


def _spacing(header: "Nifti1Header") -> tuple[float, float, float]:
    sizes = [abs(float(size)) for size in header["pixdim"][1:4]]
    first, second, third = (size if 0 < size < math.inf else 1.0 for size in sizes)
    return first, second, third


def _affine(header: "Nifti1Header") -> Floats | None:
    """What nibabel takes: the sform if there is one, else the qform; but never the one that it guesses."""
    codes = int(header["sform_code"]), int(header["qform_code"])
    if not all(0 <= code <= _LARGEST_CODE for code in codes):
        raise RefusedError("damaged")
    if codes == (0, 0):
        return None
    header["pixdim"][0] = -1 if header["pixdim"][0] < 0 else 1  # as the standard says; nibabel wants nothing else
    return np.asarray(header.get_best_affine(), dtype=np.float64)
