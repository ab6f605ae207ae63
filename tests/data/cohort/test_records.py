"""Records of a cohort: what declared columns hold of images and of patients, and what cannot be a record."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privgan.arrays import Integers, Values
from privgan.data.cohort.cohort import Cohort, open_cohort
from privgan.data.cohort.prepare import prepare
from privgan.data.cohort.records import contradicted, objections
from privgan.data.cohort.scan import scan
from privgan.data.cohort.sides import side_of
from privgan.data.columns import Wanted, write_columns
from privgan.data.identifiers import IdentifierDigests
from privgan.data.sources.wishes import Wishes
from privgan.errors import InputRejectedError, IntegrityError, UsageError
from privgan.files import read_json, sha256_file, write_json
from privgan.folders import staged_folder
from privgan.records.schema import Schema
from tests.data.conftest import MakeDicom
from tests.data.telling import told

NEARLY = "{} of them only by case, blanks or how a number is written; their images were left out."
SEX, STAGE, AGE = "sex:category(F|M):patient", "stage:ordinal(I<II<III<IV)", "age:number(0..100)"
PATIENTS = 40
OWNERS = np.repeat(np.arange(PATIENTS), 2)
CLEAN: dict[str, Any] = {
    "sex": np.array(["F", "M"])[OWNERS % 2],
    "stage": np.array(["I", "II", "III", "IV", ""])[np.arange(2 * PATIENTS) % 5],
    "age": np.where(OWNERS % 7 == 3, np.nan, 20.0 + OWNERS % 50),
}


def source(path: Path, **columns: Any) -> Path:
    """Two images of each of 40 patients, with columns by name."""
    images = np.random.default_rng(0).integers(0, 256, (len(OWNERS), 28, 28), dtype=np.uint8)
    numbers = np.array([f"QZX-{owner:05d}-PAT" for owner in OWNERS])
    np.savez(path, images=images, patient_id=numbers, **{**CLEAN, **columns})
    return path


def make(path: Path, target: Path, *columns: str, **options: Any) -> Cohort:
    with staged_folder(target, marker="cohort.json") as folder:
        prepare(path, folder, told(columns=columns, **options))
    return open_cohort(target)


def changed(name: str, *cells: tuple[int, object]) -> dict[str, Any]:
    """A clean column with some cells changed."""
    column = CLEAN[name].astype(object)
    for row, value in cells:
        column[row] = value
    return {name: np.array(column.tolist())}


def test_a_cohort_gives_its_records_as_codes(tmp_path: Path) -> None:
    cohort = make(source(tmp_path / "a.npz", ward=np.array(["x"] * 80)), tmp_path / "c", SEX, "ward", STAGE, AGE)
    types = {"sex": SEX[4:], "ward": "category", "stage": STAGE[6:], "age": AGE[4:]}
    assert cohort.facts.columns == read_json(tmp_path / "c" / "cohort.json")["columns"] == types
    assert cohort.schema.names == ("sex", "stage", "age")
    assert (cohort.facts.images, cohort.facts.refused) == (80, {})
    rows = range(80)
    expected = [
        [
            "FM".index(CLEAN["sex"][row]) + 1,
            ["", "I", "II", "III", "IV"].index(CLEAN["stage"][row]),
            0 if np.isnan(CLEAN["age"][row]) else int(CLEAN["age"][row] // 10) + 1,
        ]
        for row in rows
    ]
    np.testing.assert_array_equal(cohort.codes, expected)
    assert cohort.columns["age"].dtype == np.float64
    assert cohort.columns["stage"].dtype.kind == "U"


def test_a_cell_that_was_not_declared_costs_its_image_and_is_counted(tmp_path: Path) -> None:
    """As a label outside the declared classes does; the patient stays with the other image."""
    planted = {
        **changed("sex", (0, "qzx"), (1, "qzx")),
        **changed("stage", (4, "iv"), (6, "V")),
        **changed("age", (8, 101.0), (10, -0.5)),
    }
    cohort = make(source(tmp_path / "a.npz", **planted), tmp_path / "c", SEX, STAGE, AGE)
    assert cohort.facts.refused == {"out_of_range": 2, "unknown_value": 4}
    assert (cohort.facts.images, cohort.facts.patients) == (74, 39)
    assert len((tmp_path / "c" / "refused.jsonl").read_text().splitlines()) == 6
    assert (cohort.codes > -1).all()
    assert [note for note in cohort.facts.notes if note.startswith("Column")] == [
        "Column sex: 2 cells hold what was not declared; their images were left out.",
        f"Column stage: 2 cells hold what was not declared, {NEARLY.format(1)}",
        "Column age: 2 numbers lie outside the declared range; their images were left out.",
    ]
    assert not any(b"qzx" in file.read_bytes() for file in (tmp_path / "c").rglob("*") if file.is_file())


def test_where_nothing_fits_it_is_said_why(tmp_path: Path) -> None:
    path = source(tmp_path / "a.npz", sex=np.char.lower(CLEAN["sex"]))
    with pytest.raises(InputRejectedError, match=r"unknown_value: 80.*sex: 80 cells.* 80 of them only by case"):
        make(path, tmp_path / "c", SEX)
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("lost", [8, 9])
def test_a_declaration_that_many_cells_do_not_fit_is_a_slip(tmp_path: Path, lost: int) -> None:
    """Up to a tenth of what is known may be a source's own slips; nothing is written for more."""
    planted = changed("sex", *((row, "m") for row in range(0, 2 * lost, 2)))
    path = source(tmp_path / "a.npz", **planted)
    if lost == 8:
        assert make(path, tmp_path / "c", SEX).facts.refused == {"unknown_value": 8}
        return
    with pytest.raises(InputRejectedError, match="column sex that nearly all of its cells fit, 9 of 80 hold") as said:
        make(path, tmp_path / "c", SEX)
    assert "9 of them only by case" in str(said.value)
    assert not (tmp_path / "c").exists()
    assert any(
        "nearly all of its cells fit" in note
        for note in scan(path, Wishes(size=28, columns=Wanted.named((SEX,)))).notes
    )


