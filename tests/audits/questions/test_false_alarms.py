"""Studies, run by `make studies`: how often a set that leaks nothing gets each verdict, whole audits and all."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.examine import run_audit
from privgan_audits.policy import Policy
from tests.audits.conftest import Weigh
from tests.audits.xrays import XRays

SEEDS, SMALL_SEEDS = 40, 20


def _verdicts(name: str, cohorts: Iterator[Evidence]) -> Counter[str]:
    """Whole audits of safe sets under the default policy, counted; with the intervals of Clopper and Pearson."""
    verdicts: Counter[str] = Counter()
    for number, evidence in enumerate(cohorts):
        record = run_audit(evidence, Policy())
        verdicts[record.verdict.verdict] += 1
        print(f"{name} {number}: {record.verdict.verdict} {list(record.verdict.reasons)}", flush=True)
    total = sum(verdicts.values())
    print(f"{total} of {name}: {dict(verdicts)}")
    for verdict, count in verdicts.items():
        between = stats.binomtest(count, total).proportion_ci(0.95, method="exact")
        print(f"{verdict}: {100 * between.low:.1f} to {100 * between.high:.1f} %", flush=True)
    return verdicts


@pytest.mark.study
def test_verdicts_of_safe_sets(draw: Callable[..., Sample], weigh: Weigh) -> None:
    """At 1,333 members and 667 non-members PASS is promised with 0.96; 40 fresh populations, printed."""

    def cohorts() -> Iterator[Evidence]:
        for seed in range(SEEDS):
            rng = np.random.default_rng([seed, 2026])
            members, others = draw(rng, 1333, most=3), draw(rng, 667, first=1333, most=3)
            yield weigh(members, others, draw(rng, 1500, most=1).images)

    verdicts = _verdicts("safe sets at 1,333/667", cohorts())
    # Binomial(40, 0.963): fewer than 33 has probability 2e-4; more than 3 FAIL at 0.01 has 6e-4.
    assert verdicts["PASS"] >= 33
    assert verdicts["FAIL"] <= 3


@pytest.mark.study
def test_verdicts_of_1350_x_ray_patients(shared_data: Path, weigh: Weigh) -> None:
    """The smallest cohort that the pre-flight lets pass with 0.8: 900 members, 450 non-members, others' images."""

    def cohorts() -> Iterator[Evidence]:
        for seed in range(SMALL_SEEDS):
            split = XRays.read(shared_data).split(np.random.default_rng([seed, 1350]), 900, 450, 1000)
            yield weigh(split[0], split[1], split[2].images)

    verdicts = _verdicts("safe sets at 900/450", cohorts())
    # Binomial(20, 0.83): fewer than 11 has probability 1e-3; more than 2 FAIL at 0.01 has 1e-3.
    assert verdicts["PASS"] >= 11
    assert verdicts["FAIL"] <= 2
