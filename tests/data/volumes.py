"""NIfTI-1 written byte by byte, so that it can say anything; nothing here is read back by what wrote it."""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
CODES = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "i1": 256, "u2": 512, "u4": 768, "i8": 1024, "u8": 1280}
UPRIGHT = np.diag([1.0, 1.0, 1.0, 1.0])  # stored axes run to the right, to the front and upwards
FIELDS = {  # place in the header and form, as nifti1.h has them
    "sizeof_hdr": (0, "i"),
    "data_type": (4, "10s"),
    "db_name": (14, "18s"),
    "dim": (40, "8h"),
    "datatype": (70, "h"),
    "bitpix": (72, "h"),
    "pixdim": (76, "8f"),
    "vox_offset": (108, "f"),
    "scl_slope": (112, "f"),
    "scl_inter": (116, "f"),
    "descrip": (148, "80s"),
    "aux_file": (228, "24s"),
    "qform_code": (252, "h"),
    "sform_code": (254, "h"),
    "quatern": (256, "3f"),
    "srow": (280, "12f"),
    "intent_name": (328, "16s"),
    "magic": (344, "4s"),
}


def nifti(
    voxels: Array, *, order: str = "<", extension: bytes = b"", affine: Array = UPRIGHT, **fields: Any
) -> bytes:
    """A whole file around voxels (i, j, k, ...), of which the first axis is stored as the fastest."""
    given = {
        "sizeof_hdr": 348,
        "dim": (voxels.ndim, *voxels.shape, *[1] * (7 - voxels.ndim)),
        "datatype": CODES[voxels.dtype.str[1:]],
        "bitpix": voxels.dtype.itemsize * 8,
        "pixdim": (1.0,) * 8,
        "vox_offset": 352 + len(extension),
        "scl_slope": 1.0,
        "sform_code": 1,
        "srow": tuple(affine[:3].ravel()),
        "magic": b"n+1\0",
        **fields,
    }
    header = bytearray(348)
    for name, value in given.items():
        place, form = FIELDS[name]
        struct.pack_into(f"{order}{form}", header, place, *(value if isinstance(value, tuple) else (value,)))
    content = voxels.astype(voxels.dtype.newbyteorder(order)).tobytes(order="F")
    return bytes(header) + (b"\1\0\0\0" if extension else bytes(4)) + extension + content


def written(path: Path, content: bytes) -> Path:
    """The file, compressed if its name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content, 1, mtime=0) if path.suffix == ".gz" else content)
    return path


def smooth(shape: tuple[int, ...], seed: int, kind: str = "i2") -> Array:
    """Voxels of an invented patient, from 0 to about 1000."""
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 2)
    return np.clip(500 + 4000 * noise, 0, 1000).astype(kind)
