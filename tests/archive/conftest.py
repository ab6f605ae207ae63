"""A released bundle, a running archive, and the command line: in this process, or as one that can be killed."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from privgan_cli.main import run
from tests.archive import orthanc
from tests.archive.orthanc import Orthanc
from tests.audits.releasing import make_gate
from tests.cli.conftest import as_expected, command, environment

COUNT = 12
Here = Callable[..., str]
Process = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with BUNDLE of twelve images, and the keys site and other."""
    gate = make_gate(tmp_path_factory.mktemp("released"), count=COUNT)
    gate.audit()
    gate.release()
    gate.key_of("other")
    return gate.root


@pytest.fixture
def bundle(released: Path, tmp_path: Path) -> Path:
    """The bundle in a folder of its own, where no journal is."""
    place = tmp_path / "bundle"
    shutil.copytree(released / "bundle", place)
    return place


@pytest.fixture(scope="session")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with orthanc.running(tmp_path_factory.mktemp("orthanc")) as server:
        yield server


@pytest.fixture
def archive(_server: Orthanc) -> Orthanc:
    """An empty archive."""
    _server.empty()
    return _server


@pytest.fixture
def here(capfd: pytest.CaptureFixture[str]) -> Here:
    """Run `privgan ...` in this process and give all that it said; `code` is the expected exit code."""

    def run_here(*words: object, code: int = 0) -> str:
        found = run([str(word) for word in words])
        said = "".join(capfd.readouterr())
        assert found == code, said
        return said

    return run_here


@pytest.fixture(scope="session")
def process() -> Process:
    """Run `privgan ...` as a user does."""

    def run_process(*words: object, code: int = 0) -> "subprocess.CompletedProcess[str]":
        line = command(*words)
        done = subprocess.run(line, capture_output=True, text=True, env=environment(), timeout=300, check=False)
        return as_expected(done, code)

    return run_process
