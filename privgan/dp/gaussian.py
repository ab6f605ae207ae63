"""Gaussian queries of Poisson-sampled patients: what is charged, and what those of every member cost exactly."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import scipy  # its parts are imported when they are used: who reads a ledger needs none of them

from privgan.arrays import Floats
from privgan.checks import positive, within


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


def log_ratio(noise: float, rate: float, outcomes: Floats) -> Floats:
    """The log of how much likelier each outcome is with a patient than without: (n,).

    Along a patient's own direction, an outcome is N(0, noise^2) without them, and with them it is N(1, noise^2) with
    probability `rate`. All that is lost to an adversary is this number.
    """
    alone = (2 * outcomes - 1) / (2 * noise**2)
    return alone if rate == 1.0 else np.logaddexp(math.log1p(-rate), math.log(rate) + alone)


def outcomes_at(noise: float, rate: float, log_ratios: Floats) -> Floats:
    """The outcomes at which `log_ratio` has these values: (n,); -inf where it is larger everywhere."""
    if rate == 1.0:
        return noise**2 * log_ratios + 0.5
    with np.errstate(over="ignore", divide="ignore"):
        alone = np.log1p(np.maximum(np.expm1(log_ratios) / rate, -1.0))
    return np.asarray(noise**2 * alone + 0.5)


def gaussian_delta(noise_multiplier: float, epsilon: float) -> float:
    """The exact delta of one Gaussian query of every member (Balle and Wang 2018, theorem 8).

    Several queries cost what one of noise (sum of s^-2)^(-1/2) costs (Dong, Roth and Su 2022).

        >>> round(gaussian_delta(1.0, 4.377178), 7)
        1e-05
    """
    above = scipy.special.log_ndtr(0.5 / noise_multiplier - epsilon * noise_multiplier)
    below = epsilon + scipy.special.log_ndtr(-0.5 / noise_multiplier - epsilon * noise_multiplier)
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
    found = float(scipy.optimize.brentq(excess, 0.0, most, rtol=1e-12))
    return found * (1 + 1e-9)  # never below the truth by rounding
