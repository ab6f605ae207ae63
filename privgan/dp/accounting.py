"""What a composition of Gaussian queries on Poisson-sampled patients costs.

Two independent accountants are asked and the larger answer is printed: Opacus' PRV (Gopi, Lee and
Wutschitz 2021, "Numerical composition of differential privacy") and Google's privacy loss distributions
(Meiser and Mohammadi 2018; Doroshenko et al. 2022, "Connect the dots"). RDP (Mironov 2017) only bounds
from above.

    >>> print(spend_of([GaussianQueries(noise_multiplier=1.0, sample_rate=0.01, steps=1000)], 1e-5))
    epsilon 1.83 at delta 1e-05, per patient
"""

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from privgan.checks import positive, strictly_within, within
from privgan.dp.spend import PrivacySpend

_PLD_GRIDS = (1e-4, 1e-5)
_MAX_EPSILON = 1e3
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
    """The printed epsilon: the larger of PRV and PLD; infinite when neither has a finite answer."""
    strictly_within(0.0, 1.0, delta=delta)
    return _epsilon(tuple(queries), delta) if queries else 0.0


@lru_cache(maxsize=256)  # plan, charge and run.json ask for the same composition
def _epsilon(queries: tuple[GaussianQueries, ...], delta: float) -> float:
    coarse, fine = _PLD_GRIDS  # very many steps of very small loss need the finer one
    pld = epsilon_pld(queries, delta, grid=coarse)
    prv = epsilon_prv(queries, delta, expected=pld)
    if not agree(pld, prv):
        pld = epsilon_pld(queries, delta, grid=fine)
    return max(pld, prv)


def agree(one: float, other: float) -> bool:
    """Whether two accountants agree within max(1 %, 0.005)."""
    return abs(one - other) <= max(0.01 * max(one, other), 0.005)


def epsilon_prv(queries: Sequence[GaussianQueries], delta: float, *, expected: float) -> float:
    """Opacus' PRV upper bound with eps_error = 0.001 max(epsilon, 0.1); RDP where PRV breaks down."""
    from opacus.accountants import PRVAccountant

    accountant = PRVAccountant()
    accountant.history = _opacus_history(queries)
    error = 0.001 * max(min(expected, _MAX_EPSILON), 0.1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its Renyi search says when it ends at the edge of its orders
            value = float(accountant.get_epsilon(delta, eps_error=error))
    except (RuntimeError, ValueError, OverflowError, MemoryError):
        return epsilon_rdp(queries, delta)
    return value if math.isfinite(value) else epsilon_rdp(queries, delta)


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
