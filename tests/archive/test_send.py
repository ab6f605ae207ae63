"""From a released bundle into a real archive and back, with everything that goes wrong on the way."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicomweb_client import DICOMwebClient
from pydicom import dcmread

from tests.archive import orthanc
from tests.archive.conftest import COUNT, Here, Process
from tests.archive.orthanc import KNOWN, PASSWORD, USER, Orthanc
from tests.archive.proxy import Authority, Wire, make_authority, wire_to
from tests.cli.conftest import environment

SMALL_BATCHES = "from privgan.archive import stow; stow.MOST_INSTANCES = 2; from privgan_cli.main import main; main()"


def words(released: Path, bundle: Path, to: str, *more: object) -> list[object]:
    return ["send", bundle, "--public-key", released / "site.pub", "--to", to, *more]


def files_of(bundle: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in bundle.resolve().rglob("*.dcm"))


def held_by(archive: Orthanc) -> list[bytes]:
    """Every file that the archive has, as it stored it."""
    return sorted(archive.ask(f"/instances/{number}/file") for number in archive.instances())


def require_silence(said: str, bundle: Path) -> None:
    """No identifier and no UID, neither of the instances nor of anything else of theirs."""
    for content in files_of(bundle):
        dataset = dcmread(BytesIO(content))
        for value in (dataset.SOPInstanceUID, dataset.StudyInstanceUID, dataset.SeriesInstanceUID):
            assert str(value) not in said
        assert str(dataset.PatientID) not in said
        assert str(dataset.PatientName) not in said


def test_by_web_it_arrives_marked_and_pixel_by_pixel(
    process: Process, archive: Orthanc, released: Path, bundle: Path
) -> None:
    """An independent client finds it by its mark; a second run has nothing to do; another key sends nothing."""
    process("send", bundle, "--public-key", released / "other.pub", "--to", archive.url, code=6)
    assert archive.instances() == []
    done = process(*words(released, bundle, archive.url, "--json"))
    answer = json.loads(done.stdout)
    journal = Path(answer.pop("journal"))
    assert answer == {"schema_version": 1, "instances": COUNT, "stored": COUNT, "stored_before": 0, "rejected": {}}
    assert done.stderr == ""
    require_silence(done.stdout + journal.read_text(), bundle)

    judge = DICOMwebClient(archive.url)
    assert judge.search_for_instances(search_filters={"SyntheticData": "NO"}) == []
    found = judge.search_for_instances(search_filters={"SyntheticData": "YES"})
    assert len(found) == COUNT
    sent = {dataset.SOPInstanceUID: dataset for dataset in map(dcmread, map(BytesIO, files_of(bundle)))}
    for entry in found:
        study, series, instance = (entry[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018"))
        received = judge.retrieve_instance(study, series, instance)
        assert np.array_equal(received.pixel_array, sent.pop(instance).pixel_array)
        assert received.SyntheticData == "YES"
    assert not sent
    assert held_by(archive) == files_of(bundle)

    again = process(*words(released, bundle, archive.url))
    assert f"has {COUNT} of {COUNT} instances, 0 since now" in again.stdout
    process("verify", bundle, "--public-key", released / "site.pub")  # the journal is not in it


def test_by_association_it_arrives_byte_for_byte(
    process: Process, archive: Orthanc, released: Path, bundle: Path
) -> None:
    done = process(*words(released, bundle, archive.peer))
    assert f"has {COUNT} of {COUNT} instances, {COUNT} since now" in done.stdout
    assert done.stderr == ""
    require_silence(done.stdout, bundle)
    pixels = [dcmread(BytesIO(content)).PixelData for content in held_by(archive)]
    assert sorted(pixels) == sorted(dcmread(BytesIO(content)).PixelData for content in files_of(bundle))
    assert [len(archive.ask(f"/{kind}")) for kind in ("patients", "instances")] == [COUNT, COUNT]


def test_who_is_not_known_or_calls_another_is_told(
    here: Here, archive: Orthanc, released: Path, bundle: Path
) -> None:
    """What is wrong, and exit code 2: trying again would not help."""
    other = archive.peer.replace(orthanc.TITLE, "SOMEBODY")
    assert "part before the @" in here(*words(released, bundle, other), code=2)
    assert "--calling" in here(*words(released, bundle, archive.peer, "--calling", "SOMEBODY"), code=2)
    assert "no DICOMweb service" in here(*words(released, bundle, f"{archive.url}-not"), code=2)
    assert "speak TLS" in here(*words(released, bundle, archive.url.replace("http:", "https:")), code=2)
    assert "TLS" in here(*words(released, bundle, archive.peer, "--tls"), code=2)
    assert archive.instances() == []
    here(*words(released, bundle, archive.peer, "--calling", KNOWN))


def test_nobody_there_is_unfinished(here: Here, released: Path, bundle: Path) -> None:
    [port] = orthanc.free_ports(1)
    for to in (f"http://127.0.0.1:{port}/x", f"ANY@127.0.0.1:{port}", f"https://127.0.0.1:{port}"):
        said = here(*words(released, bundle, to), code=75)
        assert f"0 of {COUNT} instances are stored. The same command sends the rest." in said
    assert "could not be reached" in here(*words(released, bundle, f"ANY@127.0.0.1:{port}", "--tls"), code=75)


def test_a_password_is_needed_and_shown_to_nobody(here: Here, released: Path, bundle: Path, tmp_path: Path) -> None:
    """401 without it and with a wrong one; Basic from a file works."""
    folder = tmp_path / "server"
    folder.mkdir()
    settings = orthanc.configuration(folder, AuthenticationEnabled=True, RegisteredUsers={USER: PASSWORD})
    right = orthanc.basic(tmp_path / "right", USER, PASSWORD)
    wrong = orthanc.basic(tmp_path / "wrong", USER, "guess")
    with orthanc.running(folder, settings) as archive:
        for more in ((), ("--token-file", wrong)):
            said = here(*words(released, bundle, archive.url, *more), code=2)
            assert "401" in said
            assert wrong.read_text().split()[1] not in said
        said = here(*words(released, bundle, archive.url, "--token-file", right))
        assert f"has {COUNT}" in said
        assert right.read_text().split()[1] not in said
        right.chmod(0o644)
        assert "chmod 600" in here(*words(released, bundle, archive.url, "--token-file", right), code=2)


def test_a_rejecting_archive_leaves_five(here: Here, released: Path, bundle: Path, tmp_path: Path) -> None:
    """An archive that takes JPEG only: counts by reason, and nothing is entered as stored."""
    folder = tmp_path / "server"
    folder.mkdir()
    settings = orthanc.configuration(folder, AcceptedTransferSyntaxes=["1.2.840.10008.1.2.4.70"])
    with orthanc.running(folder, settings) as archive:
        for _ in range(2):
            answer = json.loads(here(*words(released, bundle, archive.peer, "--json"), code=5))
            assert (answer["stored"], answer["stored_before"]) == (0, 0)
            assert answer["rejected"] == {"sop_class_or_transfer_syntax": COUNT}
        assert f"{COUNT}  rejected: sop_class_or_transfer_syntax" in here(
            *words(released, bundle, archive.peer), code=5
        )
        assert archive.instances() == []


@pytest.mark.parametrize("way", ["web", "association"])
def test_a_slow_archive_is_left_and_taken_up_again(
    here: Here, archive: Orthanc, released: Path, bundle: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wire that goes dead half-way: 75 after the timeout, then the rest, every instance once."""
    monkeypatch.setattr("privgan.archive.stow.MOST_INSTANCES", 2)
    with _wire(archive, way) as wire:
        wire.most_bytes = 14_000
        to = _through(wire, archive, way)
        said = here(*words(released, bundle, to, "--timeout", 0.4), code=75)
        stored = _stored(said)
        assert 0 < stored < COUNT
        require_silence(said, bundle)
        wire.mend()
        said = here(*words(released, bundle, to))
    assert f"has {COUNT} of {COUNT} instances, {COUNT - stored} since now" in said
    assert len(archive.instances()) == COUNT