def test_a_range_that_most_numbers_miss_is_a_slip_and_an_unheard_of_value_is_said(tmp_path: Path) -> None:
    """A range may be meant to leave patients out, as children."""
    path = source(tmp_path / "a.npz")
    assert make(path, tmp_path / "some", "age:number(30..99)").facts.refused == {"out_of_range": 18}
    with pytest.raises(InputRejectedError, match="Is the unit another one"):
        make(path, tmp_path / "c", "age:number(0.0..1.5)")
    notes = make(path, tmp_path / "five", "stage:ordinal(I<II<III<IV<V<VI)").facts.notes
    assert "Column stage: no image has 2 of the declared values. Is each written as the source has it?" in notes


def test_a_patient_of_whom_a_column_says_two_things_is_left_out(tmp_path: Path) -> None:
    """Every image of theirs, counted; of everybody else nothing changes, the side least of all."""
    clean = make(source(tmp_path / "a.npz"), tmp_path / "clean", SEX, STAGE)
    torn = make(source(tmp_path / "b.npz", **changed("sex", (20, "M"), (21, "F"))), tmp_path / "torn", SEX, STAGE)
    assert (torn.facts.refused, torn.facts.patients, torn.facts.images) == ({"contradiction": 2}, 39, 78)
    kept = OWNERS != 10
    np.testing.assert_array_equal(torn.images, clean.images[kept])
    np.testing.assert_array_equal(torn.codes, clean.codes[kept])
    assert np.unique(torn.patients).tolist() == list(range(39))
    assert side_of(torn.folder, "QZX-00010-PAT") is None
    assert side_of(torn.folder, "QZX-00011-PAT") is not None
    assert any("of 1 patients it says different things" in note for note in torn.facts.notes)
    many = make(tmp_path / "b.npz", tmp_path / "image", "sex:category(F|M)")
    assert (many.facts.refused, many.facts.images) == ({}, 80)


