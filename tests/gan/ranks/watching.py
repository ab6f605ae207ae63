"""Ranks that are looked at while they run: whom their sockets talk to, and whether anybody looks for more."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

from tests.cell import addresses, enter_a_cell, is_allowed, tried
from tests.gan.ranks.forks import WELL, End, Work, ends

_ELSEWHERE = "192.0.2.7"  # where whoever listens at the address of this machine's name is open to others


@dataclass(frozen=True, kw_only=True)
class Seen:
    """addresses: both ends of every socket, at any time. tried: how often somebody asked for more; None: unknown."""

    ends: list[End]
    addresses: set[str] = field(default_factory=set)
    tried: int | None = None


def watched(works: list[Work], folder: Path, heard: Callable[[], object] = lambda: None) -> Seen:
    """Ranks that are forked and looked at until they end, in a cell where that is allowed.

    heard: called whenever one of them has a socket.
    """
    note = folder / f"seen-{os.urandom(4).hex()}"

    def inside() -> None:
        found, alone = set[str](), is_allowed()
        if alone:
            enter_a_cell(_ELSEWHERE)

        def look(children: list[int]) -> None:
            for child in children:
                if here := addresses(child):
                    found.update(here)
                    heard()

        ended = ends(works, folder, look=look)
        told = {"ends": [asdict(end) for end in ended], "addresses": sorted(found)}
        note.write_text(json.dumps({**told, "tried": tried() if alone else None}))

    (end,) = ends([inside], folder)
    assert end == WELL, end
    told = json.loads(note.read_text())
    note.unlink()
    return Seen(ends=[End(**each) for each in told["ends"]], addresses={*told["addresses"]}, tried=told["tried"])


def require_nothing_outside(seen: Seen) -> None:
    """Ranks talked to each other, and to nobody else."""
    assert seen.addresses == {"127.0.0.1"}
    if seen.tried is None:
        pytest.skip("nobody may make a network here: sockets were looked at, what is sent was not counted")
    assert seen.tried == 0
