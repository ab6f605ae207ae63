"""Tables of other people's making: what their columns are is told, and spreadsheets write them in their own ways."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from privgan.data.cohort.persons import read_merged
from privgan.data.columns import Wanted
from privgan.data.sources.called import called_columns
from privgan.data.sources.opening import LoadedImages, read_images
from privgan.data.sources.wishes import Wishes
from privgan.errors import InputRejectedError, UsageError

HEADER = "Image Path;Finding;MRN;Patient;Label"
ROWS = [f"{n}.png;{'clear' if n % 2 else 'opacity'};M{n // 2};ward {n};none" for n in range(4)]
TOLD = "file=Image Path,label=finding,patient=mrn"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for number in range(4):
        Image.fromarray(rng.integers(0, 256, (40, 40), dtype=np.uint8)).save(tmp_path / f"{number}.png")
    return tmp_path


def write(folder: Path, *, first: str = "", encoding: str = "utf-8") -> None:
    text = "\r\n".join([*([first] if first else []), HEADER, *ROWS])
    (folder / "labels.csv").write_bytes(text.encode(encoding))


def read(folder: Path, told: str = TOLD) -> LoadedImages:
    return read_images(folder, Wishes(size=28, preset="cxr", csv_columns=tuple(called_columns(told).items())))


def test_columns_are_what_they_are_told_to_be(pictures: Path) -> None:
    """Although others are called `patient` and `label`."""
    write(pictures)
    loaded = read(pictures)
    assert (loaded.patient_keys, loaded.classes, loaded.refused) == (("M0", "M1"), ("clear", "opacity"), {})


def test_nothing_told_is_as_before(pictures: Path) -> None:
    write(pictures)
    with pytest.raises(UsageError, match=r"mrn, patient\. Name the one .* --csv-columns patient=NAME"):
        read(pictures, "file=image path,label=finding")
    with pytest.raises(UsageError, match="one column of patients"):
        read(pictures, "")


def test_a_column_that_no_table_has_is_refused(pictures: Path) -> None:
    write(pictures)
    with pytest.raises(UsageError, match="the columns findings in a label table"):
        read(pictures, TOLD.replace("finding", "findings"))


@pytest.mark.parametrize("told", ["fil=a", "file=", "file", "file=a,file=b", "file=a,label=a", "=a", "age=Age"])
def test_what_says_nothing_is_refused(told: str) -> None:
    with pytest.raises(UsageError, match="--csv-columns"):
        Wishes(csv_columns=tuple(called_columns(told).items()), columns=Wanted.named(("sex",)))


def test_further_columns_may_be_called_otherwise_too(pictures: Path) -> None:
    """As tables call them that no name of a column could be; and a column that has the name counts no more."""
    rows = [f"{n}.png;{n // 2};{'男女'[n // 2]};{40 + n // 2};x" for n in range(4)]
    (pictures / "labels.csv").write_text("\n".join(["file;patient;性别;Age (Years);sex", *rows]))
    called = tuple(called_columns("sex=性别, AGE=Age (Years)").items())
    columns = Wanted.named(("sex:category(男|女):patient", "age:number"))
    loaded = read_images(pictures, Wishes(size=28, preset="cxr", csv_columns=called, columns=columns))
    assert loaded.columns["sex"].tolist() == ["男", "男", "女", "女"]
    assert loaded.columns["age"].tolist() == [40, 40, 41, 41]


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_excels_line_about_the_separator_is_skipped(pictures: Path, first: str, encoding: str) -> None:
    write(pictures, first=first, encoding=encoding)
    assert read(pictures).patient_keys == ("M0", "M1")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_an_encoding_that_does_not_say_which_it_is_is_refused(pictures: Path, encoding: str) -> None:
    write(pictures, encoding=encoding)
    with pytest.raises(InputRejectedError, match=r"labels\.csv .*CSV UTF-8"):
        read(pictures)


def test_people_with_several_numbers_may_be_separated_as_excel_does(tmp_path: Path) -> None:
    for name, separator in {"comma.csv": ",", "semicolon.csv": ";"}.items():
        (tmp_path / name).write_text("\n".join(separator.join(numbers) for numbers in ("12", "345")))
    assert read_merged(tmp_path / "semicolon.csv") == read_merged(tmp_path / "comma.csv")
    assert len(read_merged(tmp_path / "comma.csv")[1]) == 3