def test_two_numbers_that_are_one_person_contradict_each_other(tmp_path: Path) -> None:
    (tmp_path / "merge.csv").write_text("QZX-00002-PAT,QZX-00003-PAT\nQZX-00004-PAT,QZX-00006-PAT\n")
    cohort = make(source(tmp_path / "a.npz"), tmp_path / "c", SEX, merge=tmp_path / "merge.csv")
    facts = cohort.facts
    assert (facts.refused, facts.patients, facts.merged_patients) == ({"contradiction": 4}, 37, 2)


def test_what_is_known_of_a_patient_holds_for_all_images(tmp_path: Path) -> None:
    """Of columns of patients alone: a stage that one image does not have stays unknown."""
    planted = {**changed("sex", (0, ""), (3, ""), (4, ""), (5, "")), **changed("stage", (0, ""))}
    cohort = make(source(tmp_path / "a.npz", **planted), tmp_path / "c", SEX, STAGE)
    assert cohort.columns["sex"][:6].tolist() == ["F", "F", "M", "M", "", ""]
    assert cohort.columns["stage"][0] == ""
    assert "Column sex: 2 images that say nothing took what their patient's other images say." in cohort.facts.notes


@pytest.mark.parametrize(
    ("wish", "column", "said"),
    [
        (AGE, np.full(80, np.nan), "every cell is empty"),
        ("sex:category(F|M)", np.array([""] * 80), "every cell is empty"),
        ("visit:number(0..99999999)", 20100000 + 100 * (1 + OWNERS % 12) + 1 + OWNERS % 28, "holds no dates"),
        ("number:number(0..99999)", OWNERS, "patients' numbers or counts"),
    ],
)
def test_what_says_who_somebody_is_or_nothing_is_refused(
    tmp_path: Path, wish: str, column: np.ndarray[Any, Any], said: str
) -> None:
    """By `prepare`, which leaves nothing behind, and by `scan` beforehand; no value is repeated."""
    name = wish.partition(":")[0]
    numbered = np.array([f"{owner}" for owner in OWNERS])
    path = source(tmp_path / "a.npz", **{name: column})
    if name == "number":
        with np.load(path) as stored:
            np.savez(path, **{**stored, "patient_id": numbered})
    with pytest.raises(InputRejectedError, match=said):
        make(path, tmp_path / "c", wish)
    assert not (tmp_path / "c").exists()
    found = scan(path, Wishes(size=28, columns=Wanted.named((wish,))))
    assert any(said in note for note in found.notes)


def test_numbers_that_count_patients_are_found_whatever_the_patients_are_called() -> None:
    schema = Schema.of({"n": "number(0..9999)"})
    rng = np.random.default_rng(1)
    keys = [f"K{number}" for number in range(60)]
    running = 1000.0 + rng.permutation(60)
    [said] = objections(schema, {"n": running}, np.arange(60), keys)
    assert "counts them" in said
    few = objections(schema, {"n": 7.0 + rng.permutation(12)}, np.arange(12), keys)
    assert ["counts them" in said for said in few] == [True]
    ages = rng.integers(0, 100, 60).astype(np.float64)
    measured = 1000.0 + rng.random(60) * 60
    for others in (ages, measured):
        assert list(objections(schema, {"n": others}, np.arange(60), keys)) == []
    gap = np.array([*range(7, 18), 19], dtype=np.float64)  # of so few, one gap may be chance
    assert list(objections(schema, {"n": gap}, np.arange(12), keys)) == []


