"""A real archive to talk to: Orthanc on loopback, with one application entity that it knows, and a web service."""

import base64
import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SERVER = "/usr/sbin/Orthanc"
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
KNOWN, TITLE = "PRIVGAN", "ARCHIVE"
USER, PASSWORD = "sender", "invented-word"


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on."""
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(server.getsockname()[1]) for server in taken]
    for server in taken:
        server.close()
    return ports


@dataclass(frozen=True, kw_only=True)
class Orthanc:
    """A running server."""

    http_port: int
    dicom_port: int

    @property
    def url(self) -> str:
        """The address of its DICOMweb service."""
        return f"http://127.0.0.1:{self.http_port}/dicom-web"

    @property
    def peer(self) -> str:
        """Its application entity."""
        return f"{TITLE}@127.0.0.1:{self.dicom_port}"

    def ask(self, path: str, body: object = None) -> Any:
        """Orthanc's own interface, which privgan does not know."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{path}", data=data)
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            content = answer.read()
        return json.loads(content) if answer.headers["Content-Type"].startswith("application/json") else content

    def instances(self) -> list[str]:
        """Orthanc's numbers of all instances that it has."""
        return list(self.ask("/instances"))

    def put(self, content: bytes) -> None:
        """Store a file by Orthanc's own interface."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}/instances", data=content)
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310

    def empty(self) -> None:
        """Forget everything."""
        for patient in self.ask("/patients"):
            request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}/patients/{patient}", method="DELETE")
            urllib.request.urlopen(request, timeout=10).close()  # noqa: S310


def configuration(folder: Path, **changes: object) -> dict[str, object]:
    """A guarded server: it answers this machine only, to its own title, and stores for whom it knows."""
    http_port, dicom_port = free_ports(2)
    return {
        "Name": "privgan-test",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "HttpPort": http_port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAet": TITLE,
        "DicomPort": dicom_port,
        "DicomCheckCalledAet": True,
        "DicomCheckModalityHost": True,
        "DicomAlwaysAllowEcho": False,
        "DicomAlwaysAllowStore": False,
        "DicomModalities": {"privgan": {"AET": KNOWN, "Host": "127.0.0.1", "Port": 4242}},
        "Dictionary": {"0008,001c": ["CS", "SyntheticData", 1, 1]},
        "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        **changes,
    }


@contextmanager
def running(folder: Path, settings: dict[str, object] | None = None) -> Iterator[Orthanc]:
    """Start a server, and end it afterwards; skip where there is none."""
    if not Path(SERVER).exists() or not PLUGIN.exists():
        pytest.skip("Orthanc with its DICOMweb plugin is not installed (Debian: orthanc orthanc-dicomweb)")
    settings = settings or configuration(folder)
    (folder / "orthanc.json").write_text(json.dumps(settings))
    line = [SERVER, str(folder / "orthanc.json")]
    with (folder / "log").open("wb") as log, subprocess.Popen(line, stdout=log, stderr=log) as process:
        try:
            server = Orthanc(http_port=int(str(settings["HttpPort"])), dicom_port=int(str(settings["DicomPort"])))
            _await(server, process)
            yield server
        finally:
            process.kill()  # nothing of it is kept, and it would wait for clients that are gone


def _await(server: Orthanc, process: subprocess.Popen[bytes]) -> None:
    for _ in range(400):
        try:
            server.ask("/system")
        except urllib.error.HTTPError:
            return  # it wants to know who we are
        except OSError:
            assert process.poll() is None, "Orthanc ended"
            time.sleep(0.025)
        else:
            return
    pytest.fail("Orthanc did not start")


def basic(path: Path, user: str, password: str) -> Path:
    """A token file for Orthanc's own kind of login."""
    path.write_text(f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}\n")
    path.chmod(0o600)
    return path
