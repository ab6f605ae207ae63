"""A set is what generate wrote, to the byte, or it is refused."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from privgan.errors import IntegrityError, UsageError
from privgan.synthetic.synthetic_set import open_synthetic_set
from tests.synthetic.making import SEED, make_set, reseal

FILES = (
    "README.md",
    "manifest.json",
    "NOT_RELEASED",
    "SEED",
    "labels.csv",
    "images.npz",
    "contact-sheet.png",
    "dicom/000002/000002.dcm",
)


def swap_for_link(folder: Path) -> None:
    target = folder / "labels.csv"
    target.rename(folder.parent / "elsewhere.csv")
    target.symlink_to(folder.parent / "elsewhere.csv")


def swap_for_fifo(folder: Path) -> None:
    (folder / "labels.csv").unlink()
    os.mkfifo(folder / "labels.csv")


def link_folder(folder: Path) -> None:
    (folder.parent / "aside").mkdir()
    (folder / "more").symlink_to(folder.parent / "aside")


@pytest.mark.parametrize("name", FILES)
def test_an_edited_file_is_found(tmp_path: Path, name: str) -> None:
    path = make_set(tmp_path / "set") / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(IntegrityError):
        open_synthetic_set(tmp_path / "set")


@pytest.mark.parametrize("name", [name for name in FILES if name not in ("NOT_RELEASED", "SEED")])
def test_a_missing_file_is_found(tmp_path: Path, name: str) -> None:
    (make_set(tmp_path / "set") / name).unlink()
    with pytest.raises(IntegrityError):
        open_synthetic_set(tmp_path / "set")


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / "notes.txt").write_text("hello"),
        lambda folder: (folder / "dicom" / "000001" / ".hidden").write_text(""),
        lambda folder: (folder / "DOE_JANE").mkdir(),
        link_folder,
        swap_for_link,
        swap_for_fifo,
    ],
)
def test_extra_and_irregular_entries_are_found(tmp_path: Path, harm: Callable[[Path], object]) -> None:
    harm(make_set(tmp_path / "set"))
    with pytest.raises(IntegrityError):
        open_synthetic_set(tmp_path / "set")


def test_the_mark_may_be_absent_as_in_a_bundle(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "set")
    marked = open_synthetic_set(folder)
    (folder / "NOT_RELEASED").unlink()
    assert open_synthetic_set(folder).sha256 == marked.sha256
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_seed_may_be_absent_as_in_a_bundle_but_not_another(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "set")
    marked = open_synthetic_set(folder)
    assert marked.seed == SEED
    assert (folder / "SEED").stat().st_mode & 0o777 == 0o600
    for content in (b"", SEED.text.encode() * 2, SEED.text.upper().encode(), b"0" * 64 + b"\n"):
        (folder / "SEED").write_bytes(content)
        with pytest.raises(IntegrityError, match="SEED"):
            open_synthetic_set(folder)
    (folder / "SEED").unlink()
    assert open_synthetic_set(folder).seed is None
    assert open_synthetic_set(folder).sha256 == marked.sha256


@pytest.mark.parametrize("name", ["SEED", "NOT_RELEASED", "manifest.json"])
def test_what_stays_behind_is_no_file_of_the_set(tmp_path: Path, name: str) -> None:
    path = make_set(tmp_path / "set") / "manifest.json"
    table = json.loads(path.read_text())
    path.write_text(json.dumps({**table, "files": {**table["files"], name: "0" * 64}}))
    with pytest.raises(IntegrityError, match="stays behind"):
        open_synthetic_set(tmp_path / "set")


def test_images_of_another_generator_are_no_set(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="audited but not released"):
        open_synthetic_set(tmp_path)


def test_no_such_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        open_synthetic_set(tmp_path / "absent")


@pytest.mark.parametrize(
    "arrays",
    [
        {"labels": np.full(6, 2, np.int64)},
        {"labels": np.zeros(5, np.int64)},
        {"images": np.zeros((6, 28, 28), np.float64)},
        {"images": np.zeros((6, 27, 28), np.uint8)},
        {"classes": np.array(["normal", "fracture"])},
        {"images": np.array([{"a": 1}] * 6, dtype=object)},
    ],
)
def test_arrays_that_the_manifest_does_not_describe_are_refused(
    tmp_path: Path, arrays: dict[str, np.ndarray]
) -> None:
    folder = make_set(tmp_path / "set")
    with np.load(folder / "images.npz") as loaded:
        good = dict(loaded)
    reseal(folder)
    open_synthetic_set(folder)
    np.savez(folder / "images.npz", **{**good, **arrays})
    reseal(folder)
    with pytest.raises(IntegrityError, match=r"images\.npz"):
        open_synthetic_set(folder)


@pytest.mark.parametrize(
    "change",
    [{"schema_version": 2}, {"kind": "cohort"}, {"files": ["a"]}, {"surplus": 1}, {"count": "6"}, {"privacy": 3}],
)
def test_a_manifest_of_another_form_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = make_set(tmp_path / "set") / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(IntegrityError):
        open_synthetic_set(tmp_path / "set")
