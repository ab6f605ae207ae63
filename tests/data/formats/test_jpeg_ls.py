"""JPEG-LS on which the first decoder gives up: a second reads the same pixels, or a code says that it is missing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import JPEGLSLossless, JPEGLSNearLossless

from privgan.data.formats.dicom import reader as dicom
from privgan.data.formats.dicom import syntaxes
from privgan.data.formats.reading import Reading, Request
from privgan.data.formats.worker import read_entry
from privgan.data.recipe import Recipe
from privgan.data.refusals import remedies
from tests.data.conftest import build_dicom

RNG = np.random.default_rng(3)
GREY = RNG.integers(0, 4096, (3, 64, 64)).astype(np.uint16)
COLOUR = RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)
ALL_VALUES = Recipe(preset="custom", window=(-2000, 4095))
RGB = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}


def read(path: Path) -> Reading:
    return read_entry(path, Request(kind=dicom.__name__, recipe=ALL_VALUES))


def write(path: Path, dataset: Dataset) -> Path:
    dataset.save_as(path, enforce_file_format=True)
    return path


def old_end(stream: bytes) -> bytes:
    """A zero byte behind the last bits, as in a sample of DICOM's WG04; CharLS 2 wants the end marker there."""
    return stream[:-2] + b"\0" + stream[-2:]


def comment_behind(stream: bytes) -> bytes:
    """A comment between the scan and the end marker."""
    return stream[:-2] + b"\xff\xfe\0\5old" + stream[-2:]


SIGNED, ENOUGH = GREY[0].astype(np.int16) - 2000, {"BitsStored": 12, "HighBit": 11}
JPEG_LS_FILES: dict[str, tuple[Any, dict[str, Any], dict[str, Any]]] = {
    "signed 16 bit": (SIGNED, {}, {}),
    "unsigned 12 bit": (GREY[0], ENOUGH, {}),
    "near-lossless": (GREY[0], ENOUGH, {"jls_error": 2}),
    "8 bit": (COLOUR[..., 0].copy(), {}, {}),
    "odd sizes": (GREY[0, :37, :53].copy(), ENOUGH, {}),
    "three frames": (GREY, ENOUGH | {"NumberOfFrames": 3}, {}),
    "colour": (COLOUR, RGB, {}),
}


def jpeg_ls(name: str, change: Callable[[bytes], bytes] = bytes, only: int | None = None) -> Dataset:
    """One of the files, with its frames changed, or one of them alone."""
    pixels, tags, how = JPEG_LS_FILES[name]
    dataset = build_dicom(pixels, **tags)
    dataset.compress(JPEGLSNearLossless if how else JPEGLSLossless, **how)
    frames = list(generate_frames(dataset.PixelData, number_of_frames=tags.get("NumberOfFrames", 1)))
    trimmed = [frame[: frame.rindex(b"\xff\xd9") + 2] for frame in frames]
    changed = [change(frame) if only in (None, number) else frame for number, frame in enumerate(trimmed)]
    dataset.PixelData = encapsulate([frame + b"\0" * (len(frame) % 2) for frame in changed])
    return dataset


@pytest.mark.parametrize("change", [old_end, comment_behind])
@pytest.mark.parametrize("name", JPEG_LS_FILES)
def test_jpeg_ls_that_charls_refuses_is_read_by_a_second_decoder_to_the_same_pixels(
    name: str, change: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    pytest.importorskip("gdcm")
    known = read(write(tmp_path / "known.dcm", jpeg_ls(name)))
    for only in range(JPEG_LS_FILES[name][1].get("NumberOfFrames", 1)):
        changed = jpeg_ls(name, change, only)
        with pytest.raises(RuntimeError, match="pyjpegls"):
            get_decoder(changed.file_meta.TransferSyntaxUID).as_array(changed, decoding_plugin="pyjpegls")
        got = read(write(tmp_path / f"{only}.dcm", changed))
        assert (known.code, got.code) == ("", "")
        assert known.images is not None
        np.testing.assert_array_equal(got.images, known.images)


@pytest.mark.parametrize("name", JPEG_LS_FILES)
def test_without_the_second_decoder_the_refusal_says_so(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for syntax in (JPEGLSLossless, JPEGLSNearLossless):
        second = syntaxes.Decoder(plugin="gdcm", module="no_such_module")
        monkeypatch.setitem(syntaxes.DECODERS, syntax, replace(syntaxes.DECODERS[syntax], second=second))
    assert read(write(tmp_path / "good.dcm", jpeg_ls(name))).code == ""
    assert read(write(tmp_path / "old.dcm", jpeg_ls(name, old_end))).code == "decoder_disagrees"
    assert "privgan[jpeg-lossless]" in "".join(remedies(["decoder_disagrees"]))


@pytest.mark.parametrize("seed", range(10))
def test_what_both_decoders_give_up_on_is_damaged(seed: int, tmp_path: Path) -> None:
    """None of them makes pixels of a scan that lost bytes."""
    pytest.importorskip("gdcm")
    rng = np.random.default_rng(seed)

    def cut(stream: bytes) -> bytes:
        place = int(rng.integers(60, len(stream) - 300))
        return stream[:place] + stream[place + int(rng.integers(1, 200)) :]

    assert read(write(tmp_path / "a.dcm", jpeg_ls("signed 16 bit", cut))).code == "damaged"
