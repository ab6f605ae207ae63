"""Every element of the pixel modules that the reference lists does what it says there."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from privgan.data.formats.dicom import reader as dicom
from privgan.data.formats.reading import Reading, Request
from privgan.data.formats.worker import read_entry
from privgan.data.recipe import Recipe
from tests.places import ROOT

RAMP = (np.add.outer(np.arange(48), 2 * np.arange(32)) * 20 + 60).astype(np.uint16)
COLOUR = np.random.default_rng(0).integers(0, 256, (48, 32, 3), dtype=np.uint8)
ROWS = re.compile(r"^\| [^|]*\| (\w+) \| ([^|]+) \|$", re.MULTILINE)
CXR, CT, FILE = Recipe(), Recipe(preset="ct-soft"), Recipe(preset="file-window")
HU = {"Modality": "CT", "RescaleSlope": "1", "RescaleIntercept": "-1024"}
WINDOW = {"WindowCenter": "1000", "WindowWidth": "400"}
SAME, OTHER = "same picture", "other picture"


def item(**values: Any) -> Sequence:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return Sequence([dataset])


LUT = {"LUTDescriptor": [4096, 0, 12], "LUTData": (np.arange(4096) ** 2 // 4096).astype("<u2").tobytes()}
RGB = {"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3, "PlanarConfiguration": 0}
PALETTE = {
    "PhotometricInterpretation": "PALETTE COLOR",
    **{f"{colour}PaletteColorLookupTableDescriptor": [256, 0, 16] for colour in ("Red", "Green", "Blue")},
    **{
        f"{colour}PaletteColorLookupTableData": (np.arange(256) * 257).astype("<u2").tobytes()
        for colour in ("Red", "Green", "Blue")
    },
}
Case = tuple[Recipe, np.ndarray[Any, Any], dict[str, Any], dict[str, Any], str]
TWELVE = {"BitsStored": 12, "HighBit": 11}
# By element: the recipe, the pixels, what both files say, what the second says beside it, and what comes of that.
CASES: dict[str, Case] = {
    "SamplesPerPixel": (CXR, RAMP, TWELVE, {"SamplesPerPixel": 3}, "colour"),
    "PhotometricInterpretation": (CXR, RAMP, TWELVE, {"PhotometricInterpretation": "MONOCHROME1"}, OTHER),
    "Rows": (CXR, RAMP, TWELVE, {"Rows": 60_000}, "too_large"),
    "Columns": (CXR, RAMP, TWELVE, {"Columns": 60_000}, "too_large"),
    "NumberOfFrames": (CXR, RAMP, TWELVE, {"NumberOfFrames": 100_000}, "too_large"),
    "BitsAllocated": (CXR, RAMP, TWELVE, {"BitsAllocated": 32}, "bit_depth"),
    "BitsStored": (CXR, RAMP, {}, TWELVE, OTHER),
    "HighBit": (CXR, RAMP, TWELVE, {"HighBit": 15}, "bit_depth"),
    "PixelRepresentation": (CXR, RAMP, TWELVE, {"PixelRepresentation": 1}, OTHER),
    "PlanarConfiguration": (Recipe(preset="photo"), COLOUR, RGB, {"PlanarConfiguration": 1}, OTHER),
    "PixelAspectRatio": (CXR, RAMP, TWELVE, {"PixelAspectRatio": [2, 1]}, OTHER),
    "SmallestImagePixelValue": (CXR, RAMP, TWELVE, {"SmallestImagePixelValue": 60}, SAME),
    "LargestImagePixelValue": (CXR, RAMP, TWELVE, {"LargestImagePixelValue": 2240}, SAME),
    "RedPaletteColorLookupTableDescriptor": (
        CXR,
        COLOUR[..., 0],
        PALETTE,
        {"RedPaletteColorLookupTableDescriptor": [256, 40, 16]},
        OTHER,
    ),
    "ICCProfile": (Recipe(preset="photo"), COLOUR, RGB, {"ICCProfile": b"none"}, SAME),
    "ColorSpace": (Recipe(preset="photo"), COLOUR, RGB, {"ColorSpace": "SRGB"}, SAME),
    "FloatPixelData": (CXR, RAMP, TWELVE, {"FloatPixelData": b"\0" * 4, "PixelData": None}, "no_pixels"),
    "PixelData": (CXR, RAMP, TWELVE, {"PixelData": None}, "no_pixels"),
    "PixelPaddingRangeLimit": (CXR, RAMP, TWELVE | {"PixelPaddingValue": 60}, {"PixelPaddingRangeLimit": 900}, OTHER),
    "PixelPaddingValue": (CXR, RAMP, TWELVE, {"PixelPaddingValue": int(RAMP[20, 20])}, OTHER),
    "PixelSpacing": (CXR, RAMP, TWELVE | {"PixelAspectRatio": [1, 1]}, {"PixelSpacing": [0.4, 0.8]}, OTHER),
    "ImagerPixelSpacing": (CXR, RAMP, TWELVE, {"ImagerPixelSpacing": [0.4, 0.8]}, OTHER),
    "NominalScannedPixelSpacing": (CXR, RAMP, TWELVE, {"NominalScannedPixelSpacing": [0.4, 0.8]}, OTHER),
    "RescaleSlope": (CT, RAMP, TWELVE | HU, {"RescaleSlope": "2"}, OTHER),
    "RescaleIntercept": (CT, RAMP, TWELVE | HU, {"RescaleIntercept": "-900"}, OTHER),
    "RescaleType": (CT, RAMP, TWELVE | HU, {"RescaleType": "OD"}, "rescale_type"),
    "ModalityLUTSequence": (CXR, RAMP, TWELVE, {"ModalityLUTSequence": item(ModalityLUTType="US", **LUT)}, OTHER),
    "WindowCenter": (FILE, RAMP, TWELVE | WINDOW, {"WindowCenter": "1200"}, OTHER),
    "WindowWidth": (FILE, RAMP, TWELVE | WINDOW, {"WindowWidth": None}, "no_window"),
    "VOILUTFunction": (FILE, RAMP, TWELVE | WINDOW, {"VOILUTFunction": "SIGMOID"}, OTHER),
    "VOILUTSequence": (FILE, RAMP, TWELVE | WINDOW, {"VOILUTSequence": item(**LUT)}, OTHER),
    "PresentationLUTShape": (CXR, RAMP, TWELVE, {"PresentationLUTShape": "INVERSE"}, SAME),
    "PixelIntensityRelationship": (CXR, RAMP, TWELVE, {"PixelIntensityRelationship": "LOG"}, SAME),
    "RealWorldValueMappingSequence": (CXR, RAMP, TWELVE, {"RealWorldValueMappingSequence": item(LUTLabel="x")}, SAME),
    "ImageType": (CXR, RAMP, TWELVE, {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "likely_burned_in"),
    "BurnedInAnnotation": (CXR, RAMP, TWELVE, {"BurnedInAnnotation": "YES"}, "burned_in"),
    "RecognizableVisualFeatures": (CXR, RAMP, TWELVE, {"RecognizableVisualFeatures": "YES"}, "recognisable"),
    "LossyImageCompression": (CXR, RAMP, TWELVE, {"LossyImageCompression": "01"}, SAME),
    "ConversionType": (CXR, RAMP, TWELVE, {"ConversionType": "WSD"}, "likely_burned_in"),
}


@pytest.fixture
def read(make_dicom: Callable[..., Path], tmp_path: Path) -> Callable[..., Reading]:
    def reading(recipe: Recipe, pixels: np.ndarray[Any, Any], **tags: Any) -> Reading:
        path = make_dicom(tmp_path / "a.dcm", pixels, **tags)
        return read_entry(path, Request(kind=dicom.__name__, recipe=recipe))

    return reading


def listed() -> dict[str, str]:
    page = (ROOT / "docs/reference/dicom.md").read_text()
    section = page.partition("### What every element")[2].partition("\n## ")[0]
    return {name: text for name, text in ROWS.findall(section) if name != "element"}


def test_every_element_of_the_reference_has_a_case() -> None:
    assert listed().keys() == CASES.keys()


@pytest.mark.parametrize("element", CASES)
def test_an_element_does_what_the_reference_says(element: str, read: Callable[..., Reading]) -> None:
    recipe, pixels, both, beside, outcome = CASES[element]
    before, after = read(recipe, pixels, **both), read(recipe, pixels, **(both | beside))
    assert before.code == ""
    if outcome in (SAME, OTHER):
        assert after.code == ""
        assert np.array_equal(before.images, after.images) == (outcome == SAME)
        assert ("not used" in listed()[element] or "noted" in listed()[element]) or "read" in listed()[element]
        assert not (outcome == OTHER and "not used" in listed()[element])
    else:
        assert after.code == outcome
        assert "refuses" in listed()[element]


def shown(reading: Reading) -> tuple[int, int]:
    """Height and width of what is not black."""
    rows, columns = np.nonzero(reading.images[0] > 90)
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("preset", ["cxr", "mr"])
@pytest.mark.parametrize("value", [0, 4095, 65535])
def test_padding_is_black_and_leaves_the_rest_as_it_was(
    read: Callable[..., Reading], signed: bool, preset: str, value: int
) -> None:
    """Whatever it is, under a fixed range and under the image's own, signed or not."""
    recipe = Recipe(preset=preset, size=48)
    body = np.tile(RAMP[:, :32], (1, 2))[:48, :48].astype(np.int16 if signed else np.uint16)
    stored = np.array(value).astype(np.uint16).astype(body.dtype)
    padded = body.copy()
    padded[:8] = stored
    tags = {"Modality": "MR" if preset == "mr" else "CR"}
    plain = read(recipe, body[8:], **tags).images[0]
    found = read(recipe, padded, PixelPaddingValue=value if not signed else int(stored), **tags).images[0]
    assert not found[:8].any()
    np.testing.assert_allclose(found[8:].astype(int), plain[4:44].astype(int), atol=1)


