"""The lower bound on epsilon: never above the truth by luck, close to it with enough releases."""

import numpy as np
import pytest
from scipy import stats

from privgan.attack.bounds import canary_bound, canary_scores, lower_bound
from privgan.dp.gaussian import GaussianQueries, epsilon_gaussian
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
    claims = [
        lower_bound(*_scores(seed, mu=1.0, count=200), _queries(1.0), delta=0.0, error=0.1).mu for seed in range(300)
    ]
    assert sum(mu > 1.0 for mu in claims) <= stats.binom.ppf(0.999, 300, 0.1)
    assert np.median(claims) > 0.3


@pytest.mark.parametrize("promised", [0.2, 1.0, 50.0])
def test_a_lie_in_the_promise_makes_no_bound_untrue(promised: float) -> None:
    """The promise only says where to look: whatever it is, few of 300 attacks claim more than the truth."""
    claims = [
        lower_bound(*_scores(seed, mu=1.0, count=200), _queries(promised), delta=DELTA, error=0.1)
        for seed in range(300)
    ]
    truth = epsilon_gaussian(1.0, DELTA)
    wrong = sum(claim.mu > 1.0 or claim.epsilon > truth for claim in claims)
    assert wrong <= stats.binom.ppf(0.999, 300, 0.1)


def test_as_sharp_as_any_published_bound() -> None:
    """1,000 + 1,000 canaries of N(0, 1) and N(1, 1) at delta 1e-5: more than half of the scores could show."""
    claims = [
        lower_bound(*_scores(seed, mu=1.0, count=1000), _queries(1.0), delta=DELTA, error=0.05).epsilon
        for seed in range(200)
    ]
    assert np.mean(claims) > 1.304


def test_more_releases_prove_more() -> None:
    """With very many the bound is near the truth, mu = 1 and its epsilon."""
    few, many = (
        lower_bound(*_scores(0, mu=1.0, count=count), _queries(1.0), delta=DELTA) for count in (500, 200_000)
    )
    assert few.mu < many.mu <= 1.0
    assert many.mu > 0.95
    assert few.epsilon < many.epsilon
    assert few.ceiling_epsilon < many.ceiling_epsilon


def test_the_ceiling_is_what_a_perfect_attack_shows() -> None:
    """No error in 1000 releases either way: ln((1 - delta - u) / u), with u = 1 - error^(1/1000)."""
    found = lower_bound(np.full(1000, -9.0), np.full(1000, 99.0), _queries(1.0), delta=DELTA, error=0.04)
    u = 1 - 0.01 ** (1 / 1000)
    assert found.epsilon == found.ceiling_epsilon == pytest.approx(np.log((1 - DELTA - u) / u))
    assert found.mu == found.ceiling_mu == pytest.approx(2 * stats.norm.isf(u))


def test_bounds_are_those_of_clopper_and_pearson() -> None:
    """3 alarms and 40 misses of 1000, against scipy's exact interval."""
    absent, present = np.full(1000, -9.0), np.full(1000, 99.0)
    absent[:3], present[:40] = 99.0, -9.0
    fpr, fnr = lower_bound(absent, present, _queries(1.0), delta=DELTA, error=0.04).errors[1]
    wanted = [stats.binomtest(k, 1000, alternative="less").proportion_ci(0.99).high for k in (3, 40)]
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
