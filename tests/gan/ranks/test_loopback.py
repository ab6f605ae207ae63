"""What passes between ranks: over the loopback alone, as much whoever is drawn; and nothing goes anywhere else."""

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import torch.distributed as dist
from torch import Tensor

from privgan.data.cohort.cohort import CohortFacts
from privgan.dp.sampling import Draw
from privgan.gan.ranks import together
from privgan.gan.ranks.waiting import in_time
from privgan.gan.training.members import Members
from tests.gan.conftest import opened
from tests.gan.ranks.forks import WELL, trainers
from tests.gan.ranks.test_together import REQUEST
from tests.gan.ranks.watching import Seen, require_nothing_outside, watched

CALLS = ("all_reduce", "broadcast", "all_to_all_single")  # all that `Together` asks of torch
RATES = (1e-12, 1e-12, 1.0 - 1e-12, 1.0 - 1e-12)  # in each step nobody, or everybody, is drawn
Training = tuple[Seen, list[list[list[object]]]]


@pytest.fixture(scope="module")
def training(prepared: tuple[Path, CohortFacts], tmp_path_factory: pytest.TempPathFactory) -> Training:
    """One by two ranks that are looked at, and what each of them noted: every message, and how many it drew."""
    folder = tmp_path_factory.mktemp("training")
    heard, connect, drawn, rates = folder / "heard", together._connect, Members._drawn, iter(RATES)

    def connected(place: Path, rank: int, *others: object) -> None:
        if rank:  # comes when the other is seen to listen
            assert in_time(heard.exists, 60)
        connect(place, rank, *others)  # type: ignore[arg-type]

    def note(rank: int, *what: object) -> None:
        with (folder / f"noted-{rank}").open("a") as out:
            out.write(json.dumps(what) + "\n")

    def draw(self: Members, _: float) -> Draw:
        found = drawn(self, next(rates))
        note(self.ranks.rank, "drawn", found.patients)
        return found

    def noted(name: str, call: Callable[..., object]) -> Callable[..., object]:
        def said(tensor: Tensor, *given: object, **named: object) -> object:
            size = tensor.numel() * tensor.element_size()
            note(dist.get_rank(), name, size, str(tensor.dtype), named.get("src", ""))
            return call(tensor, *given, **named)

        return said

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(together, "_connect", connected)
        patch.setattr(Members, "_drawn", draw)
        for name in CALLS:
            patch.setattr(dist, name, noted(name, getattr(dist, name)))
        seen = watched(trainers(opened(prepared, folder), folder / "run", REQUEST, 2), folder, heard.touch)
    assert seen.ends == [WELL] * 2
    return seen, [[json.loads(line) for line in (folder / f"noted-{n}").read_text().splitlines()] for n in range(2)]


def test_whoever_is_drawn_as_many_messages_pass_of_the_same_sizes(training: Training) -> None:
    """Nobody in the first step, everybody in the third; the generator moves in every second one."""
    for lines in training[1]:
        draws = [number for number, line in enumerate(lines) if line[0] == "drawn"]
        counts = [lines[number][1] for number in draws]
        assert counts[0] == counts[1] == 0
        assert counts[2] == counts[3] != 0
        first, third = (lines[draws[step] + 1 : draws[step + 1]] for step in (0, 2))
        assert first == third
        assert {"all_reduce", "broadcast"} == {line[0] for line in first}


def test_ranks_listen_on_the_loopback_alone(training: Training) -> None:
    """While they find each other and train, no socket of theirs is open to another machine, listening or connected;
    and none of them looks for one.
    """
    require_nothing_outside(training[0])


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
