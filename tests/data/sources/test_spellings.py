"""Label tables as people have them: separators, encodings, and paths of other systems."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from privgan.data.cohort.scan import scan
from privgan.data.sources.labels import loosened
from privgan.data.sources.opening import LoadedImages, read_images
from privgan.data.sources.wishes import Wishes
from privgan.errors import InputRejectedError

PATHS = ("ward a/01.png", "ward a/02.png", "ward b/03.scan.png", "04.png")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for path in PATHS:
        (tmp_path / "src" / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (28, 28), dtype=np.uint8)).save(tmp_path / "src" / path)
    return tmp_path / "src"


def write(folder: Path, separator: str = ",", encoding: str = "utf-8", spelled: Callable[[str], str] = str) -> None:
    lines = [separator.join(("Patient ID", "File", "Label"))]
    lines += [separator.join((f"P{n // 2}", f'"{spelled(path)}"', "über")) for n, path in enumerate(PATHS)]
    (folder / "labels.csv").write_bytes("\r\n".join(lines).encode(encoding))


def read(folder: Path) -> LoadedImages:
    return read_images(folder, Wishes(size=28, preset="cxr"))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_separators_and_encodings_of_spreadsheets_are_read(pictures: Path, separator: str, encoding: str) -> None:
    write(pictures, separator, encoding)
    loaded = read(pictures)
    assert (loaded.patient_keys, loaded.classes, loaded.refused) == (("P1", "P0"), ("über",), {})


def test_another_encoding_is_refused_with_the_table_and_the_way_out(pictures: Path) -> None:
    write(pictures, encoding="cp1252")
    with pytest.raises(
        InputRejectedError, match=r"UTF-8, labels\.csv has other bytes, perhaps those of Windows-1252"
    ):
        read(pictures)


SPELLINGS: dict[str, Callable[[str], str]] = {
    "backslashes": lambda path: path.replace("/", "\\"),
    "a prefix": lambda path: f"D:\\export\\{path}",
    "no suffix": lambda path: path.removesuffix(".png"),
    "another suffix": lambda path: path.replace(".png", ".dcm"),
    "capitals": str.upper,
    "no folder": lambda path: path.rpartition("/")[2],
}


@pytest.mark.parametrize("how", SPELLINGS)
def test_paths_of_other_systems_are_found_and_counted(pictures: Path, how: str) -> None:
    write(pictures, spelled=SPELLINGS[how])
    loaded = read(pictures)
    assert (len(loaded.images), loaded.refused) == (4, {})
    exactly = how == "no folder"  # a name that only one file has was always enough
    assert any("another spelling of their path" in note for note in loaded.notes) != exactly


def test_a_row_of_another_folder_is_nobodys(pictures: Path) -> None:
    """Were the name alone enough, people would get each other's numbers."""
    write(pictures, spelled=lambda path: f"ward c/{path.rpartition('/')[2].upper()}")
    assert read(pictures).refused == {"missing_patient_id": 3}  # 04.png lies in no folder


def test_a_name_that_two_files_or_two_rows_have_is_not_enough(pictures: Path) -> None:
    (pictures / "ward b" / "01.PNG").write_bytes((pictures / "ward a" / "01.png").read_bytes())
    write(pictures, spelled=SPELLINGS["capitals"])
    assert read(pictures).refused == {"missing_patient_id": 2}


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("A\\b/C.PNG", ("a", "b", "c")),
        ("1.2.840.113", ("1.2.840.113",)),
        ("x/1.2.840.113.dcm", ("x", "1.2.840.113")),
        ("scan.nii.gz", ("scan",)),
        (".png", (".png",)),
        ("", ("",)),
    ],
)
def test_what_is_left_of_a_path(path: str, parts: tuple[str, ...]) -> None:
    assert loosened(path) == parts


def test_a_relative_folder_counts_its_table_as_no_picture(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(pictures)
    monkeypatch.chdir(pictures.parent)
    assert scan(Path(pictures.name), Wishes()).refused == {}
    monkeypatch.chdir(pictures)
    assert scan(Path(os.curdir), Wishes()).refused == {}


def test_patients_that_nearly_match_and_classes_that_differ_in_case_are_counted(
    make_dicom: Callable[..., None], tmp_path: Path
) -> None:
    for number in range(4):
        picture = np.random.default_rng(number).integers(0, 256, (28, 28), dtype=np.uint8)
        make_dicom(tmp_path / "src" / f"{number}.dcm", picture, PatientID=f"{number + 1:04d}")
    (tmp_path / "src" / "labels.csv").write_text("patient,label\n1,Normal\n2,normal\n3,ill\n9,ill\n")
    report = scan(tmp_path / "src", Wishes())
    assert report.refused == {"missing_label": 4}
    assert "3 files' patients are in the label table but for case, blanks or leading zeros." in report.notes
    assert any(note.startswith("1 labels differ from others in case") for note in report.notes)


@pytest.mark.parametrize(
    ("labels", "classes", "alike"),
    [
        (["Normal", "normal", " NORMAL", "ill"], None, 2),
        ([b"Normal", b"normal", b"ill", b"Ill"], None, 2),
        ([0, 1, 2, 1], ["Normal", "normal ", "ill"], 1),
        ([0, 1, 2, 2], ["Normal", "normal ", "ill", "ILL"], 1),
        (["Normal", "abnormal", "ill", "still"], None, 0),
        ([0, 1, 10, 2], None, 0),
    ],
)
def test_classes_of_an_npz_that_differ_in_case_are_counted(
    labels: list[object], classes: list[str] | None, alike: int, tmp_path: Path
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 28, 28), dtype=np.uint8)
    declared = {} if classes is None else {"classes": np.array(classes)}
    np.savez(tmp_path / "a.npz", images=images, labels=np.array(labels), patient_id=np.arange(4), **declared)
    notes = [note for note in scan(tmp_path / "a.npz", Wishes()).notes if "labels differ" in note]
    assert notes == (
        [f"{alike} labels differ from others in case or blanks only, and are classes of their own."] if alike else []
    )


def test_a_column_that_may_be_the_patients_under_a_rare_name_is_named(pictures: Path, tmp_path: Path) -> None:
    lines = ["file,Anon Patient Code,label", *(f"{path},P{n},a" for n, path in enumerate(PATHS))]
    (pictures / "labels.csv").write_text("\n".join(lines))
    assert any("Not used: anon patient code of the label table" in note for note in scan(pictures, Wishes()).notes)
    (pictures / "labels.csv").write_text(
        "\n".join(lines).replace("Anon Patient Code", "patient,patient_age").replace(",a", ",30,a")
    )
    assert not any("Not used" in note for note in scan(pictures, Wishes()).notes)
    images = np.random.default_rng(0).integers(0, 256, (4, 28, 28), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=images, hashed_mrn_2=np.arange(4))
    assert (
        "Not used: hashed_mrn_2 of the .npz. If it says whose each image is, call it patient_id."
        in scan(tmp_path / "a.npz", Wishes()).notes
    )
