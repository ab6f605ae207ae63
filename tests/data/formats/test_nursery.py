"""Workers are forks of one process: fresh ones, gone when they should be, and with nothing of their parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from privgan.data.formats import isolation
from privgan.data.formats.isolation import CRASHED, Job, run_isolated
from tests.data.descendants import below
from tests.places import ROOT

MODULE = """
import os, sys, time
seen = []
def factory(configuration):
    def answer(request):
        seen.append(request)
        if request == b"hang":
            time.sleep(600)
        if request == b"libraries":
            return b"{" + " ".join(sorted(sys.modules)).encode()
        if request == b"descriptors":
            return b"{" + " ".join(os.readlink(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")
                                   if os.path.exists(f"/proc/self/fd/{number}")).encode()
        return b"{" + b" ".join(seen) + b" in " + os.getcwd().encode()
    return answer
"""
SCRIPT = """
import sys
from privgan.data.formats.isolation import Job, run_isolated
if __name__ == "__main__":
    for answer in run_isolated(Job(target="nurtured:factory", configuration=""), [b"1", b"hang"]):
        print(answer.decode(), flush=True)
"""


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    (tmp_path / "nurtured.py").write_text(MODULE)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return Job(target="nurtured:factory", configuration="")


def ask(job: Job, *requests: bytes) -> list[bytes]:
    return list(run_isolated(job, requests))


def test_one_nursery_serves_all_and_no_worker_knows_of_another(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each stands in the folder that its parent stands in at the time."""
    here = os.fsencode(Path.cwd())
    assert ask(job, b"a", b"b") == [b"{a in " + here, b"{a b in " + here]
    (nursery,) = isolation._NURSERIES
    monkeypatch.chdir(tmp_path)
    assert ask(job, b"c") == [b"{c in " + os.fsencode(tmp_path.resolve())]
    assert [nursery] == isolation._NURSERIES
    assert below(nursery._process.pid) == []


def test_a_worker_has_nothing_of_its_parent(job: Job, tmp_path: Path) -> None:
    """No test runner, no test, no file that the parent holds open, no way to the nursery."""
    with (tmp_path / "patients.csv").open("w"):
        libraries, descriptors = ask(job, b"libraries", b"descriptors")
    assert {"nurtured", "pydicom"} <= {*libraries.decode().removeprefix("{").split()}
    assert not {"torch", "tests.data.formats.test_nursery"} & {*libraries.decode().split()}
    assert b"patients.csv" not in descriptors
    assert descriptors.count(b"socket:") == 1


def test_a_nursery_that_died_is_followed_by_another(job: Job) -> None:
    assert ask(job, b"a")
    (before,) = isolation._NURSERIES
    assert before._process.pid is not None
    os.kill(before._process.pid, signal.SIGKILL)
    before._process.join()
    assert ask(job, b"b")[0].startswith(b"{b in ")
    assert [before] != isolation._NURSERIES


def test_a_fork_has_its_own_and_leaves_its_parents_alone(job: Job) -> None:
    assert ask(job, b"a")
    (ours,) = isolation._NURSERIES
    child = os.fork()
    if not child:
        mine = ask(job, b"b")[0].startswith(b"{b in ") and [ours] != isolation._NURSERIES
        isolation._NURSERIES[-1].stop()
        ours.stop()
        os._exit(0 if mine else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert ask(job, b"c")[0].startswith(b"{c in ")
    assert [ours] == isolation._NURSERIES


def test_a_worker_whose_connection_is_lost_is_called_crashed(job: Job) -> None:
    pool = isolation._Pool(job, [b"hang"], 1)
    try:
        (worker,) = pool.workers
        while not worker.ready:
            pool.step(0)
        pool._feed(worker, 0)
        os.kill(worker.number, signal.SIGKILL)
        pool.step(0)
        assert pool.take(0) == CRASHED
    finally:
        pool.stop()


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_all_end_with_their_parent(job: Job, tmp_path: Path, sent: signal.Signals) -> None:
    """Also a worker that hangs, however the parent ends."""
    (tmp_path / "script.py").write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    line = [sys.executable, str(tmp_path / "script.py")]
    with subprocess.Popen(line, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("{1 in ")
        started = below(process.pid)
        process.send_signal(sent)
    assert len(started) > 2
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and any(Path(f"/proc/{number}").exists() for number in started):
        time.sleep(0.05)
    assert not any(Path(f"/proc/{number}").exists() for number in started)
