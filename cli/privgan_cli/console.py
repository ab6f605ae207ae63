"""What the command line says, and where: results on stdout, everything else on stderr and in the log."""

import contextlib
import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from privgan.language import retold, speaking, tr
from privgan.progress import LOADING, Lines
from privgan_cli.line.everywhere import Everywhere
from privgan_cli.line.log import Log

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

SCHEMA_VERSION = 1
_PATIENCE_S = 2.0  # after which whoever looks at a terminal sees what is being done


@dataclass
class Console:
    """The state of one command: its voice, log and progress. told: what it was told beside its own options."""

    told: Everywhere = field(default_factory=Everywhere)
    _log: Log | None = None
    _lines: Lines | None = None
    _drawing: threading.RLock = field(default_factory=threading.RLock)
    _bars: "RichProgress | None" = None
    _tasks: "dict[str, TaskID]" = field(default_factory=dict)

    @property
    def as_json(self) -> bool:
        """One JSON object on stdout instead of text."""
        return self.told.as_json

    @property
    def quiet(self) -> bool:
        """No notes, and no progress."""
        return self.told.quiet

    def result(self, value: Mapping[str, Any], *lines: str, then: str = "") -> None:
        """The command's answer: the object with --json, the lines otherwise. then: the command that comes next."""
        if self.as_json:
            following = {"next": then} if then else {}
            answer = {"schema_version": SCHEMA_VERSION, **value, **following}
            sys.stdout.write(json.dumps(answer, allow_nan=False) + "\n")
        else:
            told = (*lines, tr("next: {command}", command=then)) if then else lines
            sys.stdout.write("".join(f"{line}\n" for line in told))
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """A remark on the way."""
        self._write(text, text)

    def warn(self, text: str) -> None:
        """A remark that belongs in red: in colour on a terminal that takes it, in words everywhere."""
        said = tr("RED  {text}", text=text)
        red = sys.stderr.isatty() and "NO_COLOR" not in os.environ
        self._write(f"\x1b[31m{said}\x1b[0m" if red else said, said)

    def detail(self, text: str) -> None:
        """A remark that only -v wants."""
        if self.told.verbose:
            sys.stderr.write(f"{text}\n")

    def refuse(self, code: int, message: str) -> None:
        """Why a command ends here, as it is written; with --json also as its answer, for programs."""
        self.close()
        said = retold(message)
        sys.stderr.write(f"privgan: {said}\n")
        self._log_line(said)
        if self.as_json:
            self.result({"error": {"exit_code": code, "message": message}})

    def progress(self, task: str, done: int, total: int, note: str = "") -> None:
        """Implements `privgan.progress.Progress`: a bar on a terminal or in a notebook, elsewhere `Lines`."""
        if self._lines is not None:
            self._lines(task, done, total, note)
        if not self.quiet and _is_watched():
            self._draw(task, done, total, note)

    def _draw(self, task: str, done: int, total: int | None, note: str) -> None:
        with self._drawing:
            if self._bars is None:
                self._bars = _new_bars()
                self._bars.start()
            if task not in self._tasks:
                self._tasks[task] = self._bars.add_task(task, total=total, note=note)
            self._bars.update(self._tasks[task], completed=done, total=total, note=note)

    def begins(self, verb: str) -> None:
        """The log's first line of a command."""
        self._log_line(tr("privgan {verb} begins", verb=verb))

    def work(self, command: Callable[[], int]) -> int:
        """Run a command, and tell whoever waits for what; one inside another is a part of its work.

        Returns its exit code, the log's last line: nobody speaks after it.

        Raises:
            UsageError: the log cannot be written.
        """
        if self._lines is not None:
            return self._ended(command())
        self._log = Log.opened(self.told.log) if self.told.log is not None else None
        self._lines = Lines(self._tell, every_s=self.told.tell_every_s)
        try:
            with beside(self._remind, min(_PATIENCE_S, self.told.tell_every_s) / 2):
                code = command()
            return self._ended(code)
        finally:
            self._lines = None
            if self._log is not None:
                self._log.close()
                self._log = None

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """While the block runs, a person thinks: nothing is told."""
        lines, self._lines = self._lines, None
        try:
            yield
        finally:
            self._lines = lines

    def close(self) -> None:
        """Leave the terminal as it was."""
        with self._drawing:
            if self._bars is not None:
                self._bars.stop()
                self._bars, self._tasks = None, {}

    def _ended(self, code: int) -> int:
        self._log_line(tr("ends with exit code {code}", code=code))
        return code

    def _remind(self) -> None:
        """A line, if it is time for one; and a bar where somebody looks and sees none, although nothing is asked."""
        lines = self._lines
        if lines is None:
            return
        lines.remind()
        if lines.waited_s >= _PATIENCE_S and self._bars is None and not self.quiet and _is_watched():
            with speaking(lines.language):
                self._draw(tr(LOADING), 0, None, "")

    def _tell(self, line: str) -> None:
        """A line of progress: in the log, and on stderr where no bars are drawn."""
        self._log_line(line)
        if not (self.quiet or _is_watched()):
            sys.stderr.write(f"privgan: {line}\n")
            sys.stderr.flush()

    def _write(self, shown: str, logged: str) -> None:
        self._log_line(logged)
        if not self.quiet:
            sys.stderr.write(f"{shown}\n")

    def _log_line(self, text: str) -> None:
        if self._log is not None and text.strip():
            self._log.line(text)


@contextlib.contextmanager
def beside(remind: Callable[[], None], every_s: float) -> Iterator[None]:
    """A clock beside the work, which reminds somebody: it alone acts while the work reports nothing."""
    over = threading.Event()

    def tick() -> None:
        while not over.wait(every_s):
            remind()

    clock = threading.Thread(target=tick, name="privgan-progress", daemon=True)
    clock.start()
    try:
        yield
    finally:
        over.set()
        clock.join()


def _is_watched() -> bool:
    """Whether bars can be drawn: on a terminal, or in a notebook, where rich draws them below the cell."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules


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
"""The console of the running command; `dispatch` sets it up before a verb runs."""


class LibraryWarnings(logging.Handler):
    """Shows what the library warns of while it works, as a note."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one warning."""
        console.note(f"privgan: {retold(record.getMessage())}")
