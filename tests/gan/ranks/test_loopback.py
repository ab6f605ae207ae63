"""No socket of ranks is open to another machine, and none of them looks for one; tests can tell."""

import socket
from contextlib import suppress
from pathlib import Path

import pytest

from privgan.data.cohort.cohort import Cohort
from privgan.gan.ranks import together
from privgan.gan.ranks.waiting import in_time
from tests.gan.ranks.forks import WELL, trainers
from tests.gan.ranks.test_together import REQUEST
from tests.gan.ranks.watching import require_nothing_outside, watched


def test_ranks_listen_on_the_loopback_alone(cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While they find each other and train, no socket of theirs is open to another machine, listening or connected;
    and none of them looks for one. One comes to connect when the other is seen to listen.
    """
    usual, heard = together._connect, tmp_path / "heard"

    def connect(place: Path, rank: int, *others: object) -> None:
        if rank:
            assert in_time(heard.exists, 60)
        usual(place, rank, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(together, "_connect", connect)
    seen = watched(trainers(cohort, tmp_path / "run", REQUEST, 2), tmp_path, heard.touch)
    assert seen.ends == [WELL] * 2
    require_nothing_outside(seen)


def test_whoever_looks_for_another_machine_is_seen(tmp_path: Path) -> None:
    """By the system, also where nothing comes of it; and a socket that is open to others is seen."""

    def tells() -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as way, suppress(OSError):
            way.sendto(b"1", ("198.51.100.1", 9))

    def asks() -> None:
        with suppress(OSError):
            socket.getaddrinfo("elsewhere.invalid", 80)

    def listens() -> None:
        with socket.create_server(("", 0)):
            assert in_time((tmp_path / "heard").exists, 60)

    seen = watched([listens], tmp_path, (tmp_path / "heard").touch)
    assert seen.addresses == {"0.0.0.0"}  # noqa: S104 (nobody is let in)
    if seen.tried is None:
        pytest.skip("nobody may make a network here")
    assert seen.tried == 0
    for work in (tells, asks):
        assert watched([work], tmp_path).tried
