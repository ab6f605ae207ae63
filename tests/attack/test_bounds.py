"""The lower bound on epsilon: never above the truth by luck, close to it with enough releases."""

import numpy as np
import pytest
from scipy import stats

from privgan.attack.bounds import canary_bound, canary_scores, lower_bound
from privgan.dp.accounting import GaussianQueries
from privgan.dp.noise import NORM_SLACK

DELTA = 1e-5


def _scores(seed: int, *, mu: float, rate: float = 1.0, count: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """Scores of a canary without and with: N(0, 1), and N(mu, 1) when it is drawn."""
    rng = np.random.default_rng(seed)
    absent, present = rng.standard_normal((2, count))
    return absent, present + mu * (rng.random(count) < rate)


def _queries(noise_multiplier: float, rate: float = 1.0) -> list[GaussianQueries]:
    return [GaussianQueries(noise_multiplier=noise_multiplier, sample_rate=rate, steps=1)]


def test_bounds_stay_below_the_truth() -> None:
    """At an error of 10 % at most about 10 % of 300 attacks on Gaussian noise claim too much."""
    claims = [lower_bound(*_scores(seed, mu=1.0, count=200), delta=0.0, error=0.1).mu for seed in range(300)]
    assert sum(mu > 1.0 for mu in claims) <= stats.binom.ppf(0.999, 300, 0.1)
    assert np.median(claims) > 0.3


def test_more_releases_prove_more() -> None:
    """With very many the bound is near the truth, mu = 1 and its epsilon."""
    few, many = (lower_bound(*_scores(0, mu=1.0, count=count), delta=DELTA) for count in (500, 200_000))
    assert few.mu < many.mu <= 1.0
    assert many.mu > 0.95
    assert few.epsilon < many.epsilon
    assert few.ceiling_epsilon < many.ceiling_epsilon


def test_the_ceiling_is_what_a_perfect_attack_shows() -> None:
    """No error in half of 1000 releases either way: ln((1 - delta - u) / u), with u = 1 - error^(1/500)."""
    found = lower_bound(np.zeros(1000), np.ones(1000), delta=DELTA, error=0.04)
    u = 1 - 0.01 ** (1 / 500)
    assert found.epsilon == found.ceiling_epsilon == pytest.approx(np.log((1 - DELTA - u) / u))
    assert found.mu == found.ceiling_mu == pytest.approx(2 * stats.norm.isf(u))


def test_bounds_are_those_of_clopper_and_pearson() -> None:
    """3 alarms and 40 misses of 500, against scipy's exact interval."""
    absent, present = np.zeros(1000), np.ones(1000)
    absent[[0, 2, 4, 1, 3, 5]] = 1.0
    present[: 2 * 40] = 0.0
    fpr, fnr = lower_bound(absent, present, delta=DELTA, error=0.04).errors[1]
    wanted = [stats.binomtest(k, 500, alternative="less").proportion_ci(0.99).high for k in (3, 40)]
    assert [fpr, fnr] == pytest.approx(wanted)


@pytest.mark.parametrize(("rate", "lie"), [(1.0, (0.8, 1.0)), (0.125, (0.4, 0.125 / 8))])
def test_the_truth_passes_and_two_lies_do_not(rate: float, lie: tuple[float, float]) -> None:
    """An accountant who believes in twice the noise, or in an eighth of the rate, is contradicted."""
    scores = _scores(0, mu=2.5, rate=rate, count=8000)
    assert canary_bound(*scores, _queries(0.4, rate), delta=DELTA).passed
    assert not canary_bound(*scores, _queries(*lie), delta=DELTA).passed


def test_canary_scores_accept_the_promise_only() -> None:
    absent, present = (NORM_SLACK * scores for scores in _scores(0, mu=0.0))
    assert canary_scores(absent, present + 0.5, 2.0).passed
    assert not canary_scores(absent, present + 0.7, 2.0).passed
    assert not canary_scores(absent * 0.9, present + 0.5, 2.0).passed
    assert not canary_scores(absent + 0.2, present + 0.5, 2.0).passed
