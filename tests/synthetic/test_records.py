"""Sets with records: what they say follows the table, agrees in all files, is drawn again, and may be conditioned."""

import csv
import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from privgan.errors import IntegrityError, UsageError
from privgan.files import read_json
from privgan.language import speaking
from privgan.records.condition import Condition
from privgan.records.rows import HEAD
from privgan.records.schema import Column, within
from privgan.synthetic.dicom.conformance import faults_of
from privgan.synthetic.dicom.form import DicomForm
from privgan.synthetic.dicom.said import said_of
from privgan.synthetic.drawing import Asked, Drawing
from privgan.synthetic.generate import GenerateOptions, generate
from privgan.synthetic.records_drawing import Wanted
from privgan.synthetic.synthetic_set import SyntheticSet, open_synthetic_set
from tests.synthetic.making import CLASSES, SEED, make_run, make_set, reseal
from tests.synthetic.recorded import COLUMNS, SCHEMA, recorded_run, recorded_set, table_of


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded_run(tmp_path_factory.mktemp("recorded") / "run")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SyntheticSet:
    return open_synthetic_set(recorded_set(tmp_path_factory.mktemp("made") / "synthetic", 40))


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "records.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def drawn(run: Path, count: int, where: str = "", frames: int = 1, classes: str = "uniform") -> Drawing:
    form, wanted = DicomForm(frames=frames), Wanted(where=where)
    asked = Asked(count=count, classes=classes, dicom=form, created="2026-01-01", wanted=wanted)
    return Drawing.of(run, asked, SEED)


def test_every_image_has_a_row_that_says_what_labels_and_files_say(made: SyntheticSet) -> None:
    rows = rows_of(made.folder)
    with (made.folder / "labels.csv").open(newline="", encoding="utf-8") as stream:
        labels = list(csv.DictReader(stream))
    assert list(rows[0]) == [*HEAD, *COLUMNS]
    assert [row["image"] for row in rows] == [str(number) for number in range(40)]
    for row, label in zip(rows, labels, strict=True):
        assert (row["file"], row["patient"], row["class"]) == (label["file"], label["patient"], label["label"])
    assert made.records.cells.tolist() == [[row[name] for name in COLUMNS] for row in rows]
    assert (made.records.codes >= 0).all()


def test_records_follow_the_table_given_the_class(run: Path) -> None:
    """Each class's records against its own slice of the joint table: chi-squared over sexes and stages."""
    drawing, table = drawn(run, 4000), table_of()
    for label in range(len(CLASSES)):
        codes = drawing.records.codes[drawing.labels == label]
        found = np.zeros((3, 4))
        np.add.at(found, (codes[:, 0], codes[:, 2]), 1)
        shares = table.joint[label].sum(axis=(1, 3, 4))
        expected = len(codes) * shares / shares.sum()
        assert ((found - expected) ** 2 / expected).sum() < 40  # 11 degrees of freedom
    ages = drawing.records.cells[:, 1]
    numbers = ages[ages != ""].astype(float)
    assert numbers.min() >= 0
    assert numbers.max() <= 100
    assert len(np.unique(numbers)) > 60


def test_a_set_without_columns_is_what_it_was(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "synthetic")
    assert not (folder / "records.csv").exists()
    assert not (folder / "data-dictionary.json").exists()
    assert "records" not in read_json(folder / "manifest.json")
    assert open_synthetic_set(folder).records.cells.shape == (6, 0)


def test_the_same_seed_gives_the_same_bytes_and_each_record_is_of_its_own_position(run: Path, tmp_path: Path) -> None:
    """As a release draws them: from the manifest alone."""
    texts = []
    for name in ("first", "again"):
        (tmp_path / name).mkdir()
        generate(run, tmp_path / name, GenerateOptions(count=12, where="sex=F", formats=("npz",)), SEED)
        texts.append((tmp_path / name / "records.csv").read_bytes())
    assert texts[0] == texts[1]
    held = open_synthetic_set(tmp_path / "first")
    again = Drawing.of(run, Asked.of(held.manifest), SEED)
    assert again.records.cells.tolist() == held.records.cells.tolist()
    assert again.manifest.to_json({}) == held.manifest.to_json({})


