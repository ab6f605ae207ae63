"""An interrupted reading goes on where it was and ends as if nothing had been; and only on what it was begun with."""

import logging
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from privgan.data.cohort import prepare as prepare_module
from privgan.data.cohort.journal import FILE, ROWS
from privgan.data.cohort.options import PrepareOptions
from privgan.data.cohort.prepare import prepare
from privgan.data.formats.isolation import Job
from privgan.data.formats.worker import handler
from privgan.data.selection import Selection
from privgan.data.sources import file_source
from privgan.errors import InterruptedRunError, PreemptedError, UsageError
from privgan.files import read_json
from privgan.interruption import StopRequest
from tests.data.telling import told

MARKED = "ZZ-4711-MARK"
FILES = 14
RANDOM = ("cohort_id", "created", "digests")


@pytest.fixture(autouse=True)
def one_key_and_no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cohort gets the same key, and files are read in this process: it would take a second to start another."""

    def here(job: Job, requests: Sequence[bytes], workers: int | None = None) -> Iterator[bytes]:
        return map(handler(job.configuration), requests)

    monkeypatch.setattr(prepare_module.secrets, "token_bytes", lambda count: b"k" * count)
    monkeypatch.setattr(file_source, "run_isolated", here)
    monkeypatch.setattr(logging, "disable", lambda _: None)


@pytest.fixture
def source(make_dicom: Any, tmp_path: Path) -> Path:
    """A folder with everything that leaves a trace: two tables, refusals, a shared picture, folders of two people."""
    folder = tmp_path / "source"
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (FILES, 28, 28), dtype=np.uint8)
    pictures[9] = pictures[2]
    for number, picture in enumerate(pictures):
        tags = {"PatientID": f"{MARKED}{number // 2}", "IssuerOfPatientID": "SITE", "PatientName": f"Zorkel^{number}"}
        if number == 5:
            tags |= {"BurnedInAnnotation": "YES"}
        tags["SOPInstanceUID"] = f"1.2.{number}"
        make_dicom(folder / f"ward{number // 5}" / f"exam{number:02d}.dcm", picture, **tags)
    (folder / "ward0" / "exam03x.dcm").write_text("no image")
    rows = [f"1.2.{number},{'yes' if number % 3 else 'no'},{40 + number}" for number in range(FILES)]
    (tmp_path / "exams.csv").write_text("\n".join(["instance,label,age", *rows, "1.2.99,yes,"]))
    people = [f"{MARKED}{number},{'fm'[number % 2]}" for number in range(FILES // 2)]
    (tmp_path / "people.csv").write_text("\n".join(["patient,sex", *people]))
    (tmp_path / "gone.txt").write_text(f"{MARKED}4\n")
    (tmp_path / "merge.csv").write_text(f"{MARKED}0,{MARKED}6,elsewhere\n")
    return folder


def options(source: Path, **more: Any) -> PrepareOptions:
    folder = source.parent
    given = {
        "size": 28,
        "preset": "cxr",
        "classes": ("yes", "no"),
        "csv": (folder / "exams.csv", folder / "people.csv"),
        "columns": ("sex", "age:number"),
        "exclude": folder / "gone.txt",
        "merge": folder / "merge.csv",
    }
    return told(**{**given, **more})


class StopAfter(StopRequest):
    """A signal that comes after so many files; asked once a file, and again for what it was."""

    def __init__(self, files: int, number: int = signal.SIGTERM) -> None:
        self.left, self.number = files, number

    @property
    def signal(self) -> int | None:  # type: ignore[override]
        """Nothing until then."""
        self.left -= 1
        return self.number if self.left <= 0 else None


def begin(source: Path, folder: Path, files: int, **more: Any) -> None:
    """Prepare until so many files are read; the folder keeps them."""
    folder.mkdir(exist_ok=True)
    with pytest.raises(PreemptedError):
        prepare(source, folder, options(source, **more), stop=StopAfter(files))


def contents(folder: Path) -> dict[str, object]:
    """Every file of a cohort but what is random by intent."""
    found: dict[str, object] = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    found["cohort.json"] = {
        name: value for name, value in read_json(folder / "cohort.json").items() if name not in RANDOM
    }
    return found


@pytest.fixture
def twin(source: Path, tmp_path: Path) -> dict[str, object]:
    """The same cohort, prepared without an interruption."""
    (tmp_path / "twin").mkdir()
    prepare(source, tmp_path / "twin", options(source))
    return contents(tmp_path / "twin")


def test_it_ends_as_if_nothing_had_been(source: Path, twin: dict[str, object], tmp_path: Path) -> None:
    """Interrupted after every so many files, also several times; and the twin shows what there is to lose."""
    facts = twin["cohort.json"]
    assert isinstance(facts, dict)
    assert facts["refused"] == {"burned_in": 1, "not_dicom": 1}
    assert (facts["merged_patients"], facts["excluded_patients"]) == (1, 2)
    assert len(facts["notes"]) == 3
    for stops in ((1,), (4, 1, 2), (9,), (FILES + 1,)):
        folder = tmp_path / str(stops)
        for files in stops:
            begin(source, folder, files)
        prepare(source, folder, options(source))
        assert contents(folder) == twin


def test_records_end_as_if_nothing_had_been(source: Path, tmp_path: Path) -> None:
    """What was left out before the interruption is counted after it; who contradicts, only the whole says."""
    columns = ("sex:category(f|m):patient", "age:number(42..50)", "kind:category(ct|mr):patient")
    kinds = [f"1.2.{number},{'ct' if number == 6 else 'mr'}" for number in range(FILES)]
    (tmp_path / "kinds.csv").write_text("\n".join(["instance,kind", *kinds]))
    tables = (tmp_path / "exams.csv", tmp_path / "people.csv", tmp_path / "kinds.csv")
    (tmp_path / "twin").mkdir()
    whole = prepare(source, tmp_path / "twin", options(source, columns=columns, csv=tables))
    assert (whole.refused["out_of_range"], whole.refused["contradiction"]) == (5, 2)
    assert sum(note.startswith("Column") for note in whole.notes) >= 2
    for stop in (1, 4, 9, FILES):
        folder = tmp_path / str(stop)
        begin(source, folder, stop, columns=columns, csv=tables)
        prepare(source, folder, options(source, columns=columns, csv=tables))
        assert contents(folder) == contents(tmp_path / "twin")


def test_what_a_kill_leaves_half_written_is_cut_off(source: Path, twin: dict[str, object], tmp_path: Path) -> None:
    """The last line torn, pixels that no line speaks of, a line whose pixels are missing, a cohort half written."""
    folder = tmp_path / "cohort"
    begin(source, folder, 8)
    journal, rows = (folder / FILE).read_bytes(), (folder / ROWS).read_bytes()
    lines = journal.splitlines(keepends=True)
    torn = {
        "line": (journal[:-3], rows),
        "pixels": (b"".join(lines[:-1]), rows + bytes(100)),
        "both": (journal, rows[:-1]),
        "zeros": (journal[:-20] + bytes(20), rows),
        "nothing": (lines[0][:10], rows),
        "value": (b"".join(lines[:-1]) + b"[[1]]\n", rows),
        "whole": (journal, rows),
    }
    for name, (left, pixels) in torn.items():
        again = tmp_path / name
        again.mkdir()
        (again / "private").mkdir()
        (again / "private" / "hmac.key").write_bytes((folder / "private" / "hmac.key").read_bytes())
        (again / FILE).write_bytes(left)
        (again / ROWS).write_bytes(pixels)
        (again / "patients.npz").write_bytes(b"half")
        prepare(source, again, options(source))
        assert contents(again) == twin, name


def test_it_does_not_read_again_what_it_remembers(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal of all files asks for none of them; one of eight asks for the rest."""
    asked: list[int] = []
    before = prepare_module.open_source

    def counted(*words: Any) -> Any:
        origin = before(*words)
        entries = origin.entries
        origin.entries = lambda start=0: asked.append(start) or entries(start)
        return origin

    monkeypatch.setattr(prepare_module, "open_source", counted)
    for files in (8, FILES + 1):
        folder = tmp_path / str(files)
        begin(source, folder, files)
        prepare(source, folder, options(source))
    assert asked == [0, 8, 0, FILES + 1]


