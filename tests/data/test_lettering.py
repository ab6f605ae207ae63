"""Readers look at pictures before they shrink; scan looks at every file, prepare at some of many; counts are told."""

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from privgan.arrays import Floats
from privgan.data.cohort.scan import scan
from privgan.data.formats import picture
from privgan.data.formats.dicom import reader as dicom
from privgan.data.formats.nifti import reader as nifti
from privgan.data.formats.reading import Reading, Request
from privgan.data.formats.worker import read_entry
from privgan.data.lettering import ALL_OF, LOOKED, ONE_IN, TEXT, Lettering, one_in
from privgan.data.recipe import Recipe
from privgan.data.selection import Selection
from privgan.data.sources.opening import open_source
from privgan.data.sources.source import Seen
from privgan.data.sources.wishes import Wishes
from tests.data.conftest import MakeDicom
from tests.painting import painted

TOLD = "may show text in their pixels"
UPPER, LOWER = (0.05, 0.1), (0.95, 0.1)


def grey(*, text: bool, at: tuple[float, float] = UPPER) -> Floats:
    shades = np.tile(np.linspace(20, 90, 400), (400, 1)) + np.random.default_rng(0).normal(0, 2, (400, 400))
    return painted(shades, "VIMBRU 19540312", 14, 120, at) if text else shades


def read(path: Path, kind: str, recipe: Recipe, *, trusted: bool = False) -> Reading:
    found = read_entry(path, Request(kind=kind, recipe=recipe, selection=Selection(trusted=trusted)))
    assert not found.code
    return found


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize(
    "recipe",
    [Recipe(preset="cxr", size=64), Recipe(preset="mr", size=64), Recipe(preset="custom", window=(0.0, 4095.0))],
    ids=["stored range", "own range", "window"],
)
def test_dicom(make_dicom: MakeDicom, tmp_path: Path, photometric: str, text: bool, recipe: Recipe) -> None:
    values = (grey(text=text) * 4095 / 255).astype(np.uint16)
    tags = {"Modality": "MR" if recipe.preset == "mr" else "CR", "PhotometricInterpretation": photometric}
    path = make_dicom(tmp_path / "a.dcm", values, BitsStored=12, HighBit=11, **tags)
    assert read(path, dicom.__name__, recipe).remarks == ((LOOKED, TEXT) if text else (LOOKED,))


def test_a_set_that_a_generator_made_is_not_looked_at(make_dicom: MakeDicom, tmp_path: Path) -> None:
    path = make_dicom(tmp_path / "a.dcm", grey(text=True).astype(np.uint8))
    assert read(path, dicom.__name__, Recipe(preset="cxr", size=64), trusted=True).remarks == ()


@pytest.mark.parametrize(("at", "seen"), [(UPPER, ()), (LOWER, (TEXT,))])
def test_what_is_cut_off_is_not_looked_at(
    make_dicom: MakeDicom, tmp_path: Path, at: tuple[float, float], seen: tuple[str, ...]
) -> None:
    path = make_dicom(tmp_path / "a.dcm", grey(text=True, at=at).astype(np.uint8))
    recipe = Recipe(preset="cxr", size=64, roi=(0.0, 0.2, 1.0, 1.0))
    assert read(path, dicom.__name__, recipe).remarks == (LOOKED, *seen)


def test_one_frame_with_text_is_enough(make_dicom: MakeDicom, tmp_path: Path) -> None:
    frames = np.stack([grey(text=number == 2) for number in range(4)]).astype(np.uint8)
    path = make_dicom(tmp_path / "a.dcm", frames, Rows=400, Columns=400, NumberOfFrames=4)
    assert read(path, dicom.__name__, Recipe(preset="cxr", size=64)).remarks == (LOOKED, TEXT)


@pytest.mark.parametrize("text", [True, False])
def test_pictures_and_volumes(tmp_path: Path, text: bool) -> None:
    values = grey(text=text).astype(np.uint8)
    Image.fromarray(values).save(tmp_path / "a.png")
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    nib.Nifti1Image(np.repeat(values.T[..., None], 3, axis=2), affine).to_filename(tmp_path / "a.nii")
    for name, kind in (("a.png", picture.__name__), ("a.nii", nifti.__name__)):
        found = read(tmp_path / name, kind, Recipe(preset="cxr", size=64))
        assert found.remarks == ((LOOKED, TEXT) if text else (LOOKED,))


def pictures(folder: Path, count: int, is_text: Callable[[int], bool]) -> Path:
    folder.mkdir()
    for number in range(count):
        Image.fromarray(grey(text=is_text(number)).astype(np.uint8)).save(folder / f"{number:03d}.png")
    return folder


def test_scan_says_how_many_files_show_text(tmp_path: Path) -> None:
    notes = scan(pictures(tmp_path / "p", 6, lambda number: number < 2), Wishes(preset="cxr", size=64)).notes
    assert [note for note in notes if TOLD in note and note.startswith("2 of 6 files ")]
    notes = scan(pictures(tmp_path / "q", 3, lambda _: False), Wishes(preset="cxr", size=64)).notes
    assert not [note for note in notes if TOLD in note]


@pytest.mark.parametrize("every", [True, False])
def test_of_many_files_prepare_looks_at_some_and_scan_at_all(tmp_path: Path, every: bool) -> None:
    images = np.repeat(grey(text=True)[None, :100, :256].astype(np.uint8), ALL_OF + 60, axis=0)
    images[:, 99, 0] = np.arange(len(images))
    np.savez(tmp_path / "a.npz", images=images)
    source = open_source(tmp_path / "a.npz", Wishes(preset="cxr", size=64, look_at_all=every))
    seen = Seen()
    for entry in source.entries():
        seen.add(entry.remarks, entry.rows)
    assert seen.remarks[LOOKED] == seen.remarks[TEXT] > 0
    assert (seen.remarks[LOOKED] == len(images)) == every
    told = f"{seen.remarks[TEXT]} of {seen.remarks[LOOKED]} images "
    assert any(note.startswith(told) and TOLD in note for note in source.notes(seen))


def test_one_name_in_many_is_looked_at_and_always_the_same() -> None:
    assert one_in(ALL_OF, every=False) == one_in(10**6, every=True) == 1
    assert one_in(ALL_OF + 1, every=False) == ONE_IN

    def looked(number: int) -> bool:
        lettering = Lettering(b"IM%06d.dcm" % number, ONE_IN)
        lettering(np.zeros((16, 16), dtype=np.uint8), 0, 255)
        return lettering.remarks == (LOOKED,)

    some = [looked(number) for number in range(3200)]
    assert some == [looked(number) for number in range(3200)]
    assert 60 < sum(some) < 140
