"""Palettes against a slow lookup, and against pydicom where pydicom is right."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import ExplicitVRLittleEndian

from privgan.data.formats.dicom.palette import coloured
from privgan.data.refusals import RefusedError

COLOURS = ("Red", "Green", "Blue")


def dataset(descriptor: list[int], data: bytes, *, segmented: bool = False) -> Dataset:
    found = Dataset()
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for colour in COLOURS:
        setattr(found, f"{colour}PaletteColorLookupTableDescriptor", descriptor)
        setattr(found, f"{'Segmented' * segmented}{colour}PaletteColorLookupTableData", data)
    return found


@pytest.mark.parametrize("entries", [3, 255, 256, 257, 1024, 4096])
@pytest.mark.parametrize(("nominal", "stored"), [(8, 8), (8, 16), (16, 16)])
@pytest.mark.parametrize("first", [0, 100, -20])
@pytest.mark.parametrize("word", ["<u2", ">u2"])
def test_every_stored_number_has_its_colour(entries: int, nominal: int, stored: int, first: int, word: str) -> None:
    """Positions beyond 255 of a table of bytes, tables of odd length, and 8 bits in 16-bit words among them."""
    table = np.random.default_rng(entries).integers(0, 2**nominal, entries)
    if stored == 16:
        data = table.astype(word).tobytes()
    else:
        pairs = np.append(table, 0)[: entries // 2 * 2 + 2].reshape(-1, 2) if entries % 2 else table.reshape(-1, 2)
        data = (pairs[:, 0] | pairs[:, 1] << 8).astype(word).tobytes()
    frame = np.arange(first - 5, first + entries + 5, dtype=np.int16)[None]
    found, high = coloured(frame, dataset([entries, first, nominal], data), word)
    for value, colours in zip(frame[0].tolist(), found[0].tolist(), strict=True):
        assert colours == [table[min(max(value - first, 0), entries - 1)]] * 3
    assert high == 2**nominal - 1


@pytest.mark.parametrize("nominal", [8, 16])
def test_white_is_what_the_descriptor_says(nominal: int) -> None:
    """The brightest of 8 bits in 16-bit words is 255 of 255, not of 65,535; unless somebody wrote more than 255."""
    data = np.arange(256, dtype="<u2").tobytes()
    assert coloured(np.zeros((1, 1), np.uint8), dataset([256, 0, nominal], data), "<u2")[1] == 2**nominal - 1
    wide = (np.arange(256) * 257).astype("<u2").tobytes()
    assert coloured(np.zeros((1, 1), np.uint8), dataset([256, 0, nominal], wide), "<u2")[1] == 65535


SEGMENTS = st.lists(
    st.one_of(
        st.lists(st.integers(0, 255), min_size=1, max_size=6).map(lambda values: [0, len(values), *values]),
        st.tuples(st.integers(1, 9), st.integers(0, 255)).map(lambda pair: [1, *pair]),
    ),
    min_size=1,
    max_size=8,
)


@given(SEGMENTS, st.sampled_from([8, 16]), st.booleans())
@settings(deadline=None, derandomize=True, max_examples=150)
def test_segments_are_what_pydicom_expands(segments: list[list[int]], bits: int, again: bool) -> None:
    segments = [[0, 2, 7, 9], *segments]
    numbers = [number for segment in segments for number in segment]
    if again:  # the first segment once more, by its place
        numbers += [2, 1, 0, 0, 0, 0] if bits == 8 else [2, 1, 0, 0]
    data = np.array(numbers, dtype="u1" if bits == 8 else "<u2").tobytes()
    data += b"\0" * (len(data) % 2)
    entries = sum(len(each) - 2 if each[0] == 0 else each[1] for each in segments) + 2 * again
    told = dataset([entries, 0, bits], data, segmented=True)
    frame = np.arange(entries, dtype=np.uint16)[None]
    np.testing.assert_array_equal(coloured(frame, told, "<u2")[0], apply_color_lut(frame, told))


@pytest.mark.parametrize(
    ("descriptor", "numbers", "segmented"),
    [
        ([256, 0, 8], [1] * 200, False),
        ([256, 0, 12], [1] * 256, False),
        ([256, 0], [1] * 256, False),
        ([4, 0, 16], [1, 4, 9], True),  # linear without a beginning
        ([4, 0, 16], [0, 1, 5, 2, 1, 3, 0], True),  # the place of no segment
        ([4, 0, 16], [0, 1, 5, 7, 1, 3], True),  # no such kind
        ([4, 0, 16], [0, 0, 0, 1], True),  # nothing
        ([4, 0, 16], [], True),
        ([60000, 0, 16], [0, 1, 5, *[2, 1, 0, 0] * 9], True),  # too few
    ],
)
def test_tables_that_are_none_are_refused(descriptor: Any, numbers: list[int], segmented: bool) -> None:
    data = np.array(numbers, dtype="<u2" if segmented else "u1").tobytes()
    with pytest.raises(RefusedError, match="damaged"):
        coloured(np.zeros((2, 2), np.uint8), dataset(descriptor, data, segmented=segmented), "<u2")