def test_numbers_of_patients_and_of_images_are_found_in_other_forms() -> None:
    rng = np.random.default_rng(2)
    digits = rng.choice(90000, 40, replace=False) + 10000
    owners = np.repeat(np.arange(40), 2)
    schema, keys = Schema.of({"n": "number(0..99999)"}), [f"QZX-0{number}" for number in digits]
    for numbers, said in ((digits[owners], True), (digits[rng.permutation(owners)], False), (np.arange(80), True)):
        found = list(objections(schema, {"n": numbers.astype(np.float64)}, owners, keys))
        assert [("patients' numbers" in each) for each in found] == [True] * said
    slices = np.tile([1.0, 2.0], 40)  # each patient's images are counted by themselves
    assert list(objections(schema, {"n": slices}, owners, keys)) == []


def test_a_few_other_numbers_among_dates_hide_none() -> None:
    schema = Schema.of({"n": "number(0..99999999)"})
    dates = 20000000 + 10000 * (np.arange(100) % 20) + 100 * (1 + np.arange(100) % 12) + 1 + np.arange(100) % 28
    for others, said in ((0, True), (4, True), (50, False)):
        numbers = np.where(np.arange(100) < others, 0, dates).astype(np.float64)
        found = list(objections(schema, {"n": numbers}, np.arange(100), [f"K{row}" for row in range(100)]))
        assert [("no dates" in each) for each in found] == [True] * said


def test_values_of_a_category_that_are_patients_numbers_are_refused() -> None:
    keys = [f"P-0{number}" for number in range(20)]
    schema = Schema.of({"group": f"category({'|'.join(f'p0{number}' for number in range(20))})"})
    values = np.array([f"p0{number}" for number in range(20)])
    [said] = objections(schema, {"group": values}, np.arange(20), keys)
    assert "patients' numbers" in said


def test_a_code_of_ones_own_for_nearly_everybody_is_refused() -> None:
    """Of so few patients the values are too many; where some share one, they are not."""
    schema, keys = Schema.of({"dose": "number(0..100/32)"}), [f"K{number}" for number in range(30)]
    doses = np.arange(30) * 3.125 + 1.55
    [said] = objections(schema, {"dose": doses}, np.arange(30), keys)
    assert "30 of 30 are alone" in said
    shared = np.where(np.arange(30) < 7, 1.5, doses)
    assert list(objections(schema, {"dose": shared}, np.arange(30), keys)) == []


def test_few_patients_are_alone_with_what_they_have_by_nature() -> None:
    schema = Schema.of({"sex": "category(F|M)"})
    assert list(objections(schema, {"sex": np.array(["F", "M"])}, np.arange(2), ["1", "2"])) == []


@given(
    cells=st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["", "F", "M"]), st.sampled_from([0.0, 1.0, np.nan])))
)
@settings(deadline=None, derandomize=True, max_examples=200)
def test_contradictions_equal_their_slow_twin(cells: list[tuple[int, str, float]]) -> None:
    schema = Schema.of({"sex": "category(F|M):patient", "age": "number(0..9):patient", "dose": "number(0..9)"})
    persons: Integers = np.array([person for person, _, _ in cells], dtype=np.int64)
    ages = np.array([age for _, _, age in cells], dtype=np.float64)
    columns: dict[str, Values] = {
        "sex": np.array([sex for _, sex, _ in cells], dtype=np.str_),
        "age": ages,
        "dose": ages,
    }
    found = contradicted(schema, columns, persons, 5)
    said: dict[str, list[set[object]]] = {name: [set() for _ in range(5)] for name in ("sex", "age")}
    for person, sex, age in cells:
        said["sex"][person] |= {sex} - {""}
        said["age"][person] |= set() if np.isnan(age) else {age}
    assert {name: flags.tolist() for name, flags in found.items()} == {
        name: [len(each) > 1 for each in values] for name, values in said.items()
    }


