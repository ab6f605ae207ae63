"""The attack on the product's own training step: it leaves a sound mechanism in peace and sees what it says."""

from collections import defaultdict

import numpy as np
import pytest
import torch
from scipy import stats

from privgan.attack.laboratory import IMAGES_PER_PATIENT, Laboratory
from privgan.attack.mechanism import DRAWN, EVERYBODY, Knowledge, attack_releases, attack_sums
from privgan.attack.releases import FAMILY_ERROR, NORM_SLACK, STATISTICAL_TESTS

SEEDS, STEPS = 200, 20


@pytest.fixture(scope="module")
def laboratory() -> Laboratory:
    return Laboratory.build(8, torch.device("cpu"))


@pytest.fixture(scope="module")
def knowledge(laboratory: Laboratory) -> tuple[Knowledge, Knowledge]:
    return Knowledge.measured(laboratory, EVERYBODY), Knowledge.measured(laboratory, DRAWN)


def test_a_sound_mechanism_fails_as_rarely_as_promised(
    laboratory: Laboratory, knowledge: tuple[Knowledge, Knowledge]
) -> None:
    """Failures are within Binomial(seeds, family error), and p-values below 5 % about 5 % of the time.

    Half of the seeds are enough where they look so well that, seed for seed, more is asked of them than of all.
    """
    failures, p_values = 0, defaultdict[str, list[float]](list)
    for seed in range(SEEDS):
        findings = attack_releases(laboratory, *knowledge, rng=np.random.default_rng(seed), steps=STEPS)
        failures += not all(finding.passed for finding in findings)
        for finding in findings:
            if finding.p_value is not None:
                p_values[finding.name].append(finding.p_value)
        if seed + 1 == SEEDS // 2 and are_rare(failures, p_values, 0.98):
            break
    assert are_rare(failures, p_values, 0.9999), (failures, p_values)
    bounds = 2  # epsilon of one step, of one draw
    assert len(p_values) + bounds == STATISTICAL_TESTS
    assert all(max(values) > 0.5 for values in p_values.values())


def are_rare(failures: int, p_values: dict[str, list[float]], quantile: float) -> bool:
    """Whether neither failures nor small p-values are more than these quantiles of their laws."""
    seeds = len(next(iter(p_values.values())))
    small = max(sum(p < 0.05 for p in values) for values in p_values.values())
    few = failures <= stats.binom.ppf(min(quantile, 0.999), seeds, FAMILY_ERROR)
    return bool(few and small <= stats.binom.ppf(quantile, seeds, 0.05))


def test_no_patient_moves_the_sum_too_far(laboratory: Laboratory) -> None:
    assert [finding.name for finding in attack_sums(laboratory) if not finding.passed] == []


def test_every_gradient_is_as_long_as_clipping_allows(knowledge: tuple[Knowledge, Knowledge]) -> None:
    """Otherwise the canary would not be the strongest attack there is."""
    for known in knowledge:
        norms = np.linalg.norm(known.added, axis=1) / known.plan.clipping_norm
        assert ((norms > 0.999) & (norms <= NORM_SLACK)).all()


def test_the_laboratory_sees_who_was_read(laboratory: Laboratory) -> None:
    """All images of a patient with few, so many as allowed of one with many, nobody else."""
    few, many = np.zeros((1, 8, 8), np.float32), np.zeros((IMAGES_PER_PATIENT + 4, 8, 8), np.float32)
    seen = laboratory.watch([few, many], EVERYBODY, steps=5, rng=np.random.default_rng(0))
    assert (seen.reads[:, 0] == 1).all()
    assert (seen.reads[:, 1:].sum(1) == IMAGES_PER_PATIENT).all()
    assert len(seen.released) == 5


def test_watching_changes_nothing(laboratory: Laboratory) -> None:
    """The discriminator stays where it is: every step is the same experiment."""
    before = [p.detach().clone() for p in laboratory.state.discriminator.parameters()]
    laboratory.watch([], DRAWN, steps=3, rng=np.random.default_rng(0))
    after = laboratory.state.discriminator.parameters()
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
