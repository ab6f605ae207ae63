"""The attack bound against closed forms."""

import numpy as np
import pytest
from scipy.stats import norm

from privgan.dp.accounting import spend_of
from privgan.dp.gaussian import GaussianQueries
from privgan.dp.tradeoff import tpr_bound, tpr_bound_at
from privgan.errors import UsageError

FPR = np.concatenate([np.geomspace(1e-4, 0.5, 40), np.linspace(0.5, 1.0, 20)])


@pytest.mark.parametrize(("noise_multiplier", "steps"), [(0.5, 1), (1.0, 1), (4.0, 1), (10.0, 25)])
def test_equals_the_gaussian_curve(noise_multiplier: float, steps: int) -> None:
    """Unsampled Gaussian queries are exactly mu-GDP with mu = sqrt(steps)/sigma (Dong, Roth and Su 2022)."""
    mu = steps**0.5 / noise_multiplier
    exact = norm.cdf(norm.ppf(FPR) + mu)
    bound = tpr_bound([GaussianQueries(noise_multiplier=noise_multiplier, sample_rate=1.0, steps=steps)], FPR)
    assert np.all(bound >= exact - 1e-9), "the bound must never promise more than the truth"
    np.testing.assert_allclose(bound, exact, atol=2e-3)
    wrong = norm.cdf(norm.ppf(FPR) + 0.9 * mu)
    assert np.abs(bound - wrong).max() > 0.005, "the tolerance would notice a noise that is 10 % off"


def test_is_never_looser_than_the_printed_epsilon() -> None:
    """The whole curve is at least as good as its one printed pair, and rises with the false-positive rate."""
    queries = [
        GaussianQueries(noise_multiplier=1.1, sample_rate=0.02, steps=300),
        GaussianQueries(noise_multiplier=20.0, sample_rate=1.0, steps=1),
    ]
    spend = spend_of(queries, 1e-5)
    bound = tpr_bound(queries, FPR)
    assert np.all(bound <= tpr_bound_at(spend.epsilon, 1e-5, FPR) + 2e-3)
    assert np.all(np.diff(bound) >= 0)
    assert np.all(bound >= FPR)


def test_no_queries_mean_a_coin_flip() -> None:
    """Nothing asked, nothing learned."""
    np.testing.assert_array_equal(tpr_bound([], FPR), FPR)


def test_refuses_rates_that_are_not_rates() -> None:
    """NaN and values outside [0, 1] are refused."""
    for bad in ([np.nan], [-0.1], [1.1]):
        with pytest.raises(UsageError):
            tpr_bound([], bad)
