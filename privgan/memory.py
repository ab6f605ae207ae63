"""What this process has of the machine: how many processors, and freed memory kept for the next step.

Without the latter, half of a small step goes into asking the system for pages.
"""

import ctypes
import os
from pathlib import Path

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -2, -3, -4  # of malloc.h
_GROUP, _GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def processors() -> int:
    """How many this process may use: those that it is bound to, as by taskset or Slurm, within a container's quota.

    Part of a processor is none, but there is always one. Quotas are those of control groups' version 2.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([bound, *_quotas()]))


def _quotas() -> list[int]:
    """Of this process's control group and those around it, as far as they can be seen and have one."""
    try:
        lines = _GROUP.read_text().splitlines()
    except (OSError, ValueError):  # a group may be called what is no text
        return []
    own = next((line.removeprefix("0::") for line in lines if line.startswith("0::")), "")
    place, found = _GROUPS / own.strip("/"), list[int]()
    for group in (place, *place.parents):
        if group.is_relative_to(_GROUPS):
            try:
                share, each = (group / "cpu.max").read_text().split()
                found += [int(share) // int(each)] if share != "max" else []
            except (OSError, ValueError):  # the outermost group has none
                continue
    return found


def keep_freed_memory(large: int | None = None) -> None:
    """Tell the C library to keep what this process frees, up to its highest use; on others than glibc do nothing.

    glibc hands every large block back at once and pays a page fault for each 4 KiB of the next one.

    Args:
        large: blocks of so many bytes and more, at most 32 MiB, go back all the same: a process that holds many of
            them for long would otherwise keep the room between them, too.
    """
    if (library := _c_library()) is None:
        return
    if large is None:
        library.mallopt(_MMAP_MAX, 0)
    else:
        library.mallopt(_MMAP_THRESHOLD, large)
    library.mallopt(_TRIM_THRESHOLD, 2**31 - 1)
    library.mallopt(_TOP_PAD, 2**26)


def hand_back_freed_memory() -> None:
    """Give the system what is kept and not in use at the moment; for between two tasks, never within one."""
    if (library := _c_library()) is not None:
        library.malloc_trim(0)


def _c_library() -> ctypes.CDLL | None:
    """The C library if it is glibc."""
    try:
        library = ctypes.CDLL(None)
    except (OSError, TypeError):
        return None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
