"""Freed memory kept for the next step: without that, half of a small step goes into asking the system for pages."""

import ctypes

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4  # of malloc.h


def keep_freed_memory() -> None:
    """Tell the C library to keep what this process frees, up to its highest use; on others than glibc do nothing.

    glibc hands every large block back at once and pays a page fault for each 4 KiB of the next one.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    mallopt(_MMAP_MAX, 0)
    mallopt(_TRIM_THRESHOLD, 2**31 - 1)
    mallopt(_TOP_PAD, 2**26)
