"""Palette colours (PS3.3 C.7.6.3.1.5, C.7.9.2): from stored numbers to red, green and blue.

pydicom 3.0.2 looks colours up as well, but keeps positions in the type of the colours, so that position 256 of a
table of bytes is its position 0; and it refuses tables of an odd number of bytes, which are padded.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from privgan.data.formats.dicom.values import values_of
from privgan.data.refusals import RefusedError

_COLOURS = ("Red", "Green", "Blue")
KEYWORDS = tuple(
    f"{part}{colour}PaletteColorLookupTable{kind}"
    for colour in _COLOURS
    for part, kind in (("", "Descriptor"), ("", "Data"), ("Segmented", "Data"))
)
_MOST_ENTRIES = 1 << 16
_DISCRETE, _LINEAR, _INDIRECT = range(3)


def coloured(frame: NDArray[np.integer], dataset: Dataset, word: str) -> tuple[NDArray[np.uint16], int]:
    """Red, green and blue (h, w, 3) of a frame (h, w), and the largest value that they can have.

    Args:
        frame: stored numbers.
        dataset: of the file.
        word: numpy's name of a 16-bit number in its byte order.

    Raises:
        RefusedError: damaged; a table is missing, or is none.
    """
    tables, bits = [], 8
    for colour in _COLOURS:
        entries, first, deep = _descriptor(dataset, colour, signed=frame.dtype.kind == "i")
        table = _table(dataset, colour, entries, deep, word)
        tables.append(table[np.clip(frame.astype(np.int64) - first, 0, len(table) - 1)])
        bits = max(bits, deep, 16 if table.max() > 255 else 8)  # some write 16 bits and call them 8
    return np.stack(tables, axis=-1), 2**bits - 1


def _descriptor(dataset: Dataset, colour: str, *, signed: bool) -> tuple[int, int, int]:
    try:
        entries, first, bits = map(int, values_of(dataset, f"{colour}PaletteColorLookupTableDescriptor"))
    except ValueError:
        raise RefusedError("damaged") from None
    if signed and first >= _MOST_ENTRIES // 2:  # written as unsigned
        first -= _MOST_ENTRIES
    if bits not in (8, 16) or not 0 <= entries < _MOST_ENTRIES:
        raise RefusedError("damaged")
    return entries or _MOST_ENTRIES, first, bits


def _table(dataset: Dataset, colour: str, entries: int, bits: int, word: str) -> NDArray[np.uint16]:
    plain = dataset.get(f"{colour}PaletteColorLookupTableData")
    if isinstance(plain, bytes):
        return _exactly(_numbers(plain, 16 if len(plain) >= 2 * entries else 8, word), entries)
    segmented = dataset.get(f"Segmented{colour}PaletteColorLookupTableData")
    if isinstance(segmented, bytes):
        return _exactly(_expanded(_numbers(segmented, bits, word).tolist(), entries, bits), entries)
    raise RefusedError("damaged")


def _numbers(data: bytes, bits: int, word: str) -> NDArray[np.uint16]:
    """Entries of 16 bits, or two of 8 bits in each word, the first in its lower half."""
    words = np.frombuffer(data[: len(data) // 2 * 2], dtype=word).astype(np.uint16)
    return words if bits == 16 else np.stack((words & 255, words >> 8), axis=-1).ravel()


def _exactly(table: NDArray[np.uint16], entries: int) -> NDArray[np.uint16]:
    if len(table) < entries:
        raise RefusedError("damaged")
    return table[:entries]


def _expanded(numbers: list[int], entries: int, bits: int) -> NDArray[np.uint16]:
    """What the segments of a table spell, up to its number of entries."""
    found: list[int] = []
    for part in _segments(numbers, entries, bits):
        if part[0] == _DISCRETE:
            found += part[1]
        elif not found:
            raise RefusedError("damaged")
        else:
            (length, last), before = part[1], found[-1]
            found += np.rint(before + (last - before) * np.arange(1, length + 1) / length).astype(int).tolist()
        if len(found) >= entries:
            break
    return np.array(found, dtype=np.uint16)


def _segments(numbers: list[int], entries: int, bits: int) -> Iterator[tuple[int, list[int]]]:
    """Discrete segments with their values and linear ones with length and last value; indirect ones repeat others."""
    starts, place, sent = list[int](), 0, 0
    while place + 1 < len(numbers):
        kind, length = numbers[place : place + 2]
        if kind == _INDIRECT:
            parts = 32 // bits  # of the place of the first segment to repeat
            first = sum(part << bits * n for n, part in enumerate(numbers[place + 2 : place + 2 + parts]))
            wanted = [start for start in starts if start >= first][:length] if first in starts else []
            place += 2 + parts
        else:
            starts.append(place)
            wanted = [place]
            place += 2 + (length if kind == _DISCRETE else 1)
        sent += len(wanted)
        if not wanted or sent > entries:  # each gives one entry at least
            raise RefusedError("damaged")
        for start in wanted:
            kind, length = numbers[start : start + 2]
            values = numbers[start + 2 : start + 2 + (length if kind == _DISCRETE else 1)]
            if kind not in (_DISCRETE, _LINEAR) or not values or not length:
                raise RefusedError("damaged")
            yield kind, values if kind == _DISCRETE else [length, *values]
