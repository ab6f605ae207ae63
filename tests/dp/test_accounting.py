"""The printed epsilon: two independent accountants, the larger answer, never below the truth."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from privgan.dp.accounting import agree, default_delta, epsilon, mesh_for, spend_of
from privgan.dp.divergence import epsilon_rdp
from privgan.dp.gaussian import GaussianQueries
from privgan.dp.plan import Plan, calibrate, calibrate_queries, checked_delta, plan_steps
from privgan.dp.pld import epsilon_pld
from privgan.dp.prv import epsilon_prv
from privgan.errors import InputRejectedError, UsageError

GRID = list(itertools.product((0.6, 0.8, 1.0, 2.0, 4.0), (0.02, 0.1), (1, 30, 100, 300, 1000)))


def _gaussian_epsilon(sigma: float, delta: float) -> float:
    """Exact epsilon of one Gaussian release of sensitivity 1 (Balle and Wang 2018, theorem 8)."""

    def excess(eps: float) -> float:
        return norm.cdf(0.5 / sigma - eps * sigma) - math.exp(eps) * norm.cdf(-0.5 / sigma - eps * sigma) - delta

    return float(brentq(excess, 0.0, 100.0))


@pytest.mark.parametrize(("sigma", "rate", "steps"), GRID)
def test_printed_epsilon_follows_the_rule(sigma: float, rate: float, steps: int) -> None:
    """PRV and PLD agree within max(1 %, 0.005); the larger is printed; RDP is above."""
    queries, delta = [GaussianQueries(noise_multiplier=sigma, sample_rate=rate, steps=steps)], 1e-5
    pld = epsilon_pld(queries, delta)
    prv = epsilon_prv(queries, delta, mesh_for(queries, delta, expected=pld))
    printed = epsilon(queries, delta)
    assert agree(pld, prv)
    assert printed >= min(pld, prv)
    assert printed == pytest.approx(max(pld, prv), rel=0.011, abs=0.005)
    assert epsilon_rdp(queries, delta) >= printed - max(0.01 * printed, 0.005)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0, 10.0])
def test_one_gaussian_is_exact_from_above(sigma: float) -> None:
    """For a single Gaussian release the truth is known: never less, and at most 1 % more."""
    exact = _gaussian_epsilon(sigma, 1e-5)
    printed = epsilon([GaussianQueries(noise_multiplier=sigma, sample_rate=1.0, steps=1)], 1e-5)
    assert exact <= printed + 1e-9
    assert printed <= exact * 1.01 + 0.005


def test_nothing_asked_costs_nothing() -> None:
    """An empty composition spends zero."""
    assert spend_of([], 1e-5).epsilon == 0.0


@pytest.mark.parametrize("target", [0.5, 2.0, 8.0])
def test_calibration_spends_what_was_asked_and_no_more(target: float) -> None:
    """The calibrated plan is below its target, by less than 1 %; a tenth less noise is above it."""
    warm = calibrate_queries(0.5 * target, 1e-5, (2.0, 1.0))
    plan = Plan(members=2000, batch=100, steps=200, delta=1e-5, noise_multiplier=1.0, warm_start=warm)
    found = calibrate(plan, target)
    assert 0.99 * target <= found.spend().epsilon <= target
    weaker = Plan(
        members=2000,
        batch=100,
        steps=200,
        delta=1e-5,
        noise_multiplier=0.9 * found.noise_multiplier,
        warm_start=warm,
    )
    assert weaker.spend().epsilon > target


def test_a_warm_start_above_the_target_is_refused() -> None:
    """No noise in the later steps can take back what the warm start spent."""
    plan = Plan(members=2000, batch=100, steps=10, delta=1e-5, noise_multiplier=1.0, warm_start=(0.5,))
    with pytest.raises(UsageError, match="warm start"):
        calibrate(plan, 1.0)


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_epsilons_are_refused(bad: float) -> None:
    """Zero, negative, NaN and infinite epsilon are errors, not plans."""
    with pytest.raises(UsageError):
        calibrate(Plan(members=2000, batch=100, steps=10, delta=1e-5, noise_multiplier=1.0), bad)


def test_fewer_members_than_the_batch_is_refused() -> None:
    """A rate above 1 does not exist."""
    with pytest.raises(InputRejectedError, match="batch"):
        Plan(members=99, batch=100, steps=10, delta=1e-5, noise_multiplier=1.0)


@pytest.mark.parametrize(("members", "delta"), [(1, 0.1), (10, 0.01), (11, 1e-3), (2400, 1e-5), (60_000, 1e-6)])
def test_default_delta_is_the_largest_power_of_ten_allowed(members: int, delta: float) -> None:
    """At most 1 / (10 x members), and ten times as much would be too large."""
    assert default_delta(members) == delta
    assert delta <= 1 / (10 * members) < 10 * delta


@pytest.mark.parametrize("delta", [0.0, 1.0, 1.5, -1e-5, float("nan"), 1e-3])
def test_bad_deltas_are_refused(delta: float) -> None:
    """Outside (0, 1), or above 1 / (10 x members) without the override."""
    with pytest.raises(UsageError):
        checked_delta(delta, 1000, accept=False)


def test_a_large_delta_can_be_accepted() -> None:
    """The override takes it; it does not change the value."""
    assert checked_delta(1e-3, 1000, accept=True) == 1e-3


def test_plan_wants_noise_or_epsilon() -> None:
    """Both or neither is a mistake."""
    both = {"members": 1000, "batch": 10, "steps": 5, "delta": None}
    with pytest.raises(UsageError):
        plan_steps(**both, noise_multiplier=1.0, epsilon=1.0)
    with pytest.raises(UsageError):
        plan_steps(**both, noise_multiplier=None, epsilon=None)


@pytest.mark.parametrize("target", [0.03, 0.5, 6.0])
@pytest.mark.parametrize("ratios", [(1.0,), (2.0, 1.0)])
def test_queries_of_everybody_spend_exactly_their_share(target: float, ratios: tuple[float, ...]) -> None:
    """Together they cost what one Gaussian of the harmonic noise costs, which is the target; ratios are kept."""
    noises = calibrate_queries(target, 1e-5, ratios)
    assert [noise / noises[-1] for noise in noises] == pytest.approx(ratios)
    assert _gaussian_epsilon(sum(noise**-2 for noise in noises) ** -0.5, 1e-5) == pytest.approx(target, rel=1e-6)


def test_a_measured_class_balance_is_one_more_query() -> None:
    """The ledger is charged for it, epsilon grows, and one that costs too much by itself is refused."""
    plan = Plan(members=2000, batch=100, steps=1, delta=1e-5, noise_multiplier=1.0, warm_start=(4.0, 2.0))
    measuring = replace(plan, class_balance=5.0)
    asked = GaussianQueries(noise_multiplier=5.0, sample_rate=1.0, steps=1)
    assert measuring.queries == [*plan.queries[:2], asked, plan.queries[2]]
    assert measuring.spend().epsilon > 1.001 * plan.spend().epsilon
    with pytest.raises(UsageError, match="class balance"):
        calibrate(replace(plan, class_balance=0.5), 4.0)


@pytest.mark.study
def test_printed_epsilon_follows_the_rule_over_200_settings() -> None:
    """Random plans, half of them with a query of every member beside the steps."""
    rng, furthest = np.random.default_rng(0), 0.0
    for number in range(200):
        sigma, rate, steps = np.exp(rng.uniform(np.log([0.6, 0.003, 5]), np.log([8.0, 0.2, 2000])))
        delta = float(10.0 ** -rng.integers(4, 7))
        queries = [GaussianQueries(noise_multiplier=float(sigma), sample_rate=float(rate), steps=int(steps))]
        if number % 2:
            noise = float(np.exp(rng.uniform(0.0, np.log(30.0))))
            queries.append(GaussianQueries(noise_multiplier=noise, sample_rate=1.0, steps=1))
        pld = epsilon_pld(queries, delta)
        prv, printed = epsilon_prv(queries, delta, mesh_for(queries, delta, expected=pld)), epsilon(queries, delta)
        assert agree(pld, prv)
        assert printed == max(pld, prv)
        assert epsilon_rdp(queries, delta) >= printed - max(0.01 * printed, 0.005)
        furthest = max(furthest, abs(pld - prv) / max(0.01 * printed, 0.005))
    print(f"200 of 200 settings: PRV and PLD differ by at most {furthest:.0%} of what is allowed")