@pytest.mark.parametrize(
    ("where", "canonical"),
    [
        ("sex=F", "sex=F"),
        ("age=60..70, sex = F", "sex=F,age=60..70"),
        ("stage=II..III", "stage=II|III"),
        ("stage=III|II", "stage=II|III"),
        ("age=63", "age=63"),
    ],
)
def test_where_holds_of_every_record(run: Path, where: str, canonical: str) -> None:
    drawing = drawn(run, 60, where)
    condition = Condition.parse(where, SCHEMA)
    assert drawing.manifest.records is not None
    assert drawing.manifest.records.where == condition.text == canonical
    for row in drawing.records.cells.tolist():
        for name, cell in zip(SCHEMA.names, row, strict=True):
            if name in condition.values:
                assert cell in condition.values[name]
            if name in condition.spans:
                low, high = condition.spans[name]
                assert low <= Decimal(cell) <= high


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("stages=III", "stages=III"),
        ("sex=Q", "F, M"),
        ("sex=", "F, M"),
        ("sex", "COLUMN=VALUE"),
        ("sex=F,sex=M", "at most once"),
        ("age=60..101", "0..100"),
        ("age=70..60", "0..100"),
        ("age=old", "0..100"),
        ("age=nan", "0..100"),
        ("age=60.2..60.8", "0..100"),
        ("stage=III..I", "I, II, III"),
        ("age=80..89", "may be noise"),
        ("age=63,stage=I,sex=F,view=AP,laterality=left", "may be noise"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_reason(run: Path, where: str, said: str) -> None:
    with pytest.raises(UsageError, match="Expected") as refused:
        drawn(run, 6, where)
    assert said in str(refused.value)


def test_a_refusal_of_what_is_rare_says_which_class_and_how_sure_it_is(run: Path) -> None:
    with pytest.raises(UsageError, match=r"of class 'normal' about \d+ of 4,000 patients fit age=80..89") as refused:
        drawn(run, 6, "age=80..89")
    table = table_of()
    error = table.pairs.errors(table.noise)[1]  # of class and age
    assert f"up to {2 * error:.0f} may be noise" in str(refused.value)


def test_a_class_that_is_not_asked_for_need_not_have_what_is_asked(tmp_path: Path) -> None:
    """Young patients of the second class are too few; without that class there are enough."""
    run = recorded_run(tmp_path / "run", table_of(noise=25.0))
    with pytest.raises(UsageError, match="effusion"):
        drawn(run, 6, "age=0..19")
    assert len(drawn(run, 6, "age=0..19", classes="normal:1").labels) == 6


def test_without_a_table_where_is_refused_and_so_is_one_patient_for_all(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="this one has none"):
        drawn(make_run(tmp_path / "run"), 6, "sex=F")
    with pytest.raises(UsageError, match="contradict"):
        Drawing.of(
            run, Asked(count=6, classes="uniform", dicom=DicomForm(one_study=True), created="2026-01-01"), SEED
        )


def test_frames_of_a_file_are_of_one_patient(run: Path) -> None:
    """Sex and age are a patient's, stage and view an image's; the shares of both are the table's."""
    drawing = drawn(run, 900, frames=3)
    cells = drawing.records.cells.reshape(300, 3, -1)
    assert (cells[:, :, :1] == cells[:, :1, :1]).all()
    codes = drawing.records.codes.reshape(300, 3, -1)
    assert (codes[:, :, 1] == codes[:, :1, 1]).all()
    assert (codes[:, :, 2] != codes[:, :1, 2]).any()
    assert (cells[:, :, 1] == cells[:, :1, 1]).all()


def test_headers_say_what_the_standard_has_a_place_for(tmp_path: Path) -> None:
    folder = recorded_set(tmp_path / "synthetic", 30, sop_class="match", formats=("dicom",))
    seen: set[str] = set()
    for row in rows_of(folder):
        content = (folder / row["file"]).read_bytes()
        dataset = dcmread(folder / row["file"])
        assert faults_of(content) == []
        assert dataset.PatientID == row["patient"]
        assert dataset.PatientSex == row["sex"]
        assert dataset.get("PatientAge") == (f"{int(row['age']):03d}Y" if row["age"] else None)
        assert dataset.ViewPosition == row["view"]
        assert dataset.ImageLaterality == {"left": "L", "right": "R", "": "U"}[row["laterality"]]
        seen |= {f"sex {row['sex']}", f"age {bool(row['age'])}", f"side {row['laterality']}"}
    assert {"sex ", "sex F", "sex M", "age True", "side left", "side right"} <= seen


def test_secondary_captures_have_no_view(tmp_path: Path) -> None:
    folder = recorded_set(tmp_path / "synthetic", 4, formats=("dicom",))
    assert all("ViewPosition" not in dcmread(path) for path in folder.rglob("*.dcm"))


def test_a_file_says_what_all_of_its_frames_say() -> None:
    names, keywords = (
        ("sex", "laterality", "age"),
        {
            "sex": "PatientSex",
            "laterality": "ImageLaterality",
            "age": "PatientAge",
        },
    )
    same = said_of(keywords, names, [["F", "left", "7"], ["F", "left", "7"]])
    assert same == {"PatientSex": "F", "ImageLaterality": "L", "PatientAge": "007Y"}
    assert said_of(keywords, names, [["F", "left", ""], ["M", "right", ""]]) == {
        "PatientSex": "",
        "ImageLaterality": "U",
    }
    assert said_of(keywords, names, [["unclear", "none", "99.9"]]) == {
        "PatientSex": "",
        "ImageLaterality": "U",
        "PatientAge": "099Y",
    }


@pytest.mark.parametrize(
    ("old", "new"), [("F", "Q"), ("laterality", "side"), ("\n0,", "\n0,x,"), ("I", "IV"), ("18", "180")]
)
def test_a_table_that_holds_something_else_is_refused_even_under_a_fresh_manifest(
    tmp_path: Path, old: str, new: str
) -> None:
    folder = recorded_set(tmp_path / "synthetic", 20)
    path = folder / "records.csv"
    head, _, rest = path.read_text().partition("\n")
    text = f"{head}\n{rest}"
    cells = text.replace(f",{old},", f",{new},") if len(old) < 3 else text.replace(old, new)
    assert cells != text
    path.write_text(cells)
    reseal(folder)
    with pytest.raises(IntegrityError, match=r"records\.csv"):
        open_synthetic_set(folder)


def test_a_set_that_lost_its_records_is_refused(tmp_path: Path) -> None:
    folder = recorded_set(tmp_path / "synthetic")
    (folder / "records.csv").unlink()
    reseal(folder)
    with pytest.raises(IntegrityError, match=r"records\.csv"):
        open_synthetic_set(folder)


def test_the_dictionary_says_what_each_column_is_and_how_sure(made: SyntheticSet) -> None:
    told = json.loads((made.folder / "data-dictionary.json").read_text())
    by_name = {each["name"]: each for each in told["columns"]}
    assert list(by_name) == [*HEAD, *COLUMNS]
    assert by_name["sex"]["values"] == ["F", "M"]
    assert by_name["sex"]["of"] == "patient"
    assert by_name["stage"]["of"] == "image"
    assert (by_name["age"]["low"], by_name["age"]["high"], by_name["age"]["bands"]) == (0, 100, 10)
    errors = table_of().errors
    assert all(by_name[name]["noise_patients"] == round(2 * errors[name], 1) for name in COLUMNS)
    assert "invented" in told["about"]


def test_the_dictionary_is_in_the_sets_language_whoever_reads(run: Path, tmp_path: Path) -> None:
    tmp_path.joinpath("zh").mkdir()
    with speaking("zh"):
        generate(run, tmp_path / "zh", GenerateOptions(count=2), SEED)
    assert "虚构" in json.loads((tmp_path / "zh" / "data-dictionary.json").read_text())["about"]


@pytest.mark.parametrize("text", ["number(0..100)", "number(0..3)", "number(0.0..1.0/7)", "number(-5..5/3)"])
def test_bands_share_out_all_numbers_and_spans_cut_them(text: str) -> None:
    """The slow twin: every number, one by one, is of the band that its code says."""
    column = Column.parse("c", text)
    step = Decimal(1) if "." not in text.replace("..", "") else Decimal("0.1")
    every = [number for code in range(1, column.levels) for number in column.numbers(code)]
    assert every == list(range(int((column.high - column.low) / step) + 1))
    for code in range(1, column.levels):
        values = np.array([float(column.low + number * step) for number in column.numbers(code)])
        assert (column.codes(values) == code).all()
    span = column.span(column.low + step, column.high - step)
    assert list(span) == every[1:-1]
    assert sum(len(within(column.numbers(code), span)) for code in range(1, column.levels)) == len(every) - 2
