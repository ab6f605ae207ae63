"""From a source to a cohort: people, withdrawals, merges, classes, and nothing said about anybody."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from privgan.data.cohort import prepare as prepare_module
from privgan.data.cohort.cohort import Cohort, open_cohort
from privgan.data.cohort.prepare import prepare
from privgan.data.cohort.scan import scan
from privgan.data.cohort.sides import assign_sides
from privgan.data.identifiers import IdentifierDigests
from privgan.data.phantoms.phantoms import write_phantoms
from privgan.data.sources.wishes import Wishes
from privgan.errors import InputRejectedError, IntegrityError, UsageError
from privgan.folders import staged_folder
from privgan.images.stored import as_stored
from tests.data.descendants import below
from tests.data.telling import told
from tests.places import ROOT

MARKED = "ZZ-4711-MARK"


def images(count: int, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).integers(0, 256, (count, 28, 28), dtype=np.uint8)


def make(source: Path, target: Path, **options: Any) -> Cohort:
    with staged_folder(target, marker="cohort.json") as folder:
        prepare(source, folder, told(**options))
    return open_cohort(target)


def npz(path: Path, patients: list[str], pictures: np.ndarray[Any, Any] | None = None, **more: Any) -> Path:
    np.savez(
        path,
        images=images(len(patients)) if pictures is None else pictures,
        patient_id=np.array(patients),
        **more,
    )
    return path


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantoms")
    write_phantoms(folder, patients=60)
    return folder


def test_a_dicom_folder_becomes_a_cohort(phantoms: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (phantoms / "broken.dcm").write_bytes(b"x")
    cohort = make(phantoms, tmp_path / "cohort", size=64)
    facts = cohort.facts
    assert (facts.patients, facts.form.classes, facts.preset) == (60, ("clear", "opacity"), "picture")
    assert facts.members + facts.non_members == 60
    assert facts.refused == {"not_dicom": 1}
    assert facts.images == len(cohort.images) == len(list(phantoms.rglob("*.dcm"))) - 1
    sides = {(patient, side) for patient, side in zip(cohort.patients, cohort.split, strict=True)}
    assert len(sides) == 60  # nobody stands on both sides
    assert "".join(capfd.readouterr()) == ""
    public = b"".join(p.read_bytes() for p in (tmp_path / "cohort").glob("*") if p.is_file() and p.suffix != ".npy")
    for folder in phantoms.iterdir():
        number, _, name = folder.name.partition("_")
        assert number.encode() not in public
        assert not name or name.encode() not in public
    assert {p.stat().st_mode & 0o077 for p in (tmp_path / "cohort").rglob("*") if p.is_file()} == {0}
    assert {p.name for p in (tmp_path / "cohort" / "private").iterdir()} == {"hmac.key", "identifiers", "patients"}


def test_identifiers_of_headers_and_paths_are_found_again(phantoms: Path, tmp_path: Path) -> None:
    cohort = make(phantoms, tmp_path / "cohort")
    private = cohort.folder / "private"
    digests = IdentifierDigests.read(private / "identifiers", (private / "hmac.key").read_bytes())
    file = next(phantoms.rglob("*/*.dcm"))
    number, _, family = file.parent.name.partition("_")
    assert digests.find(number) == "identifier"
    assert digests.find(family) == "name_part"
    assert digests.find(file.stem) == "file_name"
    assert digests.find(file.stem.partition("_")[0]) == "identifier"  # the accession number
    assert [digests.find(word) for word in ("opacity", "clear", "chest", "19000101", "privgan")] == [None] * 5


def test_rows_keep_the_order_of_the_source(tmp_path: Path) -> None:
    names = ["p3", "p1", "p3", "p2", *(f"q{number}" for number in range(12))]  # so many that some are members
    rows = [0, 1, 0, *range(2, 15)]
    source = npz(tmp_path / "a.npz", names, labels=np.arange(16) % 2)
    cohort = make(source, tmp_path / "cohort", classes=("x", "y"))
    np.testing.assert_array_equal(as_stored(cohort.images), images(16))
    assert cohort.patients.tolist() == rows
    assert cohort.labels.tolist() == [0, 1] * 8
    key = (tmp_path / "cohort" / "private" / "hmac.key").read_bytes()
    people = list(dict.fromkeys(names))
    np.testing.assert_array_equal(cohort.split, assign_sides(key, people, 0.333)[rows])


def test_patients_who_share_a_picture_are_one_person(tmp_path: Path) -> None:
    pictures = images(7)
    pictures[3] = pictures[0]  # p3 is p0
    pictures[4] = pictures[5] = 77  # blank: shows nobody
    source = npz(tmp_path / "a.npz", [f"p{number}" for number in range(6)] + ["p0"], pictures)
    cohort = make(source, tmp_path / "cohort", non_members=0.0)
    assert cohort.patients.tolist() == [0, 1, 2, 0, 0]
    assert (cohort.facts.merged_patients, cohort.facts.patients, cohort.facts.images) == (1, 3, 5)
    assert cohort.facts.refused == {"blank": 2}


def test_withdrawn_patients_go_and_take_their_second_number_along(tmp_path: Path) -> None:
    pictures = images(6)
    pictures[4] = pictures[1]  # p4 is p1, under another number
    source = npz(tmp_path / "a.npz", ["p0", "p1", "p2", "p3", "p4", "p4"], pictures)
    (tmp_path / "gone.txt").write_text("p1\n\n  p3  \nghost\n")
    with pytest.raises(UsageError, match=r"1 match nobody\. Write them as the source does"):
        make(source, tmp_path / "cohort", exclude=tmp_path / "gone.txt")
    wanted = {"exclude": tmp_path / "gone.txt", "accept_unmatched": True}
    cohort = make(source, tmp_path / "cohort", non_members=0.0, **wanted)
    assert cohort.facts.overrides == ("accept-unmatched",)
    np.testing.assert_array_equal(as_stored(cohort.images), pictures[[0, 2]])
    assert (cohort.facts.excluded_patients, cohort.facts.merged_patients, cohort.facts.patients) == (3, 0, 2)
    assert [note.split(" ")[0] for note in cohort.facts.notes[-2:]] == ["1", "1"]
    assert not any(key in " ".join(cohort.facts.notes) for key in ("p1", "p3", "ghost"))
    assert not any(pictures[1].tobytes() in path.read_bytes() for path in cohort.folder.rglob("*") if path.is_file())


def test_dicom_patients_withdraw_by_number_with_or_without_issuer(make_dicom: Any, tmp_path: Path) -> None:
    for number in range(6):
        picture = images(1, seed=number)[0]
        make_dicom(tmp_path / "src" / f"{number}.dcm", picture, PatientID=f"P{number}", IssuerOfPatientID="SITE")
    (tmp_path / "gone.txt").write_text("P2\nP4^^^SITE\n")
    cohort = make(tmp_path / "src", tmp_path / "cohort", non_members=0.0, exclude=tmp_path / "gone.txt")
    assert (cohort.facts.patients, cohort.facts.excluded_patients) == (4, 2)
    assert not any("withdrawn" in note for note in cohort.facts.notes)


def test_a_class_found_in_data_must_not_point_at_few(tmp_path: Path) -> None:
    patients = [f"p{number}" for number in range(30)]
    labels = np.array(["common"] * 21 + ["rare"] * 9)
    source = npz(tmp_path / "a.npz", patients, labels=labels)
    with pytest.raises(InputRejectedError, match="--classes") as caught:
        make(source, tmp_path / "cohort")
    assert "rare" not in str(caught.value)
    assert not list(tmp_path.glob("*cohort*"))
    declared = make(source, tmp_path / "cohort", classes=("common", "rare", "never"))
    assert declared.facts.form.classes == ("common", "rare", "never")
    narrower = make(source, tmp_path / "second", classes=("common",))
    assert (narrower.facts.images, narrower.facts.refused) == (21, {"unknown_class": 9})


def test_scan_counts_what_prepare_would_read(phantoms: Path, tmp_path: Path) -> None:
    (phantoms / "broken.dcm").write_bytes(b"x")
    report = scan(phantoms, Wishes())
    cohort = make(phantoms, tmp_path / "cohort")
    assert (report.readable, report.refused, report.patients) == (cohort.facts.images, {"not_dicom": 1}, 60)
    assert report.files == report.readable + 1
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.dcm").touch()
    assert scan(tmp_path / "src", Wishes()).readable == 0


def test_refused_files_are_named_by_a_keyed_hash_only(make_dicom: Any, tmp_path: Path) -> None:
    for number in range(4):
        make_dicom(tmp_path / "src" / f"{MARKED}-{number}.dcm", images(1, number)[0], PatientID=f"P{number}")
    make_dicom(tmp_path / "src" / f"{MARKED}-bad.dcm", images(1)[0], Modality="US")
    cohort = make(tmp_path / "src", tmp_path / "cohort", non_members=0.0)
    (line,) = (cohort.folder / "refused.jsonl").read_text().splitlines()
    assert json.loads(line)["code"] == "likely_burned_in"
    assert len(json.loads(line)["where"]) == 64
    assert MARKED not in line


@pytest.mark.parametrize("count", [1, 0])
def test_too_few_patients_are_refused(tmp_path: Path, count: int) -> None:
    (tmp_path / "gone.txt").write_text("p0\np1\n" if count == 0 else "p0\n")
    source = npz(tmp_path / "a.npz", ["p0", "p1"])
    with pytest.raises(InputRejectedError, match=f"got {count} patients"):
        make(source, tmp_path / "cohort", exclude=tmp_path / "gone.txt")


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 16},
        {"non_members": 1.0},
        {"non_members": -0.1},
        {"non_members": float("nan")},
        {"classes": ("a", "a")},
        {"classes": ("",)},
        {"preset": "custom"},
        {"window": (5, 1)},
    ],
)
def test_impossible_options_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="Expected"):
        told(**wrong)


def test_an_unreadable_withdrawal_list_stops_everything(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="withdrawn"):
        make(npz(tmp_path / "a.npz", ["a", "b"]), tmp_path / "cohort", exclude=tmp_path / "absent.txt")


def test_a_full_disk_is_said_before_work_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def full(_folder: Path, needed: int) -> None:
        seen.append(needed)
        raise UsageError("full")

    monkeypatch.setattr(prepare_module, "require_space", full)
    with pytest.raises(UsageError, match="full"):
        make(npz(tmp_path / "a.npz", ["a", "b"]), tmp_path / "cohort")
    assert seen[0] >= 2 * 2 * 28 * 28
    assert not list(tmp_path.glob("*cohort*"))


@pytest.mark.parametrize("name", ["images.npy", "patients.npz", "refused.jsonl", "private/identifiers"])
def test_an_edited_cohort_is_refused(tmp_path: Path, name: str) -> None:
    cohort = make(npz(tmp_path / "a.npz", ["alpha-1", "beta-22", "gamma-3"]), tmp_path / "cohort", non_members=0.0)
    file = cohort.folder / name
    content = bytearray(file.read_bytes() or b"\0")
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(IntegrityError, match="edited"):
        open_cohort(cohort.folder)


def test_a_killed_prepare_leaves_no_cohort_and_no_process(phantoms: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from privgan.folders import staged_folder\n"
        "from privgan.data.cohort.prepare import PrepareOptions, prepare\n"
        "def slow(task, done, total, note=''):\n    print('reading', flush=True); import time; time.sleep(60)\n"
        "if __name__ == '__main__':\n"
        "    with staged_folder(Path(sys.argv[2]), marker='cohort.json') as f:\n"
        "        prepare(Path(sys.argv[1]), f, PrepareOptions(), slow)\n"
    )
    (tmp_path / "script.py").write_text(script)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(tmp_path / "script.py"), str(phantoms), str(tmp_path / "cohort")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "reading\n"
        children = below(process.pid)
        process.send_signal(signal.SIGKILL)
    assert not (tmp_path / "cohort").exists()
    assert len(children) > 2  # the last is a worker
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and any(Path(f"/proc/{child}").exists() for child in children):
        time.sleep(0.1)
    assert not any(Path(f"/proc/{child}").exists() for child in children)
