"""Studies, run by `make studies`: real generators, private and not, trained on chest X-rays and audited."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from privgan_audits.examine import run_audit
from privgan_audits.policy import Policy
from tests.audits.conftest import Weigh
from tests.audits.overfitting import overfitted_gan
from tests.audits.xrays import XRays

RUNS, PATIENTS = 20, 2200


def privgan(*words: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-c", "from privgan_cli.main import main; main()", *words, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else {"error": done.stderr}


@pytest.mark.study
def test_private_gans_at_epsilon_1(shared_data: Path, tmp_path: Path) -> None:
    """Twenty cohorts of random patients, each through the product's own verbs at epsilon 1."""
    xrays, verdicts = XRays.read(shared_data, size=32), Counter[str]()
    for seed in range(RUNS):
        at = {name: str(tmp_path / f"{seed}-{name}") for name in ("cohort", "run", "synthetic", "report")}
        (sample,) = xrays.split(np.random.default_rng(seed), PATIENTS)
        source = tmp_path / f"{seed}.npz"
        np.savez(source, images=sample.images, labels=sample.labels, patient_id=sample.patients.astype(str))
        for words in (
            ("prepare", str(source), at["cohort"], "--size", "32"),
            ("train", at["cohort"], at["run"], "--epsilon", "1", "--accept-noise"),
            ("generate", at["run"], at["synthetic"], "--count", "2000", "--format", "npz"),
        ):
            code, answer = privgan(*words)
            assert code == 0, answer
        _, record = privgan(
            "audit", at["synthetic"], "--cohort", at["cohort"], "--run", at["run"], "--report", at["report"]
        )
        verdicts[str(record["verdict"])] += 1
        print(f"| {seed} | {said(record)} | {record['reasons']} |", flush=True)
    print(f"{RUNS} private GANs at epsilon 1: {dict(verdicts)}; {interval(verdicts['FAIL'], RUNS)} fail", flush=True)
    assert verdicts["FAIL"] <= 2


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


@pytest.mark.study
def test_a_gan_without_privacy_trained_long_on_500_patients(shared_data: Path, weigh: Weigh) -> None:
    """At every length of training: what the audit says, with 1,000 other patients as non-members."""
    members, others = XRays.read(shared_data).split(np.random.default_rng(3), 500, 1000)
    verdicts = []
    for steps in (4000, 16_000, 40_000):
        images = overfitted_gan(members.images, seed=0, steps=steps, order=24, count=2000)
        record = run_audit(weigh(members, others, images), Policy())
        verdicts.append(record.verdict.verdict)
        print(f"| {steps} | {said(record.to_json())} |", flush=True)
    assert verdicts[-1] == "FAIL"
