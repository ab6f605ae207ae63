"""NumPy arrays: headers, texts, dates and numbers; samples are noise."""

import io
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privgan_audits.questions.identifiers.contents.loose_bytes import loose_pieces
from privgan_audits.questions.identifiers.contents.pieces import Opening, Piece
from privgan_audits.questions.identifiers.contents.raw_bytes import byte_pieces, decoded, noise_pieces

_EXACT = 2.0**53  # from here on not every whole number is a float
_HEADER = re.compile(rb"\{'descr': '[^']{2,6}', 'fortran_order': (?:False|True), 'shape': \([\d, ]*\), \}\s*")


def array_pieces(content: bytes, opening: Opening) -> Iterator[Piece]:
    """The file of one array (.npy); objects are never unpickled, but searched as bytes."""
    end = content.find(b"\n") + 1
    if not _HEADER.fullmatch(content[10:end]):
        yield from byte_pieces(content[6:end])
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, OSError, EOFError, MemoryError):
        yield from loose_pieces(content[end:], opening)
        return
    stop, is_samples = end + array.nbytes, _is_samples(array)
    yield from _values(array)
    del array  # a second copy of what may be a whole set
    if is_samples:
        yield from noise_pieces(memoryview(content)[end:stop], opening.knows)
    yield from loose_pieces(content[stop:], opening)


def _is_samples(array: NDArray[Any]) -> bool:
    return array.dtype.kind not in "USMm"


def _values(array: NDArray[Any]) -> Iterator[Piece]:
    if array.dtype.names:
        for name in array.dtype.names:
            yield from _values(array[name])
    elif array.dtype.kind in "US":
        for value in array.ravel():
            yield Piece("array text", decoded(value) if isinstance(value, bytes) else str(value))
    elif array.dtype.kind == "M":
        for day in np.unique(array.astype("datetime64[D]")):
            yield Piece("array date", str(day))
    elif array.ndim < 2 and array.dtype.kind in "iuf":
        yield from (Piece("array number", str(int(number))) for number in np.unique(_whole(array)))


def _whole(array: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers (k,) among numbers, as tables of decimals hold them too."""
    return array if array.dtype.kind != "f" else array[(array == np.rint(array)) & (np.abs(array) < _EXACT)]
