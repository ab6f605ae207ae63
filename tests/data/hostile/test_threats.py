"""Every threat costs its own file at most: no crash, no hang, little memory, and nothing of the header is said."""

import json
import os
import subprocess
import sys

import pytest

from tests.data.hostile import crafting as craft
from tests.data.hostile.threats import THREATS
from tests.places import ROOT

PARENT_MIB, WORKER_MIB = 150, 1024  # of resident memory; a worker may reserve 1 GiB
SECRETS = ("Zorkel", "4711")

# Reads a folder through the isolated workers as `scan` does, and says what came of each file and what it cost.
SCRIPT = """
import json, re, resource, sys
from pathlib import Path
from privgan.data.sources import file_source
from privgan.data.sources.file_list import FileList
from privgan.data.formats.isolation import Job, _NURSERIES
from tests.data.hostile.crafting import request

if __name__ == "__main__":
    files = FileList.found(Path(sys.argv[1]))
    job = lambda **given: Job(seconds=5.0, **given)
    file_source.Job = job
    readings = list(file_source._read(files, request(), workers=2))
    own = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
    _NURSERIES[-1].stop()  # then its workers count
    workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    found = {file.name: reading.code for file, reading in zip(files, readings, strict=True)}
    print(json.dumps({"codes": found, "parent": own, "worker": workers}))
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What a process of its own said of all hostile files at once."""
    folder = tmp_path_factory.mktemp("hostile")
    for number, threat in enumerate(THREATS):
        craft.write(folder / f"{number:03d}.dcm", threat.build())
    os.mkfifo(folder / "fifo.dcm")
    (folder / "link.dcm").symlink_to(folder / "000.dcm")
    (folder / "loop.dcm").symlink_to(folder / "loop.dcm")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "audits")))}
    script = folder.parent / f"{folder.name}.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, script, folder], capture_output=True, text=True, env=environment, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return {**json.loads(done.stdout), "said": done.stdout + done.stderr}


@pytest.mark.parametrize(("number", "threat"), list(enumerate(THREATS)), ids=[threat.name for threat in THREATS])
def test_each_threat_has_its_answer(seen: dict[str, dict[str, str]], number: int, threat: craft.Any) -> None:
    assert seen["codes"][f"{number:03d}.dcm"] in threat.codes


def test_what_is_no_regular_file_is_never_opened(seen: dict[str, dict[str, str]]) -> None:
    assert {seen["codes"][name] for name in ("fifo.dcm", "link.dcm", "loop.dcm")} == {"not_regular"}


def test_all_of_them_stay_below_the_ceiling_and_say_nothing(seen: dict[str, float]) -> None:
    assert seen["parent"] < PARENT_MIB
    assert seen["worker"] < WORKER_MIB
    assert not any(secret in str(seen["said"]) for secret in SECRETS)
