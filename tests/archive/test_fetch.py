"""A hospital's images out of a real archive, and on into a cohort; what an odd one gives, and what a kill leaves."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import dcmread

from privgan.archive.fetching import journal_of
from privgan.data.phantoms.phantoms import write_phantoms
from tests.archive.conftest import Here, Process
from tests.archive.orthanc import Orthanc
from tests.archive.proxy import wire_to
from tests.archive.stub import Asked, Said, Stub, answering
from tests.cli.conftest import command, environment

PATIENTS = 24
DICOM_PART = 'multipart/related; type="application/dicom"; boundary=b'


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> dict[bytes, str]:
    """Invented patients' files, each with its patient's number."""
    folder = tmp_path_factory.mktemp("phantoms")
    write_phantoms(folder, patients=PATIENTS)
    return {path.read_bytes(): dcmread(path).PatientID for path in folder.rglob("*.dcm")}


@pytest.fixture
def hospital(archive: Orthanc, phantoms: dict[bytes, str]) -> Orthanc:
    """An archive that has them."""
    for content in phantoms:
        archive.put(content)
    return archive


def files_in(folder: Path) -> list[bytes]:
    """All files, in order; numbered without a gap, and nobody else's to read."""
    paths = sorted(folder.iterdir())
    assert [path.name for path in paths] == [f"{number:06d}.dcm" for number in range(1, len(paths) + 1)]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in [*paths, journal_of(folder)])
    return [path.read_bytes() for path in paths]


def require_silence(said: str, phantoms: dict[bytes, str], folder: Path) -> None:
    """No patient's number and no UID, on the screen or in the journal."""
    said += journal_of(folder).read_text()
    for path in sorted(folder.iterdir()):
        dataset = dcmread(path, stop_before_pixels=True)
        for value in (
            dataset.SOPInstanceUID,
            dataset.StudyInstanceUID,
            dataset.SeriesInstanceUID,
            dataset.PatientName,
        ):
            assert str(value) not in said
    assert not [number for number in phantoms.values() if number in said]


def test_from_the_archive_into_a_cohort(
    process: Process, here: Here, hospital: Orthanc, phantoms: dict[bytes, str], tmp_path: Path
) -> None:
    """Byte for byte, as it is stored, compressed or not; `scan` and `prepare` read it as any folder."""
    folder = tmp_path / "images"
    done = process("fetch", hospital.url, folder, "--json")
    size = sum(map(len, phantoms))
    assert json.loads(done.stdout) == {
        "next": f"privgan scan {folder}",
        "schema_version": 1,
        "folder": str(folder),
        "found": len(phantoms),
        "fetched": len(phantoms),
        "fetched_before": 0,
        "fetched_bytes": size,
        "not_given": {},
    }
    assert done.stderr == ""
    assert sorted(files_in(folder)) == sorted(phantoms)
    require_silence(done.stdout, phantoms, folder)
    assert f"next: privgan scan {folder}" in here("fetch", hospital.url, folder, "--resume")
    here("prepare", folder, tmp_path / "cohort", "--accept-low-power")
    facts = json.loads((tmp_path / "cohort" / "cohort.json").read_text())
    assert (facts["patients"], facts["images"]) == (PATIENTS, len(phantoms))


