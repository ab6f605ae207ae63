"""What a whole process costs, with all the processes that it starts: user CPU seconds, and memory held at once.

The memory is what the group of processes holds, looked up every few hundredths of a second, and at least what the
largest of them ever held by the kernel's own account. Pages that several share count for each of them. Of that, pages
of files that lie on disk anyway are no need: the system lets go of them first (`own_mib` leaves them out).
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_EVERY = 0.04  # seconds
_SAID = 2000  # characters


@dataclass(frozen=True, kw_only=True)
class Cost:
    """User CPU seconds, the most MiB at once, and without files' pages; the exit code, and the last that was said."""

    cpu_s: float
    mib: float
    own_mib: float
    code: int
    said: str


def cost_of(words: Sequence[str], place: Path, environment: Mapping[str, str]) -> Cost:
    """Run a command in a folder and wait for it; its processes are those of one group."""
    with tempfile.TemporaryFile() as out:
        started = subprocess.Popen(
            words, cwd=place, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
        most = own = 0.0
        while True:
            pid, status, used = os.wait4(started.pid, os.WNOHANG)
            if pid:
                break
            now, without_files = _held_mib(started.pid)
            most, own = max(most, now), max(own, without_files)
            time.sleep(_EVERY)
        started.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        said = out.read().decode(errors="replace")[-_SAID:]
    return Cost(cpu_s=used.ru_utime, mib=most, own_mib=own, code=started.returncode, said=said)


def _held_mib(group: int) -> tuple[float, float]:
    """Of the processes of a group: their memory now, or the largest one's ever; and now without pages of files."""
    held = list(_held_kib(group))
    most = max(sum(now for now, _, _ in held), max((ever for _, ever, _ in held), default=0))
    return most / 1024, sum(own for _, _, own in held) / 1024


def _held_kib(group: int) -> Iterator[tuple[int, int, int]]:
    """Of each process of a group, what it holds, has held at most, and holds without pages of files."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if int((folder / "stat").read_text().rpartition(")")[2].split()[2]) != group:
                continue
            lines = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        except (OSError, IndexError):  # it has ended
            continue
        if "VmRSS" in lines:
            now, ever, own = (int(lines[name].split()[0]) for name in ("VmRSS", "VmHWM", "RssAnon"))
            yield now, ever, own
