"""What the command line says, and where: results on stdout, everything else on stderr."""

import json
import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

SCHEMA_VERSION = 1


@dataclass
class Console:
    """The state of one command: its voice and its progress bars.

    as_json: one JSON object on stdout instead of text. quiet: no notes and no bars. verbose: more notes.
    """

    as_json: bool = False
    quiet: bool = False
    verbose: bool = False
    _bars: "RichProgress | None" = None
    _tasks: "dict[str, TaskID]" = field(default_factory=dict)

    def result(self, value: Mapping[str, Any], *lines: str) -> None:
        """The command's answer: the object with --json, the lines otherwise."""
        if self.as_json:
            sys.stdout.write(json.dumps({"schema_version": SCHEMA_VERSION, **value}, allow_nan=False) + "\n")
        else:
            sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """A remark on the way."""
        if not self.quiet:
            sys.stderr.write(f"{text}\n")

    def warn(self, text: str) -> None:
        """A remark that belongs in red: in colour on a terminal that takes it, in words everywhere."""
        red = sys.stderr.isatty() and "NO_COLOR" not in os.environ
        self.note(f"\x1b[31mRED  {text}\x1b[0m" if red else f"RED  {text}")

    def detail(self, text: str) -> None:
        """A remark that only -v wants."""
        if self.verbose:
            sys.stderr.write(f"{text}\n")

    def progress(self, task: str, done: int, total: int, note: str = "") -> None:
        """A bar a task, on a terminal or in a notebook only; implements `privgan.progress.Progress`."""
        if self.quiet or not (sys.stderr.isatty() or _in_notebook()):
            return
        if self._bars is None:
            self._bars = _new_bars()
            self._bars.start()
        if task not in self._tasks:
            self._tasks[task] = self._bars.add_task(task, total=total, note=note)
        self._bars.update(self._tasks[task], completed=done, total=total, note=note)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._bars is not None:
            self._bars.stop()
            self._bars, self._tasks = None, {}


def _in_notebook() -> bool:
    """Whether a notebook's kernel runs this process: rich then draws bars below the cell."""
    return "ipykernel" in sys.modules


def _new_bars() -> "RichProgress":
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=RichConsole(stderr=True),
    )


console = Console()
"""The console of the running command; `main` sets it up before a verb runs."""


class LibraryWarnings(logging.Handler):
    """Shows what the library warns of while it works, as a note."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one warning."""
        console.note(f"privgan: {record.getMessage()}")
