"""Studies, run by `make studies`: real generators, private and not, trained on chest X-rays and audited."""

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
from tests.audits.verbs import privgan, succeed
from tests.audits.xrays import XRays

RUNS = 20
Words = tuple[str, ...]  # of a verb


@pytest.mark.study
def test_private_gans_at_epsilon_1(shared_data: Path, tmp_path: Path) -> None:
    """Twenty cohorts of random patients, each through the product's own verbs at epsilon 1."""
    xrays = XRays.read(shared_data, size=32)
    train = ("--epsilon", "1", "--accept-noise")
    verdicts = audited(xrays, tmp_path, 2200, ("--size", "32"), train, 2000)
    print(f"{RUNS} private GANs at epsilon 1: {dict(verdicts)}; {interval(verdicts['FAIL'], RUNS)} fail", flush=True)
    assert verdicts["FAIL"] <= 2


@pytest.mark.study
def test_private_gans_with_a_prior_at_epsilon_3(shared_data: Path, prior: Path, tmp_path: Path) -> None:
    """The same with what public images teach, at 64 pixels, the warm start alone; T11 looks for their copies."""
    xrays = XRays.read(shared_data)
    train = ("--epsilon", "3", "--steps", "0", "--prior", str(prior))
    verdicts = audited(xrays, tmp_path, 2000, (), train, 1300)
    print(f"{RUNS} with a prior at epsilon 3: {dict(verdicts)}; {interval(verdicts['FAIL'], RUNS)} fail", flush=True)
    assert verdicts["FAIL"] <= 2


def audited(xrays: XRays, place: Path, patients: int, prepare: Words, train: Words, count: int) -> Counter[str]:
    """Verdicts of RUNS cohorts of so many random patients each, through the verbs with these further words."""
    verdicts = Counter[str]()
    for seed in range(RUNS):
        at = {name: str(place / f"{seed}-{name}") for name in ("cohort", "run", "synthetic", "report")}
        (sample,) = xrays.split(np.random.default_rng(seed), patients)
        source = place / f"{seed}.npz"
        np.savez(source, images=sample.images, labels=sample.labels, patient_id=sample.patients.astype(str))
        succeed(
            ("prepare", str(source), at["cohort"], *prepare),
            ("train", at["cohort"], at["run"], *train),
            ("generate", at["run"], at["synthetic"], "--count", str(count), "--format", "npz"),
        )
        _, record = privgan(
            "audit", at["synthetic"], "--cohort", at["cohort"], "--run", at["run"], "--report", at["report"]
        )
        verdicts[str(record["verdict"])] += 1
        print(f"| {seed} | {said(record)} | {record['reasons']} |", flush=True)
    return verdicts


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
