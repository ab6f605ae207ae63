"""How long work tells where it is, without knowing who listens.

Library code takes `progress: Progress = silent` and calls it with counts; the command line passes one that draws a
bar on stderr, and where nobody looks at a terminal one that says a line now and then.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from privgan.language import language, speaking, to_tr, tr

LOADING = to_tr("loading libraries")


class Progress(Protocol):
    """Receives the state of one named task; `done == total` ends it."""

    def __call__(self, task: str, done: int, total: int, note: str = "") -> None:
        """Report that `done` of `total` units of `task` are finished."""


def silent(task: str, done: int, total: int, note: str = "") -> None:
    """The default listener: nobody."""


@dataclass(frozen=True, kw_only=True)
class Doing:
    """A task that was begun at `since`, in seconds of the clock, and has not ended."""

    task: str
    done: int
    total: int
    note: str
    since: float

    def told(self, now: float) -> str:
        """In words: what, which share of it, for how long."""
        told = self.task
        if self.total > 1:
            share = {"done": self.done, "total": self.total, "percent": 100 * self.done // self.total}
            told = tr("{task} {done} of {total} ({percent} %)", task=self.task, **share)
        return _since(self.since, now, *filter(None, (told, self.note)))


def _since(begun: float, now: float, *told: str) -> str:
    """What was told, one after the other, and for how long it goes on."""
    *parts, lasted = (*told, tr("for {time}", time=duration(now - begun)))
    for part in reversed(parts):
        lasted = tr("{first}, {then}", first=part, then=lasted)
    return lasted


class Lines:
    """A listener that says in a line what is being done, once in so many seconds.

    Who works calls it; `remind`, called by a clock meanwhile, lets it speak also of work that reports nothing.

    >>> lines = Lines(print, every_s=60.0, clock=lambda: 0.0)
    >>> lines("reading", 1, 4)
    >>> lines.told()
    'reading 1 of 4 (25 %), for 0 s'
    """

    def __init__(
        self, say: Callable[[str], None], *, every_s: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """say: takes a line without its end. every_s: between two lines. clock: seconds."""
        self._say, self._every, self._clock = say, every_s, clock
        self._begun = clock()
        self._next = self._begun + every_s
        self._stack: list[Doing] = []  # what is done now: each a part of the one before it
        self._last = ""
        self.language = language()
        """In which it speaks: that of whoever works. A clock is a thread, and has none of its own."""
        self._lock = threading.Lock()

    def __call__(self, task: str, done: int, total: int, note: str = "") -> None:
        """See `Progress`."""
        with self._lock:
            self._hear(task, done, total, note)
        self.remind()

    def remind(self) -> None:
        """Say a line, if it is time for one."""
        with self._lock:
            now = self._clock()
            if now < self._next:
                return
            self._next = now + self._every
            line = self._told(now)
        self._say(line)

    @property
    def waited_s(self) -> float:
        """Seconds since the work began."""
        return self._clock() - self._begun

    def told(self) -> str:
        """What is being done: the tasks at hand, the outermost first."""
        with self._lock:
            return self._told(self._clock())

    def _hear(self, task: str, done: int, total: int, note: str) -> None:
        now, since = self._clock(), None
        self.language = language()
        for place, doing in enumerate(self._stack):
            if doing.task == task:
                since = doing.since
                del self._stack[place:]  # what was begun inside it has ended, whether it said so or not
                break
        self._last = task
        if done < total:
            heard = Doing(task=task, done=done, total=total, note=note, since=now if since is None else since)
            self._stack.append(heard)

    def _told(self, now: float) -> str:
        with speaking(self.language):
            return self._in_words(now)

    def _in_words(self, now: float) -> str:
        if self._stack:
            return tr("; ").join(doing.told(now) for doing in self._stack)
        if self._last:
            return _since(self._begun, now, tr("at work after {task}, in all", task=self._last))
        return _since(self._begun, now, tr(LOADING))


def duration(seconds: float) -> str:
    """For people.

    >>> duration(9.6), duration(75), duration(7384)
    ('9 s', '1 min 15 s', '2 h 3 min')
    """
    whole = int(seconds)
    if whole < 60:
        return tr("{seconds} s", seconds=whole)
    if whole < 3600:
        return tr("{minutes} min {seconds} s", minutes=whole // 60, seconds=whole % 60)
    return tr("{hours} h {minutes} min", hours=whole // 3600, minutes=whole % 3600 // 60)
