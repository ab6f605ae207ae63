"""`prepare` stopped by Ctrl-C, SIGTERM and kill -9, gone on with, and compared with one that nothing stopped."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.filewriter import dcmwrite

from privgan.data.cohort import prepare as prepare_module
from privgan.data.cohort.journal import FILE, ROWS
from privgan.data.cohort.options import PrepareOptions
from privgan.data.cohort.prepare import prepare
from privgan.data.sources.wishes import Wishes
from privgan.files import read_json
from privgan.folders import unfinished_folder
from tests.cli.conftest import blobs
from tests.cli.forking import Warm
from tests.data.conftest import build_dicom

Privgan = Callable[..., subprocess.CompletedProcess[str]]
MARKED = "QZX-4711"
FILES = 240
WORDS = ("--size", 28, "--preset", "cxr", "--accept-low-power")


@pytest.fixture(scope="module")
def exams(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small DICOM files of 120 invented patients, named after them, and one that is broken."""
    folder = tmp_path_factory.mktemp("exams")
    for number, image in enumerate(blobs(FILES, 7)):
        patient = f"{MARKED}{number // 2:03d}"
        (folder / patient).mkdir(exist_ok=True)
        dataset = build_dicom(
            image, PatientID=patient, PatientName=f"Zorkel^{patient}", SOPInstanceUID=f"1.2.{number}"
        )
        dcmwrite(folder / patient / f"{number}.dcm", dataset, enforce_file_format=True)
    (folder / f"{MARKED}000" / "broken.dcm").write_text("broken")
    return folder


def stopped(
    loaded: Warm, number: signal.Signals, source: Path, cohort: Path, *words: object
) -> subprocess.CompletedProcess[str]:
    """Start `prepare` and send a signal once some images more are there."""
    rows = unfinished_folder(cohort) / ROWS
    before = rows.stat().st_size if rows.exists() else 0
    process = loaded.start("prepare", source, cohort, *words)
    deadline = time.monotonic() + 60
    while not (rows.exists() and rows.stat().st_size > before) and time.monotonic() < deadline:
        time.sleep(0.002)
    os.kill(process, number)
    return loaded.wait(process)


def contents(folder: Path) -> dict[str, object]:
    """Every file of a cohort but what is random by intent, and the ledger."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    found: dict[str, object] = {name: path.read_bytes() for name, path in files.items() if "ledger" not in name}
    facts = read_json(folder / "cohort.json")
    found["cohort.json"] = {
        name: facts[name] for name in facts.keys() - {"cohort_id", "created", "digests", "overrides"}
    }
    return found


def test_stopped_three_times_it_ends_as_if_nothing_had_been(
    privgan: Privgan, loaded: Warm, exams: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cohort, kept = tmp_path / "cohort", unfinished_folder(tmp_path / "cohort")
    words = (exams, cohort, *WORDS)
    told = stopped(loaded, signal.SIGTERM, *words)
    assert told.returncode == 75
    assert kept.stat().st_mode & 0o077 == 0
    for part in (f"of {FILES + 1} files", str(kept), "--resume", "delete that folder"):
        assert part in told.stderr
    privgan("prepare", exams, cohort, "--size", 32, *WORDS[2:], "--resume", code=2)
    killed = stopped(loaded, signal.SIGKILL, *words, "--resume")
    assert killed.returncode == -signal.SIGKILL
    interrupted = stopped(loaded, signal.SIGINT, *words, "--resume", "--json")
    assert interrupted.returncode == json.loads(interrupted.stdout)["error"]["exit_code"] == 130
    assert not cohort.exists()
    assert (kept / FILE).exists()
    done = privgan("prepare", *words, "--resume", "--json")
    assert json.loads(done.stdout)["refused"] == {"not_dicom": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["cohort"]
    for said in (told, interrupted, done):
        assert MARKED not in said.stdout + said.stderr
        assert str(exams) not in said.stdout + said.stderr
    key = (cohort / "private" / "hmac.key").read_bytes()
    monkeypatch.setattr(prepare_module.secrets, "token_bytes", lambda _: key)
    (tmp_path / "twin").mkdir()
    prepare(exams, tmp_path / "twin", PrepareOptions(reading=Wishes(size=28, preset="cxr")))
    assert contents(cohort) == contents(tmp_path / "twin")


def test_without_resume_what_was_kept_is_thrown_away_and_that_is_said(
    privgan: Privgan, loaded: Warm, exams: Path, tmp_path: Path
) -> None:
    cohort = tmp_path / "cohort"
    privgan("prepare", exams, cohort, *WORDS, "--resume", code=2)
    assert stopped(loaded, signal.SIGTERM, exams, cohort, *WORDS).returncode == 75
    done = privgan("prepare", exams, cohort, *WORDS)
    assert "thrown away" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["cohort"]
    privgan("budget", cohort)


def test_a_merge_file_and_several_tables_from_the_command_line(privgan: Privgan, exams: Path, tmp_path: Path) -> None:
    people = [f"{MARKED}{number:03d}" for number in range(120)]
    (tmp_path / "merge.csv").write_text(f"{people[0]},{people[1]}\n{people[1]},{people[2]}\n")
    rows = [f"{person},{30 + number}.5" for number, person in enumerate(people)]
    (tmp_path / "ages.csv").write_text("\n".join(["patient,age", *rows]))
    exam = [f"1.2.{number},{'ab'[number % 2]}" for number in range(FILES)]
    (tmp_path / "labels.csv").write_text("\n".join(["instance,label", *exam]))
    tables = ("--csv", tmp_path / "labels.csv", "--csv", tmp_path / "ages.csv")
    columns = ("--columns", "Age:number")
    scanned = json.loads(privgan("scan", exams, "--preset", "cxr", *tables, *columns, "--json").stdout)
    assert (scanned["readable"], scanned["patients"]) == (FILES, 120)
    words = (*WORDS, *tables, *columns, "--merge", tmp_path / "merge.csv", "--json")
    done = privgan("prepare", exams, tmp_path / "cohort", *words)
    said = json.loads(done.stdout)
    assert (said["columns"], said["classes"]) == ({"age": "number"}, ["a", "b"])
    assert (said["merged_patients"], said["patients"]) == (2, 118)
    assert MARKED not in done.stdout + done.stderr
