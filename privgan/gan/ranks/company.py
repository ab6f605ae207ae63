"""Who takes part in some work: this process alone, several that it starts, or several that torchrun has started.

Known before anything heavy is loaded, from what was asked for and from the environment. All of them run on one
machine: sums without noise pass between them.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from privgan.checks import within
from privgan.errors import UsageError
from privgan.gan.names import MOST_PROCESSES
from privgan.memory import processors

_MEETING, _STARTER, _THREADS = "PRIVGAN_MEETING", "PRIVGAN_STARTER", "OMP_NUM_THREADS"
_RANK, _SIZE, _HERE = "RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"
_TORCHRUN = ("TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT", "MASTER_PORT")


@dataclass(frozen=True, kw_only=True)
class Company:
    """rank: which of `size` processes this is. meeting: a name that only they have.

    command: with which rank 0 starts each of the others; empty where somebody else has. wanted: processor threads for
    each; 0 shares the cores out. starter: the process number of rank 0, if it has started this one.
    """

    rank: int = 0
    size: int = 1
    meeting: str = ""
    command: tuple[str, ...] = field(default=(), repr=False)
    wanted: int = 0
    starter: int = 0

    def __post_init__(self) -> None:
        within(1, MOST_PROCESSES, processes=self.size)

    @classmethod
    def of(cls, processes: int, command: tuple[str, ...], environment: Mapping[str, str]) -> Self:
        """What was asked for, or what the environment says that torchrun, or rank 0, has started.

        Raises:
            UsageError: both, or torchrun spread the processes over several machines.
        """
        started = _MEETING in environment or _TORCHRUN[0] in environment
        if not started:
            return cls(size=processes, meeting=os.urandom(8).hex(), command=command)
        if processes > 1:
            raise UsageError("Expected --processes or torchrun, got both. torchrun says how many there are.")
        rank, size, here = (int(environment.get(name, "1")) for name in (_RANK, _SIZE, _HERE))
        if size != here:
            raise UsageError(
                "Expected processes of one machine, torchrun started some elsewhere: sums without noise would "
                "pass through a network. Use --standalone."
            )
        meeting = environment.get(_MEETING) or _named(environment)
        starter = int(environment.get(_STARTER, "0")) if _MEETING in environment else 0
        return cls(rank=rank if size > 1 else 0, size=size, meeting=meeting, starter=starter)

    @property
    def is_orphaned(self) -> bool:
        """Whether rank 0, which started this one and would not leave it behind, is gone: nothing else ends it so."""
        return self.starter not in (0, os.getppid())

    @property
    def threads(self) -> int:
        """Processor threads for each: as wanted, else all together have one a core; 0 leaves the choice to torch."""
        return self.wanted or (max(1, processors() // self.size) if self.size > 1 else 0)

    def with_threads_of(self, environment: Mapping[str, str]) -> Self:
        """The same, each with as many threads as the environment gives to one; shared out where it says nothing."""
        # One number, or one a level of nesting; what is no number OpenMP passes over, too.
        first = environment.get(_THREADS, "").partition(",")[0].strip()
        return replace(self, wanted=int(first) if first.isascii() and first.isdigit() else 0)

    @property
    def environments(self) -> list[dict[str, str]]:
        """What each of the others is told: who it is."""
        size = str(self.size)
        mine = {_MEETING: self.meeting, _STARTER: str(os.getpid())}
        both = {**mine, _SIZE: size, _HERE: size, _THREADS: str(self.threads)}
        return [{**os.environ, **both, _RANK: str(rank)} for rank in range(1, self.size)]

    def place(self, folder: Path) -> Path:
        """Where they meet: in a folder that nobody but this machine's user may look into."""
        return folder / f"meeting-{self.meeting}"


def _named(environment: Mapping[str, str]) -> str:
    """What all processes of one start of torchrun know, and no other start."""
    told = "/".join(environment.get(name, "") for name in _TORCHRUN)
    return hashlib.sha256(told.encode()).hexdigest()[:16]
