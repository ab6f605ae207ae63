"""NIfTI-1 volumes, ordinary ones: which slices they give, which way up, in which unit, and what names a patient."""

import gzip
import itertools
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from privgan.data.formats.nifti import reader
from privgan.data.formats.reading import Reading, Request
from privgan.data.formats.worker import read_entry
from privgan.data.recipe import Recipe
from privgan.data.selection import AXES, Selection
from tests.data.volumes import CODES, nifti, written

Array = np.ndarray[Any, Any]
SIDE = 28
AS_STORED = Recipe(preset="custom", window=(0, 255), size=SIDE)
BOX = np.random.default_rng(0).integers(0, 256, (20, 28, 24)).astype(np.uint8)
ORIENTATIONS = [
    np.array([[sign * (row == order[column]) for column, sign in enumerate(signs)] for row in range(3)])
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1.0, -1.0), repeat=3)
]


def read(path: Path, recipe: Recipe = AS_STORED, **selection: Any) -> Reading:
    return read_entry(path, Request(kind=reader.__name__, recipe=recipe, selection=Selection(**selection)))


def affine_of(directions: Array) -> Array:
    found = np.eye(4)
    found[:3, :3] = directions
    return found


def slowly(voxels: Array, directions: Array, axis: str) -> list[Array]:
    """Every slice by explicit loops: each voxel is carried to where the patient has it, and looked at from there."""
    body: dict[tuple[int, ...], int] = {}
    for place in np.ndindex(*voxels.shape):
        body[tuple(int(at) for at in directions @ np.array(place))] = int(voxels[place])
    across, ahead, up = (sorted({place[number] for place in body}) for number in range(3))
    right_to_left, front_to_back, top_down = across[::-1], ahead[::-1], up[::-1]
    if axis == "axial":
        looked_at = [[[(x, y, z) for x in right_to_left] for y in front_to_back] for z in up]
    elif axis == "coronal":
        looked_at = [[[(x, y, z) for x in right_to_left] for z in top_down] for y in ahead]
    else:
        looked_at = [[[(x, y, z) for y in front_to_back] for z in top_down] for x in across]
    return [np.array([[body[place] for place in row] for row in picture]) for picture in looked_at]