@pytest.mark.parametrize("way", ["web", "association"])
def test_a_cut_wire_is_unfinished(here: Here, archive: Orthanc, released: Path, bundle: Path, way: str) -> None:
    with _wire(archive, way) as wire:
        wire.most_bytes, wire.cuts = 9_000, True
        _stored(here(*words(released, bundle, _through(wire, archive, way)), code=75))
        wire.mend()
        here(*words(released, bundle, _through(wire, archive, way)))
    assert len(archive.instances()) == COUNT


@pytest.mark.parametrize(("way", "number"), [("web", 9), ("association", 9), ("association", 15), ("web", 2)])
def test_ended_half_way_it_goes_on(archive: Orthanc, released: Path, bundle: Path, way: str, number: int) -> None:
    """Killed, terminated or interrupted while the wire is dead; the second run sends exactly what is missing."""
    with _wire(archive, way) as wire:
        wire.most_bytes = 14_000
        arguments = list(map(str, words(released, bundle, _through(wire, archive, way), "--json")))
        line = [sys.executable, "-c", SMALL_BATCHES, *arguments]
        with subprocess.Popen(line, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert wire.stalled.wait(300)
            time.sleep(0.1)
            os.kill(process.pid, number)
            said = b"".join(process.communicate(timeout=300)).decode()
        assert process.returncode == {signal.SIGKILL: -9, signal.SIGTERM: 75, signal.SIGINT: 130}[number], said
        assert "Traceback" not in said
        [journal] = bundle.parent.glob("bundle.sent-*.jsonl")
        before = len(journal.read_bytes().splitlines()) - 1
        assert 0 < before <= len(archive.instances()) < COUNT
        wire.mend()
        done = subprocess.run(line, env=environment(), capture_output=True, text=True, check=True, timeout=300)
    answer = json.loads(done.stdout)
    assert (answer["stored"], answer["stored_before"]) == (COUNT - before, before)
    assert held_by(archive) == files_of(bundle) or way == "association"
    assert len(archive.instances()) == COUNT


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("stranger"))


