"""Several label tables as one, and what they say of a DICOM file's patient."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from privgan.data.cohort.scan import scan
from privgan.data.columns import Wanted
from privgan.data.sources.opening import LoadedImages, read_images
from privgan.data.sources.tables import Tables
from privgan.data.sources.wishes import Wishes
from privgan.errors import InputRejectedError, UsageError
from tests.data.telling import told


def table(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines))
    return path


def read(source: Path, *tables: Path, columns: dict[str, str] | None = None) -> LoadedImages:
    return read_images(source, Wishes(size=28, preset="cxr", csv=tables, columns=Wanted(types=columns or {})))


@pytest.fixture
def exams(make_dicom: Any, tmp_path: Path) -> Path:
    """Five examinations of three persons: PatientID is a number of the examination, or missing."""
    rng = np.random.default_rng(0)
    for number, patient in enumerate(("E1", "E2", "E3", None, "E5")):
        tags = {"PatientID": patient, "SOPInstanceUID": f"1.3.{number}", "StudyInstanceUID": f"1.4.{number // 2}"}
        make_dicom(tmp_path / "src" / f"{number}.dcm", rng.integers(0, 256, (28, 28), dtype=np.uint8), **tags)
    return tmp_path / "src"


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("file", [f"{number}.dcm" for number in range(4)]),
        ("instance", [f"1.3.{number}" for number in range(4)]),
        ("study", ["1.4.0", "1.4.0", "1.4.1", "1.4.1"]),
    ],
)
def test_a_table_says_whose_a_dicom_file_is(exams: Path, tmp_path: Path, key: str, names: list[str]) -> None:
    """Also of one without PatientID; a file that it does not name belongs to nobody."""
    persons = ["anna", "anna", "bob", "bob"]
    named = table(tmp_path / "t.csv", f"patient,{key}", *(f"{p},{n}" for p, n in zip(persons, names, strict=True)))
    loaded = read(exams, named)
    assert loaded.patient_keys == ("anna", "bob")
    assert loaded.patients.tolist() == [0, 0, 1, 1]
    assert loaded.refused == {"missing_patient_id": 1}
    assert any("PatientID was not used" in note for note in loaded.notes)
    with_header = read(exams)
    assert (with_header.patient_keys, with_header.refused) == (("E1", "E2", "E3", "E5"), {"missing_patient_id": 1})


def test_an_empty_cell_names_nobody(exams: Path, tmp_path: Path) -> None:
    named = table(tmp_path / "t.csv", "file,patient", "0.dcm,anna", "1.dcm,", "2.dcm, bob ")
    loaded = read(exams, named)
    assert loaded.patient_keys == ("anna", "bob")
    assert loaded.refused == {"missing_patient_id": 3}


def test_three_tables_with_keys_of_their_own(exams: Path, tmp_path: Path) -> None:
    """Labels by instance, exam numbers to persons by file, clinical columns by person; not of everybody."""
    tables = (
        table(tmp_path / "a.csv", "instance,label", *(f"1.3.{n},{'yes' if n % 2 else 'no'}" for n in range(5))),
        table(tmp_path / "b.csv", "file,patient", *(f"{n}.dcm,{'anna' if n < 3 else 'bob'}" for n in range(5))),
        table(tmp_path / "c.csv", "Patient,sex,age", "anna,f,63", "carl,m,1"),
    )
    loaded = read(exams, *tables, columns={"age": "number", "sex": "category"})
    assert loaded.patients.tolist() == [0, 0, 0, 1, 1]
    assert loaded.labels.tolist() == [0, 1, 0, 1, 0]
    assert loaded.columns["sex"].tolist() == ["f", "f", "f", "", ""]
    np.testing.assert_array_equal(loaded.columns["age"], [63.0, 63.0, 63.0, np.nan, np.nan])
    assert loaded.refused == {}
    assert [note for note in loaded.notes if "rows" in note] == [
        "1 rows of the label table name nothing that was read."
    ]


def test_tables_that_agree_are_one_and_of_a_file_that_they_disagree_on_nothing_is_used(
    exams: Path, tmp_path: Path
) -> None:
    people = table(tmp_path / "p.csv", "file,patient", *(f"{n}.dcm,p{n}" for n in range(5)))
    one = table(tmp_path / "a.csv", "file,label,age", *(f"{n}.dcm,yes,40" for n in range(5)))
    other = table(
        tmp_path / "b.csv", "patient,label,age", "p0,yes,40.0", "p1,no,40", "p2,yes,41", "p3,,", "p4,yes,4e1"
    )
    types = {"age": "number"}
    loaded = read(exams, people, one, other, columns=types)
    assert loaded.refused == {"contradiction": 2}
    assert loaded.patient_keys == ("p0", "p3", "p4")
    as_texts = read(exams, people, one, other, columns={"age": "category"})
    assert as_texts.refused == {"contradiction": 4}
    who = table(tmp_path / "w.csv", "instance,patient", "1.3.0,p0", "1.3.1,somebody")
    assert read(exams, people, who).refused == {"contradiction": 1}
    options = told(preset="cxr", csv=(people, one, other), columns=("age:number",))
    assert scan(exams, options.reading).refused == {"contradiction": 2}


def test_a_person_is_looked_up_by_the_table_s_number_and_never_by_the_header_s(exams: Path, tmp_path: Path) -> None:
    """An examination's number may be another person's number."""
    people = table(tmp_path / "p.csv", "file,patient", *(f"{n}.dcm,{'E5' if n < 3 else 'bob'}" for n in range(5)))
    sex = table(tmp_path / "s.csv", "patient,sex", "E5,f", "bob,m")
    loaded = read(exams, people, sex, columns={"sex": "category"})
    assert loaded.columns["sex"].tolist() == ["f", "f", "f", "m", "m"]


def test_a_column_may_stand_in_any_table_but_must_stand_in_one(exams: Path, tmp_path: Path) -> None:
    a, b = table(tmp_path / "a.csv", "file,label", "0.dcm,x"), table(tmp_path / "b.csv", "patient,zzmark", "E1,f")
    with pytest.raises(UsageError, match="columns weight in a label table") as caught:
        read(exams, a, b, columns={"sex": "category", "weight": "category", "zzmark": "category"})
    assert "E1" not in str(caught.value)
    with pytest.raises(UsageError, match=r"semicolons or tabs; b\.csv has others") as caught:
        read(exams, a, b)
    assert "zzmark" not in str(caught.value)


def test_pictures_by_file_and_their_persons_columns(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    for number, image in enumerate(np.random.default_rng(1).integers(0, 256, (4, 28, 28), dtype=np.uint8)):
        Image.fromarray(image).save(tmp_path / "src" / f"{number}.png")
    files = table(tmp_path / "src" / "labels.csv", "file,patient", *(f"{n}.png,p{n // 2}" for n in range(4)))
    people = table(tmp_path / "people.csv", "patient,age", "p0,40", "p1,50")
    loaded = read(tmp_path / "src", files, people, columns={"age": "number"})
    assert loaded.columns["age"].tolist() == [40, 40, 50, 50]
    assert loaded.refused == {}
    for lacking in ((people,), (table(tmp_path / "s.csv", "study,label", "1,x"), files)):
        with pytest.raises(UsageError, match="column `file`"):
            read(tmp_path / "src", *lacking, columns={"age": "number"} if people in lacking else {})


def test_what_tables_say_is_not_in_their_repr(tmp_path: Path) -> None:
    tables = Tables([table(tmp_path / "a.csv", "file,patient,label", "zz.dcm,zzmark,zzlabel")], Wanted())
    told = tables.ask({"file": ("zz.dcm",)}, "")
    assert told.patient == "zzmark"
    assert "zz" not in f"{tables!r}{told!r}"


def test_a_table_that_contradicts_itself_is_refused_with_a_count(exams: Path, tmp_path: Path) -> None:
    bad = table(tmp_path / "a.csv", "file,patient", "0.dcm,anna", "0.dcm,bob", "1.dcm,carl")
    with pytest.raises(InputRejectedError, match="1 rows contradict") as caught:
        read(exams, bad)
    assert "anna" not in str(caught.value)
