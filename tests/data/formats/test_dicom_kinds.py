"""Every coding that an archive may hold: compressions, colours, palettes, many frames; each against a plain twin."""

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels import convert_color_space
from pydicom.pixels.processing import apply_color_lut
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    JPEG2000Lossless,
    JPEG2000TransferSyntaxes,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from privgan.data.formats.dicom import reader as dicom
from privgan.data.formats.dicom import syntaxes
from privgan.data.formats.dicom.file import TAGS
from privgan.data.formats.dicom.frames import Wanted, decoded_frames
from privgan.data.formats.dicom.header import Header
from privgan.data.formats.dicom.image_header import ImageHeader, image_header
from privgan.data.formats.dicom.parsing import UNDEFINED_LENGTH, Parsed, parse
from privgan.data.formats.reading import Reading, Request
from privgan.data.formats.worker import read_entry
from privgan.data.recipe import Recipe
from privgan.data.selection import Selection
from tests.data.conftest import build_dicom

RNG = np.random.default_rng(3)
GREY = RNG.integers(0, 4096, (3, 64, 64)).astype(np.uint16)
COLOUR = RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)
ANY = Recipe(preset="custom", window=(0, 255))
RGB = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}


def read(path: Path, recipe: Recipe = ANY, **request: Any) -> Reading:
    return read_entry(path, Request(kind=dicom.__name__, recipe=recipe, **request))


def write(path: Path, dataset: Dataset) -> Path:
    dataset.save_as(path, enforce_file_format=True)
    return path


def luminance(rgb: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.array([[0.299 * red + 0.587 * green + 0.114 * blue for red, green, blue in row] for row in rgb])


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
@pytest.mark.parametrize("frames", [1, 3])
def test_lossless_compressions_give_what_was_compressed(tmp_path: Path, syntax: str, frames: int) -> None:
    dataset = build_dicom(GREY[0], BitsStored=12, HighBit=11)
    if frames > 1:
        dataset.NumberOfFrames = frames
    dataset.PixelData = GREY[:frames].tobytes()
    dataset.compress(syntax)
    reading = read(write(tmp_path / "a.dcm", dataset), Recipe())
    assert reading.code == ""
    np.testing.assert_allclose(reading.images, GREY[:frames] / 4095 * 255, atol=0.51)


def test_jpeg_and_its_rare_kinds(tmp_path: Path) -> None:
    """Eight bits are read, as pydicom reads them; twelve need a decoder under the GPL and are refused."""
    stream = io.BytesIO()
    smooth = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1))
    Image.fromarray(smooth).save(stream, "JPEG", quality=95)
    dataset = build_dicom(smooth)
    dataset.PixelData = encapsulate([stream.getvalue()])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    file = write(tmp_path / "a.dcm", dataset)
    np.testing.assert_array_equal(read(file).images[0], dcmread(file).pixel_array)
    assert np.abs(read(file).images[0].astype(int) - smooth).max() < 8
    dataset.file_meta.TransferSyntaxUID = JPEGExtended12Bit
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    assert read(write(tmp_path / "b.dcm", dataset)).code == "transfer_syntax"


ADOBE = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0"  # and one byte that names the transform


@pytest.mark.parametrize("quality", [95, 100])
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2"])
@pytest.mark.parametrize("marker", [b"", ADOBE + b"\1"], ids=["JFIF", "Adobe"])
@pytest.mark.parametrize("photometric", ["YBR_FULL", "YBR_FULL_422"])
def test_colours_of_a_jpeg_are_what_another_decoder_shows(
    tmp_path: Path, quality: int, sampling: str, marker: bytes, photometric: str
) -> None:
    """With Adobe's marker Pillow undoes the colour coding by itself; pure red must not become (75, 255, 27)."""
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, :32], picture[:32, 32:], picture[32:, 32:] = (255, 0, 0), (0, 200, 40), (10, 20, 240)
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality, subsampling=sampling)
    content = stream.getvalue()
    if marker:  # in the place of JFIF's
        length = int.from_bytes(content[4:6], "big")
        content = content[:2] + marker + content[4 + length :]
    dataset = build_dicom(picture, **RGB | {"PhotometricInterpretation": photometric})
    dataset.PixelData = encapsulate([content])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    file = write(tmp_path / "a.dcm", dataset)
    found = read(file, Recipe(preset="photo"), selection=Selection(accept_burned_in=True)).images[0].astype(int)
    assert np.abs(found - np.asarray(Image.open(io.BytesIO(content)))).max() <= 1
    gdcm = pytest.importorskip("gdcm")
    reader = gdcm.ImageReader()
    reader.SetFileName(str(file))
    assert reader.Read()
    raw = np.frombuffer(reader.GetImage().GetBuffer().encode("utf-8", "surrogateescape"), np.uint8).reshape(64, 64, 3)
    kind = str(reader.GetImage().GetPhotometricInterpretation())
    other = raw if kind == "RGB" else convert_color_space(raw, "YBR_FULL", "RGB")
    middles = (slice(8, 24), slice(40, 56))  # away from edges, where smooth colours differ by their resampling
    for rows in middles:
        for columns in middles:
            assert np.abs(found[rows, columns] - other[rows, columns].astype(int)).max() <= 3


