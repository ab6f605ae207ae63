"""Runs on random patients through the product's own verbs, for studies that audit many of them."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from tests.audits.verbs import succeed
from tests.audits.xrays import XRays

RUNS = 20
Words = tuple[str, ...]  # of a verb


@dataclass(frozen=True, kw_only=True)
class Hospital:
    """What every run has in common: how many patients, further words of `prepare` and `train`, how many images."""

    xrays: XRays
    patients: int
    prepare: Words = ()
    train: Words
    count: int

    def run(self, place: Path, seed: int) -> dict[str, str]:
        """A cohort of random patients, a run on it and a set of that; where they are, and where a report may be."""
        at = {name: str(place / f"{seed}-{name}") for name in ("cohort", "run", "synthetic", "report")}
        (sample,) = self.xrays.split(np.random.default_rng(seed), self.patients)
        source = place / f"{seed}.npz"
        numbers = [f"P{patient:05}" for patient in sample.patients]  # 0 and 999 alone would stand for nobody
        np.savez(source, images=sample.images, labels=sample.labels, patient_id=numbers)
        succeed(
            ("prepare", str(source), at["cohort"], *self.prepare),
            ("train", at["cohort"], at["run"], *self.train),
            ("generate", at["run"], at["synthetic"], "--count", str(self.count), "--format", "npz"),
        )
        return at


def said(record: dict[str, Any]) -> str:
    """Verdict, p of T2 and T3, AUC with its upper bound, each attack's AUC, limit of detection."""
    tests = {test["id"]: test for test in record["tests"]}
    near, attack, control = tests["T2"], tests["T3"], tests["T0"]
    each = ", ".join(f"{name} {found['auc']:.3f}" for name, found in attack["attacks"].items())
    return (
        f"{record['verdict']} | {near['p']:.3g} | {attack['p']:.3g} | {attack['auc']:.3f} | "
        f"{attack['auc_upper']:.3f} | {each} | {control['limit_of_detection']['exact']}"
    )


def interval(count: int, total: int) -> str:
    """The 95 % interval of Clopper and Pearson."""
    found = stats.binomtest(count, total).proportion_ci(0.95, method="exact")
    return f"{100 * found.low:.1f} to {100 * found.high:.1f} %"


def told(verdicts: Counter[str]) -> str:
    """Every verdict's count and interval."""
    total = verdicts.total()
    return "; ".join(f"{name} {count}, {interval(count, total)}" for name, count in verdicts.most_common())
