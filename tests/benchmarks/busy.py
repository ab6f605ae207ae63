"""What threads cost on a busy machine: a training on two cores, alone and beside two loops that never rest, in turn.

    python tests/benchmarks/busy.py [--json] [--patients 1500] [--steps 60] [--pairs 3]

Two threads, kept to two cores as by `taskset`, as are the loops. One JSON object: user and system CPU seconds and
seconds of the clock, medians of pairs, and by how much CPU seconds grow. Threads that wait by looking for work make
them grow; who shares a core with a loop is slower in any case. It means something where nothing else runs: load.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from privgan.data.phantoms.phantoms import write_phantoms

LOOPS = 2
PRIVGAN = (sys.executable, "-m", "privgan_cli")


@contextmanager
def loops(count: int) -> Iterator[None]:
    """So many processes that work without rest, on the cores of this one."""
    started = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for each in started:
            each.kill()
            each.wait()


def cost(home: Path, *words: str) -> tuple[float, float]:
    """CPU seconds and seconds of the clock of a command."""
    own = {**os.environ, "OMP_NUM_THREADS": "2"}
    began = time.perf_counter()
    started = subprocess.Popen(
        [*PRIVGAN, *words], cwd=home, env=own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode:
        raise SystemExit(f"Expected `privgan {' '.join(words)}` to succeed, it ended with {started.returncode}.")
    return used.ru_utime + used.ru_stime, time.perf_counter() - began


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--patients", type=int, default=1500)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--pairs", type=int, default=3)
    asked = parser.parse_args()
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:2]))
    load, found = os.getloadavg()[0], dict[int, list[tuple[float, float]]]()
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        (home / "dicom").mkdir()
        write_phantoms(home / "dicom", patients=asked.patients)
        cost(home, "prepare", "dicom", "cohort", "--csv", "dicom/labels.csv", "--classes", "clear,opacity")
        (home / "train.toml").write_text(f"schema = 1\n[privacy]\nsteps = {asked.steps}\n")
        for pair in range(asked.pairs):
            for beside in (0, LOOPS):
                shutil.copytree(home / "cohort", home / f"{pair}-{beside}")  # a ledger remembers
                words = [
                    "train",
                    f"{pair}-{beside}",
                    f"run-{pair}-{beside}",
                    "--epsilon",
                    "5",
                    "--config",
                    "train.toml",
                ]
                with loops(beside):
                    found.setdefault(beside, []).append(cost(home, *words))
    (alone, clock), (busy, slow) = ([median(column) for column in zip(*each, strict=True)] for each in found.values())
    lines = {
        "load_before": round(load, 1),
        "cpu_s_alone": round(alone, 1),
        "cpu_s_beside_loops": round(busy, 1),
        "grows": round(busy / alone, 2),
        "s_alone": round(clock, 1),
        "s_beside_loops": round(slow, 1),
    }
    told = "\n".join(f"{key}: {value}" for key, value in lines.items())
    print(json.dumps({"schema_version": 1, **lines}) if asked.json else told)


if __name__ == "__main__":
    main()
