"""A declared column of a set's records as what is learned, read from the very files that were signed."""

import csv
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from privgan.errors import IntegrityError, UsageError
from privgan.files import sha256_file, write_json
from privgan.images.form import ImageForm
from privgan_uses.teaching.lesson import lesson_of

COUNT = 90
COLUMNS = {"stage": "ordinal(I<II)", "age": "number(0..100)"}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """The files of a bundle that are looked at: every fifth record says no stage."""
    dataset = tmp_path / "dataset"
    dataset.mkdir()
    text = io.StringIO(newline="")
    rows = [(n, "f", "p", "clear", "" if n % 5 == 4 else "I" if n % 2 else "II", "50") for n in range(COUNT)]
    csv.writer(text, lineterminator="\n").writerows([("image", "file", "patient", "class", *COLUMNS), *rows])
    (dataset / "records.csv").write_text(text.getvalue())
    facts = {"columns": COLUMNS, "errors": dict.fromkeys(COLUMNS, 1.0), "members": 100, "where": "", "sequence": ""}
    digests = {"records.csv": sha256_file(dataset / "records.csv")}
    write_json(dataset / "manifest.json", {"records": facts, "files": digests})
    return tmp_path


def released(bundle: Path) -> Any:
    """As it was verified."""
    return SimpleNamespace(
        images=np.zeros((COUNT, 28, 28, 1), np.uint8),
        labels=np.zeros(COUNT, dtype=np.int64),
        splits=np.repeat(["train", "validation", "test"], COUNT // 3),
        form=ImageForm(side=28, classes=("clear",)),
        origins=(SimpleNamespace(set_sha256=sha256_file(bundle / "dataset" / "manifest.json"), images=COUNT),),
    )


def test_values_are_classes_and_unknown_ones_are_left_out(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("privgan_uses.teaching.lesson.LEAST", dict.fromkeys(("train", "validation", "test"), 5))
    lesson = lesson_of(released(bundle), [bundle], "stage")
    assert (lesson.classes, lesson.column, lesson.declaration) == (("I", "II"), "stage", "ordinal(I<II)")
    wanted = [0 if n % 2 else 1 for n in range(COUNT // 3) if n % 5 != 4]
    assert lesson.parts["train"].labels.tolist() == wanted


@pytest.mark.parametrize("column", ["age", "sex"])
def test_numbers_and_columns_that_are_not_there_are_refused(bundle: Path, column: str) -> None:
    with pytest.raises(UsageError, match=f"of an order: stage. Got '{column}'"):
        lesson_of(released(bundle), [bundle], column)


@pytest.mark.parametrize("name", ["records.csv", "manifest.json"])
def test_what_was_edited_after_it_was_verified_is_refused(bundle: Path, name: str) -> None:
    verified = released(bundle)
    with (bundle / "dataset" / name).open("a") as stream:
        stream.write(" ")
    with pytest.raises(IntegrityError, match="edited meanwhile"):
        lesson_of(verified, [bundle], "stage")