def test_too_many_combinations_with_the_classes_that_were_found(tmp_path: Path) -> None:
    wide = {f"c{place}": 3.0 * (np.arange(80) % 30) for place in range(3)}
    path = source(tmp_path / "a.npz", labels=OWNERS % 4, **wide)
    wishes = tuple(f"{name}:number(0..100/32)" for name in wide)
    make(path, tmp_path / "few", *wishes, classes=("0", "1", "2", "3"))
    with pytest.raises(UsageError, match="combinations"):
        make(path, tmp_path / "c", *wishes, SEX, classes=("0", "1", "2", "3"))
    with pytest.raises(UsageError, match="combinations"):
        make(path, tmp_path / "c", *wishes, SEX)
    assert any(
        "combinations" in note for note in scan(path, Wishes(size=28, columns=Wanted.named((*wishes, SEX)))).notes
    )
    assert not (tmp_path / "c").exists()


def test_scan_counts_what_prepare_would_leave_out(tmp_path: Path) -> None:
    planted = {
        **changed("sex", (0, "f"), (2, "x"), (20, "M"), (21, "F")),
        **changed("age", (8, 101.0)),
    }
    path = source(tmp_path / "a.npz", **planted)
    found = scan(path, Wishes(size=28, columns=Wanted.named((SEX, STAGE, AGE))))
    cohort = make(path, tmp_path / "c", SEX, STAGE, AGE)
    counts = found.columns["sex"]
    assert (counts.fit, counts.empty, counts.unknown, counts.near, counts.outside) == (78, 0, 2, 1, 0)
    assert (found.columns["stage"].empty, found.columns["age"].outside) == (16, 1)
    assert found.contradicted == {"sex": 1}
    torn = 2 * found.contradicted["sex"]
    assert {**found.refused, "contradiction": torn} == cohort.facts.refused
    assert found.images - torn == cohort.facts.images


def test_declared_words_are_public_and_never_evidence(tmp_path: Path, make_dicom: MakeDicom) -> None:
    """A patient may be called as a value is; what a name alone says is discarded, as a class name's is."""
    for number in range(20):
        name = "Fluvax^Zorka" if number == 7 else f"Person{number}^Zorka"
        pixels = np.random.default_rng(number).integers(0, 4096, (28, 28), dtype=np.uint16)
        make_dicom(tmp_path / "src" / f"{number}.dcm", pixels, PatientID=f"ZZ-{number:04d}", PatientName=name)
    rows = "\n".join(f"ZZ-{number:04d},{('Fluvax', 'none')[number % 2]}" for number in range(20))
    (tmp_path / "src" / "labels.csv").write_text(f"patient,vaccine\n{rows}\n")
    found = {}
    for kind in ("vaccine:category(Fluvax|none)", "vaccine"):
        cohort = make(tmp_path / "src", tmp_path / kind[:9], kind)
        digests = IdentifierDigests.read(
            cohort.folder / "private" / "identifiers", (cohort.folder / "private" / "hmac.key").read_bytes()
        )
        found[kind] = digests.find("Fluvax"), digests.find("Person5"), digests.find("ZZ-0007")
    assert found == {
        "vaccine:category(Fluvax|none)": (None, "name_part", "identifier"),
        "vaccine": ("name_part", "name_part", "identifier"),
    }