@pytest.mark.parametrize("way", ["web", "association"])
def test_tls_is_checked_on_both_ends(
    here: Here, archive: Orthanc, released: Path, bundle: Path, authority: Authority, stranger: Authority, way: str
) -> None:
    """The hospital's own authority is taken, another is refused, and a client must be known."""
    ports = {"web": archive.http_port, "association": archive.dicom_port}

    def sent(wire: Wire, *more: object, code: int) -> str:
        to = f"https://127.0.0.1:{wire.port}/dicom-web" if way == "web" else f"{orthanc.TITLE}@127.0.0.1:{wire.port}"
        tls = () if way == "web" else ("--tls",)
        return here(*words(released, bundle, to, *tls, *more, "--timeout", 5), code=code)

    with wire_to(ports[way], authority.context()) as wire:
        for more in ((), ("--ca", stranger.ca)):
            assert "certificate is not one that is trusted" in sent(wire, *more, code=2)
        assert f"has {COUNT}" in sent(wire, "--ca", authority.ca, code=0)
    archive.empty()
    with wire_to(ports[way], authority.context(asks_clients=True)) as wire:
        ours = ("--client-cert", authority.client, "--client-key", authority.client_key)
        theirs = ("--client-cert", stranger.client, "--client-key", stranger.client_key)
        for more in ((), theirs):
            assert "--client-cert" in sent(wire, "--ca", authority.ca, *more, code=2)
        assert archive.instances() == []
        assert f"has {COUNT}" in sent(wire, "--ca", authority.ca, *ours, code=0)


def test_what_is_not_a_whole_bundle_is_not_sent(here: Here, archive: Orthanc, released: Path, tmp_path: Path) -> None:
    """An edited file, an added one, one without an approval that is demanded; not even a connection is made."""
    for number, change in enumerate((_edit, lambda root: (root / "new").write_text("x"))):
        copy = tmp_path / str(number)
        shutil.copytree(released / "bundle", copy)
        change(copy)
        here(*words(released, copy, archive.url), code=6)
    more = ("--officer-key", released / "other.pub")
    here(*words(released, released / "bundle", archive.url, *more), code=6)
    here(*words(released, released / "nothing", archive.url), code=2)
    here("send", released / "bundle", "--public-key", released / "nothing", "--to", archive.url, code=2)
    assert archive.instances() == []


def _edit(root: Path) -> Any:
    path = root / "dataset" / "labels.csv"
    path.chmod(0o644)
    return path.write_bytes(path.read_bytes() + b" ")


def _wire(archive: Orthanc, way: str) -> Any:
    return wire_to(archive.http_port if way == "web" else archive.dicom_port)


def _through(wire: Wire, archive: Orthanc, way: str) -> str:
    to, port = (archive.url, archive.http_port) if way == "web" else (archive.peer, archive.dicom_port)
    return to.replace(str(port), str(wire.port))


def _stored(said: str) -> int:
    return int(said.partition(f" of {COUNT} instances are stored")[0].rpartition(" ")[2])


def test_without_the_extra_the_remedy_is_named(
    here: Here, released: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for library, to in (("pynetdicom", "ANY@127.0.0.1:1"), ("dicomweb_client", "http://127.0.0.1:1/")):
        monkeypatch.setitem(sys.modules, library, None)
        assert "pip install 'privgan[archive]'" in here(*words(released, bundle, to), code=2)
