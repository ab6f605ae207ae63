"""Further columns: kept only when asked for, as categories or as numbers, and by the same row as the image."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from privgan.data.cohort.cohort import Cohort, open_cohort
from privgan.data.cohort.prepare import prepare
from privgan.data.columns import Wanted
from privgan.data.sources.opening import read_images
from privgan.data.sources.wishes import Wishes
from privgan.errors import InputRejectedError, IntegrityError, UsageError
from privgan.files import read_json, write_json
from privgan.folders import staged_folder
from privgan.images.stored import as_stored
from tests.data.telling import told

ANYTHING = Wanted(anything=True)
PATIENTS = [f"p{row // 2}" for row in range(24)]
SEX = ["f", " m ", ""] * 8
TABLE = {"file": [f"{row}.png" for row in range(24)], "patient": PATIENTS, "Sex": SEX, "age_band": ["40"] * 24}


def images(count: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(0, 256, (count, 28, 28), dtype=np.uint8)


def make(source: Path, target: Path, *columns: str, **options: Any) -> Cohort:
    with staged_folder(target, marker="cohort.json") as folder:
        prepare(source, folder, told(columns=columns, **options))
    return open_cohort(target)


def npz(path: Path, pictures: np.ndarray[Any, Any] | None = None, **columns: Any) -> Path:
    np.savez(path, images=images(24) if pictures is None else pictures, patient_id=np.array(PATIENTS), **columns)
    return path


def folder_with_table(folder: Path, table: dict[str, list[str]]) -> Path:
    folder.mkdir()
    for row, image in enumerate(images(24)):
        Image.fromarray(image).save(folder / f"{row}.png")
    lines = [",".join(table), *(",".join(cells) for cells in zip(*table.values(), strict=True))]
    (folder / "labels.csv").write_text("\n".join(lines))
    return folder


@pytest.mark.parametrize("kind", ["npz", "table"])
def test_what_was_asked_for_is_kept_as_texts_and_nothing_else(tmp_path: Path, kind: str) -> None:
    source = (
        npz(tmp_path / "a.npz", Sex=np.array(SEX), age_band=np.full(24, 40), secret=np.arange(24))
        if kind == "npz"
        else folder_with_table(tmp_path / "src", {**TABLE, "secret": PATIENTS})
    )
    cohort = make(source, tmp_path / "cohort", "sex", "age_band")
    rows = range(24) if kind == "npz" else sorted(range(24), key=str)  # files come by name
    assert cohort.columns["sex"].tolist() == [SEX[row].strip() for row in rows]
    assert cohort.columns["age_band"].tolist() == ["40"] * 24
    assert set(cohort.columns) == set(read_json(cohort.folder / "cohort.json")["columns"]) == {"sex", "age_band"}
    assert b"secret" not in (cohort.folder / "columns.npz").read_bytes()
    with np.load(cohort.folder / "patients.npz", allow_pickle=False) as stored:
        assert set(stored.files) == {"patient", "label", "split"}
    assert (cohort.folder / "columns.npz").stat().st_mode & 0o077 == 0


def test_without_a_wish_there_is_no_such_file(tmp_path: Path) -> None:
    cohort = make(npz(tmp_path / "a.npz", sex=np.array(SEX)), tmp_path / "cohort")
    assert not (cohort.folder / "columns.npz").exists()
    assert (cohort.facts.columns, dict(cohort.columns)) == ({}, {})


def test_values_stay_with_their_images_when_patients_leave(tmp_path: Path) -> None:
    (tmp_path / "gone.txt").write_text("p1\np7\n")
    source = npz(tmp_path / "a.npz", row=np.arange(24) % 5)
    cohort = make(source, tmp_path / "cohort", "row", exclude=tmp_path / "gone.txt")
    kept = [row for row in range(24) if PATIENTS[row] not in ("p1", "p7")]
    np.testing.assert_array_equal(as_stored(cohort.images), images(24)[kept])
    assert cohort.columns["row"].tolist() == [str(row % 5) for row in kept]


@pytest.mark.parametrize(
    "names", [("sex", "sex"), ("label",), ("patient_id",), ("a-b",), ("",), ("Sex",), ("../x",), ("a", "a:number")]
)
def test_impossible_names_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="columns of letters"):
        told(columns=names)


def test_a_missing_column_is_said_without_what_is_there(tmp_path: Path) -> None:
    table = folder_with_table(tmp_path / "src", {**TABLE, "mrs_smith": SEX})
    bare = folder_with_table(tmp_path / "bare", TABLE)
    (bare / "labels.csv").unlink()
    for source in (table, bare, npz(tmp_path / "a.npz", mrs_smith=np.array(SEX))):
        with pytest.raises(UsageError, match="Expected") as caught:
            make(source, tmp_path / "cohort", "sex", "weight")
        assert "smith" not in str(caught.value)
    assert not (tmp_path / "cohort").exists()


@pytest.mark.parametrize("values", [[f"v{row}" for row in range(40)], ["x" * 65] * 40])
def test_what_is_no_category_is_refused_when_asked_for_and_left_out_otherwise(
    tmp_path: Path, values: list[str]
) -> None:
    pictures = images(40)
    file = tmp_path / "a.npz"
    np.savez(file, images=pictures, weight=np.array(values), sex=np.array(["f", "m"] * 20), other=np.arange(7))
    with pytest.raises(InputRejectedError, match="weight:number"):
        read_images(file, Wishes(size=28, columns=Wanted(types={"weight": "category"})))
    assert set(read_images(file, Wishes(size=28, columns=ANYTHING)).columns) == {"sex"}


def test_rows_that_contradict_each_other_are_refused_when_asked_for_and_left_out_otherwise(tmp_path: Path) -> None:
    table = {name: [*cells, cells[0]] for name, cells in TABLE.items()}
    table["Sex"][-1] = "m"
    source = folder_with_table(tmp_path / "src", table)
    with pytest.raises(InputRejectedError, match="1 rows contradict"):
        make(source, tmp_path / "cohort", "sex")
    assert make(source, tmp_path / "cohort", "age_band").columns.keys() == {"age_band"}
    assert read_images(source, Wishes(size=28, columns=ANYTHING)).columns.keys() == {"age_band"}


def test_unknown_numbers_are_unknown_and_object_arrays_hurt_nobody(tmp_path: Path) -> None:
    band = np.array([1.0, np.nan] * 12)
    source = npz(tmp_path / "a.npz", band=band, odd=np.array([None] * 24, dtype=object))
    loaded = read_images(source, Wishes(size=28, columns=ANYTHING))
    assert {name: column.tolist() for name, column in loaded.columns.items()} == {"band": ["1.0", ""] * 12}
    with pytest.raises(InputRejectedError):
        read_images(source, Wishes(size=28, columns=Wanted(types={"odd": "category"})))


def test_an_edited_column_is_refused(tmp_path: Path) -> None:
    cohort = make(npz(tmp_path / "a.npz", sex=np.array(SEX)), tmp_path / "cohort", "sex")
    file = cohort.folder / "columns.npz"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(IntegrityError, match="edited"):
        open_cohort(cohort.folder)
    file.unlink()
    with pytest.raises(IntegrityError):
        open_cohort(cohort.folder)


def test_an_older_cohort_has_no_columns(tmp_path: Path) -> None:
    cohort = make(npz(tmp_path / "a.npz"), tmp_path / "cohort")
    facts = read_json(cohort.folder / "cohort.json")
    facts.pop("columns")
    write_json(cohort.folder / "cohort.json", facts)
    assert open_cohort(cohort.folder).facts.columns == {}


@pytest.mark.parametrize("kind", ["npz", "table"])
def test_numbers_are_kept_as_numbers(tmp_path: Path, kind: str) -> None:
    """Any finite decimal; NaN where nothing is known. As many different ones as there are."""
    cells = [f" {row}.5 " if row % 3 else "" for row in range(20)] + ["-1e-3", "+7", ".5", "8."]
    values = [row + 0.5 if row % 3 else np.nan for row in range(20)] + [-0.001, 7, 0.5, 8]
    source = (
        npz(tmp_path / "a.npz", Dose=np.array(values), sex=np.array(SEX))
        if kind == "npz"
        else folder_with_table(tmp_path / "src", {**TABLE, "Dose": cells})
    )
    cohort = make(source, tmp_path / "cohort", "dose:number", "sex")
    rows = range(24) if kind == "npz" else sorted(range(24), key=str)
    assert cohort.columns["dose"].dtype == np.float64
    np.testing.assert_array_equal(cohort.columns["dose"], [values[row] for row in rows])
    assert cohort.columns["sex"].tolist() == [SEX[row].strip() for row in rows]
    assert cohort.facts.columns == read_json(cohort.folder / "cohort.json")["columns"]
    assert cohort.facts.columns == {"dose": "number", "sex": "category"}


@pytest.mark.parametrize("bad", ["inf", "nan", "1_0", "0x1", "zz", "1,5", "1e999", "٣", "1 2"])
def test_what_is_no_finite_decimal_is_refused_with_a_count_and_without_an_echo(tmp_path: Path, bad: str) -> None:
    cells = ["1.5"] * 22 + [f'"{bad}"'] * 2
    table = folder_with_table(tmp_path / "src", {**TABLE, "dose": cells})
    arrays = [npz(tmp_path / "a.npz", dose=np.array([cell.strip('"') for cell in cells]))]
    if bad == "inf":
        arrays.append(npz(tmp_path / "b.npz", dose=np.array([1.5] * 22 + [-np.inf] * 2)))
    for source in (table, *arrays):
        with pytest.raises(InputRejectedError, match="column dose, 2 cells") as caught:
            make(source, tmp_path / "cohort", "dose:number")
        assert bad not in str(caught.value).replace("finite", "")
    assert not (tmp_path / "cohort").exists()


def test_spellings_of_one_number_agree(tmp_path: Path) -> None:
    table = {name: [*cells, cells[0]] for name, cells in {**TABLE, "dose": ["40"] * 24}.items()}
    table["dose"][-1] = "40.0"
    source = folder_with_table(tmp_path / "src", table)
    assert make(source, tmp_path / "cohort", "dose:number").columns["dose"].tolist() == [40.0] * 24
    with pytest.raises(InputRejectedError, match="1 rows contradict"):
        make(source, tmp_path / "other", "dose")


@pytest.mark.parametrize("wish", ["age:numbers", "age:", "age:number:x", ":number"])
def test_unknown_types_are_refused(wish: str) -> None:
    with pytest.raises(UsageError, match="Expected"):
        told(columns=(wish,))


def test_nobody_asks_for_numbers_but_who_names_them(tmp_path: Path) -> None:
    """Of a source of which anything is wanted, numbers are those that were named and are numbers."""
    source = npz(tmp_path / "a.npz", age=np.arange(24) / 3, sex=np.array(SEX), dose=np.arange(24) % 2)
    named = Wanted(types={"age": "number", "sex": "number", "absent": "number"}, anything=True)
    assert set(read_images(source, Wishes(size=28, columns=ANYTHING)).columns) == {"age", "sex", "dose"}
    loaded = read_images(source, Wishes(size=28, columns=named))
    assert {name: column.dtype.kind for name, column in loaded.columns.items()} == {"age": "f", "dose": "U"}


def test_a_list_of_names_in_an_older_cohort_means_categories(tmp_path: Path) -> None:
    cohort = make(npz(tmp_path / "a.npz", sex=np.array(SEX)), tmp_path / "cohort", "sex")
    facts = read_json(cohort.folder / "cohort.json")
    facts["columns"] = ["sex"]
    write_json(cohort.folder / "cohort.json", facts)
    older = open_cohort(cohort.folder)
    assert older.facts.columns == {"sex": "category"}
    assert older.columns["sex"].tolist() == cohort.columns["sex"].tolist()
    facts["columns"] = {"sex": "number"}
    write_json(cohort.folder / "cohort.json", facts)
    with pytest.raises(IntegrityError, match="one value for each image"):
        open_cohort(cohort.folder)
