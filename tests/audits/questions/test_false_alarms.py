"""A study, run by `make studies`: how often a set that leaks nothing gets each verdict, whole audits and all."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.examine import run_audit
from privgan_audits.policy import Policy

SEEDS = 40


@pytest.mark.study
def test_verdicts_of_safe_sets(draw: Callable[..., Sample], weigh: Callable[..., Evidence]) -> None:
    """At 1,333 members and 667 non-members PASS is promised with 0.96; 40 fresh populations, printed."""
    verdicts: Counter[str] = Counter()
    for seed in range(SEEDS):
        rng = np.random.default_rng([seed, 2026])
        members, others = draw(rng, 1333, most=3), draw(rng, 667, first=1333, most=3)
        record = run_audit(weigh(members, others, draw(rng, 1500, most=1).images), Policy())
        verdicts[record.verdict.verdict] += 1
        print(f"seed {seed}: {record.verdict.verdict} {list(record.verdict.reasons)}", flush=True)
    print(f"{SEEDS} safe sets at 1,333/667: {dict(verdicts)}")
    for verdict, count in verdicts.items():
        between = stats.binomtest(count, SEEDS).proportion_ci(0.95, method="exact")
        print(f"{verdict}: {100 * between.low:.1f} to {100 * between.high:.1f} %", flush=True)
    # Binomial(40, 0.963): fewer than 33 has probability 2e-4; more than 3 FAIL at 0.01 has 6e-4.
    assert verdicts["PASS"] >= 33
    assert verdicts["FAIL"] <= 3
