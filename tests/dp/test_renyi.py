"""The filter behind a cap: whatever is admitted, in whatever order it was planned, is bounded by the cap."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opacus.accountants.analysis.rdp import get_privacy_spent
from scipy.special import log_ndtr, ndtr

from privgan.dp.accounting import epsilon
from privgan.dp.budget.renyi import RenyiFilter
from privgan.dp.divergence import renyi
from privgan.dp.gaussian import GaussianQueries
from privgan.errors import BudgetError

CAP = RenyiFilter.of(max_epsilon=8.0, delta=1e-5)
CAPS = st.builds(
    RenyiFilter.of, st.floats(0.1, 50.0), st.floats(-12.0, -2.0).map(lambda exponent: float(10**exponent))
)
QUERIES = st.builds(
    GaussianQueries,
    noise_multiplier=st.floats(0.7, 20.0),
    sample_rate=st.sampled_from([0.01, 0.05, 0.3, 1.0]),
    steps=st.integers(1, 500),
)


def gaussian(divergence: float, order: float) -> GaussianQueries:
    """One query of everybody with this Renyi divergence."""
    return GaussianQueries(noise_multiplier=math.sqrt(order / (2 * divergence)), sample_rate=1.0, steps=1)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(cap=CAPS)
def test_the_budget_is_what_opacus_converts_into_the_cap(cap: RenyiFilter) -> None:
    """An independent conversion of (order, budget) gives the cap back; a wrong sign would be far off."""
    with pytest.warns(UserWarning, match="Optimal order"):
        converted, order = get_privacy_spent(orders=[cap.order], rdp=[cap.budget], delta=cap.delta)
    assert order == cap.order
    assert converted == pytest.approx(cap.max_epsilon, rel=1e-9)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(cap=CAPS, share=st.floats(0.01, 1.0))
def test_what_fits_the_budget_is_within_the_cap_exactly(cap: RenyiFilter, share: float) -> None:
    """For Gaussian queries the true delta has a formula; a filled budget never passes it."""
    mu = math.sqrt(2 * share * cap.budget / cap.order)
    assert exact_delta(mu, cap.max_epsilon) <= cap.delta


def exact_delta(mu: float, eps: float) -> float:
    """Of a Gaussian query of norm mu in units of its noise; Balle and Wang 2018, Theorem 8."""
    return float(ndtr(mu / 2 - eps / mu) - np.exp(eps + log_ndtr(-mu / 2 - eps / mu)))


@pytest.mark.parametrize(("max_epsilon", "delta"), [(1.0, 1e-6), (10.0, 1e-4)])
def test_the_printed_epsilon_of_a_filled_budget_is_within_the_cap(max_epsilon: float, delta: float) -> None:
    cap = RenyiFilter.of(max_epsilon=max_epsilon, delta=delta)
    assert 0.8 * max_epsilon < epsilon([gaussian(cap.budget, cap.order)], delta) <= max_epsilon


@settings(max_examples=15, deadline=None, derandomize=True)
@given(plans=st.lists(QUERIES, min_size=1, max_size=6))
def test_any_admitted_sequence_is_within_the_budget_or_a_single_charge(plans: list[GaussianQueries]) -> None:
    """Each plan is asked in turn, as if it had been chosen by what the ones before it showed."""
    charged: list[GaussianQueries] = []
    for plan in plans:
        if CAP.admits(charged, [plan], delta=CAP.delta):
            charged.append(plan)
    # The slow twin: the integral that defines the divergence, instead of a series.
    total = sum(query.steps * divergence(query, CAP.order) for query in charged)
    if len(charged) > 1:
        assert total <= CAP.budget * (1 + 1e-6)
    elif charged:
        assert total <= CAP.budget * (1 + 1e-6) or epsilon(charged, CAP.delta) <= CAP.max_epsilon


def divergence(query: GaussianQueries, order: float) -> float:
    """D_order(q N(1, s^2) + (1 - q) N(0, s^2) || N(0, s^2)), summed over a fine grid."""
    s, q = query.noise_multiplier, query.sample_rate
    x = np.linspace(-12 * s, 12 * s + order + 1, 40_001)
    ratio = np.logaddexp(math.log(q) + (2 * x - 1) / (2 * s * s), math.log1p(-q) if q < 1 else -math.inf)
    density = order * ratio - x * x / (2 * s * s) - math.log(s * math.sqrt(2 * math.pi))
    peak = density.max()
    return float(peak + np.log(np.exp(density - peak).sum() * (x[1] - x[0]))) / (order - 1)


@pytest.mark.parametrize("query", [(1.0, 0.02, 1), (0.8, 0.3, 40), (5.0, 1.0, 3)])
def test_the_divergence_is_its_integral(query: tuple[float, float, int]) -> None:
    """The wrapped series agrees with the definition."""
    noise, rate, steps = query
    asked = GaussianQueries(noise_multiplier=noise, sample_rate=rate, steps=steps)
    assert renyi([asked], CAP.order) == pytest.approx(steps * divergence(asked, CAP.order), rel=1e-6)
    assert renyi([asked, asked], CAP.order) == pytest.approx(2 * renyi([asked], CAP.order))


def test_the_first_charge_may_use_the_whole_cap_and_then_nothing_fits() -> None:
    """Rule (a) admits what (b) alone would refuse, once."""
    first = gaussian(1.1 * CAP.budget, CAP.order)
    assert epsilon([first], CAP.delta) <= CAP.max_epsilon
    assert CAP.admits([], [first], delta=CAP.delta)
    assert not CAP.admits([gaussian(1e-3, CAP.order)], [first], delta=CAP.delta)
    assert not CAP.admits([first], [gaussian(1e-9, CAP.order)], delta=CAP.delta)
    assert CAP.room([first]) == 0.0
    assert CAP.room([]) == CAP.max_epsilon


def test_a_first_charge_at_a_smaller_delta_is_judged_there() -> None:
    """Rule (a) is taken at the smaller delta, where the same queries cost more."""
    cost = epsilon([gaussian(3.0, CAP.order)], CAP.delta)
    tight = RenyiFilter.of(max_epsilon=cost * 1.01, delta=CAP.delta)
    assert tight.admits([], [gaussian(3.0, CAP.order)], delta=1e-5)
    assert not tight.admits([], [gaussian(3.0, CAP.order)], delta=1e-9)


def test_the_room_that_is_told_is_the_edge() -> None:
    """A Gaussian query of the told epsilon fits; one that is a hundredth larger does not."""
    spent = [gaussian(share * CAP.budget, CAP.order) for share in (0.3, 0.2)]
    left = CAP.budget - renyi(spent, CAP.order)
    fits, exceeds = gaussian(left * 0.999999, CAP.order), gaussian(left * 1.01, CAP.order)
    assert CAP.admits(spent, [fits], delta=CAP.delta)
    assert not CAP.admits(spent, [exceeds], delta=CAP.delta)
    assert CAP.room(spent) == pytest.approx(epsilon([fits], CAP.delta), rel=1e-3)


@pytest.mark.parametrize(
    "edit", [{"budget": 9.0}, {"order": 2.0}, {"max_epsilon": 9.0}, {"delta": 1e-4}, {"budget": math.nan}]
)
def test_an_edited_opening_entry_is_found(edit: dict[str, float]) -> None:
    """Order and budget follow from the cap; nobody can loosen one alone."""
    assert RenyiFilter.opened(CAP.to_json()) == CAP
    with pytest.raises(BudgetError):
        RenyiFilter.opened({**CAP.to_json(), **edit})
    with pytest.raises(BudgetError):
        RenyiFilter.opened({name: value for name, value in CAP.to_json().items() if name not in edit})


def test_what_cannot_be_computed_is_refused() -> None:
    """A divergence without a finite value never fits."""
    wild = GaussianQueries(noise_multiplier=1e-3, sample_rate=0.5, steps=1000)
    assert renyi([wild], 256.0) > 1e6
    assert not CAP.admits([gaussian(0.1, CAP.order)], [wild], delta=CAP.delta)
