"""What a composition of Gaussian queries on Poisson-sampled patients costs.

Two independent accountants are asked and the larger answer is printed: Opacus' PRV (Gopi, Lee and
Wutschitz 2021, "Numerical composition of differential privacy") and Google's privacy loss distributions
(Meiser and Mohammadi 2018; Doroshenko et al. 2022, "Connect the dots"). Both compose by fast Fourier
transforms in double precision, which loses tails of probability 1e-12; a mesh may also grow beyond any
memory. There Renyi divergences (Mironov 2017) answer: they need neither, and only ever bound from above.
Queries of every member need none of them: what they cost is known in closed form.

    >>> print(spend_of([GaussianQueries(noise_multiplier=1.0, sample_rate=0.01, steps=1000)], 1e-5))
    epsilon 1.83 at delta 1e-05, per patient
"""

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

from scipy.optimize import brentq
from scipy.special import log_ndtr

from privgan.checks import positive, strictly_within, within
from privgan.dp.spend import PrivacySpend

_PLD_GRIDS = (1e-4, 1e-5)
LEAST_DELTA = 1e-10  # below it, rounding in the transforms is seen: -0.003 of 6.9 at 1e-11, -0.36 of 7.9 at 1e-14
MOST_EPSILON = 200.0  # no promise above it means anything, and meshes grow with epsilon: no transform is worth it
MOST_POINTS = 2**22  # of PRV's mesh, at 320 bytes each while it composes
_PRV_DELTA_ERROR = 1e-3  # of delta; Opacus' own choice
_SERIES_ERROR = 1e-12  # a step; Opacus ends its series for fractional orders at terms of exp(-30)


@dataclass(frozen=True, kw_only=True)
class GaussianQueries:
    """`steps` releases of a sum of norm-1 patient vectors plus N(0, noise_multiplier^2).

    Every patient takes part in each release independently with probability `sample_rate`.
    """

    noise_multiplier: float
    sample_rate: float
    steps: int

    def __post_init__(self) -> None:
        positive(noise_multiplier=self.noise_multiplier, steps=self.steps)
        within(0.0, 1.0, sample_rate=self.sample_rate)
        positive(sample_rate=self.sample_rate)

    def to_json(self) -> dict[str, float]:
        """The form kept in the ledger."""
        return asdict(self)


def queries_of(charges: Iterable[Mapping[str, Any]]) -> list[GaussianQueries]:
    """Every query of some charges, as `to_json` put them there."""
    return [GaussianQueries(**query) for charge in charges for query in charge["queries"]]


def spend_of(queries: Sequence[GaussianQueries], delta: float) -> PrivacySpend:
    """The guarantee of all queries together; see `epsilon`."""
    return PrivacySpend(epsilon=epsilon(queries, delta), delta=delta)


def epsilon(queries: Sequence[GaussianQueries], delta: float) -> float:
    """The printed epsilon: never below the truth, never above what Renyi divergences prove.

    Exact if every query asks every member; otherwise the larger of PRV and PLD, or PLD on its fine grid where
    PRV's mesh would be too large; Renyi alone below delta 1e-10 and above epsilon 200.
    """
    strictly_within(0.0, 1.0, delta=delta)
    return _epsilon(tuple(queries), delta) if queries else 0.0


@lru_cache(maxsize=256)  # plan, charge and run.json ask for the same composition
def _epsilon(queries: tuple[GaussianQueries, ...], delta: float) -> float:
    if all(query.sample_rate == 1.0 for query in queries):
        return epsilon_gaussian(sum(query.steps * query.noise_multiplier**-2 for query in queries) ** -0.5, delta)
    proven = epsilon_rdp(queries, delta)
    if delta < LEAST_DELTA or proven > MOST_EPSILON:
        return proven
    return min(proven, _by_transforms(queries, delta))


def _by_transforms(queries: Sequence[GaussianQueries], delta: float) -> float:
    coarse, fine = _PLD_GRIDS  # very many steps of very small loss need the finer one
    pld = epsilon_pld(queries, delta, grid=coarse)
    if prv_points(queries, delta, expected=pld) > MOST_POINTS:
        return epsilon_pld(queries, delta, grid=fine)
    prv = epsilon_prv(queries, delta, expected=pld)
    if not agree(pld, prv):
        pld = epsilon_pld(queries, delta, grid=fine)
    return max(pld, prv)


def gaussian_delta(noise_multiplier: float, epsilon: float) -> float:
    """The exact delta of one Gaussian query of every member (Balle and Wang 2018, theorem 8).

    Several queries cost what one of noise (sum of s^-2)^(-1/2) costs (Dong, Roth and Su 2022).

        >>> round(gaussian_delta(1.0, 4.377178), 7)
        1e-05
    """
    above = log_ndtr(0.5 / noise_multiplier - epsilon * noise_multiplier)
    below = epsilon + log_ndtr(-0.5 / noise_multiplier - epsilon * noise_multiplier)
    return float(math.exp(above) * -math.expm1(below - above))


