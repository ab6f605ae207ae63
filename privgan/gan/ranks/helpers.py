"""The processes that rank 0 starts: watched, asked why they ended, and never left behind."""

import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from privgan.errors import LostRankError
from privgan.gan.ranks.waiting import in_time

_LEAVING_S = 10.0  # that a process has to end by itself
_LATE_S = 2.0  # in which the end of one that closed its connections is seen


@dataclass(frozen=True)
class Helpers:
    """Ranks 1, 2, ..; none where somebody else started them."""

    processes: tuple["subprocess.Popen[bytes]", ...]

    @classmethod
    @contextmanager
    def started(cls, command: Sequence[str], environments: Sequence[Mapping[str, str]]) -> Iterator[Self]:
        """Start a command once in each environment; afterwards none of them runs any more.

        Raises:
            LostRankError: of the block, with what became of the process that ended.
        """
        mine = environments if command else ()
        # What they would say of the result, rank 0 says; what ends them they say themselves.
        none = subprocess.DEVNULL
        helpers = cls(tuple(subprocess.Popen(command, env=dict(own), stdin=none, stdout=none) for own in mine))  # noqa: S603 (ours)
        try:
            yield helpers
            helpers._leave()
        except LostRankError:
            helpers._wait_for_an_end()
            helpers._require(passed_over=LostRankError.exit_code)  # they lost somebody, and say no more than this one
            raise
        finally:
            helpers._end()

    def require(self) -> None:
        """All of them run, or have done their part.

        Raises:
            LostRankError: which has not, and how it ended.
        """
        self._require()

    def _require(self, passed_over: int = 0) -> None:
        codes = {number: process.poll() for number, process in enumerate(self.processes, start=2)}
        ended = {number: code for number, code in codes.items() if code and code != passed_over}
        # Those that only lost somebody come last.
        for number, code in sorted(ended.items(), key=lambda end: end[1] == LostRankError.exit_code):
            size = len(self.processes) + 1
            if code < 0:
                name = signal.Signals(-code).name
                raise LostRankError(
                    f"Expected every process to work to the end, number {number} of {size} was ended by {name}. All "
                    "are stopped and nothing is released; start again, a training with --resume."
                )
            raise LostRankError(
                f"Expected every process to work to the end, number {number} of {size} ended with exit code {code}. "
                "All are stopped and nothing is released; start again, a training with --resume."
            )

    def _wait_for_an_end(self) -> None:
        in_time(lambda: any(process.poll() for process in self.processes), _LATE_S)

    def _leave(self) -> None:
        in_time(lambda: all(process.poll() is not None for process in self.processes), _LEAVING_S)

    def _end(self) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()
