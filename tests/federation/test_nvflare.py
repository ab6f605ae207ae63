"""NVFlare as the carrier, where it is installed: its own simulator, in a network in which all that leaves is seen.

The job is written with or without it.
"""

import importlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from privgan.run import read_run
from tests.federation.carried import Apart
from tests.federation.hospitals import NAMES, QUESTIONS, World

ROOT = Path(__file__).parents[2]
# In a network whose way out is a cable to nowhere: the job, and how many packets had gone that way before it, after
# it, and after somebody has tried to reach another machine. (NVFlare asks the system which address it would use to
# reach 10.255.255.255, and sends nothing there.)
IN_A_CELL = """
ip link set lo up && ip link add out type veth peer name nowhere || exit 99
for name in out nowhere; do echo 1 > /proc/sys/net/ipv6/conf/$name/disable_ipv6; ip link set $name up; done
ip addr add 192.0.2.2/24 dev out && ip route add default via 192.0.2.3 || exit 99
sent() { sed -n 's/^ *out: *//p' /proc/net/dev | awk '{ print "sent", $10 }'; }
sent
"$@" || exit $?
sent
"$1" -c 'import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b"1", ("198.51.100.1", 9))'
sleep 1
sent
"""


@pytest.fixture
def cell() -> tuple[str, ...]:
    """The beginning of a command that runs in a network of its own."""
    pytest.importorskip("nvflare", reason="NVFlare is not installed")
    words = ("unshare", "--map-root-user", "--net")
    if (
        not shutil.which("unshare")
        or not shutil.which("ip")
        or subprocess.run((*words, "true"), check=False).returncode
    ):
        pytest.skip("nobody may make a network here")
    return (*words, "sh", "-c", IN_A_CELL, "sh")


def test_three_sites_end_in_one_generator_and_nothing_leaves_the_machine(
    world: World, cell: tuple[str, ...], tmp_path: Path
) -> None:
    """Each site has a folder of its own and answers beside the courier; no process looks for another machine.

    The courier ends when all have said a word on the set that one of them then proposes.
    """
    apart, said = Apart.of(world, tmp_path / "folders"), tmp_path / "said"
    job = (sys.executable, str(ROOT / "tests/federation/nvflare_job.py"), str(tmp_path / "workspace"), *NAMES)
    path = os.pathsep.join(str(ROOT / part) for part in ("", "audits", "uses", "cli"))
    given = {**os.environ, "PRIVGAN_FEDERATIONS": str(apart.folders), "PYTHONPATH": path, "PYTHONWARNINGS": ""}
    with said.open("w") as out:
        process = subprocess.Popen((*cell, *job), env=given, cwd=tmp_path, stdout=out, stderr=subprocess.STDOUT)
        while process.poll() is None:
            learned = {apart.answer(name).facts.state for name in NAMES} == {"finished"}
            if learned and not apart.exchange(NAMES[0]).proposed(NAMES[0]):
                sha256 = apart.propose(NAMES[0], "a set")
                for name in NAMES:
                    apart.say(name, sha256, approval=b"an approval")
            time.sleep(0.5)
    assert process.returncode == 0, said.read_text()
    told = [apart.bag(name).told() for name in NAMES]
    assert told[0] == told[1] == told[2]
    assert not told[0][2]
    came = [apart.answer(name) for name in NAMES]
    assert [(each.facts.state, each.question) for each in came] == [("finished", QUESTIONS)] * len(NAMES)
    assert len({read_run(hospital.run).generator_sha256 for hospital in world.hospitals.values()}) == 1
    before, after, tried = (int(line.split()[1]) for line in said.read_text().splitlines() if line[:4] == "sent")
    assert before == after < tried


COURIER = "privgan.federation.nvflare_courier"


@pytest.fixture
def courier(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, with as much of NVFlare as it needs to be imported."""
    collab = ModuleType("nvflare.collab")
    marks = {"publish": staticmethod(lambda made: made), "main": staticmethod(lambda made: made)}
    collab.collab, collab.CollabCallError = type("Facade", (), marks), RuntimeError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "nvflare", ModuleType("nvflare"))
    monkeypatch.setitem(sys.modules, "nvflare.collab", collab)
    monkeypatch.delitem(sys.modules, COURIER, raising=False)
    found = importlib.import_module(COURIER)
    monkeypatch.setitem(sys.modules, COURIER, found)  # so that it is forgotten afterwards
    return found


def asked(courier: ModuleType, monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["courier", *words])
    courier._main()


def parts(told: object) -> list[str]:
    """The classes that a file of a job names, wherever it does."""
    match told:
        case dict():
            own = [each for name, each in told.items() if name in {"path", "name", "class_path"}]
            return sorted(own + [each for inner in told.values() for each in parts(inner)])
        case list():
            return [each for inner in told for each in parts(inner)]
        case _:
            return []


def test_a_job_names_classes_and_holds_no_code(
    courier: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked(courier, monkeypatch, str(tmp_path / "job"), "--sites", "3", "--minutes", "5")
    files = sorted(str(path.relative_to(tmp_path / "job")) for path in (tmp_path / "job").rglob("*.*"))
    assert files == ["app/config/config_fed_client.json", "app/config/config_fed_server.json", "meta.json"]
    assert json.loads((tmp_path / "job" / "meta.json").read_text())["min_clients"] == 3
    server = json.loads((tmp_path / "job" / "app" / "config" / "config_fed_server.json").read_text())
    assert server["components"] == [{"id": "post", "path": f"{COURIER}.Post", "args": {"minutes": 5.0}}]
    # Nothing that measures, and tells somebody: NVFlare does so where a job names a part for it.
    client = json.loads((tmp_path / "job" / "app" / "config" / "config_fed_client.json").read_text())
    assert parts(server) == ["nvflare.collab.runtime.controller.CollabController", f"{COURIER}.Post"]
    assert parts(client) == ["nvflare.collab.runtime.executor.CollabExecutor", f"{COURIER}.Courier"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("there", "--sites", "3"), "does not exist yet"),
        (("missing/job", "--sites", "3"), "missing is missing"),
        (("job", "--sites", "1"), "sites between 2 and 32, got 1"),
        (("job", "--sites", "-1"), "sites between 2 and 32, got -1"),
        (("job", "--sites", "3", "--minutes", "nan"), "minutes > 0 and finite, got nan"),
        (("job", "--sites", "3", "--minutes", "0"), "minutes > 0 and finite, got 0"),
    ],
)
def test_a_job_that_means_nothing_is_not_written(
    courier: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: tuple[str, ...],
    said: str,
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "meta.json").write_text("somebody's")
    with pytest.raises(SystemExit) as stopped:
        asked(courier, monkeypatch, str(tmp_path / words[0]), *words[1:])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
    assert (tmp_path / "there" / "meta.json").read_text() == "somebody's"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["meta.json", "there"]


def test_without_nvflare_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nvflare.collab", None)
    monkeypatch.delitem(sys.modules, COURIER, raising=False)
    with pytest.raises(SystemExit, match=r"privgan\[nvflare\]"):
        importlib.import_module(COURIER)
