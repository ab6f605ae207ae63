"""The accountant's bound on any attack: how many members a false-alarm rate can ever buy.

A guarantee is a curve, not one pair: at every epsilon the queries have a delta(epsilon), and each pair limits
the true-positive rate of a test for one patient's membership (Wasserman and Zhou 2010, "A statistical
framework for differential privacy"; Dong, Roth and Su 2022, "Gaussian differential privacy").

    >>> print(*tpr_bound([GaussianQueries(noise_multiplier=1.0, sample_rate=1.0, steps=1)], [0.0, 1.0]).round(2))
    0.0 1.0
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from privgan.arrays import Floats
from privgan.checks import within
from privgan.dp.gaussian import GaussianQueries
from privgan.dp.pld import loss_distribution

_EPSILONS = np.concatenate([np.linspace(0.0, 2.0, 201), np.linspace(2.0, 12.0, 401), np.linspace(12.0, 60.0, 193)])


def tpr_bound(queries: Sequence[GaussianQueries], fpr: ArrayLike) -> Floats:
    """The largest true-positive rate that any attack can have at each false-positive rate.

    Args:
        queries: everything that was asked about the patients; none means that nothing can be learned.
        fpr: false-positive rates in [0, 1], shape (n,).

    Returns:
        float64 (n,): valid for every adversary who knows all other patients.
    """
    rates = _checked(fpr)
    if not queries:
        return rates.copy()
    deltas = _deltas(tuple(queries))
    curves = [tpr_bound_at(float(e), float(d), rates) for e, d in zip(_EPSILONS, deltas, strict=True)]
    return np.asarray(np.min(curves, axis=0), dtype=np.float64)


@lru_cache(maxsize=16)  # an audit and an attack ask for the same curve again
def _deltas(queries: tuple[GaussianQueries, ...]) -> Floats:
    return np.asarray(loss_distribution(queries).get_delta_for_epsilon(_EPSILONS))


def tpr_bound_at(epsilon: float, delta: float, fpr: ArrayLike) -> Floats:
    """The same from a single (epsilon, delta) pair, for claims that come without a ledger; float64 (n,).

    >>> tpr_bound_at(0.0, 0.0, [0.01]).tolist()
    [0.01]
    """
    rates = _checked(fpr)
    low = delta + np.exp(epsilon) * rates
    high = 1.0 - np.exp(-epsilon) * (1.0 - delta - rates)
    return np.asarray(np.clip(np.minimum(low, high), 0.0, 1.0), dtype=np.float64)


def _checked(fpr: ArrayLike) -> Floats:
    rates = np.asarray(fpr, dtype=np.float64)
    if rates.size:
        within(0.0, 1.0, lowest_fpr=float(rates.min()), highest_fpr=float(rates.max()))
    return rates
