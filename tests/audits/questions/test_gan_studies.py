"""Studies, run by `make studies`: real generators, private and not, trained on chest X-rays and audited."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from privgan_audits.examine import run_audit
from privgan_audits.policy import Policy
from tests.audits.conftest import Weigh
from tests.audits.overfitting import overfitted_gan
from tests.audits.runs import RUNS, Hospital, said, told
from tests.audits.verbs import privgan
from tests.audits.xrays import XRays


@pytest.mark.study
def test_private_gans_at_epsilon_1(shared_data: Path, tmp_path: Path) -> None:
    """Twenty cohorts of random patients, each through the product's own verbs at epsilon 1."""
    hospital = Hospital(
        xrays=XRays.read(shared_data, size=32),
        patients=2200,
        prepare=("--size", "32"),
        train=("--epsilon", "1", "--accept-noise"),
        count=2000,
    )
    verdicts = Counter[str]()
    for seed in range(RUNS):
        at = hospital.run(tmp_path, seed)
        _, record = privgan(
            "audit", at["synthetic"], "--cohort", at["cohort"], "--run", at["run"], "--report", at["report"]
        )
        verdicts[str(record["verdict"])] += 1
        print(f"| {seed} | {said(record)} | {record['reasons']} |", flush=True)
    print(f"{RUNS} private GANs at epsilon 1: {told(verdicts)}", flush=True)
    assert verdicts["FAIL"] <= 2


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
