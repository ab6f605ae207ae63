"""What every verb costs at an image size and a number of patients: phantoms of that size, from scan to verify.

Each verb is a process of its own with one thread. `train` is measured three times: with its warm start alone, with
some noisy steps, whose cost does not depend on patients, and with a prior. Two people release, as the demo's do. So
few patients could not pass the recommended policy, whatever was made of them: `LOOSE` lets them, so that the last
verbs are measured, too. An audit that ends otherwise all the same ends the path.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from measuring.processes import cost_of

ROOT = Path(__file__).resolve().parents[3]
PRIVGAN = (sys.executable, "-c", "from privgan_cli.main import main; main()")
PHANTOMS = """
import sys
from pathlib import Path
from privgan.data.phantoms.phantoms import write_phantoms
folder, patients, side, seed = sys.argv[1:]
Path(folder).mkdir()
write_phantoms(Path(folder), patients=int(patients), side=int(side), seed=int(seed))
"""
NOT_PASSED = (3, 4)  # how an audit ends that judged otherwise
EPSILON, FEW_STEPS = "2.5", "few-steps.toml"
LOOSE = """
max_auc = 0.8
max_tpr = 0.4
max_attribute_advantage = 0.4
max_detectable_auc = 0.4
max_copied_patients = 80
max_copied_share = 0.3
"""


@dataclass(frozen=True, kw_only=True)
class Walk:
    """One cohort from its files to a bundle. side: pixels. public: patients of other phantoms, for the prior.

    steps: noisy ones of the training that has any. learned: steps of the prior, and how many more it learns for
    the patients: each costs the same, and those that are left out are to be added. only: the verbs that are measured
    again in a folder where the walk was made before; all without it.
    """

    side: int
    patients: int
    public: int = 300
    steps: int = 8
    learned: int = 4
    only: tuple[str, ...] = ()

    def rows(self, home: Path) -> Iterator[dict[str, Any]]:
        """Measure verb after verb in a folder, and stop where the audit did not pass."""
        home.mkdir(parents=True, exist_ok=True)
        for folder, patients, seed in (("dicom", self.patients, 0), ("public", self.public, 1)):
            if not (home / folder).is_dir():
                drawn = [sys.executable, "-c", PHANTOMS, str(home / folder), str(patients), str(self.side), str(seed)]
                subprocess.run(drawn, env=_environment(), check=True)
        if not (home / "policy.toml").exists():
            for key in (["officer", "--policy", "policy.toml", "--house", "Nowhere"], ["hospital"]):
                words = [*PRIVGAN, "keygen", *key, "--no-passphrase"]
                subprocess.run(words, cwd=home, env=_environment(), check=True, capture_output=True)
            with (home / "policy.toml").open("a") as policy:
                policy.write(LOOSE)
        (home / FEW_STEPS).write_text(f"schema = 1\n[model]\nadaptation_steps = {self.learned}\n")
        for what, words, makes in self._verbs():
            if self.only and what not in self.only:
                continue
            if makes:
                shutil.rmtree(home / makes, ignore_errors=True)
            cost = cost_of([*PRIVGAN, *words], home, _environment())
            if cost.code and not (words[0] == "audit" and cost.code in NOT_PASSED):
                raise SystemExit(f"Expected `{' '.join(words)}` to succeed, it ended so:\n{cost.said}")
            yield {
                "verb": what,
                "side": self.side,
                "patients": self.patients,
                "cpu_s": round(cost.cpu_s, 1),
                "mib": round(cost.mib),
                "own_mib": round(cost.own_mib),
                "makes_mib": round(_size_mib(home / makes)) if makes else 0,
                "code": cost.code,
            }
            if cost.code:
                return

    def _verbs(self) -> Iterator[tuple[str, list[str], str]]:
        """What it is called here, its words, and the folder that it makes."""
        size, called = ["--size", str(self.side)], ["--csv", "dicom/labels.csv", "--modality", "CR"]
        yield "scan", ["scan", "dicom", *called], ""
        prepare = ["prepare", "dicom", "cohort", *called, "--classes", "clear,opacity", *size]
        yield "prepare", [*prepare, "--policy", "policy.toml", "--max-epsilon", "100", "--accept-low-power"], "cohort"
        prior = ["prior", "public", "prior", *size, "--source", "phantoms", "--licence", "none"]
        yield "prior", [*prior, "--steps", str(self.learned)], "prior"
        train = ["train", "cohort", "--epsilon", EPSILON, "--accept-noise"]
        yield "train, noisy steps", [*train, "steps", "--steps", str(self.steps)], "steps"
        yield "train, warm start", [*train, "plain", "--steps", "0"], "plain"
        yield "train, prior", [*train, "run", "--steps", "0", "--prior", "prior", "--config", FEW_STEPS], "run"
        yield "generate", ["generate", "run", "synthetic", "--count", str(self.patients)], "synthetic"
        at = ["--cohort", "cohort", "--run", "run", "--report", "report"]
        yield "audit", ["audit", "synthetic", *at, "--policy", "policy.toml"], "report"
        signed = ["--key", "officer.key", "--name", "Officer", "--until", _next_year(), "--yes"]
        who = ["--purpose", "to measure", "--recipient", "nobody"]
        yield "approve", ["approve", "report", "--cohort", "cohort", *signed, *who], ""
        yield "release", ["release", "synthetic", *at, "--to", "bundle", "--key", "hospital.key"], "bundle"
        yield "verify", ["verify", "bundle", "--public-key", "hospital.pub", "--officer-key", "officer.pub"], ""


def _next_year() -> str:
    return (datetime.now(UTC).date() + timedelta(days=300)).isoformat()


def _size_mib(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20


def _environment() -> dict[str, str]:
    path = os.pathsep.join(str(ROOT / part) for part in (".", "audits", "uses", "cli"))
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
