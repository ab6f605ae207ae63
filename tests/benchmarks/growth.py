"""How `train` and `audit` grow with patients: processor seconds and memory of every stage, as many synthetic images.

    python tests/benchmarks/growth.py [--json] [--patients 1000,4000,16000] [--keep FOLDER]

Phantoms of the demo, 64 pixels; each verb a process with one thread. One line per verb and part: what compares every
real image with every synthetic or planted one, which grows with the square of the patients, apart from all else.
cpu_ms_per_patient: user and system. mib: the most that was held meanwhile.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from against import ENOUGH, ROWS
from measuring.stages import Stages

import privgan
from privgan.data.phantoms.phantoms import write_phantoms

COMPARING = ("synthetic beside real", "real images among themselves", "planting copies")


def part_of(task: str) -> str:
    """To which part of a verb a task belongs."""
    return next((part for part in COMPARING if task.startswith(part)), "all else")


def trained(stages: Stages) -> None:
    """The demo's training, in this folder."""
    privgan.train(Path("cohort"), Path("run"), privgan.TrainOptions(epsilon=5.0), progress=stages)


def audited(stages: Stages) -> None:
    """The audit with the run that drew the set."""
    options = privgan.AuditOptions(cohort=Path("cohort"), run=Path("run"))
    privgan.audit(Path("synthetic"), Path("report"), options, progress=stages)


MEASURED = {"train": trained, "audit": audited}


def walk(home: Path, patients: int) -> Iterator[dict[str, Any]]:
    """Lines of one size, in a new folder."""
    home.mkdir()
    (home / "dicom").mkdir()
    write_phantoms(home / "dicom", patients=patients)
    verb(home, *ROWS["prepare"].words, *(["--accept-low-power"] if patients < ENOUGH else []))
    yield from measured(home, "train", patients)
    verb(home, "generate", "run", "synthetic", "--count", str(patients))
    yield from measured(home, "audit", patients)


def measured(home: Path, name: str, patients: int) -> Iterator[dict[str, Any]]:
    """A verb in a process of its own, by its parts."""
    words = [sys.executable, __file__, "--measured", name]
    stages = json.loads(subprocess.run(words, cwd=home, env=alone(), check=True, stdout=subprocess.PIPE).stdout)
    parts: dict[str, dict[str, float]] = {}
    for task, stage in stages.items():
        for part in (part_of(task), "whole"):
            held = parts.setdefault(part, {"cpu_s": 0.0, "mib": 0})
            held |= {"cpu_s": held["cpu_s"] + stage["cpu_s"], "mib": max(held["mib"], stage["mib"])}
    for part, held in parts.items():
        yield {
            "verb": name,
            "part": part,
            "patients": patients,
            "cpu_s": round(held["cpu_s"], 1),
            "cpu_ms_per_patient": round(1e3 * held["cpu_s"] / patients, 2),
            "mib": held["mib"],
        }


def verb(home: Path, *words: str) -> None:
    """One that is not measured."""
    line = [sys.executable, "-m", "privgan_cli", *words]
    subprocess.run(line, cwd=home, env=alone(), check=True, capture_output=True)


def alone() -> dict[str, str]:
    """The environment of a process with one thread."""
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def main() -> None:
    """Print the lines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--patients", default="1000,4000,16000")
    parser.add_argument("--keep", type=Path, help="a new folder for what the verbs make")
    parser.add_argument("--measured", choices=MEASURED)
    asked = parser.parse_args()
    if asked.measured:
        stages = Stages(told=True)
        stages.begin()
        MEASURED[asked.measured](stages)
        print(json.dumps(stages.to_json()))
        return
    lines = list[dict[str, Any]]()
    with nullcontext(asked.keep) if asked.keep else tempfile.TemporaryDirectory() as place:
        Path(place).mkdir(exist_ok=True)
        for patients in map(int, asked.patients.split(",")):
            for line in walk(Path(place) / f"{patients}-patients", patients):
                lines.append(line)
                print("  ".join(f"{name} {value}" for name, value in line.items()), file=sys.stderr, flush=True)
    if asked.json:
        print(json.dumps({"schema_version": 1, "rows": lines}))


if __name__ == "__main__":
    main()
