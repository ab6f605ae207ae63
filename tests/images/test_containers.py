"""Archives and pictures that can be written in one way only: libraries read them, and nothing else fits in."""

import io
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from privgan.images.containers import npz_pieces, png_bytes

RNG = np.random.default_rng(0)
ARRAYS = {
    "images": RNG.integers(0, 256, (7, 13, 13, 3), dtype=np.uint8),
    "labels": np.arange(7, dtype=np.int64),
    "classes": np.array(["normal", "épanchement"]),
}


def written(arrays: dict[str, NDArray[Any]]) -> bytes:
    return b"".join(npz_pieces(arrays))


def test_numpy_and_zip_read_the_arrays_back() -> None:
    content = written(ARRAYS)
    with np.load(io.BytesIO(content), allow_pickle=False) as loaded:
        assert loaded.files == list(ARRAYS)
        for name, array in ARRAYS.items():
            assert loaded[name].dtype == array.dtype
            np.testing.assert_array_equal(loaded[name], array)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.comment == b""
        for info in archive.infolist():
            assert (info.compress_type, info.date_time, info.comment) == (0, (1980, 1, 1, 0, 0, 0), b"")


def test_numpys_own_header_is_written() -> None:
    """The arrays within are the bytes of `numpy.save`."""
    with zipfile.ZipFile(io.BytesIO(written(ARRAYS))) as archive:
        for name, array in ARRAYS.items():
            saved = io.BytesIO()
            np.save(saved, array)
            assert archive.read(f"{name}.npy") == saved.getvalue()


def test_how_an_array_lies_in_memory_is_not_told() -> None:
    turned = {
        "images": np.asfortranarray(ARRAYS["images"]),
        "labels": np.repeat(ARRAYS["labels"], 2)[::2],
        "classes": ARRAYS["classes"],
    }
    assert written(turned) == written(ARRAYS)


def test_every_byte_of_the_archive_is_accounted_for() -> None:
    """Three local headers with 64-bit sizes, three entries of the directory, and its end: nothing between."""
    content, names = written(ARRAYS), [f"{name}.npy" for name in ARRAYS]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        held = sum(info.file_size for info in archive.infolist())
    fixed = sum(30 + 20 + 46 + 28 + 2 * len(name) for name in names) + 56 + 20 + 22
    assert len(content) == held + fixed


@pytest.mark.parametrize("shape", [(1, 1), (5, 9), (300, 400), (5, 9, 3), (200, 300, 3)])
def test_a_picture_comes_back_and_has_no_slack(shape: tuple[int, ...]) -> None:
    pixels = RNG.integers(0, 256, shape, dtype=np.uint8)
    content = png_bytes(pixels)
    with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
        assert image.mode == ("RGB" if len(shape) == 3 else "L")
        assert image.info == {}
        np.testing.assert_array_equal(np.asarray(image), pixels)
    names, at = [], 8
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        names.append(content[at + 4 : at + 8])
        if names[-1] == b"IDAT":
            stream = zlib.decompressobj()
            assert len(stream.decompress(content[at + 8 : at + 8 + length])) == pixels.size + shape[0]
            assert stream.eof
            assert stream.unused_data == b""
        at += 12 + length
    assert (names, at) == ([b"IHDR", b"IDAT", b"IEND"], len(content))