def test_padding_of_an_inverted_picture_is_black(read: Callable[..., Reading]) -> None:
    padded = RAMP.copy()
    padded[:6] = 0
    tags = TWELVE | {"PhotometricInterpretation": "MONOCHROME1"}
    assert read(CXR, padded, **tags).images[0][:8].max() > 250
    assert not read(CXR, padded, PixelPaddingValue=0, **tags).images[0][:7].any()


@pytest.mark.parametrize(
    "said",
    [{"PixelSpacing": [2.0, 1.0]}, {"ImagerPixelSpacing": [0.3, 0.15]}, {"PixelAspectRatio": [2, 1]}],
    ids=str,
)
def test_a_disc_is_as_tall_as_wide(read: Callable[..., Reading], said: dict[str, Any]) -> None:
    y, x = np.mgrid[:64, :128]
    disc = ((((x - 63.5) / 40) ** 2 + ((y - 31.5) / 20) ** 2 < 1) * 3000).astype(np.uint16) + RAMP[5, 5] % 7
    assert shown(read(CXR, disc, **TWELVE)) == (20, 40)
    assert shown(read(CXR, disc, **TWELVE, **said)) == (40, 40)


@pytest.mark.parametrize("said", [["0", "1"], ["1", "-1"], ["900", "1"], ["1"], ["1", "1", "1"]])
def test_pixels_that_cannot_be_are_refused(read: Callable[..., Reading], said: list[str]) -> None:
    assert read(CXR, RAMP, **TWELVE, PixelSpacing=said).code == "damaged"


