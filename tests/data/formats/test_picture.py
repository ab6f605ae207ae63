"""PNG and JPEG files, ordinary and hostile."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from privgan.data.formats import picture
from privgan.data.formats.reading import Request
from privgan.data.formats.worker import read_entry
from privgan.data.recipe import Recipe

PICTURE = Request(kind=picture.__name__, recipe=Recipe())
GREY = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)


def png(path: Path, values: np.ndarray[Any, Any], **options: Any) -> Path:
    Image.fromarray(values).save(path, **options)
    return path


def announced(path: Path, width: int, height: int) -> Path:
    """A PNG whose header announces dimensions that its data does not have."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""))
    return path


def test_grey_png_passes_bit_by_bit_however_it_is_stored(tmp_path: Path) -> None:
    for values in (GREY, np.stack([GREY] * 3, axis=-1)):
        reading = read_entry(png(tmp_path / "a.png", values), PICTURE)
        assert (reading.code, reading.colour) == ("", False)
        np.testing.assert_array_equal(reading.images[0], GREY)


def test_sixteen_bit_png_uses_its_whole_range(tmp_path: Path) -> None:
    values = GREY.astype(np.uint16) * 257
    reading = read_entry(png(tmp_path / "a.png", values), PICTURE)
    np.testing.assert_array_equal(reading.images[0], GREY)


def test_colour_becomes_luminance_and_is_said(tmp_path: Path) -> None:
    values = np.zeros((64, 64, 3), np.uint8)
    values[:63, :, 1] = 200
    reading = read_entry(png(tmp_path / "a.png", values), PICTURE)
    assert reading.colour
    assert np.unique(reading.images[0]).tolist() == [0, 117]  # 0.587 x 200


def test_jpeg_is_read(tmp_path: Path) -> None:
    reading = read_entry(
        png(tmp_path / "a.jpg", np.full((80, 40), 99, np.uint8) + np.uint8(40) * (np.arange(40) < 8)), PICTURE
    )
    assert reading.images[0] is not None
    assert np.abs(reading.images[0][:, 32].astype(int) - 99).max() <= 1
    assert not reading.images[0][:, :16].any()


@pytest.mark.parametrize(
    ("width", "height", "code"), [(60000, 60000, "too_large"), (16385, 1, "too_large"), (300, 300, "damaged")]
)
def test_lying_dimensions(tmp_path: Path, width: int, height: int, code: str) -> None:
    assert read_entry(announced(tmp_path / "a.png", width, height), PICTURE).code == code


def test_broken_and_foreign_files(tmp_path: Path) -> None:
    whole = png(tmp_path / "a.png", GREY).read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    contents = {"cut": whole[: len(whole) // 2], "flipped": bytes(flipped), "text": b"hello" * 100, "empty": b""}
    codes = {}
    for name, content in contents.items():
        (tmp_path / f"{name}.png").write_bytes(content)
        codes[name] = read_entry(tmp_path / f"{name}.png", PICTURE).code
    assert codes == {"cut": "damaged", "flipped": "damaged", "text": "not_an_image", "empty": "empty_file"}


def test_other_formats_and_animations_are_refused(tmp_path: Path) -> None:
    Image.fromarray(GREY).save(tmp_path / "a.tiff")
    (tmp_path / "a.tiff").rename(tmp_path / "a.png")
    assert read_entry(tmp_path / "a.png", PICTURE).code == "not_an_image"
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    frames[0].save(tmp_path / "b.png", save_all=True, append_images=frames[1:])
    assert read_entry(tmp_path / "b.png", PICTURE).code == "multi_frame"
