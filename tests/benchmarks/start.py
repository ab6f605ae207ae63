"""How long a verb takes until it says something, beside the same verb of another checkout, in one run.

    python tests/benchmarks/start.py [--json] [--base FOLDER] [--rounds 5]

User CPU seconds of whole processes, medians of rounds in turn (base, ours, base, ours, ...) after one to warm up.
FOLDER is a checkout of another commit, such as `git worktree add FOLDER COMMIT` makes; both run in this environment.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

OURS = Path(__file__).resolve().parents[2]
APPROVE = ("approve", "no-such-report", "--key", "none.key", "--name", "N", "--until", "2030-01-01")
PLAN = ("plan", "--patients", "2000", "--batch", "128", "--steps", "250", "--epsilon", "5")
ROWS: dict[str, Sequence[str]] = {"approve, to its first refusal": APPROVE, "--help": ("--help",), "plan": PLAN}


def seconds(checkout: Path, words: Sequence[str]) -> float:
    """User CPU seconds of one process, its children included."""
    path = os.pathsep.join(str(checkout / part) for part in (".", "audits", "cli"))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run(
        [sys.executable, "-c", "from privgan_cli.main import main; main()", *words],
        cwd=checkout,  # what lies in the working folder would be imported first
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        check=False,
    )
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def row(what: str, base: Path | None, rounds: int) -> dict[str, Any]:
    """One line of the table."""
    checkouts = {"base_cpu_s": base, "ours_cpu_s": OURS} if base else {"ours_cpu_s": OURS}
    taken: dict[str, list[float]] = {name: [] for name in checkouts}
    for _ in range(rounds + 1):
        for name, place in checkouts.items():
            taken[name].append(seconds(place, ROWS[what]))
    found = {name: round(median(times[1:]), 3) for name, times in taken.items()}
    ratio = {"ratio": round(found["ours_cpu_s"] / found["base_cpu_s"], 3)} if base else {}
    return {"what": what, **found, **ratio}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--base", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    rows = [row(what, asked.base, asked.rounds) for what in ROWS]
    if asked.json:
        print(json.dumps({"schema_version": 1, "rows": rows}))
    else:
        print("\n".join(str(line) for line in rows))


if __name__ == "__main__":
    main()
