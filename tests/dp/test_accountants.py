"""Each accountant against slow twins: other people's code, exact sums, and compositions whose cost is known."""

import itertools
import math

import numpy as np
import pytest
from dp_accounting.pld.privacy_loss_distribution import from_gaussian_mechanism
from mpmath import mp
from opacus.accountants import PRVAccountant, RDPAccountant
from opacus.accountants.analysis.rdp import compute_rdp
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm

from privgan.dp.accounting import estimate, mesh_for
from privgan.dp.divergence import ORDERS, _by_trapezoids, _from_above, divergences, epsilon_rdp, renyi
from privgan.dp.gaussian import GaussianQueries, epsilon_gaussian, log_ratio, outcomes_at
from privgan.dp.pld import epsilon_pld
from privgan.dp.prv import Mesh, _composed, epsilon_prv

DELTA = 1e-5
MIXED = {
    "steps alone": [(0.7, 0.02, 300)],
    "few steps of little noise": [(0.45, 0.05, 3)],
    "many steps of much noise": [(6.0, 0.03, 2000)],
    "nearly everybody": [(4.0, 0.9999, 20)],
    "a warm start before steps": [(4.0, 1.0, 1), (2.5, 1.0, 1), (1.1, 0.06, 250)],
    "two runs": [(3.0, 0.1, 400), (0.9, 0.01, 100), (8.0, 1.0, 2)],
    "losses far below the mesh": [(0.8, 0.1, 20), (300.0, 0.01, 50)],
}


def queries(parts: list[tuple[float, float, int]]) -> list[GaussianQueries]:
    return [GaussianQueries(noise_multiplier=s, sample_rate=q, steps=k) for s, q, k in parts]


@pytest.mark.parametrize("noise", [0.06, 0.3, 0.9, 1.45, 1.55, 5.0, 80.0])
@pytest.mark.parametrize("rate", [1e-4, 0.03, 0.5, 0.9999])
def test_divergences_at_all_orders_are_opacus_series(noise: float, rate: float) -> None:
    """Whole orders are sums of binomials there, fractional ones two alternating series that end at exp(-30)."""
    twin = compute_rdp(q=rate, noise_multiplier=noise, steps=1, orders=list(ORDERS))
    np.testing.assert_allclose(divergences(noise, rate), twin, rtol=1e-11, atol=4e-12)


@pytest.mark.parametrize("order", [2, 7, 63, 256])
@pytest.mark.parametrize(("noise", "rate"), [(0.3, 0.01), (1.0, 0.2), (20.0, 0.001)])
def test_divergences_at_whole_orders_are_exact(noise: float, rate: float, order: int) -> None:
    """The binomial sum of Mironov, Talwar and Zhang (2019), with fifty digits; what rounding may take is added."""
    with mp.workdps(50):
        s, q = mp.mpf(noise), mp.mpf(rate)
        terms = (
            mp.binomial(order, k) * (1 - q) ** (order - k) * q**k * mp.exp((k * k - k) / (2 * s * s))
            for k in range(order + 1)
        )
        truth = float(mp.log(mp.fsum(terms)) / (order - 1))
    assert divergences(noise, rate, (order,))[0] == pytest.approx(truth, rel=1e-13, abs=1e-14)
    asked = GaussianQueries(noise_multiplier=noise, sample_rate=rate, steps=1000)
    assert 1000 * truth <= renyi([asked], order) <= 1000 * (truth + 1e-11) * (1 + 1e-12)


@pytest.mark.parametrize("rate", [1e-4, 0.3])
def test_divergences_of_hardly_any_noise_are_bounded_closely(rate: float) -> None:
    """Where no grid is laid, two regimes hardly overlap: what one of them gives is nearly all."""
    bound, exact = (of(0.055, rate, np.array(ORDERS)) for of in (_from_above, _by_trapezoids))
    assert (exact * (1 - 1e-12) <= bound).all()
    assert (bound <= exact * 1.001).all()
    assert divergences(0.049, rate)[0] > divergences(0.051, rate)[0]
    assert math.isinf(divergences(1e-170, rate)[0])


@pytest.mark.filterwarnings("ignore:Optimal order")
@pytest.mark.parametrize("name", MIXED)
def test_renyi_epsilons_are_those_of_opacus(name: str) -> None:
    twin = RDPAccountant()
    twin.history = MIXED[name]
    asked = queries(MIXED[name])
    rounding = 1e-11 * sum(query.steps for query in asked)
    assert epsilon_rdp(asked, DELTA) == pytest.approx(twin.get_epsilon(DELTA), abs=1e-9 + rounding)


@pytest.mark.filterwarnings("ignore:Optimal order")
@pytest.mark.parametrize("delta", [1e-3, DELTA, 1e-9])
@pytest.mark.parametrize("name", MIXED)
def test_the_mesh_finds_what_opacus_and_google_find(name: str, delta: float) -> None:
    """Two upper bounds with the same errors, far closer than these; what Google finds is between truth and them."""
    asked = queries(MIXED[name])
    pld = epsilon_pld(asked, delta)
    mesh = mesh_for(asked, delta, expected=pld)
    found = epsilon_prv(asked, delta, mesh)
    twin = PRVAccountant()
    twin.history = MIXED[name]
    assert abs(found - twin.get_epsilon(delta, eps_error=mesh.epsilon_error)) < 0.05 * mesh.epsilon_error
    assert 0 < found - pld < 2.5 * mesh.epsilon_error


