"""Studies, run by `make studies`: what the tests say of real pictures when nothing was learned from anybody."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from privgan.data.cohort.cohort import NON_MEMBER
from privgan.data.cohort.sides import KEY_BYTES, assign_sides
from privgan_audits.evidence.interface import Evidence
from privgan_audits.policy import Policy
from privgan_audits.questions.controls.measure import features, split_check
from privgan_audits.questions.groups import groups_of
from privgan_audits.questions.near_copies.measure import near_copy_test
from privgan_audits.questions.scores import Scores, patient_scores
from privgan_audits.stats.pools import RELABELLINGS, Pool, as_labels, relabellings
from privgan_audits.stats.relabelling import NearCopyStatistic, Statistic
from tests.audits.conftest import Weigh
from tests.audits.pictures import Kind, clothes, x_rays
from tests.audits.worlds import verdicts, world_of
from tests.audits.xrays import XRays

SPLITS, COHORTS = 800, 60
CHECKED, PATIENTS, CHECKS = 20, 2000, 500


@pytest.mark.study
@pytest.mark.parametrize("kind", [x_rays, clothes])
def test_verdicts_of_many_splits(shared_data: Path, weigh: Weigh, kind: Kind) -> None:
    """One cohort of 2,000, scored once; who was held back is drawn anew, and T0, T2 and T3 are judged each time."""
    evidence = weigh(*kind(shared_data, np.random.default_rng(105)))
    print(f"\n{kind.__doc__}")
    world = world_of(evidence, patient_scores(evidence), RELABELLINGS)
    (counted,) = verdicts(world, seeds=SPLITS, inside=True)
    for verdict, count in counted.items():
        between = stats.binomtest(count, SPLITS).proportion_ci(0.95, method="exact")
        print(f"{verdict}: {count}, {100 * between.low:.1f} to {100 * between.high:.1f} %", flush=True)
    # Promised are 0.01 and 0.003; Binomial(800, ...) exceeds these with probability 1e-3.
    assert counted["FAIL"] <= 18
    assert counted["INVALID"] <= 8


@pytest.mark.study
def test_p_of_fresh_cohorts_is_uniform(shared_data: Path, weigh: Weigh) -> None:
    """Everything is drawn and learned anew, so that also a score that knew who was a member would show."""
    xrays, found = XRays.read(shared_data), defaultdict[str, list[float]](list)
    for seed in range(COHORTS):
        rng = np.random.default_rng([seed, 600])
        members, others, rest = xrays.split(rng, 400, 200, 500)
        evidence = weigh(members, others, rest.images)
        scores = patient_scores(evidence)
        pool = relabellings(len(scores.non_member), scores.non_members, rng, 2000)
        for name, statistic in statistics_of(evidence, scores).items():
            found[name].append(uniform_p(statistic, scores, pool, rng))
        told = ", ".join(f"{name} {ps[-1]:.2f}" for name, ps in found.items())
        print(f"{seed}: {told}", flush=True)
    print(
        f"\n| of {COHORTS} cohorts | smallest p | share below 0.05 | Kolmogorov and Smirnov's p |\n|---|---|---|---|"
    )
    for name, ps in found.items():
        uniform = stats.kstest(ps, "uniform").pvalue
        print(f"| {name} | {min(ps):.3f} | {np.mean(np.array(ps) < 0.05):.1%} | {uniform:.2f} |", flush=True)
        assert uniform > 1e-3


def statistics_of(evidence: Evidence, scores: Scores) -> dict[str, Statistic]:
    """T2 as a whole, and of each space that ranks."""
    alone = {
        name: NearCopyStatistic(orders=[scores.closest_first(each.patient)]) for name, each in scores.ranked.items()
    }
    return {"all together": near_copy_test(scores, groups_of(evidence, scores)), **alone}


def uniform_p(statistic: Statistic, scores: Scores, pool: Pool, rng: np.random.Generator) -> float:
    """The share of the pool that is more extreme, and of what is equal a random part: uniform, though counts jump."""
    observed, null = float(statistic(as_labels(scores.non_member))[0]), statistic(pool)
    equal = np.isclose(null, observed, rtol=1e-9, atol=0.0)
    more = int(((null < observed) & ~equal).sum())
    return (more + rng.uniform() * (1 + int(equal.sum()))) / (1 + len(null))


@pytest.mark.study
def test_split_checks_of_real_patients_keep_their_level(shared_data: Path) -> None:
    """Twenty cohorts, each split 500 times as `prepare` would under other keys; there is no synthetic image."""
    xrays, found = XRays.read(shared_data), []
    for cohort in range(CHECKED):
        (sample,) = xrays.split(np.random.default_rng([9, cohort]), PATIENTS)
        seen, owner = features(sample.images), np.unique(sample.patients, return_inverse=True)[1]
        for key in range(CHECKS):
            rng = np.random.default_rng([cohort, key])
            side = assign_sides(rng.bytes(KEY_BYTES), [str(patient) for patient in range(PATIENTS)], 1 / 3)
            found.append(split_check(seen, owner, side == NON_MEMBER, rng)["split_p"])
    p, level = np.array(found), Policy().split_alpha
    for below in (level, 0.01, 0.05):
        count = int((p < below).sum())
        between = stats.binomtest(count, len(p)).proportion_ci(0.95, method="exact")
        print(f"p < {below:g}: {count}, {100 * between.low:.2f} to {100 * between.high:.2f} %", flush=True)
    assert (p < level).sum() <= stats.binom.ppf(0.999, len(p), level)
