"""The three kinds of source through one door, and what is said when there is nothing behind it."""

import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.uid import DeflatedExplicitVRLittleEndian

from privgan.data.cohort.options import PrepareOptions
from privgan.data.cohort.prepare import prepare
from privgan.data.cohort.scan import scan
from privgan.data.refusals import MAX_PIXELS
from privgan.data.sources.opening import read_images
from privgan.data.sources.wishes import Wishes
from privgan.errors import InputRejectedError, UsageError
from privgan.images.stored import as_stored
from tests.data.conftest import build_dicom

PIXELS = np.random.default_rng(0).integers(0, 4096, (64, 64)).astype(np.uint16)


def read(path: Path, **changes: Any) -> Any:
    return read_images(path, Wishes(**{"size": 64, **changes}))


def save_npz(path: Path, **arrays: Any) -> Path:
    np.savez_compressed(path, **arrays)
    return path


def pictures(folder: Path, count: int) -> np.ndarray[Any, Any]:
    folder.mkdir(exist_ok=True)
    values = np.random.default_rng(count).integers(0, 256, (count, 64, 64), dtype=np.uint8)
    for number, image in enumerate(values):
        Image.fromarray(image).save(folder / f"{number}.png")
    return values


def test_npz_with_patients_and_classes(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 1), dtype=np.uint8)
    file = save_npz(
        tmp_path / "a.npz",
        images=images,
        labels=np.array([[1], [0], [1], [2]]),
        classes=np.array(["b", "a"]),
        patient_id=np.array(["p2", "p1", "p2", ""]),
    )
    loaded = read(file, size=None)
    np.testing.assert_array_equal(loaded.images, images[:3])
    assert loaded.patients.tolist() == [0, 1, 0]
    assert (loaded.labels.tolist(), loaded.classes) == ([1, 0, 1], ("b", "a"))
    assert loaded.patient_keys == ("p2", "p1")
    assert loaded.refused == {"missing_patient_id": 1}
    assert "p2" not in repr(loaded)


def test_medmnist_keys_read_the_train_split_only(tmp_path: Path) -> None:
    train, test = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8), np.full((9, 28, 28), 9, np.uint8)
    labels = {"train_labels": np.array([[10], [9], [10]], np.uint8), "test_labels": np.zeros((9, 1), np.uint8)}
    loaded = read(save_npz(tmp_path / "a.npz", train_images=train, test_images=test, **labels), size=None)
    np.testing.assert_array_equal(as_stored(loaded.images), train)
    assert (loaded.classes, loaded.labels.tolist()) == (("9", "10"), [1, 0, 1])
    assert loaded.patients.tolist() == [0, 1, 2]
    assert any("each image counts as one patient" in note for note in loaded.notes)


def test_npz_rows_with_nan_cost_themselves(tmp_path: Path) -> None:
    images = np.zeros((3, 64, 64), np.float32)
    images += np.arange(64)
    images[1, 5, 5] = np.nan
    loaded = read(save_npz(tmp_path / "a.npz", images=images), preset="mr")
    assert (len(loaded.images), loaded.refused) == (2, {"non_finite_pixels": 1})


@pytest.mark.parametrize(
    "arrays",
    [
        {"pictures": np.zeros((2, 64, 64), np.uint8)},
        {"images": np.zeros((2, 64, 64, 3), np.uint8)},
        {"images": np.zeros((2, 64, 64), complex)},
        {"images": np.zeros((0, 64, 64), np.uint8)},
        {"images": np.asfortranarray(np.zeros((2, 64, 64), np.uint8))},
        {"images": np.zeros((2, 64, 64), np.uint8), "labels": np.zeros(3, int)},
        {"images": np.zeros((2, 64, 64), np.uint8), "labels": np.zeros((2, 4), int)},
        {"images": np.zeros((2, 64, 64), np.uint8), "labels": np.zeros(2)},
        {"images": np.zeros((2, 64, 64), np.uint8), "patient_id": np.array(["a", None], dtype=object)},
        {"images": np.array([None, None], dtype=object)},
    ],
)
def test_other_npz_files_are_refused_whole(tmp_path: Path, arrays: dict[str, Any]) -> None:
    with pytest.raises(InputRejectedError, match="Expected"):
        read(save_npz(tmp_path / "a.npz", **arrays))