def test_the_journal_is_private_says_no_name_and_goes(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cohort"
    begin(source, folder, 8)
    for name in (FILE, ROWS):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    text = (folder / FILE).read_text()
    assert MARKED in text  # the patient's number is what it needs
    assert not any(word in text for word in ("Zorkel", "exam0", "ward", str(source)))
    prepare(source, folder, options(source))
    names = {path.name for path in (folder / "private").iterdir()}
    assert names == {"hmac.key", "identifiers", "patients"}


def touched(source: Path) -> None:
    os.utime(next(source.rglob("*.dcm")), ns=(0, 0))


def longer(source: Path) -> None:
    with (source.parent / "people.csv").open("a") as stream:
        stream.write("\nnobody,f")


CHANGES: dict[str, Any] = {
    "a file of another time": touched,
    "a file more": lambda source: (source / "new.dcm").touch(),
    "a file less": lambda source: next(source.rglob("*.dcm")).unlink(),
    "a file's name": lambda source: next(source.rglob("*.dcm")).rename(source / "renamed.dcm"),
    "a table's content": longer,
    "the list of the withdrawn": lambda source: (source.parent / "gone.txt").write_text("other"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_source_is_refused_and_what_was_read_stays(source: Path, tmp_path: Path, change: str) -> None:
    begin(source, tmp_path / "cohort", 3)
    kept = (tmp_path / "cohort" / FILE).read_bytes()
    CHANGES[change](source)
    with pytest.raises(UsageError, match="as before the interruption") as caught:
        prepare(source, tmp_path / "cohort", options(source))
    assert MARKED not in str(caught.value)
    assert (tmp_path / "cohort" / FILE).read_bytes() == kept


@pytest.mark.parametrize(
    "more",
    [
        {"size": 32},
        {"columns": ("sex",)},
        {"columns": ("age:number", "sex")},  # in another order, which is that of the values that were written down
        {"non_members": 0.5},
        {"max_images": 9},
        {"selection": Selection(axis="coronal")},
    ],
)
def test_other_options_are_refused(source: Path, tmp_path: Path, more: dict[str, Any]) -> None:
    begin(source, tmp_path / "cohort", 3)
    with pytest.raises(UsageError, match="the options as before"):
        prepare(source, tmp_path / "cohort", options(source, **more))


def test_another_version_is_refused(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(source, tmp_path / "cohort", 3)
    monkeypatch.setattr(prepare_module, "__version__", "0.0.0")
    with pytest.raises(UsageError, match="version"):
        prepare(source, tmp_path / "cohort", options(source))


def test_rows_of_an_npz_resume_too(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (40, 28, 28), dtype=np.uint8)
    people = np.array([f"p{row // 2}" for row in range(40)])
    np.savez(tmp_path / "a.npz", images=images, patient_id=people, age=rng.random(40))
    given = told(columns=("age:number",))
    for name in ("twin", "cohort"):
        (tmp_path / name).mkdir()
    prepare(tmp_path / "a.npz", tmp_path / "twin", given)
    with pytest.raises(InterruptedRunError, match="17 of 40 files"):
        prepare(tmp_path / "a.npz", tmp_path / "cohort", given, stop=StopAfter(17, signal.SIGINT))
    prepare(tmp_path / "a.npz", tmp_path / "cohort", given)
    assert contents(tmp_path / "cohort") == contents(tmp_path / "twin")