def test_one_hot_voxel_does_not_darken_a_picture(read: Callable[..., Reading]) -> None:
    hot = RAMP.copy()
    hot[3, 3] = 60_000
    recipe = Recipe(preset="mr")
    before, after = (read(recipe, pixels, Modality="MR").images[0].astype(int) for pixels in (RAMP, hot))
    assert abs(before - after).mean() < 2


def test_noise_alone_is_no_picture_and_noise_on_anatomy_is_one(read: Callable[..., Reading]) -> None:
    """At any grain of the noise; the anatomy is a disc that is as strong as the noise."""
    recipe, rng = Recipe(preset="mr"), np.random.default_rng(1)
    y, x = np.mgrid[-1:1:128j, -1:1:128j]
    disc = 100.0 * (x**2 + y**2 < 0.5)
    for grain in (1, 2):
        coarse = rng.normal(0, 100, (128 // grain, 128 // grain)).repeat(grain, axis=0).repeat(grain, axis=1)
        for kind, (picture, code) in {"noise": (coarse, "blank"), "body": (coarse + disc, "")}.items():
            stored = np.abs(picture).astype(np.uint16)
            assert read(recipe, stored, Modality="MR").code == code, (kind, grain)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_the_files_window_equals_the_standards_formula(read: Callable[..., Reading], function: str) -> None:
    """PS3.3 C.11.2.1.2 and C.11.2.1.3, value by value."""
    values, centre, width = np.arange(48 * 48).reshape(48, 48).astype(np.uint16), 1000.0, 800.0
    expected = np.empty((48, 48))
    for place in np.ndindex(48, 48):
        v = float(values[place])
        if function == "SIGMOID":
            expected[place] = 1 / (1 + np.exp(-4 * (v - centre) / width))
        elif function == "LINEAR":
            expected[place] = min(max((v - (centre - 0.5)) / (width - 1) + 0.5, 0), 1)
        else:
            expected[place] = min(max((v - centre) / width + 0.5, 0), 1)
    said = {"WindowCenter": str(centre), "WindowWidth": str(width), "VOILUTFunction": function}
    reading = read(Recipe(preset="file-window", size=48), values, **TWELVE, **said)
    np.testing.assert_allclose(reading.images[0], np.rint(expected * 255), atol=1)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("HU", ""),
        ("HU_MOD", ""),
        ("US", ""),
        ("Houndsfield Unit", ""),
        ("MGML", "rescale_type"),
        ("Z", "rescale_type"),
    ],
)
def test_only_hounsfield_units_fit_a_ct_window(read: Callable[..., Reading], kind: str, code: str) -> None:
    reading = read(CT, RAMP, **TWELVE, **HU, RescaleType=kind)
    assert (reading.code, reading.unstated) == (code, kind == "US")
    assert read(CXR, RAMP, **TWELVE, RescaleType=kind).code == ""


def test_a_mask_that_calls_itself_ct_is_refused(read: Callable[..., Reading]) -> None:
    mask = np.where(RAMP > 1000, 2000, 0).astype(np.uint16)
    assert read(CT, mask, **TWELVE, **HU).code == "mask"
    assert read(CXR, mask, **TWELVE).code == ""