def test_an_npz_that_lies_or_is_cut_is_refused_without_allocating(tmp_path: Path) -> None:
    lying = tmp_path / "lying.npz"
    header = np.lib.format.header_data_from_array_1_0(np.zeros((1, 64, 64), np.uint8)) | {
        "shape": (9_999_999, 4096, 4096)
    }
    with zipfile.ZipFile(lying, "w") as archive, archive.open("images.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, header)
        member.write(bytes(100))
    whole = save_npz(tmp_path / "a.npz", images=np.zeros((50, 64, 64), np.uint8)).read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[:-40])
    flipped = bytearray(save_npz(tmp_path / "b.npz", images=np.tile(PIXELS, (9, 1, 1))).read_bytes())
    flipped[len(flipped) // 2] ^= 255
    (tmp_path / "flipped.npz").write_bytes(flipped)
    os.mkfifo(tmp_path / "fifo.npz")
    for name in ("lying", "cut", "flipped", "fifo"):
        with pytest.raises(InputRejectedError, match="Expected"):
            read(tmp_path / f"{name}.npz")


def test_windows_must_fit_the_numbers(tmp_path: Path) -> None:
    signed = save_npz(tmp_path / "a.npz", images=np.stack([np.tile(np.arange(64, dtype=np.int16), (64, 1))] * 2))
    with pytest.raises(UsageError, match="--preset custom"):
        read(signed)
    assert len(read(signed, preset="ct-soft").images) == 2
    with pytest.raises(UsageError, match="Hounsfield"):
        read(save_npz(tmp_path / "b.npz", images=np.zeros((2, 64, 64), np.uint8)), preset="ct-soft")


def test_picture_folder_with_labels(tmp_path: Path) -> None:
    values = pictures(tmp_path / "src", 4)
    (tmp_path / "src" / "labels.csv").write_text(
        "File,Patient,Label\n0.png,anna,sick\n1.png,anna,well\n2.png,bob,sick\n2.png,bob,sick\nnone.png,x,sick\n"
    )
    loaded = read(tmp_path / "src")
    np.testing.assert_array_equal(as_stored(loaded.images), values[:3])
    assert (loaded.patients.tolist(), loaded.classes) == ([0, 0, 1], ("sick", "well"))
    assert loaded.refused == {"missing_patient_id": 1}
    assert any(note.startswith("1 repeated rows") for note in loaded.notes)
    assert any(note.startswith("1 rows of the label table name nothing") for note in loaded.notes)


def test_a_bare_name_that_two_folders_share_labels_neither(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / "src" / name).mkdir(parents=True)
        pictures(tmp_path / "src" / name, 2 if name == "one" else 1)
    (tmp_path / "src" / "labels.csv").write_text("file,patient\n0.png,anna\n1.png,bob\n")
    loaded = read(tmp_path / "src")
    assert loaded.patient_keys == ("bob",)
    assert loaded.refused == {"missing_patient_id": 2}


def test_picture_folder_without_labels_counts_each_file_as_a_patient(tmp_path: Path) -> None:
    pictures(tmp_path / "src", 3)
    (tmp_path / "src" / "notes.txt").write_text("not a picture")
    loaded = read(tmp_path / "src")
    assert loaded.patients.tolist() == [0, 1, 2]
    assert (loaded.classes, loaded.refused) == (("image",), {"not_an_image": 1})
    assert any("each file counts as one patient" in note for note in loaded.notes)


@pytest.mark.parametrize("key", ["patient", "study", "instance", "file"])
def test_dicom_labels_by_any_key(make_dicom: Any, tmp_path: Path, key: str) -> None:
    names = {
        "patient": ("P1", "P2"),
        "study": ("1.2.3", "1.2.4"),
        "instance": ("1.3.3", "1.3.4"),
        "file": ("a.dcm", "b/b.dcm"),
    }
    for number in (0, 1):
        make_dicom(
            tmp_path / "src" / names["file"][number],
            PIXELS,
            PatientID=names["patient"][number],
            IssuerOfPatientID="SITE",
            StudyInstanceUID=names["study"][number],
            SOPInstanceUID=names["instance"][number],
        )
    (tmp_path / "table.csv").write_text(
        f"\ufefflabel,{key}\nyes,{names[key][0]}\nno,{names[key][1]}\n", encoding="utf-8"
    )
    loaded = read(tmp_path / "src", csv=(tmp_path / "table.csv",))
    assert (loaded.classes, loaded.labels.tolist()) == (("no", "yes"), [1, 0])


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a,b\n1,2\n", UsageError),
        ("", UsageError),
        ("patient\nx\n", UsageError),
        ("file,label\na.dcm,yes\na.dcm,no\n", InputRejectedError),
        ('file,label\n"a.dcm,yes\n', InputRejectedError),
    ],
)
def test_label_tables_that_cannot_be_used(make_dicom: Any, tmp_path: Path, text: str, error: type) -> None:
    make_dicom(tmp_path / "src" / "a.dcm", PIXELS)
    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(error, match="Expected"):
        read(tmp_path / "src", csv=(tmp_path / "table.csv",))


