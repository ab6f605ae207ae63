"""The suggested split and the further forms: every image once, the same for everybody, and nothing else."""

import csv
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from privgan.images.form import ImageForm
from privgan.synthetic.dicom.form import files_of
from privgan.synthetic.other_forms import IMAGE_FOLDER, MEDMNIST, SplitImages, class_folders
from privgan.synthetic.set_files import SetFiles
from privgan.synthetic.splits import SPLITS, TEST, TRAIN, VALIDATION, splits_csv, suggested
from privgan.synthetic.synthetic_set import open_synthetic_set
from tests.synthetic.making import make_set

labels_drawn = st.lists(st.integers(0, 3), min_size=1, max_size=80).map(np.array)


@given(labels_drawn, st.integers(1, 5))
def test_frames_of_a_file_stay_together_and_every_ten_files_split_alike(labels: np.ndarray, frames: int) -> None:
    files = files_of(labels, frames)
    splits = suggested(labels, files)
    for held in files:
        assert len(set(splits[held.start : held.stop])) == 1
    for label in set(labels.tolist()):
        of_class = [splits[held.start] for held in files if labels[held.start] == label]
        for start in range(0, len(of_class) - 9, 10):
            assert Counter(of_class[start : start + 10]) == {TRAIN: 7, VALIDATION: 1, TEST: 2}


@given(labels_drawn)
def test_without_files_each_image_is_one(labels: np.ndarray) -> None:
    assert (suggested(labels, None) == suggested(labels, [range(n, n + 1) for n in range(len(labels))])).all()


def test_the_table_names_each_image_once(tmp_path: Path) -> None:
    """Of a set whose files hold several frames: a row an image, with the file's split."""
    held = open_synthetic_set(make_set(tmp_path / "set", 9, form={"frames": 2}))
    files = SetFiles(held.manifest, held.images, held.labels, FORMS_OF_DICOM)
    classes = [held.manifest.form.classes[label] for label in held.labels]
    table = splits_csv(files.homes, classes, files.splits.tolist())
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [int(row["image"]) for row in rows] == list(range(9))
    assert {row["file"] for row in rows} == set(files.dicom)
    with (held.folder / "labels.csv").open() as stream:
        label_of = {row["file"]: row["label"] for row in csv.DictReader(stream)}
    assert all(label_of[row["file"]] == row["label"] for row in rows)
    assert all(row["split"] in SPLITS for row in rows)


FORMS_OF_DICOM = ("dicom", "npz")


@pytest.fixture(params=[1, 3], ids=["grey", "colour"])
def split_images(request: pytest.FixtureRequest) -> SplitImages:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 23)
    return SplitImages(
        images=rng.integers(0, 256, (23, *ImageForm(side=8, channels=request.param).shape), dtype=np.uint8),
        labels=labels,
        splits=suggested(labels, None),
        classes=("normal", "pleural effusion"),
    )


def test_medmnist_holds_every_image_in_its_split(split_images: SplitImages) -> None:
    ((name, pieces),) = split_images.files(MEDMNIST)
    assert name == "medmnist.npz"
    with np.load(io.BytesIO(b"".join(pieces)), allow_pickle=False) as arrays:
        assert set(arrays) == {
            f"{split}_{what}" for split in ("train", "val", "test") for what in ("images", "labels")
        }
        for split, short in zip(SPLITS, ("train", "val", "test"), strict=True):
            chosen = split_images.splits == split
            assert (arrays[f"{short}_images"] == split_images.images[chosen]).all()
            assert arrays[f"{short}_labels"].shape == (chosen.sum(), 1)
            assert arrays[f"{short}_labels"].dtype == np.uint8
            assert (arrays[f"{short}_labels"][:, 0] == split_images.labels[chosen]).all()


def test_the_image_folder_holds_every_image_where_loaders_look(split_images: SplitImages) -> None:
    files = {name: b"".join(pieces) for name, pieces in split_images.files(IMAGE_FOLDER)}
    assert len(files) == 23
    folders = class_folders(split_images.classes)
    for name, content in files.items():
        _, split, folder, file = name.split("/")
        number = int(Path(file).stem)
        assert split == split_images.splits[number]
        assert folders.index(folder) == split_images.labels[number]
        assert (np.asarray(Image.open(io.BytesIO(content))) == split_images.images[number]).all()


@given(st.lists(st.text(max_size=12), min_size=1, max_size=120))
def test_folders_of_classes_are_plain_sort_as_labels_do_and_differ(classes: list[str]) -> None:
    folders = class_folders(tuple(classes))
    assert sorted(folders) == folders
    assert len({folder.casefold() for folder in folders}) == len(classes)
    assert all(
        set(folder) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") for folder in folders
    )
