"""Renyi divergences of Gaussian queries on Poisson-sampled patients, and the epsilons that they prove.

At an order a the divergence of one query is log(A) / (a - 1), where A is the mean of
(1 - q + q exp((2 z - 1) / (2 s^2)))^a over z ~ N(0, s^2); the reverse divergence is never larger (Mironov, Talwar and
Zhang 2019, "Renyi differential privacy of the sampled Gaussian mechanism", theorems 4 and 5). The integrand is
analytic and decays as a normal density does, so that the trapezoidal rule errs by less than rounding, at whole and at
fractional orders alike.

>>> divergences(2.0, 1.0, (2.0, 8.0)).tolist()
[0.25, 1.0]
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from privgan.arrays import Floats
from privgan.dp.gaussian import GaussianQueries, log_ratio

ORDERS: tuple[float, ...] = (*(1 + tenth / 10 for tenth in range(1, 100)), *map(float, range(12, 64)))
"""At which divergences are converted into epsilons."""
_ROUNDING = 1e-12  # a step; a hundred times what rounding was seen to take off a divergence
_TAIL = 9.0  # standard deviations; beyond them lies 1e-19
_LEAST_NOISE = 0.05  # of a grid, which has a hundred thousand points there
_AT_ONCE = 1 << 20  # numbers


def renyi(queries: Sequence[GaussianQueries], order: float) -> float:
    """No less than the sum of the queries' Renyi divergences at one order above 1; it may be infinite."""
    return float(_sum(queries, (float(order),))[0])


def epsilon_rdp(queries: Sequence[GaussianQueries], delta: float) -> float:
    """Renyi upper bound: the smallest epsilon that the sum of divergences at any of `ORDERS` proves.

    Canonne, Kamath and Steinke 2020, "The discrete Gaussian for differential privacy", proposition 12.
    """
    orders = np.array(ORDERS)
    proven = _sum(queries, ORDERS) + np.log1p(-1 / orders) - (math.log(delta) + np.log(orders)) / (orders - 1)
    return max(0.0, float(proven.min()))


def _sum(queries: Sequence[GaussianQueries], orders: tuple[float, ...]) -> Floats:
    found = [(divergences(q.noise_multiplier, q.sample_rate, orders) + _ROUNDING) * q.steps for q in queries]
    return np.asarray(np.sum(found, axis=0))


@lru_cache(maxsize=4096)  # a filter, a calibration and a mesh ask for the same query again and again
def divergences(noise: float, rate: float, orders: tuple[float, ...] = ORDERS) -> Floats:
    """The divergence of one query at each order above 1: (n,), not to be written to."""
    asked = np.array(orders)
    if rate == 1.0:
        found = asked / 2 / noise / noise
    elif noise < _LEAST_NOISE:
        found = _from_above(noise, rate, asked)
    else:
        numbers = len(orders) * (max(orders) + 2 * _TAIL * noise) / _step(noise)
        blocks = np.array_split(asked, min(len(orders), math.ceil(numbers / _AT_ONCE)))
        found = np.concatenate([_by_trapezoids(noise, rate, block) for block in blocks])
    found.setflags(write=False)
    return found


def _step(noise: float) -> float:
    return min(noise**2 / 3, noise / 2)


def _by_trapezoids(noise: float, rate: float, orders: Floats) -> Floats:
    """The divergence at each order by sums over a grid: (n,).

    The integrand is analytic for |Im z| < pi s^2, and on a line at height y it is at most exp(y^2 / (2 s^2)) times
    what it is on the real one. By theorem 5.1 of Trefethen and Weideman 2014, "The exponentially convergent
    trapezoidal rule", the sum errs by 2 exp(y^2 / (2 s^2)) / (exp(2 pi y / h) - 1) of A at most: below 1e-20 for the
    steps h that are used. What is cut off is below 2e-19 of A on either side: below 1/2 the integrand is at most the
    normal density, and above a its logarithm falls at least as fast as that of a normal density around a.
    """
    h = _step(noise)
    z = np.arange(-_TAIL * noise, orders.max() + _TAIL * noise + h, h)
    terms = orders[:, None] * log_ratio(noise, rate, z) - z**2 / (2 * noise**2)
    most = terms.max(axis=1)
    log_sum = most + np.log(np.exp(terms - most[:, None]).sum(axis=1))
    log_moment = log_sum + math.log(h / (noise * math.sqrt(2 * math.pi)))
    return np.asarray(np.maximum(log_moment, 0.0) / (orders - 1))


def _from_above(noise: float, rate: float, orders: Floats) -> Floats:
    """No less than the divergence at each order (Minkowski), and hardly more where noise is below 0.05: (n,)."""
    with np.errstate(over="ignore"):
        everybody = (orders - 1) / 2 / noise / noise
    return np.asarray(np.logaddexp(math.log1p(-rate), math.log(rate) + everybody) * orders / (orders - 1))
