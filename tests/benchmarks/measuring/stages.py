"""What each stage of a long piece of work takes, told by its progress: seconds, processor seconds, memory at most."""

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from measuring import held_mib


@dataclass
class Stage:
    """seconds of the clock, of the processor; mib: the most that the process held meanwhile."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    mib: int = 0


@dataclass
class Stages:
    """A listener. What happens between two reports belongs to the task that the second one names.

    told: whether each task is said on stderr when another one begins. kept: a file that then has all of them so far,
    which is what is left of a measurement that is cut short.
    """

    told: bool = False
    kept: Path | None = None
    found: dict[str, Stage] = field(default_factory=dict)
    _last: tuple[float, float] = (0.0, 0.0)
    _task: str = ""
    _began: float = 0.0

    def begin(self) -> None:
        """From now on."""
        _forget_peak()
        self._last = (time.perf_counter(), time.process_time())
        self._began = self._last[0]

    def __call__(self, task: str, done: int, total: int, note: str = "") -> None:
        """See `privgan.progress`."""
        del done, total, note
        now, stage = (time.perf_counter(), time.process_time()), self.found.setdefault(task, Stage())
        stage.seconds += now[0] - self._last[0]
        stage.cpu_s += now[1] - self._last[1]
        stage.mib = max(stage.mib, held_mib())
        if task != self._task and self._task:
            self._say(self._task)
        if task != self._task:
            _forget_peak()
        self._last, self._task = now, task

    def _say(self, task: str) -> None:
        stage, since = self.found[task], time.perf_counter() - self._began
        if self.told:
            said = f"{task}: {stage.seconds:.1f} s, {stage.cpu_s:.1f} CPU s, {stage.mib} MiB; {since:.0f} s in all"
            print(said, file=sys.stderr, flush=True)
        if self.kept is not None:
            self.kept.write_text(json.dumps(self.to_json()))

    def to_json(self) -> Mapping[str, Any]:
        """By task."""
        return {
            task: {"s": round(stage.seconds, 1), "cpu_s": round(stage.cpu_s, 1), "mib": stage.mib}
            for task, stage in self.found.items()
        }


def _forget_peak() -> None:
    """Let the kernel count the most that this process holds from now on, where it is asked on Linux."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return
