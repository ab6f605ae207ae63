"""Arrays as .npz and pixels as PNG with one way to write them: the same bytes on every machine, no room for others.

Nothing is compressed, because compressors differ from version to version, and no header holds a choice: no times, and
no comments but those that a caller names. Any library reads both: a zip archive whose members are stored (APPNOTE
6.3, with its 64-bit fields always present), and a PNG whose zlib stream has stored blocks alone (RFC 1950 and 1951).
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Images

Piece = bytes | memoryview
_EXPECTED_VERSION = 45  # of the zip format: the first with 64-bit fields
_UNIX = 3 << 8
_DAY = 33  # 1980-01-01, the first that there is
_MODE = 0o600 << 16
_HERE_64 = 0xFFFFFFFF  # the number stands in the extra field
_STORED_BLOCK = 65535


def npz_pieces(arrays: Mapping[str, NDArray[Any]]) -> Iterator[Piece]:
    """A file for `numpy.load`, in pieces to be written one after another; arrays are little-endian, rows first."""
    directory, offset = b"", 0
    for name, array in arrays.items():
        head, values = _npy_header(array), np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        size, member = len(head) + len(values), f"{name}.npy".encode()
        same = struct.pack("<HHHHI", 0, 0, 0, _DAY, zlib.crc32(values, zlib.crc32(head)))
        lengths = struct.pack("<IIH", _HERE_64, _HERE_64, len(member))
        wide = struct.pack("<HHQQ", 1, 16, size, size)
        local = b"PK\3\4" + struct.pack("<H", _EXPECTED_VERSION) + same + lengths + struct.pack("<H", 20)
        directory += b"PK\1\2" + struct.pack("<HH", _UNIX | _EXPECTED_VERSION, _EXPECTED_VERSION) + same + lengths
        directory += struct.pack("<HHHHII", 28, 0, 0, 0, _MODE, _HERE_64) + member
        directory += struct.pack("<HHQQQ", 1, 24, size, size, offset)
        offset += len(local) + len(member) + len(wide) + size
        yield from (local + member + wide, head, values)
    yield directory + _end_of_zip(len(arrays), len(directory), offset)


def _end_of_zip(members: int, size: int, start: int) -> bytes:
    """The directory's own record, where that record is, and the old record, which says that the new one counts."""
    versions = struct.pack("<HH", _UNIX | _EXPECTED_VERSION, _EXPECTED_VERSION)
    wide = b"PK\6\6" + struct.pack("<Q", 44) + versions + struct.pack("<IIQQQQ", 0, 0, members, members, size, start)
    locator = b"PK\6\7" + struct.pack("<IQI", 0, start + size, 1)
    return wide + locator + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, members, members, size, _HERE_64, 0)


def _npy_header(array: NDArray[Any]) -> bytes:
    """Version 1.0 of the format, padded so that the values begin at a multiple of 64 bytes."""
    kind = array.dtype.newbyteorder("<").str
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {tuple(map(int, array.shape))}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode()


def png_bytes(pixels: Images, texts: Mapping[str, str] | None = None) -> bytes:
    """A PNG of 8 bits without a filter, of grey (h, w) or colour (h, w, 3) pixels.

    texts: what it says of itself, in ASCII by keyword, as textual data before the pixels (PNG 11.3.3).
    """
    height, width, colour = *pixels.shape[:2], 2 * (pixels.ndim - 2)
    rows = np.zeros((height, 1 + pixels[0].size), np.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    said = [(b"tEXt", f"{keyword}\0{text}".encode("ascii")) for keyword, text in (texts or {}).items()]
    chunks = ((b"IHDR", header), *said, (b"IDAT", _stored_stream(rows.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _stored_stream(content: bytes) -> bytes:
    parts = [content[at : at + _STORED_BLOCK] for at in range(0, len(content), _STORED_BLOCK)]
    blocks = (
        struct.pack("<BHH", number == len(parts), len(part), len(part) ^ 0xFFFF) + part
        for number, part in enumerate(parts, start=1)
    )
    return b"\x78\x01" + b"".join(blocks) + struct.pack(">I", zlib.adler32(content))


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
