"""Tests do not wait for the disk.

What is written durably takes milliseconds a file, and a test machine that loses its power loses its tests. That what
must be durable asks for it, and in which order, is asked in `test_files.py`.
"""

import os


def wait_for_none() -> None:
    """From now on, in this process and its forks."""
    os.fsync = lambda _: None