def test_a_declaration_must_not_name_a_patient(tmp_path: Path) -> None:
    """A list of values is for everybody who gets a bundle."""
    path = source(tmp_path / "a.npz", group=np.array(["QZX-00007-PAT", "other"] * 40))
    with pytest.raises(InputRejectedError, match="column group that name nobody") as caught:
        make(path, tmp_path / "c", "group:category(QZX-00007-PAT|other)")
    assert "QZX-" not in str(caught.value)
    assert not (tmp_path / "c").exists()


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ({"PatientSex": "F", "PatientAge": "042Y"}, ("F", 42.0)),
        ({"PatientSex": "m ", "PatientAge": "018M"}, ("M", 1.5)),
        ({"PatientAge": "010D"}, ("", 0.03)),
        ({"PatientSex": "O"}, ("O", np.nan)),
    ],
)
def test_sex_and_age_of_a_header_are_columns_where_no_table_has_them(
    tmp_path: Path, make_dicom: MakeDicom, header: dict[str, str], kept: tuple[str, float]
) -> None:
    for number in range(12):
        tags = header if number == 5 else {"PatientSex": "F", "PatientAge": "050Y"}
        pixels = np.random.default_rng(number).integers(0, 4096, (28, 28), dtype=np.uint16)
        make_dicom(tmp_path / "src" / f"{number:02d}.dcm", pixels, PatientID=f"ZZ-{number:04d}", **tags)
    cohort = make(tmp_path / "src", tmp_path / "c", "age:number(0..100)", "sex:category(F|M|O):patient")
    assert cohort.columns["sex"][5] == kept[0]
    np.testing.assert_array_equal(cohort.columns["age"][[5, 6]], [kept[1], 50.0])
    assert any("taken from the files' headers" in note for note in cohort.facts.notes)
    rows = "\n".join(f"ZZ-{number:04d},M" for number in range(12))
    (tmp_path / "src" / "labels.csv").write_text(f"patient,sex\n{rows}\n")
    table = make(tmp_path / "src", tmp_path / "t", "age:number", "sex")
    assert set(table.columns["sex"].tolist()) == {"M"}  # a table knows better
    np.testing.assert_array_equal(table.columns["age"][[5, 6]], [kept[1], 50.0])


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_an_age_without_a_unit_is_no_number(tmp_path: Path, make_dicom: MakeDicom) -> None:
    for number in range(12):
        tags = {"PatientAge": "042" if number == 5 else "050Y", "PatientSex": "F" if number % 2 else "M"}
        pixels = np.random.default_rng(number).integers(0, 4096, (28, 28), dtype=np.uint16)
        make_dicom(tmp_path / "src" / f"{number:02d}.dcm", pixels, PatientID=f"ZZ-{number:04d}", **tags)
    assert make(tmp_path / "src", tmp_path / "c", "age:number(0..100)").facts.refused == {"unknown_value": 1}
    for act in (lambda: make(tmp_path / "src", tmp_path / "d", "age:number"), lambda: scan_ages(tmp_path / "src")):
        with pytest.raises(InputRejectedError, match="1 cells hold something else"):
            act()


def scan_ages(folder: Path) -> None:
    scan(folder, Wishes(size=28, columns=Wanted.named(("age:number",))))


def test_a_column_that_is_nowhere_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the keys weight"):
        make(source(tmp_path / "a.npz"), tmp_path / "c", "weight:number(0..300)")


def test_columns_and_declarations_must_agree_when_a_cohort_is_opened(tmp_path: Path) -> None:
    """Whoever edits either has the digests against them; with new digests, what the columns hold."""
    cohort = make(source(tmp_path / "a.npz"), tmp_path / "c", SEX, STAGE)
    facts = read_json(cohort.folder / "cohort.json")
    write_json(cohort.folder / "cohort.json", {**facts, "columns": {**facts["columns"], "stage": "ordinal(I<II)"}})
    with pytest.raises(IntegrityError, match="only what was declared"):
        open_cohort(cohort.folder)
    write_json(cohort.folder / "cohort.json", {**facts, "columns": {**facts["columns"], "stage": "ordinal(I|II)"}})
    with pytest.raises(IntegrityError, match="fields of a privgan cohort"):
        open_cohort(cohort.folder)
    (cohort.folder / "columns.npz").unlink()
    write_columns(cohort.folder / "columns.npz", {**cohort.columns, "sex": np.array(["W"] * 80)})
    digests = {**facts["digests"], "columns.npz": sha256_file(cohort.folder / "columns.npz")}
    write_json(cohort.folder / "cohort.json", {**facts, "digests": digests})
    with pytest.raises(IntegrityError, match="only what was declared"):
        open_cohort(cohort.folder)


def test_another_declaration_is_another_reading(tmp_path: Path) -> None:
    """An interrupted `prepare` does not go on under it."""
    one, other = (told(columns=(text,)).fingerprint() for text in (STAGE, "stage:ordinal(I<II<III<IV):patient"))
    assert one != other
