"""What this checkout costs beside another commit: processor time and memory of whole processes, in turn, in one run.

    python tests/benchmarks/against.py [--base COMMIT] [--rows scan,prepare,...] [--pairs 3] [--short] [--json]
                                       [--patients 4000] [--steps N]

One row each: what, base_cpu_s, ours_cpu_s, ratio, base_mib, ours_mib. User CPU seconds and the most memory held at
once, children included, are medians of pairs (base, ours, base, ours, ...) of processes with one thread each.

The base's files are taken out of git into a temporary folder and run in this very environment. One of its own would
compare two versions of torch as well, and this one holds all that the base's code imports: Opacus, which only tests
need by now, comes with the extra `dev`. Both sides read the same phantoms and go on with what they made themselves,
so that no format of one has to be the other's. What a row needs is made once, unmeasured, unless it is a row itself:
`--rows train` prepares both sides first, and `--rows audit` trains and draws as well. `--patients` says how all of it
grows, as there are as many synthetic ones (a demo has its own); `--steps` trains for less, to see that every row
still runs.
"""

import argparse
import compileall
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from measuring.processes import Cost, cost_of

OURS = Path(__file__).resolve().parents[2]
BASE = "880e760"  # the commit that docs/results/speed.md compares with
PATIENTS, FEW = 4000, 200  # the demo's, and those of --short
ENOUGH = 1500  # patients, below which `prepare` has to be told that no audit is likely to pass
PRIVGAN = ("-c", "from privgan_cli.main import main; main()")
PHANTOMS = """
import sys
from pathlib import Path
from privgan.data.phantoms.phantoms import write_phantoms
Path(sys.argv[1]).mkdir()
write_phantoms(Path(sys.argv[1]), patients=int(sys.argv[2]))
"""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One process. words: of the verb. needs: folders that others make. makes: the folder that must be there then."""

    words: Sequence[str]
    needs: Sequence[str] = ()
    makes: str = ""


ROWS: Mapping[str, Row] = {
    "help": Row(words=["--help"]),
    "plan": Row(words=["plan", "--patients", "2000", "--batch", "128", "--steps", "250", "--epsilon", "5"]),
    "approve, to its first refusal": Row(
        words=["approve", "no-such-report", "--key", "none.key", "--name", "N", "--until", "2030-01-01"]
    ),
    "scan": Row(words=["scan", "dicom", "--csv", "dicom/labels.csv"], needs=["dicom"]),
    "prepare": Row(
        words=[
            "prepare",
            "dicom",
            "cohort",
            "--csv",
            "dicom/labels.csv",
            "--classes",
            "clear,opacity",
            "--size",
            "64",
        ],
        needs=["dicom"],
        makes="cohort",
    ),
    "train": Row(words=["train", "cohort", "run", "--epsilon", "5"], needs=["cohort"], makes="run"),
    "generate": Row(words=["generate", "run", "synthetic", "--count"], needs=["run"], makes="synthetic"),
    "audit --run": Row(
        words=["audit", "synthetic", "--cohort", "cohort", "--run", "run", "--report", "report"],
        needs=["cohort", "run", "synthetic"],
        makes="report",
    ),
    "benchmarks/audit.py": Row(words=["--json"]),
    "demo": Row(words=["demo"], makes="privgan-demo"),
}
CHEAP = ("help", "plan", "approve, to its first refusal", "scan")


@dataclass(frozen=True, kw_only=True)
class Side:
    """One checkout, and the folder in which it keeps what it made. more: further words of rows, by name."""

    checkout: Path
    home: Path
    more: Mapping[str, Sequence[str]]
    made: dict[str, Path] = field(default_factory=dict)

    def measured(self, what: str) -> Cost:
        """Run one row in a folder of its own; what it makes first is kept for others."""
        row = ROWS[what]
        place = Path(tempfile.mkdtemp(dir=self.home))
        for name in row.needs:
            source = self._kept(name)
            if name == "dicom":
                (place / name).symlink_to(source)  # nobody writes there
            else:
                shutil.copytree(source, place / name)  # a ledger remembers
        script = self.checkout / "tests" / what
        start = [str(script)] if script.is_file() else PRIVGAN
        words = [*row.words, *self.more.get(what, ())]
        cost = cost_of([sys.executable, *start, *words], place, self.environment())
        if row.makes and not (place / row.makes).is_dir():
            raise SystemExit(f"Expected {row.makes} of '{what}' in {self.checkout}, it ended so:\n{cost.said}")
        if row.makes and row.makes not in self.made:
            self.made[row.makes] = place / row.makes
        else:
            shutil.rmtree(place)
        return cost

    def _kept(self, name: str) -> Path:
        if name not in self.made:
            self.measured(next(what for what, row in ROWS.items() if row.makes == name))
        return self.made[name]

    def environment(self) -> dict[str, str]:
        """In which its own code is imported."""
        path = os.pathsep.join(str(self.checkout / part) for part in (".", "audits", "uses", "cli"))
        return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


def compared(what: str, sides: Mapping[str, Side], pairs: int) -> dict[str, Any]:
    """One line of the table."""
    costs: dict[str, list[Cost]] = {name: [] for name in sides}
    for _ in range(pairs):
        for name, side in sides.items():
            costs[name].append(side.measured(what))

    def typical(name: str, figure: Callable[[Cost], float]) -> float:
        return median(map(figure, costs[name]))

    base, ours = (typical(name, lambda cost: cost.cpu_s) for name in ("base", "ours"))
    return {
        "what": what,
        "base_cpu_s": round(base, 2),
        "ours_cpu_s": round(ours, 2),
        "ratio": round(ours / base, 3),
        **{f"{name}_mib": round(typical(name, lambda cost: cost.mib)) for name in ("base", "ours")},
    }


def further(patients: int, steps: int | None, home: Path) -> Mapping[str, Sequence[str]]:
    """Further words of rows, by name, for so many patients; `home` is where a file of settings may lie."""
    settings = home / "train.toml"
    settings.write_text(f"schema = 1\n[privacy]\nsteps = {steps}\n")
    return {
        "prepare": ["--accept-low-power"] if patients < ENOUGH else [],
        "train": [] if steps is None else ["--config", str(settings)],
        "generate": [str(patients)],
    }


def checked_out(commit: str, folder: Path) -> Path:
    """The files of a commit in a new folder."""
    folder.mkdir()
    files = subprocess.run(["git", "archive", commit], cwd=OURS, capture_output=True, check=False)
    if files.returncode:
        raise SystemExit(f"Expected commit {commit} in this clone: {files.stderr.decode()}Fetch it, or name another.")
    subprocess.run(["tar", "x", "-C", str(folder)], input=files.stdout, check=True)
    return folder


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--base", default=BASE)
    parser.add_argument("--rows", help=f"of: {'; '.join(ROWS)}; parted by commas where they have none")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--short", action="store_true", help="one pair of what takes seconds")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--patients", type=int, default=PATIENTS)
    parser.add_argument("--steps", type=int)
    asked = parser.parse_args()
    patients = FEW if asked.short else asked.patients
    names = [each for each in ROWS if any(each.startswith(word) for word in (asked.rows or "").split(",") if word)]
    rows, pairs = (CHEAP, 1) if asked.short else (names or list(ROWS), asked.pairs)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        checkouts = {"base": checked_out(asked.base, home / "checkout"), "ours": OURS}
        for checkout in checkouts.values():
            compileall.compile_dir(checkout, quiet=2)  # the first run would do it at its own cost
        sides = {}
        for name, checkout in checkouts.items():
            (home / name).mkdir()
            sides[name] = Side(checkout=checkout, home=home / name, more=further(patients, asked.steps, home))
        dicom = home / "dicom"
        if any(ROWS[each].needs for each in rows):
            words = [sys.executable, "-c", PHANTOMS, str(dicom), str(patients)]
            subprocess.run(words, cwd=OURS, env=sides["ours"].environment(), check=True)
        for side in sides.values():
            side.made["dicom"] = dicom
        found = [compared(each, sides, pairs) for each in rows]
    if asked.json:
        print(
            json.dumps({"schema_version": 1, "base": asked.base, "pairs": pairs, "patients": patients, "rows": found})
        )
    else:
        print("\n".join(str(line) for line in found))


if __name__ == "__main__":
    main()