def epsilon_gaussian(noise_multiplier: float, delta: float) -> float:
    """The exact epsilon of one Gaussian query of every member; 0 where noise alone reaches delta."""

    def excess(epsilon: float) -> float:
        return gaussian_delta(noise_multiplier, epsilon) - delta

    if excess(0.0) <= 0.0:
        return 0.0
    most = 1.0
    while excess(most) > 0.0:
        most *= 2.0
    return float(brentq(excess, 0.0, most, rtol=1e-12)) * (1 + 1e-9)  # never below the truth by rounding


def agree(one: float, other: float) -> bool:
    """Whether two accountants agree within max(1 %, 0.005)."""
    return abs(one - other) <= max(0.01 * max(one, other), 0.005)


def epsilon_prv(queries: Sequence[GaussianQueries], delta: float, *, expected: float) -> float:
    """Opacus' PRV upper bound with eps_error = 0.001 max(epsilon, 0.1); RDP where PRV breaks down."""
    from opacus.accountants import PRVAccountant

    accountant = PRVAccountant()
    accountant.history = _opacus_history(queries)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its Renyi search says when it ends at the edge of its orders
            value = float(accountant.get_epsilon(delta, eps_error=_prv_error(expected)))
    except (RuntimeError, ValueError, OverflowError, MemoryError):
        return epsilon_rdp(queries, delta)
    return value if math.isfinite(value) else epsilon_rdp(queries, delta)


def prv_points(queries: Sequence[GaussianQueries], delta: float, *, expected: float) -> float:
    """Points of PRV's mesh, on the domain of Gopi et al. (remark 5.6): known before it is built."""
    steps, lost = sum(query.steps for query in queries), _PRV_DELTA_ERROR * delta
    singles = [epsilon_rdp([replace(query, steps=1)], lost / (8 * steps)) for query in queries]
    half = max(epsilon_rdp(queries, lost / 4), *singles) + 3.0
    return 2.0 * half / _prv_error(expected) * math.sqrt(steps * math.log(12 / lost) / 2)


def _prv_error(expected: float) -> float:
    return 0.001 * max(expected, 0.1)


def epsilon_rdp(queries: Sequence[GaussianQueries], delta: float) -> float:
    """Renyi upper bound: for planning, and where PRV has no answer."""
    from opacus.accountants import RDPAccountant

    accountant = RDPAccountant()
    accountant.history = _opacus_history(queries)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "optimal order is the largest alpha" is still an upper bound
        return float(accountant.get_epsilon(delta))


def renyi(queries: Sequence[GaussianQueries], order: float) -> float:
    """The sum of the queries' Renyi divergences at one order; infinite where it cannot be computed.

    Mironov, Talwar and Zhang 2019, "Renyi differential privacy of the sampled Gaussian mechanism".
    """
    from opacus.accountants.analysis.rdp import compute_rdp

    try:
        total = sum(
            compute_rdp(q=q.sample_rate, noise_multiplier=q.noise_multiplier, steps=q.steps, orders=float(order))
            + _SERIES_ERROR * q.steps
            for q in queries
        )
    except (ValueError, OverflowError):
        return math.inf
    return float(total) if math.isfinite(total) else math.inf


def epsilon_pld(queries: Sequence[GaussianQueries], delta: float, *, grid: float = _PLD_GRIDS[0]) -> float:
    """Google's privacy loss distributions: a pessimistic estimate on a grid of losses."""
    return float(loss_distribution(queries, grid=grid).get_epsilon_for_delta(delta))


def loss_distribution(queries: Sequence[GaussianQueries], *, grid: float = _PLD_GRIDS[0]) -> Any:
    """The composed privacy loss distribution (of `dp_accounting`) of all queries, add and remove together."""
    parts = [_loss_of_one(q.noise_multiplier, q.sample_rate, grid).self_compose(q.steps) for q in queries]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.compose(part)
    return whole


@lru_cache(maxsize=32)  # a calibration changes one query and asks for the others again and again
def _loss_of_one(noise_multiplier: float, sample_rate: float, grid: float) -> Any:
    from dp_accounting.pld import privacy_loss_distribution

    return privacy_loss_distribution.from_gaussian_mechanism(
        noise_multiplier, value_discretization_interval=grid, sampling_prob=sample_rate
    )


def _opacus_history(queries: Sequence[GaussianQueries]) -> list[tuple[float, float, int]]:
    return [(q.noise_multiplier, q.sample_rate, q.steps) for q in queries]


def default_delta(members: int) -> float:
    """The largest power of ten that is at most 1 / (10 x members).

    >>> default_delta(2400), default_delta(1000)
    (1e-05, 0.0001)
    """
    exponent = 0
    while members * 10 > 10**exponent:
        exponent += 1
    return float(f"1e-{exponent}")
