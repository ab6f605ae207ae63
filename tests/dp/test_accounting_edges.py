"""The printed epsilon where the accountants end: tiny deltas, meshes beyond any memory, promises of nothing."""

import math

import pytest
from mpmath import mp

from privgan.dp import accounting
from privgan.dp.accounting import LEAST_DELTA, MOST_POINTS, epsilon, mesh_for
from privgan.dp.divergence import epsilon_rdp
from privgan.dp.gaussian import GaussianQueries, epsilon_gaussian, gaussian_delta
from privgan.dp.plan import Plan, calibrate
from privgan.dp.pld import FINE_GRID, epsilon_pld

TINY = [1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15]
SMALL_LOSSES = GaussianQueries(noise_multiplier=20.0, sample_rate=0.01, steps=20_000)


def _exact_delta(sigma: float, eps: float) -> float:
    """Balle and Wang 2018, theorem 8, with fifty digits: the slow twin."""
    with mp.workdps(50):
        above, below = mp.ncdf(0.5 / mp.mpf(sigma) - eps * mp.mpf(sigma)), mp.ncdf(-0.5 / mp.mpf(sigma) - eps * sigma)
        return float(above - mp.exp(eps) * below)


@pytest.mark.parametrize("sigma", [0.3, 1.0, 7.0])
@pytest.mark.parametrize("eps", [0.0, 0.3, 3.0, 20.0])
def test_the_closed_form_keeps_its_digits(sigma: float, eps: float) -> None:
    """Differences of two nearly equal probabilities, down to 1e-300."""
    assert gaussian_delta(sigma, eps) == pytest.approx(_exact_delta(sigma, eps), rel=1e-6, abs=1e-300)


@pytest.mark.parametrize("delta", [1e-5, *TINY])
@pytest.mark.parametrize(("sigma", "steps"), [(100.0, 10_000), (1.0, 1), (20.0, 100)])
def test_queries_of_everybody_cost_the_truth(sigma: float, steps: int, delta: float) -> None:
    """10,000 releases of noise 100 cost what one of noise 1 does; neither accountant is near it at 1e-13."""
    printed = epsilon([GaussianQueries(noise_multiplier=sigma, sample_rate=1.0, steps=steps)], delta)
    alone = sigma / math.sqrt(steps)
    assert _exact_delta(alone, printed) <= delta <= _exact_delta(alone, printed * (1 - 1e-6))


@pytest.mark.parametrize("delta", TINY)
@pytest.mark.parametrize("rate", [0.9999, 0.3, 0.01])
def test_tiny_deltas_are_between_the_truth_and_renyi(rate: float, delta: float) -> None:
    """Never above what Renyi proves; never below a part of the composition that is known exactly."""
    sampled = GaussianQueries(noise_multiplier=100.0, sample_rate=rate, steps=9_000)
    asked = GaussianQueries(noise_multiplier=100.0, sample_rate=1.0, steps=1_000)
    printed = epsilon([sampled, asked], delta)
    assert printed <= epsilon_rdp([sampled, asked], delta)
    assert printed >= epsilon_gaussian(100.0 / math.sqrt(1_000), delta)
    if rate > 0.999:  # as good as everybody: the closed form at 0.9999 of the releases is below
        assert printed >= epsilon_gaussian(100.0 / math.sqrt(0.999 * 10_000), delta)


def test_the_transforms_alone_are_below_the_truth() -> None:
    """Why they are not asked: with rate 1, where the truth is known, they print too little."""
    queries = [GaussianQueries(noise_multiplier=100.0, sample_rate=1.0, steps=10_000)]
    truth = epsilon_gaussian(1.0, 1e-14)
    assert epsilon_pld(queries, 1e-14) < truth - 0.1
    assert epsilon(queries, 1e-14) == pytest.approx(truth)
    assert LEAST_DELTA > 1e-14


def test_a_mesh_beyond_memory_is_never_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """20,000 steps of little loss: counted, and the fine grid of the other accountant answers."""
    assert mesh_for([SMALL_LOSSES], 1e-5, expected=0.2).points > MOST_POINTS

    def refuse(*_: object, **__: object) -> float:
        raise AssertionError("PRV was asked")

    monkeypatch.setattr(accounting, "epsilon_prv", refuse)
    printed = epsilon([SMALL_LOSSES], 1e-5)
    assert printed == epsilon_pld([SMALL_LOSSES], 1e-5, grid=FINE_GRID)
    assert printed < epsilon_rdp([SMALL_LOSSES], 1e-5)


def test_a_promise_of_nothing_costs_no_mesh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Epsilon in the hundreds: what Renyi proves is printed, nothing is composed."""

    def refuse(*_: object, **__: object) -> float:
        raise AssertionError("a mesh was built")

    monkeypatch.setattr(accounting, "epsilon_prv", refuse)
    monkeypatch.setattr(accounting, "epsilon_pld", refuse)
    queries = [GaussianQueries(noise_multiplier=0.1, sample_rate=0.1, steps=100)]
    assert epsilon(queries, 1e-5) == epsilon_rdp(queries, 1e-5)


@pytest.mark.parametrize(("target", "delta"), [(4.0, 1e-12), (300.0, 1e-5)])
def test_calibration_at_the_edges_spends_what_was_asked(target: float, delta: float) -> None:
    """The search asks whatever prints."""
    found = calibrate(Plan(members=2000, batch=100, steps=200, delta=delta, noise_multiplier=1.0), target)
    assert 0.99 * target <= found.spend().epsilon <= target