def padded(picture: Array) -> Array:
    """In the middle of a black square, which the longest side of the box fills without being resampled."""
    square = np.zeros((SIDE, SIDE), np.uint8)
    top, left = ((SIDE - side) // 2 for side in picture.shape)
    square[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return square


@pytest.mark.parametrize("axis", AXES[:3])
@pytest.mark.parametrize("number", range(0, 48, 5))
def test_every_orientation_gives_what_the_slow_twin_sees(tmp_path: Path, axis: str, number: int) -> None:
    directions = ORIENTATIONS[number]
    voxels = np.random.default_rng(number).integers(0, 256, (28, 28, 28)).astype(np.uint8)[:, :, :6]
    across = {"sagittal": 0, "coronal": 1, "axial": 2}[axis]
    voxels = np.moveaxis(voxels, 2, int(np.argmax(np.abs(directions[across]))))  # few slices, whichever are looked at
    path = written(tmp_path / "a.nii.gz", nifti(voxels, affine=affine_of(directions)))
    reading = read(path, axis=axis)
    assert (reading.code, reading.side) == ("", SIDE)
    twin = slowly(voxels, directions, axis)
    assert len(twin) == 6
    np.testing.assert_array_equal(reading.images, np.stack(twin))


@pytest.mark.parametrize("number", [0, 9, 17, 30, 47])
def test_the_header_is_understood_as_nibabel_does(tmp_path: Path, number: int) -> None:
    """A file that nibabel wrote, against its own reorientation to right, front and up."""
    voxels = np.random.default_rng(1).integers(0, 256, (28, 28, 28)).astype(np.uint8)
    nibabel.save(nibabel.Nifti1Image(voxels, affine_of(ORIENTATIONS[number])), tmp_path / "a.nii.gz")
    body = np.asarray(nibabel.as_closest_canonical(nibabel.load(tmp_path / "a.nii.gz")).dataobj)
    np.testing.assert_array_equal(read(tmp_path / "a.nii.gz").images, [body[::-1, ::-1, z].T for z in range(28)])


def test_a_qform_counts_where_there_is_no_sform_and_oblique_is_cut_along_the_nearest_axis(tmp_path: Path) -> None:
    half = float(np.sin(np.deg2rad(10) / 2))
    plain = read(written(tmp_path / "a.nii", nifti(BOX))).images
    turned = nifti(BOX, sform_code=0, qform_code=1, quatern=(0.0, 0.0, half), pixdim=(0.0, *[1.0] * 7))
    np.testing.assert_array_equal(read(written(tmp_path / "b.nii", turned)).images, plain)
    flipped = nifti(BOX, sform_code=0, qform_code=1, pixdim=(-1.0, *[1.0] * 7))  # the third axis runs downwards
    np.testing.assert_array_equal(read(written(tmp_path / "c.nii", flipped)).images, plain[::-1])


def test_without_an_orientation_only_stored_slices_are_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.nii", nifti(BOX, sform_code=0))
    assert [read(path, axis=axis).code for axis in AXES] == [*["no_orientation"] * 3, ""]
    np.testing.assert_array_equal(read(path, axis="stored").images, [padded(BOX[:, :, k].T) for k in range(24)])


@pytest.mark.parametrize("kind", sorted(CODES))
@pytest.mark.parametrize("order", "<>")
def test_every_number_and_byte_order_is_scaled(tmp_path: Path, kind: str, order: str) -> None:
    voxels = (BOX // 2).astype(kind)
    path = written(tmp_path / "a.nii", nifti(voxels, order=order, scl_slope=2.0, scl_inter=-10.0))
    twin = [
        padded(np.array([[max(0, 2 * int(v) - 10) for v in row] for row in voxels[::-1, ::-1, z].T]))
        for z in range(24)
    ]
    np.testing.assert_array_equal(read(path).images, twin)
    unscaled = written(tmp_path / "b.nii", nifti(voxels, order=order, scl_slope=0.0, scl_inter=77.0))
    np.testing.assert_array_equal(read(unscaled).images[5], padded(voxels[::-1, ::-1, 5].T))


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize(
    ("selection", "kept"),
    [
        ({"every": 5}, slice(None, None, 5)),
        ({"frames": "3-9", "every": 2}, slice(2, 9, 2)),
        ({"frames": "first"}, slice(0, 1)),
    ],
)
def test_slices_are_selected_as_frames_are(tmp_path: Path, axis: str, selection: Any, kept: slice) -> None:
    path = written(tmp_path / "a.nii", nifti(BOX, affine=affine_of(ORIENTATIONS[7])))
    np.testing.assert_array_equal(read(path, axis=axis, **selection).images, read(path, axis=axis).images[kept])
    assert read(path, axis=axis, frames="900-999").code == "not_selected"


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (28, 28, 1, 1), (28, 28, 1, 1, 1)])
def test_one_slice_is_one_image_and_cannot_be_cut_across(tmp_path: Path, shape: tuple[int, ...]) -> None:
    voxels = BOX[:1].repeat(28, 0)[:, :, :1].reshape(28, 28)
    path = written(tmp_path / "a.nii", nifti(voxels.reshape(shape)))
    np.testing.assert_array_equal(read(path).images, voxels[::-1, ::-1].T[None])
    assert read(path, axis="coronal").code == "not_selected"


@pytest.mark.parametrize(
    ("kind", "scaling", "preset", "code"),
    [
        ("i2", {}, "ct-soft", ""),
        ("f4", {}, "ct-lung", ""),
        ("u2", {"scl_inter": -50.0}, "ct-soft", ""),
        ("u2", {}, "ct-soft", "missing_rescale"),
        ("u1", {"scl_slope": 4.0}, "ct-lung", "missing_rescale"),
        ("u1", {}, "cxr", ""),
        ("u2", {}, "photo", ""),
        ("i2", {}, "cxr", "no_range"),
        ("f4", {}, "cxr", "no_range"),
        ("u4", {}, "cxr", "no_range"),
        ("f8", {}, "mr", ""),
    ],
)
def test_a_preset_is_applied_only_to_values_that_it_can_mean(
    tmp_path: Path, kind: str, scaling: dict[str, float], preset: str, code: str
) -> None:
    smooth = np.add.outer(np.add.outer(np.arange(28), np.arange(28)), np.arange(2)).astype(kind)
    smooth *= 2 if kind.endswith("1") else 300 if kind == "u2" and preset == "photo" else 1
    path = written(tmp_path / "a.nii", nifti(smooth, **scaling))
    assert read(path, Recipe(preset=preset, size=SIDE)).code == code


def test_hounsfield_units_are_the_values_after_scaling(tmp_path: Path) -> None:
    voxels = np.full((28, 28, 2), 1024, np.uint16)
    voxels[:14] = 1024 + 240
    voxels[20, 20] = 1024 - 160  # two values alone would be a mask's
    path = written(tmp_path / "a.nii", nifti(voxels, scl_inter=-1024.0))
    (image, _) = read(path, Recipe(preset="ct-soft", size=SIDE)).images
    assert np.unique(image).tolist() == [0, round(160 / 400 * 255), 255]
    assert (image[:, 14:] == 255).all()  # stored to the left, seen on the right


def test_what_names_a_patient_comes_along(tmp_path: Path) -> None:
    extension = b'\x20\0\0\0\6\0\0\0{"PatientName": "Zorkel^Vimbru"}\0\0'
    fields = {"descrip": b"scan;id=4711-0815", "aux_file": b"old\0Vimbrutown", "db_name": b"ZZ-4711-MARK"}
    content = nifti(BOX, extension=extension, **fields)
    renamed = tmp_path / "a.nii.gz"
    with renamed.open("wb") as stream, gzip.GzipFile("Zorkel_0099.nii", "wb", 9, stream) as packed:
        packed.write(content)
    reading = read(renamed)
    assert reading.code == ""
    expected = {
        ("name", "Zorkel^Vimbru"),
        ("text", "scan id 4711-0815"),
        ("text", "Vimbrutown"),
        ("text", "ZZ-4711-MARK"),
        ("file_name", "Zorkel_0099"),
    }
    assert expected <= set(reading.identifiers)
    assert (reading.patient, reading.modality, reading.unstated) == ("", "", True)
    assert "Zorkel" not in repr(reading)


def test_several_gzip_members_are_one_file(tmp_path: Path) -> None:
    content = nifti(BOX)
    parts = [content[start : start + 5000] for start in range(0, len(content), 5000)]
    (tmp_path / "a.nii.gz").write_bytes(b"".join(map(gzip.compress, parts)))
    np.testing.assert_array_equal(
        read(tmp_path / "a.nii.gz").images, read(written(tmp_path / "b.nii", content)).images
    )
