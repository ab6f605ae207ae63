"""How long work tells where it is, without knowing who listens.

Library code takes `progress: Progress = silent` and calls it with counts; the command line
passes one that draws a bar on stderr.
"""

from typing import Protocol


class Progress(Protocol):
    """Receives the state of one named task; `done == total` ends it."""

    def __call__(self, task: str, done: int, total: int, note: str = "") -> None:
        """Report that `done` of `total` units of `task` are finished."""


def silent(task: str, done: int, total: int, note: str = "") -> None:
    """The default listener: nobody."""