def test_what_is_asked_for_is_what_comes(
    here: Here, hospital: Orthanc, phantoms: dict[bytes, str], tmp_path: Path
) -> None:
    """By patient, modality and date, up to a limit; nothing that matches is 5."""
    chosen = sorted(set(phantoms.values()))[:3]
    numbers = tmp_path / "patients"
    numbers.write_text("\n".join([*chosen, "NOBODY"]))
    numbers.chmod(0o600)
    said = here("fetch", hospital.url, tmp_path / "few", "--patients", numbers, "--query", "Modality=CR")
    assert sorted(files_in(tmp_path / "few")) == sorted(file for file, number in phantoms.items() if number in chosen)
    require_silence(said, phantoms, tmp_path / "few")
    here("fetch", hospital.url, tmp_path / "none", "--query", "Modality=MR", code=5)
    here("fetch", hospital.url, tmp_path / "old", "--query", "StudyDate=-19000101", code=5)
    here("fetch", hospital.url, tmp_path / "some", "--query", "BodyPartExamined=CHEST", "--limit", 5)
    assert len(files_in(tmp_path / "some")) == 5
    here("fetch", hospital.url, tmp_path / "some", "--query", "BodyPartExamined=CHEST", "--resume")
    assert sorted(files_in(tmp_path / "some")) == sorted(phantoms)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed_and_resumed_nothing_is_missing_or_twice(
    here: Here, hospital: Orthanc, phantoms: dict[bytes, str], tmp_path: Path, number: int
) -> None:
    folder = tmp_path / "images"
    with wire_to(hospital.http_port) as wire:
        url = hospital.url.replace(str(hospital.http_port), str(wire.port))
        listing = 420 * PATIENTS * 2
        wire.most_bytes = listing + 420 * len(phantoms) // 2  # requests of about that size
        line = command("fetch", url, folder)
        with subprocess.Popen(line, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert wire.stalled.wait(300)
            os.kill(process.pid, number)
            said = b"".join(process.communicate(timeout=300)).decode()
        assert process.returncode == (75 if number == signal.SIGTERM else -9), said
        wire.mend()
        before = len(list(folder.glob("0*.dcm")))
        assert 0 < before < len(phantoms)
        (folder / ".000099.dcm.deadbeef.partial").write_bytes(b"half")
        here("fetch", url, folder, code=2)
        here("fetch", url, folder, "--resume", "--query", "Modality=CR", code=2)
        said = here("fetch", url, folder, "--resume", "--json")
    answer = json.loads(said)
    assert answer["fetched"] + answer["fetched_before"] == len(phantoms)
    assert before - 1 <= answer["fetched_before"] <= before
    assert sorted(files_in(folder)) == sorted(phantoms)


def test_a_dead_wire_and_a_wrong_address(here: Here, archive: Orthanc, tmp_path: Path) -> None:
    with wire_to(archive.http_port) as wire:
        wire.most_bytes = 0
        url = archive.url.replace(str(archive.http_port), str(wire.port))
        assert "--resume goes on" in here("fetch", url, tmp_path / "a", "--timeout", 0.2, code=75)
    here("fetch", f"{archive.url}x", tmp_path / "b", code=2)
    here("fetch", "ARCHIVE@127.0.0.1:104", tmp_path / "c", code=2)
    here("fetch", archive.url, tmp_path / "no" / "d", code=2)
    here("fetch", archive.url, tmp_path / "e", "--resume", code=2)
    here("fetch", archive.url, tmp_path / "f", "--limit", 0, code=2)
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").touch()
    here("fetch", archive.url, tmp_path / "used", code=2)


@pytest.fixture
def odd() -> Iterator[Stub]:
    """A service with one series of instances 1.1 to 1.14, each given in a way of its own."""
    whole = b"--b\r\nContent-Type: application/dicom\r\n\r\nDICM-1\r\n--b--"
    answers = {
        "1": Said(kind=DICOM_PART, body=whole),
        "2": Said(kind="application/dicom", body=b"DICM-2"),
        "3": Said(status=404),
        "4": Said(status=403),
        "5": Said(status=406),
        "6": Said(status=500),
        "7": Said(kind="text/html", body=b"<p>sorry"),
        "8": Said(kind=DICOM_PART, body=whole.replace(b"--b--", b"") + whole),
        "9": Said(kind=DICOM_PART, body=whole[:-8]),
        "10": Said(kind="application/dicom", body=b"x" * 5000),
        "11": Said(kind="application/dicom"),
        "12": Said(kind="application/dicom", body=b"x" * 50_000),
        "13": Said(status=204),
        "14": Said(status=206, kind=DICOM_PART, body=whole.replace(b"--b\r", b"--b \t\r").replace(b"-1", b"-3")),
    }

    def answer(request: Asked) -> Said:
        path, _, query = request.path.partition("?")
        last = path.rpartition("/")[2]
        kind = {"studies": "0020000D", "series": "0020000E", "instances": "00080018"}.get(last)
        if kind is None:
            return answers[last.removeprefix("1.")]
        uids = [f"1.{number}" for number in answers] if last == "instances" else ["1.0"]
        entries = [{kind: {"Value": [uid]}} for uid in uids] if "offset=0" in query else []
        return Said(body=json.dumps(entries).encode())

    with answering(answer) as stub:
        yield stub


def test_what_is_not_given_is_counted_and_asked_for_again(
    here: Here, odd: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never fatal, never a file; nothing is looked into."""
    monkeypatch.setattr("privgan.data.refusals.MAX_FILE_BYTES", 4000)
    answer = json.loads(here("fetch", odd.url, tmp_path / "images", "--json"))
    not_given = {
        "archive_failed": 1,
        "damaged_answer": 4,
        "forbidden": 1,
        "not_found": 1,
        "refused": 2,
        "too_large": 2,
    }
    assert answer["not_given"] == not_given
    assert (answer["found"], answer["fetched"], answer["fetched_bytes"]) == (14, 3, 18)
    assert files_in(tmp_path / "images") == [b"DICM-1", b"DICM-2", b"DICM-3"]
    asked = len(odd.asked)
    answer = json.loads(here("fetch", odd.url, tmp_path / "images", "--resume", "--json"))
    assert (answer["fetched"], answer["fetched_before"], answer["not_given"]) == (0, 3, not_given)
    assert len(odd.asked) - asked == asked - 3


def test_a_token_that_ends_half_way_ends_it(here: Here, tmp_path: Path) -> None:
    """401 is about us, not about an instance."""

    def answer(request: Asked) -> Said:
        path, _, query = request.path.partition("?")
        if not query:
            return Said(status=401)
        tag = {"studies": "0020000D", "series": "0020000E", "instances": "00080018"}[path.rpartition("/")[2]]
        return Said(body=json.dumps([{tag: {"Value": ["1.2"]}}]).encode())

    with answering(answer) as stub:
        assert "401" in here("fetch", stub.url, tmp_path / "images", code=2)


def test_a_patients_number_in_the_command_is_refused_and_not_repeated(here: Here, tmp_path: Path) -> None:
    for word in ("PatientID=QZX-0815", "PatientName=QZX", "QZX-0815"):
        assert "QZX" not in here("fetch", "http://127.0.0.1:1/x", tmp_path / "a", "--query", word, code=2)
    assert not (tmp_path / "a").exists()


def test_a_wire_that_others_can_read_is_red(here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain http to another machine."""
    monkeypatch.setattr("privgan.archive.web.require_known", lambda _: "192.0.2.1")
    said = here("fetch", "http://pacs.invalid/x", tmp_path / "missing" / "a", code=2)
    assert "RED  Patients' images will cross the network unencrypted" in said
    assert "RED" not in here("fetch", "https://pacs.invalid/x", tmp_path / "missing" / "a", code=2)