@pytest.mark.parametrize("syntax", JPEG2000TransferSyntaxes)
@pytest.mark.parametrize("photometric", ["YBR_RCT", "YBR_ICT", "RGB"])
def test_every_kind_of_jpeg_2000_may_have_its_colour_codings(syntax: str, photometric: str) -> None:
    """PS3.5 8.2.4 and 8.2.14: high-throughput ones as well."""
    dataset = build_dicom(COLOUR, **RGB | {"PhotometricInterpretation": photometric})
    stream = io.BytesIO()
    parsed = Parsed(
        header=Header.of(dataset), syntax=UID(syntax), sop_class="", stream=stream, vr="OB",
        pixel_bytes=UNDEFINED_LENGTH, remaining=9,
    )  # fmt: skip
    assert image_header(parsed).photometric == photometric


def test_a_missing_decoder_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = build_dicom(GREY[0], BitsStored=12, HighBit=11)
    dataset.compress(JPEGLSLossless)
    dataset.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    file = write(tmp_path / "a.dcm", dataset)
    absent = syntaxes.Decoder(plugin="gdcm", module="no_such_module")
    monkeypatch.setitem(syntaxes.DECODERS, JPEGLosslessSV1, absent)
    assert read(file).code == "no_decoder"
    assert JPEGLosslessSV1.name in syntaxes.missing_here()
    assert RLELossless.name in syntaxes.readable_here()


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("space", ["RGB", "YBR_FULL"])
def test_colour_becomes_luminance(make_dicom: Any, tmp_path: Path, planar: int, space: str) -> None:
    tags = {**RGB, "PlanarConfiguration": planar, "PhotometricInterpretation": space}
    stored = COLOUR if space == "RGB" else convert_color_space(COLOUR, "RGB", space)
    stored = stored if planar == 0 else stored.transpose(2, 0, 1)
    file = make_dicom(tmp_path / "a.dcm", COLOUR, PixelData=stored.tobytes(), **tags)
    reading = read(file)
    assert reading.colour
    np.testing.assert_allclose(reading.images[0], luminance(COLOUR), atol=0.51 if space == "RGB" else 2)


def test_grey_stored_as_colour_keeps_its_values(make_dicom: Any, tmp_path: Path) -> None:
    grey = COLOUR[..., :1].repeat(3, axis=2)
    np.testing.assert_array_equal(read(make_dicom(tmp_path / "a.dcm", grey, **RGB)).images[0], grey[..., 0])


@pytest.mark.parametrize("bits", [8, 16])
def test_a_palette_is_looked_up(make_dicom: Any, tmp_path: Path, bits: int) -> None:
    palette = RNG.integers(0, 2**bits, (3, 256)).astype(np.uint16)
    tags: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for name, entries in zip(("Red", "Green", "Blue"), palette, strict=True):
        tags[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, bits]
        content = entries.tobytes() if bits == 16 else entries.astype(np.uint8).tobytes()
        tags[f"{name}PaletteColorLookupTableData"] = content
    indices = COLOUR[..., 0].copy()
    reading = read(make_dicom(tmp_path / "a.dcm", indices, **tags), Recipe())
    slowly = luminance(palette.T[indices]) / (2**bits - 1) * 255
    np.testing.assert_allclose(reading.images[0], slowly, atol=0.51)


def test_colour_has_no_hounsfield_units(make_dicom: Any, tmp_path: Path) -> None:
    file = make_dicom(tmp_path / "a.dcm", COLOUR, **RGB, Modality="CT")
    assert read(file, Recipe(preset="ct-soft")).code == "colour"


def multi_frame(path: Path, **tags: Any) -> Path:
    dataset = build_dicom(GREY[0], BitsStored=12, HighBit=11, NumberOfFrames=3, Modality="CT", **tags)
    dataset.PixelData = GREY.tobytes()
    return write(path, dataset)


def functional_group(slope: float, intercept: float) -> Dataset:
    values, group = Dataset(), Dataset()
    values.RescaleSlope, values.RescaleIntercept = str(slope), str(intercept)
    group.PixelValueTransformationSequence = Sequence([values])
    return group