@pytest.mark.parametrize(("noise", "steps"), [(1.0, 1), (20.0, 100), (100.0, 10_000), (200.0, 40_000)])
@pytest.mark.parametrize("delta", [1e-3, DELTA, 1e-9, 1e-10])
def test_the_mesh_is_above_the_truth(noise: float, steps: int, delta: float) -> None:
    """Of queries of everybody, known in closed form: by the error in epsilon, and little for that in delta."""
    asked = [GaussianQueries(noise_multiplier=noise, sample_rate=1.0, steps=steps)]
    truth = epsilon_gaussian(noise / math.sqrt(steps), delta)
    mesh = mesh_for(asked, delta, expected=truth)
    lost = mesh.delta_error + 1e-16 * steps  # the proven error, and rounding
    loosest = epsilon_gaussian(noise / math.sqrt(steps), delta - 2 * lost) if 2 * lost < delta else math.inf
    assert truth <= epsilon_prv(asked, delta, mesh) <= loosest + 2 * mesh.epsilon_error


@pytest.mark.parametrize(("noise", "rate"), [(0.4, 0.01), (1.0, 0.2), (2.0, 0.9)])
def test_one_sampled_query_costs_its_integral(noise: float, rate: float) -> None:
    """delta(epsilon) of both directions from the densities themselves."""

    def excess(epsilon: float, adding: bool) -> float:
        def above(z: float) -> float:
            without = norm.pdf(z, 0, noise)
            present = (1 - rate) * without + rate * norm.pdf(z, 1, noise)
            more, less = (without, present) if adding else (present, without)
            return float(max(0.0, more - math.exp(epsilon) * less))

        places = np.linspace(-9 * noise, 1 + 9 * noise, 12)
        return sum(quad(above, low, high, epsabs=1e-9)[0] for low, high in itertools.pairwise(places))

    sides = [side for side in (False, True) if excess(0.0, side) > DELTA]
    truth = max(brentq(lambda e, side=side: excess(e, side) - DELTA, 0.0, 20.0) for side in sides)
    asked = [GaussianQueries(noise_multiplier=noise, sample_rate=rate, steps=1)]
    mesh = mesh_for(asked, DELTA, expected=truth)
    assert 0 < epsilon_prv(asked, DELTA, mesh) - truth < 2.1 * mesh.epsilon_error


@pytest.mark.parametrize("adding", [False, True])
@pytest.mark.parametrize("name", MIXED)
def test_a_composition_has_the_mean_of_its_losses(name: str, adding: bool) -> None:
    """Whatever the width of the mesh, since every rounding gives back what it took."""
    asked, truth = queries(MIXED[name]), 0.0
    for query in asked:
        s, q = query.noise_multiplier, query.sample_rate
        z = np.linspace(-15 * s, 1 + 15 * s, 200_001)
        loss = log_ratio(s, q, z)
        weights = norm.pdf(z, 0, s) * (1 if adding else np.exp(loss))
        truth += query.steps * np.trapezoid((-loss if adding else loss) * weights, z)
    mesh = Mesh.of(asked, epsilon_error=0.5, delta_error=1e-9)
    losses, probabilities = _composed(asked, mesh, adding)
    assert probabilities.sum() == pytest.approx(1.0, abs=1e-9)
    assert losses @ probabilities == pytest.approx(truth, rel=1e-5, abs=1e-8)
    assert abs(losses[0] + losses[-1]) <= 2 * mesh.width


@pytest.mark.parametrize("rate", [0.001, 0.3, 1.0])
@pytest.mark.parametrize(("noise", "steps"), [(0.5, 10), (1.2, 200), (9.0, 2000)])
def test_deltas_all_at_once_compose_as_googles_one_by_one(noise: float, rate: float, steps: int) -> None:
    asked = [GaussianQueries(noise_multiplier=noise, sample_rate=rate, steps=steps)]
    twin = from_gaussian_mechanism(noise, value_discretization_interval=1e-3, sampling_prob=rate).self_compose(steps)
    assert epsilon_pld(asked, DELTA, grid=1e-3) == pytest.approx(twin.get_epsilon_for_delta(DELTA), abs=1e-7)


@pytest.mark.parametrize("name", MIXED)
def test_an_estimate_is_close_to_what_the_mesh_finds(name: str) -> None:
    """A search on a mesh twenty times as coarse is off by less than the searched noise is."""
    asked = queries(MIXED[name])
    expected = epsilon_pld(asked, DELTA)
    found = epsilon_prv(asked, DELTA, mesh_for(asked, DELTA, expected=expected))
    assert estimate(asked, DELTA, expected=expected) == pytest.approx(found, rel=1e-4)


@pytest.mark.parametrize("rate", [1e-3, 0.4, 1.0])
def test_outcomes_and_ratios_are_inverse(rate: float) -> None:
    z = np.linspace(-3.0, 4.0, 15)
    np.testing.assert_allclose(outcomes_at(1.3, rate, log_ratio(1.3, rate, z)), z, atol=1e-9)
    assert (outcomes_at(1.3, 0.4, np.array([math.log(0.6) - 1e-6, -50.0])) == -np.inf).all()
