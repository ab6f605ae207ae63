"""What a process has to do with a network: the addresses of its sockets, and a network of its own without any other.

In a cell there is the loopback and no way out. Whoever tries to reach another machine from there, or asks for a name,
is counted by the system, also where the program takes a failure without a word.
"""

import ctypes
import fcntl
import ipaddress
import os
import socket
import struct
from contextlib import suppress
from functools import cache
from pathlib import Path

_NEW_USER, _NEW_NETWORK, _NEW_NAME = 0x10000000, 0x40000000, 0x04000000  # of sched.h
_SET_FLAGS, _SET_ADDRESS, _UP = 0x8914, 0x8916, 0x1  # of linux/sockios.h and net/if.h
# Packets for which there was no way, and questions to a server of names, which are no part of TCP.
_COUNTED = (
    ("snmp", "Ip", "OutNoRoutes"),
    ("snmp", "Udp", "OutDatagrams"),
    ("snmp6", "", "Ip6OutNoRoutes"),
    ("snmp6", "", "Udp6OutDatagrams"),
)


def enter_a_cell(address: str = "") -> None:
    """Take this process, which must have one thread, and its children to come, to a network of their own.

    address: a second one that the machine has there, by which it is called: who asks where it is finds this one.

    Raises:
        OSError: it may not.
    """
    user, group = os.getuid(), os.getgid()
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(_NEW_USER | _NEW_NETWORK | (_NEW_NAME if address else 0)):
        raise OSError(ctypes.get_errno(), "no network of one's own")
    for name, line in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        Path(f"/proc/self/{name}").write_text(line)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sH14x", b"lo", _UP))
        if address:
            socket.sethostname(address)
            asked = struct.pack("16sH2x4s8x", b"lo:1", socket.AF_INET, socket.inet_aton(address))
            fcntl.ioctl(any_socket, _SET_ADDRESS, asked)


@cache
def is_allowed() -> bool:
    """Whether a process may do so here."""
    child = os.fork()
    if not child:
        with suppress(OSError):
            enter_a_cell()
            os._exit(0)
        os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def tried() -> int:
    """How often somebody in this process's network asked for another machine, or for a name."""
    return sum(_count(*each) for each in _COUNTED)


def _count(table: str, group: str, name: str) -> int:
    lines = [line.split() for line in Path(f"/proc/self/net/{table}").read_text().splitlines()]
    if not group:
        return sum(int(words[1]) for words in lines if words[0] == name)
    names, numbers = (words for words in lines if words[0] == f"{group}:")
    return int(numbers[names.index(name)])


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