def test_each_frame_of_an_enhanced_object_has_its_own_units(tmp_path: Path) -> None:
    window = Recipe(preset="custom", window=(-1000, 5000))
    scales = [(1.0, -1000.0), (0.5, 10.0), (1.2, 3.0)]
    groups = Sequence([functional_group(*scale) for scale in scales])
    file = multi_frame(tmp_path / "a.dcm", PerFrameFunctionalGroupsSequence=groups)
    for image, frame, (slope, intercept) in zip(read(file, window).images, GREY, scales, strict=True):
        expected = np.clip((frame * slope + intercept + 1000) / 6000 * 255, 0, 255)
        np.testing.assert_allclose(image, expected, atol=0.51)
    shared = multi_frame(tmp_path / "b.dcm", SharedFunctionalGroupsSequence=Sequence([functional_group(2.0, 1.0)]))
    expected = np.clip((GREY * 2.0 + 1001) / 6000 * 255, 0, 255)
    np.testing.assert_allclose(read(shared, window).images, expected, atol=0.51)
    assert read(multi_frame(tmp_path / "c.dcm"), Recipe(preset="ct-soft")).code == "missing_rescale"


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (Selection(), [0, 1, 2]),
        (Selection(frames="first"), [0]),
        (Selection(frames="middle"), [1]),
        (Selection(frames="2-3"), [1, 2]),
        (Selection(frames="3-9"), [2]),
        (Selection(every=2), [0, 2]),
    ],
)
def test_frames_are_selected(tmp_path: Path, selection: Selection, wanted: list[int]) -> None:
    file = multi_frame(tmp_path / "a.dcm")
    everything = read(file).images
    np.testing.assert_array_equal(read(file, selection=selection).images, everything[wanted])
    assert read(file, selection=Selection(frames="4-5")).code == "not_selected"


@pytest.mark.parametrize(
    ("selection", "tags", "code"),
    [
        (Selection(modalities=("CR", "DX")), {}, ""),
        (Selection(modalities=("DX",)), {}, "not_selected"),
        (Selection(body_parts=("CHEST",)), {"BodyPartExamined": "CHEST"}, ""),
        (Selection(body_parts=("CHEST",)), {"BodyPartExamined": "HAND"}, "not_selected"),
        (Selection(body_parts=("CHEST",)), {}, "not_selected"),
        (Selection(views=("PA", "AP")), {"ViewPosition": "AP"}, ""),
        (Selection(views=("PA",)), {"ViewPosition": "LL"}, "not_selected"),
        (Selection(every=5), {"InstanceNumber": "6"}, ""),
        (Selection(every=5), {"InstanceNumber": "5"}, "not_selected"),
        (Selection(every=5), {}, "missing_slice_number"),
        (Selection(every=5), {"InstanceNumber": "2" * 12}, "not_selected"),
    ],
)
def test_files_are_selected(
    make_dicom: Any, tmp_path: Path, selection: Selection, tags: dict[str, Any], code: str
) -> None:
    file = make_dicom(tmp_path / "a.dcm", GREY[0], **tags)
    assert read(file, selection=selection).code == code


def test_bits_beside_the_stored_ones_do_not_count(make_dicom: Any, tmp_path: Path) -> None:
    """Old scanners keep overlays, with a name drawn in, in the unused bits of each pixel."""
    drawn = GREY[0] | (RNG.integers(0, 16, GREY[0].shape) << 12).astype(np.uint16)
    plain = read(make_dicom(tmp_path / "a.dcm", GREY[0], BitsStored=12, HighBit=11), Recipe())
    marked = read(make_dicom(tmp_path / "b.dcm", drawn, BitsStored=12, HighBit=11), Recipe())
    np.testing.assert_array_equal(marked.images, plain.images)


def decoded(path: Path) -> tuple[str, ImageHeader, list[np.ndarray[Any, Any]]] | None:
    """Transfer syntax, header and decoded frames before they are resized; None for what cannot be read."""
    try:
        with path.open("rb") as stream:
            parsed = parse(stream, TAGS)
            header = image_header(parsed)
            frames = decoded_frames(parsed, header, range(header.frames), Wanted())
            return parsed.syntax, header, [pixels.values for pixels in frames]
    except Exception:  # noqa: BLE001 - other tests say which files cannot be read, and why
        return None


def test_real_files_give_what_pydicom_gives(shared_data: Path) -> None:
    """Every frame of every file that can be read, against pydicom's own arrays."""
    compared = set()
    files = [
        path for name in ("pydicom", "highdicom", "deid") for path in (shared_data / "dicom").glob(f"{name}*/**/*")
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in sorted(filter(Path.is_file, files)):
            if (ours := decoded(path)) is None:
                continue
            syntax, header, found = ours
            twin = dcmread(path)
            frames = twin.pixel_array.reshape(header.frames, header.rows, header.columns, -1)
            if header.photometric == "PALETTE COLOR":
                frames = apply_color_lut(frames[..., 0], twin)
            for value, frame in zip(found, frames, strict=True):
                expected = frame[..., 0] if frame.shape[-1] == 1 else frame @ np.array([0.299, 0.587, 0.114])
                np.testing.assert_allclose(value, expected, atol=0.01)
            compared.add((syntax, header.photometric))
    assert len({syntax for syntax, _ in compared}) >= 11
    assert {"RGB", "YBR_FULL", "YBR_FULL_422", "PALETTE COLOR"} <= {photometric for _, photometric in compared}
    assert {"MONOCHROME1", "MONOCHROME2"} <= {photometric for _, photometric in compared}
