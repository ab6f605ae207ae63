"""What a composition of Gaussian queries on Poisson-sampled patients costs.

Two independent accountants are asked and the larger answer is printed: our own after Gopi, Lee and Wutschitz 2021
(`prv`) and Google's privacy loss distributions (`pld`). Both compose by fast Fourier transforms in double precision,
which loses tails of probability 1e-12; a mesh may also grow beyond any memory. There Renyi divergences (`divergence`)
answer: they need neither, and only ever bound from above. Queries of every member need none of them: what they cost
is known in closed form (`gaussian`).

    >>> print(spend_of([GaussianQueries(noise_multiplier=1.0, sample_rate=0.01, steps=1000)], 1e-5))
    epsilon 1.83 at delta 1e-05, per patient
"""

from collections.abc import Sequence
from functools import lru_cache

from privgan.checks import strictly_within
from privgan.dp.divergence import epsilon_rdp
from privgan.dp.gaussian import GaussianQueries, epsilon_gaussian
from privgan.dp.pld import FINE_GRID, epsilon_pld
from privgan.dp.prv import Mesh, epsilon_prv
from privgan.dp.spend import PrivacySpend

LEAST_DELTA = 1e-10  # below it, rounding in the transforms is seen: -0.003 of 6.9 at 1e-11, -0.36 of 7.9 at 1e-14
MOST_EPSILON = 200.0  # no promise above it means anything, and meshes grow with epsilon: no transform is worth it
MOST_POINTS = 2**22  # of PRV's mesh, at 130 bytes each while it composes
_EPSILON_ERROR, _DELTA_ERROR = 1e-3, 1e-3  # of PRV's mesh, of epsilon and of delta
_COARSE, _COARSE_POINTS = 20.0, 2**14  # times that error, for a search, but on so many points at least
_LEAST_EPSILON = 0.1  # below it, that error is absolute


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
    if _ask_everybody(queries):
        return epsilon_gaussian(sum(query.steps * query.noise_multiplier**-2 for query in queries) ** -0.5, delta)
    proven = epsilon_rdp(queries, delta)
    if delta < LEAST_DELTA or proven > MOST_EPSILON:
        return proven
    return min(proven, _by_transforms(queries, delta))


def _by_transforms(queries: Sequence[GaussianQueries], delta: float) -> float:
    pld = epsilon_pld(queries, delta)
    mesh = mesh_for(queries, delta, expected=pld)
    if mesh.points > MOST_POINTS:  # very many steps of very small loss
        return epsilon_pld(queries, delta, grid=FINE_GRID)
    prv = epsilon_prv(queries, delta, mesh)
    if not agree(pld, prv):
        pld = epsilon_pld(queries, delta, grid=FINE_GRID)
    return max(pld, prv)


def mesh_for(queries: Sequence[GaussianQueries], delta: float, *, expected: float) -> Mesh:
    """PRV's mesh, exact to 0.001 of the epsilon that is expected, or of 0.1 if that is less."""
    error = _EPSILON_ERROR * max(expected, _LEAST_EPSILON)
    return Mesh.of(queries, epsilon_error=error, delta_error=_DELTA_ERROR * delta)


def estimate(queries: Sequence[GaussianQueries], delta: float, *, expected: float) -> float:
    """About what `epsilon` prints near the epsilon that is expected, for searches; it is no bound."""
    if _ask_everybody(queries):
        return epsilon(queries, delta)
    if delta < LEAST_DELTA or expected > MOST_EPSILON:
        return epsilon_rdp(queries, delta)
    mesh = mesh_for(queries, delta, expected=expected)
    coarse = mesh.coarser(max(1.0, min(_COARSE, mesh.points / _COARSE_POINTS)))
    if coarse.points > MOST_POINTS:
        return epsilon_pld(queries, delta)
    # Roundings of mean zero move what is found far less than by the error that is proven.
    return epsilon_prv(queries, delta, coarse) - coarse.epsilon_error + mesh.epsilon_error


def _ask_everybody(queries: Sequence[GaussianQueries]) -> bool:
    return all(query.sample_rate == 1.0 for query in queries)


def agree(one: float, other: float) -> bool:
    """Whether two accountants agree within max(1 %, 0.005)."""
    return abs(one - other) <= max(0.01 * max(one, other), 0.005)


def default_delta(members: int) -> float:
    """The largest power of ten that is at most 1 / (10 x members).

    >>> default_delta(2400), default_delta(1000)
    (1e-05, 0.0001)
    """
    exponent = 0
    while members * 10 > 10**exponent:
        exponent += 1
    return float(f"1e-{exponent}")
