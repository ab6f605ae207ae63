"""What the benchmarks measure with: seconds of interleaved rounds, and the memory that a process of its own holds."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

Step = Callable[[], object]


def timed(steps: Sequence[Step], *, rounds: int) -> list[float]:
    """Median seconds of each step over interleaved rounds; the first is a warm-up, unless it is the only one."""
    taken: list[list[float]] = [[] for _ in steps]
    for _ in range(rounds):
        for step, times in zip(steps, taken, strict=True):
            started = time.perf_counter()
            step()
            times.append(time.perf_counter() - started)
    return [median(times[1:] or times) for times in taken]


def peak_mib(script: str, *numbers: int) -> int:
    """What `script --peak NUMBERS` prints, in a process of its own: what other contenders held must not count."""
    words = [sys.executable, script, "--peak", *(str(number) for number in numbers)]
    return int(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


def held_mib() -> int:
    """The most that this process held, in MiB. Not what getrusage says, which remembers the parent."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024
