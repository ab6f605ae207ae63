"""What a process has to do with a network: the addresses of its sockets, and a network of its own without any other.

In a cell there is the loopback and no way out. Whoever tries to reach another machine from there, or asks for a name,
is counted by the system, also where the program takes a failure without a word.
"""

import ctypes
import fcntl
import ipaddress
import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

import pytest

from tests.gan.ranks.forks import End, Work, ends

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000  # of sched.h
_SET_FLAGS, _UP = 0x8914, 0x1  # of linux/sockios.h and net/if.h
# Packets for which there was no way, and questions to a server of names, which are no part of TCP.
_COUNTED = (
    ("snmp", "Ip", "OutNoRoutes"),
    ("snmp", "Udp", "OutDatagrams"),
    ("snmp6", "", "Ip6OutNoRoutes"),
    ("snmp6", "", "Udp6OutDatagrams"),
)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """addresses: both ends of every socket, at any time. tried: how often somebody asked for more; None: unknown."""

    ends: list[End]
    addresses: set[str] = field(default_factory=set)
    tried: int | None = None


def enter_a_cell() -> None:
    """Take this process, which must have one thread, and its children to come, to a network of their own.

    Raises:
        OSError: it may not.
    """
    user, group = os.getuid(), os.getgid()
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(_NEW_USER | _NEW_NETWORK):
        raise OSError(ctypes.get_errno(), "no network of one's own")
    for name, line in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        Path(f"/proc/self/{name}").write_text(line)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sH14x", b"lo", _UP))


@cache
def is_allowed() -> bool:
    """Whether a process may do so here."""
    line = [sys.executable, "-c", "from tests.cell import enter_a_cell; enter_a_cell()"]
    return not subprocess.run(line, capture_output=True, check=False).returncode


def tried() -> int:
    """How often somebody in this process's network asked for another machine, or for a name."""
    return sum(_count(*each) for each in _COUNTED)


def _count(table: str, group: str, name: str) -> int:
    lines = [line.split() for line in Path(f"/proc/self/net/{table}").read_text().splitlines()]
    if not group:
        return sum(int(words[1]) for words in lines if words[0] == name)
    names, numbers = (words for words in lines if words[0] == f"{group}:")
    return int(numbers[names.index(name)])


def watched(works: list[Work], folder: Path, heard: Callable[[], object] = lambda: None) -> Seen:
    """Ranks that are forked and looked at until they end, in a cell where that is allowed.

    heard: called whenever one of them has a socket.
    """
    note = folder / f"seen-{os.urandom(4).hex()}"

    def inside() -> None:
        found, alone = set[str](), True
        try:
            enter_a_cell()
        except OSError:
            alone = False

        def look(children: list[int]) -> None:
            for child in children:
                if here := addresses(child):
                    found.update(here)
                    heard()

        ended = ends(works, folder, look=look)
        told = {"ends": [asdict(end) for end in ended], "addresses": sorted(found)}
        note.write_text(json.dumps({**told, "tried": tried() if alone else None}))

    (end,) = ends([inside], folder)
    assert end == End(code=0), end
    told = json.loads(note.read_text())
    note.unlink()
    return Seen(ends=[End(**each) for each in told["ends"]], addresses={*told["addresses"]}, tried=told["tried"])


def require_nothing_outside(seen: Seen) -> None:
    """Ranks talked to each other, and to nobody else."""
    assert seen.addresses == {"127.0.0.1"}
    if seen.tried is None:
        pytest.skip("nobody may make a network here: sockets were looked at, what is sent was not counted")
    assert seen.tried == 0


def addresses(process: int | str) -> set[str]:
    """Of both ends of a process's sockets, TCP and UDP of either version of IP; none once it has ended."""
    try:
        descriptors = [*Path(f"/proc/{process}/fd").iterdir()]
        mine = {str(path.readlink()) for path in descriptors if path.is_symlink()}
    except OSError:  # it, or a file of its, is gone meanwhile
        return set()
    if not any(name.startswith("socket:") for name in mine):
        return set()
    found = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if f"socket:[{words[9]}]" in mine:
                to_nobody = set(words[2].replace(":", "")) == {"0"}  # it listens, or is not connected yet
                found |= {_address(end.partition(":")[0]) for end in (words[1], *([] if to_nobody else [words[2]]))}
    return found


def _address(number: str) -> str:
    """As the kernel's table has it, each word of four bytes turned round."""
    words = [bytes.fromhex(number[at : at + 8])[::-1] for at in range(0, len(number), 8)]
    return str(ipaddress.ip_address(b"".join(words)))
