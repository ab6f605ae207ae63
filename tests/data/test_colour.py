"""A colour cohort: every way in keeps red, green and blue exactly as a slow twin computes them."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.pixels.processing import apply_color_lut

from privgan.data.cohort.cohort import open_cohort, write_facts
from privgan.data.cohort.prepare import prepare
from privgan.data.cohort.scan import scan
from privgan.data.formats import picture as pictures
from privgan.data.formats.dicom import reader as dicom
from privgan.data.formats.reading import Reading, Request
from privgan.data.formats.worker import read_entry
from privgan.data.preprocess import Pixels, prepare_image
from privgan.data.recipe import Recipe
from privgan.data.selection import Selection
from privgan.data.sources.wishes import Wishes
from privgan.errors import InputRejectedError, IntegrityError, UsageError
from privgan.images.form import ImageForm
from privgan.run import read_run
from tests.data.conftest import build_dicom
from tests.data.phantom_photos import Skin, draw_photos
from tests.data.telling import told
from tests.synthetic.making import make_run

RNG = np.random.default_rng(5)
PHOTO = Recipe(preset="photo", size=28)
COLOURS = RNG.integers(0, 256, (60, 84, 3), dtype=np.uint8)  # three times 28: no mean of nine lies halfway
RGB = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}

Array = np.ndarray[Any, Any]


def slowly(values: Array, size: int, highest: int = 255) -> Array:
    """The mean of the pixels under every pixel, of each channel by itself; black above and below."""
    height, width, _ = values.shape
    step = max(height, width) // size
    result = np.zeros((size, size, 3), np.uint8)
    top, left = (size - height // step) // 2, (size - width // step) // 2
    for row in range(height // step):
        for column in range(width // step):
            for channel in range(3):
                under = [values[step * row + i, step * column + j, channel] for i in range(step) for j in range(step)]
                mean = sum(map(float, under)) / step**2
                result[top + row, left + column, channel] = round(mean / highest * 255)
    return result


TAKEN = Selection(accept_burned_in=True)
TWIN = slowly(COLOURS, 28)


def read(path: Path, recipe: Recipe = PHOTO, **request: Any) -> Reading:
    return read_entry(path, Request(recipe=recipe, **{"kind": dicom.__name__, "selection": TAKEN, **request}))


def same(images: Array | None, twin: Array) -> None:
    assert images is not None
    assert images.dtype == np.uint8
    assert images.shape == (1, *twin.shape)
    np.testing.assert_array_equal(images[0], twin)


def test_all_channels_are_prepared_as_grey_images_would_be() -> None:
    pixels = Pixels(values=COLOURS, low=0, high=255)
    image = prepare_image(pixels, PHOTO)
    np.testing.assert_array_equal(image, TWIN)
    for channel in range(3):
        grey = prepare_image(Pixels(values=COLOURS[..., channel], low=0, high=255), Recipe(size=28))
        np.testing.assert_array_equal(image[..., channel], grey)


def test_what_is_ready_passes_bit_by_bit_and_grey_is_repeated() -> None:
    ready = RNG.integers(0, 256, (28, 28, 3), dtype=np.uint8)
    np.testing.assert_array_equal(prepare_image(Pixels(values=ready, low=0, high=255), PHOTO), ready)
    grey = ready[..., 0]
    repeated = prepare_image(Pixels(values=grey, low=0, high=255), PHOTO)
    np.testing.assert_array_equal(repeated, np.dstack([grey, grey, grey]))


def test_a_corner_of_a_photograph_keeps_its_colours() -> None:
    wide = np.tile(COLOURS, (2, 2, 1))
    wide[:60, 84:] = 255 - COLOURS
    corner = Recipe(preset="photo", size=28, roi=(0.5, 0, 1, 0.5))
    np.testing.assert_array_equal(
        prepare_image(Pixels(values=wide, low=0, high=255), corner), slowly(255 - COLOURS, 28)
    )


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_pictures(tmp_path: Path, mode: str) -> None:
    picture = Image.fromarray(COLOURS)
    picture = picture.quantize(64) if mode == "P" else picture.convert(mode)
    picture.save(tmp_path / "a.png")
    found = read(tmp_path / "a.png", kind=pictures.__name__)
    assert (found.code, found.colour) == ("", True)
    same(found.images, slowly(np.asarray(picture.convert("RGB")), 28))


def test_rgb_dicom_of_either_order_and_twelve_bits(tmp_path: Path, make_dicom: Any) -> None:
    file = make_dicom(tmp_path / "a.dcm", COLOURS, **RGB)
    same(read(file).images, TWIN)
    by_plane = {**RGB, "PlanarConfiguration": 1, "PixelData": COLOURS.transpose(2, 0, 1).tobytes()}
    same(read(make_dicom(tmp_path / "b.dcm", COLOURS, **by_plane)).images, TWIN)
    deep = (COLOURS.astype(np.uint16) * 16) + 7
    words = make_dicom(tmp_path / "c.dcm", deep, **RGB, BitsStored=12, HighBit=11)
    same(read(words).images, slowly(deep, 28, 4095))


def test_ybr_dicom(tmp_path: Path, make_dicom: Any) -> None:
    """The equations of PS3.3 C.7.6.3.1.2, turned round by hand."""
    file = make_dicom(tmp_path / "a.dcm", COLOURS, **{**RGB, "PhotometricInterpretation": "YBR_FULL"})
    y, blue, red = (COLOURS[..., channel].astype(np.float64) for channel in range(3))
    rgb = [y + 1.402 * (red - 128), y - 0.344136 * (blue - 128) - 0.714136 * (red - 128), y + 1.772 * (blue - 128)]
    found = read(file)
    assert found.images is not None
    twin = slowly(np.clip(np.stack(rgb, axis=-1), 0, 255), 28)
    assert np.abs(found.images[0].astype(int) - twin).max() <= 1


def test_palette_dicom(tmp_path: Path) -> None:
    entries = RNG.integers(0, 256, (3, 256), dtype=np.uint16) * 257
    tags = {}
    for colour, table in zip(("Red", "Green", "Blue"), entries, strict=True):
        tags[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        tags[f"{colour}PaletteColorLookupTableData"] = table.astype("<u2").tobytes()
    dataset = build_dicom(COLOURS[..., 0], PhotometricInterpretation="PALETTE COLOR", **tags)
    dataset.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    by_hand = np.stack([table[COLOURS[..., 0]] for table in entries], axis=-1)
    np.testing.assert_array_equal(apply_color_lut(COLOURS[..., 0], dataset), by_hand)
    same(read(tmp_path / "a.dcm").images, slowly(by_hand, 28, 65535))


def test_many_frames_in_colour(tmp_path: Path, make_dicom: Any) -> None:
    frames = np.stack([COLOURS, 255 - COLOURS])
    file = make_dicom(tmp_path / "a.dcm", COLOURS, **RGB, NumberOfFrames=2, PixelData=frames.tobytes())
    found = read(file).images
    assert found is not None
    for frame, image in zip(frames, found, strict=True):
        np.testing.assert_array_equal(image, prepare_image(Pixels(values=frame, low=0, high=255), PHOTO))


@pytest.mark.parametrize("modality", ["CT", "MR", "PT", "SM", "SEG"])
def test_units_and_slides_are_no_photographs(tmp_path: Path, make_dicom: Any, modality: str) -> None:
    assert read(make_dicom(tmp_path / "a.dcm", COLOURS, **RGB, Modality=modality)).code == "other_modality"


def photos(patients: int, size: int = 32) -> tuple[Array, Array, Array]:
    """Photographs, two a patient, with labels and patients."""
    two, patient = RNG.random(patients) < 0.5, np.repeat(np.arange(patients), 2)
    return draw_photos(Skin.draw(two, RNG).take(patient), RNG, size), two[patient].astype(int), patient


def as_npz(path: Path, patients: int = 40, size: int = 32) -> Array:
    images, labels, patient = photos(patients, size)
    np.savez(path, images=images, labels=labels, patient_id=patient.astype(str), classes=["plain", "two"])
    return images


def test_a_cohort_of_an_npz_is_opened_as_it_was_written(tmp_path: Path) -> None:
    images = as_npz(tmp_path / "a.npz")
    (tmp_path / "cohort").mkdir()
    options = told(size=32, colour=True)
    facts = prepare(tmp_path / "a.npz", tmp_path / "cohort", options)
    opened = open_cohort(tmp_path / "cohort")
    assert (facts.preset, facts.form) == (
        "photo",
        ImageForm(side=32, channels=3, classes=("plain", "two"), modality="OT"),
    )
    assert opened.facts == facts
    np.testing.assert_array_equal(opened.images, images)
    assert json.loads((tmp_path / "cohort" / "cohort.json").read_text())["channels"] == 3


def test_a_cohort_of_pictures_counts_the_grey_ones(tmp_path: Path) -> None:
    images, labels, patient = photos(40)
    grey = images[..., 0].copy()
    (tmp_path / "photos").mkdir()
    lines = ["file,patient,label"]
    for row, image in enumerate(images):
        Image.fromarray(grey[row] if row < 3 else image).save(tmp_path / "photos" / f"{row:03d}.png")
        lines.append(f"{row:03d}.png,p{patient[row]},c{labels[row]}")
    (tmp_path / "photos" / "labels.csv").write_text("\n".join(lines))
    (tmp_path / "cohort").mkdir()
    facts = prepare(tmp_path / "photos", tmp_path / "cohort", told(size=32, preset="photo"))
    assert "3 grey files: red, green and blue became what grey was." in facts.notes
    assert not any("converted" in note for note in facts.notes)
    found = open_cohort(tmp_path / "cohort").images
    np.testing.assert_array_equal(found[3:], images[3:])
    np.testing.assert_array_equal(found[:3], np.stack([grey[:3]] * 3, axis=-1))


def test_two_patients_with_one_colour_alike_are_not_one_person_and_a_plain_red_is_nobody(tmp_path: Path) -> None:
    images, _, patient = photos(40)
    images[2] = images[0]
    images[2][..., 2] = 255 - images[0][..., 2]
    images[10] = images[20] = [200, 10, 10]
    np.savez(tmp_path / "a.npz", images=images, patient_id=patient.astype(str))
    (tmp_path / "cohort").mkdir()
    assert prepare(tmp_path / "a.npz", tmp_path / "cohort", told(size=32, colour=True)).merged_patients == 0
    images[2] = images[0]
    np.savez(tmp_path / "b.npz", images=images, patient_id=patient.astype(str))
    (tmp_path / "other").mkdir()
    assert prepare(tmp_path / "b.npz", tmp_path / "other", told(size=32, colour=True)).merged_patients == 1


def test_colour_that_was_not_asked_for_is_refused_and_says_what_to_do(tmp_path: Path) -> None:
    as_npz(tmp_path / "a.npz")
    with pytest.raises(InputRejectedError, match="--colour"):
        scan(tmp_path / "a.npz", Wishes())
    assert scan(tmp_path / "a.npz", Wishes(colour=True)).readable == 80
    np.savez(tmp_path / "b.npz", images=np.zeros((4, 32, 32, 4), np.uint8))
    with pytest.raises(InputRejectedError, match=r"\(n, h, w, 3\)"):
        scan(tmp_path / "b.npz", Wishes(colour=True))


def test_colour_has_no_hounsfield_units_and_no_range_of_its_own() -> None:
    for preset in ("picture", "cxr", "ct-lung", "ct-soft", "mr"):
        with pytest.raises(UsageError, match=f"photo or custom, got {preset}"):
            Wishes(preset=preset, colour=True)
    assert Recipe(preset="custom", window=(0, 1), colour=True).shape == (64, 64, 3)
    assert Wishes(colour=True).named_preset == "photo"


def test_floats_in_colour_take_a_window(tmp_path: Path) -> None:
    values = RNG.random((6, 28, 28, 3)).astype(np.float32)
    np.savez(tmp_path / "a.npz", images=values)
    (tmp_path / "cohort").mkdir()
    options = told(colour=True, window=(0, 1), non_members=0, each_image_is_a_patient=True)
    prepare(tmp_path / "a.npz", tmp_path / "cohort", options)
    np.testing.assert_array_equal(open_cohort(tmp_path / "cohort").images, np.rint(values * 255))


def test_an_older_cohort_is_grey_and_a_false_number_of_channels_is_noticed(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=RNG.integers(0, 256, (6, 28, 28), dtype=np.uint8))
    folder = tmp_path / "cohort"
    folder.mkdir()
    facts = prepare(tmp_path / "a.npz", folder, told(non_members=0, each_image_is_a_patient=True))
    table = json.loads((folder / "cohort.json").read_text())
    assert table.pop("channels") == 1
    (folder / "cohort.json").write_text(json.dumps(table))
    assert open_cohort(folder).facts == facts
    write_facts(folder, replace(facts, form=replace(facts.form, channels=3)))
    with pytest.raises(IntegrityError, match="rows"):
        open_cohort(folder)


def test_an_older_run_is_grey(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    assert read_run(run).form.channels == 1
    table = json.loads((run / "run.json").read_text())
    del table["channels"]
    (run / "run.json").write_text(json.dumps(table))
    assert read_run(run).form.channels == 1


def test_the_needed_space_counts_all_channels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr("privgan.data.cohort.prepare.require_space", lambda _, needed: asked.append(needed))
    as_npz(tmp_path / "a.npz")
    (tmp_path / "cohort").mkdir()
    prepare(tmp_path / "a.npz", tmp_path / "cohort", told(size=128, colour=True))
    assert asked[0] >= 80 * 2 * math.prod((128, 128, 3))