def deflate_bomb(deflated: Path) -> None:
    """Replace the deflated data set of a DICOM file by 160 MB of zeros."""
    content = deflated.read_bytes()
    start = 144 + int.from_bytes(content[140:144], "little")  # the group length ends at 144
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    zeros = b"".join(squeezer.compress(bytes(1 << 20)) for _ in range(160))
    deflated.write_bytes(content[:start] + zeros + squeezer.flush())


def test_one_hostile_folder_loses_only_its_hostile_files(make_dicom: Any, tmp_path: Path) -> None:
    make_dicom(tmp_path / "good.dcm", PIXELS)
    deflate_bomb(make_dicom(tmp_path / "bomb.dcm", PIXELS, DeflatedExplicitVRLittleEndian))
    make_dicom(tmp_path / "giant.dcm", PIXELS, Rows=65535, Columns=65535)
    os.mkfifo(tmp_path / "fifo.dcm")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "self.dcm").symlink_to(tmp_path / "self.dcm")
    (tmp_path / "empty.dcm").touch()
    (tmp_path / "text.dcm").write_text("hello")
    loaded = read(tmp_path)
    assert len(loaded.images) == 1
    assert loaded.refused == {"not_regular": 3, "too_large": 2, "empty_file": 1, "not_dicom": 1}


def test_the_largest_admitted_image_fits_into_a_worker(make_dicom: Any, tmp_path: Path) -> None:
    values = np.tile(PIXELS, (91, 91))[:5792, :5792]
    values[:, :2000] //= 2
    make_dicom(tmp_path / "a.dcm", values)
    loaded = read(tmp_path)
    assert loaded.refused == {}
    assert 5792**2 <= MAX_PIXELS < 5793**2


def test_links_that_the_user_names_are_followed(tmp_path: Path) -> None:
    save_npz(tmp_path / "a.npz", images=np.stack([np.tril(np.full((64, 64), 9, np.uint8))] * 2))
    (tmp_path / "b.npz").symlink_to(tmp_path / "a.npz")
    pictures(tmp_path / "src", 1)
    (tmp_path / "table.csv").write_text("file,patient\n0.png,a\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "table.csv")
    assert len(read(tmp_path / "b.npz").images) == 2
    assert read(tmp_path / "src", csv=(tmp_path / "link.csv",)).patient_keys == ("a",)


def test_nothing_readable_is_refused_with_counts(make_dicom: Any, tmp_path: Path) -> None:
    make_dicom(tmp_path / "SECRET" / "ZZNAME.dcm", PIXELS, Modality="US")
    (tmp_path / "b.dcm").touch()
    with pytest.raises(InputRejectedError, match=r"empty_file: 1, likely_burned_in: 1") as caught:
        read(tmp_path)
    assert "ZZNAME" not in str(caught.value)


def test_missing_empty_and_strange_sources(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="missing"):
        read(tmp_path / "absent")
    with pytest.raises(InputRejectedError, match="empty"):
        read(tmp_path)
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(InputRejectedError, match="Expected a folder"):
        read(tmp_path / "a.txt")
    pictures(tmp_path / "src", 1)
    with pytest.raises(UsageError, match="ct preset"):
        read(tmp_path / "src", preset="ct-lung")
    (tmp_path / "src" / "labels.csv").write_text("patient,label\na,b\n")
    with pytest.raises(UsageError, match="column `file`"):
        read(tmp_path / "src")


def test_a_file_of_many_frames_is_refused_once_by_scan_and_by_prepare(tmp_path: Path) -> None:
    """Three frames with a label that nobody declared are one refused file; the others give two images each."""
    source = tmp_path / "source"
    source.mkdir()
    rng = np.random.default_rng(0)
    lines = ["patient,label"]
    for number in range(30):
        frames = rng.integers(0, 4096, (2 + (number == 0), 32, 32)).astype(np.uint16)
        dataset = build_dicom(frames[0], NumberOfFrames=len(frames), PatientID=f"PAT-{number}")
        dataset.PixelData = frames.tobytes()
        dataset.save_as(source / f"{number:02d}.dcm", enforce_file_format=True)
        lines.append(f"PAT-{number},{'b' if number else 'a'}")
    table = tmp_path / "table.csv"
    table.write_text("\n".join(lines))
    options = PrepareOptions(reading=Wishes(preset="cxr", csv=(table,), classes=("b",), size=32))
    (tmp_path / "cohort").mkdir()
    seen, made = scan(source, options.reading), prepare(source, tmp_path / "cohort", options)
    assert seen.refused == made.refused == {"unknown_class": 1}
    assert seen.images == made.images == 58
