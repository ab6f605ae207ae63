"""Privacy losses rounded up on a grid, composed by Google's library: an accountant that owes `prv` nothing.

Meiser and Mohammadi 2018, "Tight on budget?", and Doroshenko et al. 2022, "Connect the dots: tighter discrete
approximations of privacy loss distributions". The library is given the deltas of one query, all at once.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import scipy  # its parts are imported when they are used: who reads a ledger needs none of them

from privgan.arrays import Floats
from privgan.dp.gaussian import GaussianQueries, outcomes_at

GRID, FINE_GRID = 1e-4, 1e-5


def epsilon_pld(queries: Sequence[GaussianQueries], delta: float, *, grid: float = GRID) -> float:
    """A pessimistic estimate on a grid of losses."""
    return float(loss_distribution(queries, grid=grid).get_epsilon_for_delta(delta))


def loss_distribution(queries: Sequence[GaussianQueries], *, grid: float = GRID) -> Any:
    """The composed privacy loss distribution (of `dp_accounting`) of all queries, add and remove together."""
    parts = [_loss_of_one(q.noise_multiplier, q.sample_rate, grid).self_compose(q.steps) for q in queries]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.compose(part)
    return whole


@lru_cache(maxsize=32)  # a calibration changes one query and asks for the others again and again
def _loss_of_one(noise: float, rate: float, grid: float) -> Any:
    from dp_accounting.pld.privacy_loss_distribution import PrivacyLossDistribution

    sides = (False,) if rate == 1.0 else (False, True)
    return PrivacyLossDistribution(*(_one_side(noise, rate, grid, adding=adding) for adding in sides))


def _one_side(noise: float, rate: float, grid: float, *, adding: bool) -> Any:
    """Of adding a patient, or of removing one."""
    from dp_accounting.pld.pld_pmf import create_pmf_pessimistic_connect_dots_fixed_gap
    from dp_accounting.pld.privacy_loss_mechanism import AdjacencyType, GaussianPrivacyLoss

    side = AdjacencyType.ADD if adding else AdjacencyType.REMOVE
    bounds = GaussianPrivacyLoss(noise, sampling_prob=rate, adjacency_type=side).connect_dots_bounds()
    first, last = math.floor(bounds.epsilon_lower / grid), math.ceil(bounds.epsilon_upper / grid)
    deltas = _deltas(noise, rate, np.arange(first, last + 1) * grid, adding=adding)
    return create_pmf_pessimistic_connect_dots_fixed_gap(grid, first, last, deltas)


def _deltas(noise: float, rate: float, epsilons: Floats, *, adding: bool) -> Floats:
    """The delta of one query at each epsilon: (n,); see `gaussian.log_ratio`."""
    z = outcomes_at(noise, rate, -epsilons if adding else epsilons)
    sign = 1 if adding else -1  # outcomes on this side of z give adversaries more than epsilon
    without = scipy.special.ndtr(sign * z / noise)
    present = (1 - rate) * without + rate * scipy.special.ndtr(sign * (z - 1) / noise)
    more, less = (without, present) if adding else (present, without)
    return np.asarray(np.clip(more - np.exp(epsilons) * less, 0.0, 1.0))
