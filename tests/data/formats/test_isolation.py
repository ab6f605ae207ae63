"""Workers that crash, hang or swallow memory cost one request each, and order is kept."""

import sys
import time
from pathlib import Path

import pytest

from privgan.data.formats import isolation
from privgan.data.formats.isolation import CRASHED, TIMED_OUT, Job, run_isolated
from privgan.errors import PrivganError
from tests.data.descendants import below

MODULE = """
import ctypes, os, time
def factory(configuration):
    def answer(request):
        if request == b"crash":
            os.abort()
        if request == b"hang":
            time.sleep(60)
        if request == b"memory":
            try:
                bytearray(1 << 30)
            except MemoryError:
                return b"{no memory"
        if request == b"slow":
            time.sleep(1)
        if request.startswith(b"large"):
            return b"{" + request + bytes(1 << 18)
        print("SECRET"); os.write(2, b"SECRET")
        return b"{" + configuration.encode() + request
    return answer
"""


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "hostile_module.py").write_text(MODULE)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return "hostile_module:factory"


def test_a_lost_worker_costs_its_request_only(target: str, capfd: pytest.CaptureFixture[str]) -> None:
    requests = [str(number).encode() for number in range(120)]
    expected = [b"{c" + request for request in requests]
    for position, (request, answer) in {
        7: (b"crash", CRASHED),
        30: (b"hang", TIMED_OUT),
        31: (b"crash", CRASHED),
        60: (b"memory", b"{no memory"),
        119: (b"crash", CRASHED),
    }.items():
        requests[position], expected[position] = request, answer
    start = time.monotonic()
    answers = list(run_isolated(Job(target=target, configuration="c", seconds=1.0), requests))
    assert answers == expected
    assert time.monotonic() - start < 30
    assert "SECRET" not in "".join(capfd.readouterr())


def test_large_answers_do_not_pile_up_behind_a_slow_one(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "HELD_BYTES", 1 << 20)
    requests = [b"slow", *[b"large" + str(number).encode() for number in range(100)]]
    pool = isolation._Pool(Job(target=target, configuration=""), requests, 2)
    highest = 0
    try:
        for index, request in enumerate(requests):
            while index not in pool.answers:
                pool.step(index)
                highest = max(highest, pool.held_bytes)
            assert pool.take(index).startswith(b"{" + request)
    finally:
        pool.stop()
    assert pool.held_bytes == 0
    assert highest < (1 << 20) + 2 * (isolation.IN_FLIGHT + 1) * (1 << 18)


def test_workers_that_cannot_start_are_said(target: str) -> None:
    with pytest.raises(PrivganError, match="decoding process"):
        list(run_isolated(Job(target="hostile_module:absent", configuration=""), [b"1"]))


def test_stopping_early_leaves_no_worker(target: str) -> None:
    answers = run_isolated(Job(target=target, configuration=""), [b"1", b"2", b"3"])
    assert next(answers) == b"{1"
    (nursery,) = isolation._NURSERIES
    number = nursery._process.pid
    assert len(below(number)) == 1
    answers.close()  # type: ignore[attr-defined]  # a generator by construction
    assert below(number) == []


def test_nothing_to_do_starts_and_ends() -> None:
    assert list(run_isolated(Job(target="privgan.data.formats.worker:handler", configuration="{}"), [])) == []
