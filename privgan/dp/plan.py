"""The guarantee, stated where it is made: draws, clipping, noise and the warm start coupled into one plan.

Let D and D' differ in one member, whose images in D' are replaced by nothing (zero-out adjacency: the slot
remains, so the number of members N is public). A plan makes these releases and no other use of members' images:

1. warm start (when `warm_start_noise` is set): a sum of one vector of norm at most 1 a member, plus
   N(0, warm_start_noise^2) once. Changing one member moves the sum by at most 1: a Gaussian mechanism.
2. `steps` times: every member is drawn independently with rate batch / N; a drawn member adds a vector of
   norm at most C to a sum; N(0, (sigma C)^2) is added; the result is divided by a public constant.
   Changing one member moves the sum by at most C, and only if drawn: a Poisson-subsampled Gaussian mechanism.

The whole is (epsilon, delta)-DP per patient for the epsilon of `spend`, by composition. The generator, every
synthetic image and the adaptive schedule see members only through these releases: post-processing.
"""

import math
from dataclasses import dataclass, replace

from scipy.optimize import brentq

from privgan.checks import positive, strictly_within
from privgan.dp.accounting import GaussianQueries, PrivacySpend, epsilon_pld
from privgan.errors import InputRejectedError, UsageError

MIN_MEMBERS = 20
_RELATIVE = 5e-4  # how closely a calibrated noise multiplier is found
_LEAST_NOISE, _MOST_NOISE = 0.05, 1e5


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that epsilon depends on. `batch` counts expected patients a step, not images."""

    members: int
    batch: int
    steps: int
    delta: float
    noise_multiplier: float
    clipping_norm: float = 1.0
    warm_start_noise: float | None = None

    def __post_init__(self) -> None:
        positive(batch=self.batch, noise_multiplier=self.noise_multiplier, clipping_norm=self.clipping_norm)
        strictly_within(0.0, 1.0, delta=self.delta)
        if self.warm_start_noise is not None:
            positive(warm_start_noise=self.warm_start_noise)
        if self.steps < 0 or (self.steps == 0 and self.warm_start_noise is None):
            raise UsageError(f"Expected at least one step or a warm start, got {self.steps} steps.")
        if self.members < max(self.batch, 1):
            raise InputRejectedError(
                f"Expected at least as many members as the batch of {self.batch}, got {self.members}. "
                "Use more patients or a smaller batch."
            )

    @property
    def sample_rate(self) -> float:
        """The probability that a given member is drawn in a given step."""
        return self.batch / self.members

    @property
    def queries(self) -> list[GaussianQueries]:
        """What the ledger is charged."""
        asked = []
        if self.warm_start_noise is not None:
            asked.append(GaussianQueries(noise_multiplier=self.warm_start_noise, sample_rate=1.0, steps=1))
        if self.steps:
            asked.append(
                GaussianQueries(
                    noise_multiplier=self.noise_multiplier, sample_rate=self.sample_rate, steps=self.steps
                )
            )
        return asked

    def spend(self) -> PrivacySpend:
        """The guarantee of this plan."""
        return PrivacySpend.of(self.queries, self.delta)


def calibrate(plan: Plan, target: float) -> Plan:
    """The plan with the smallest noise multiplier whose printed epsilon is at most `target`.

    The warm start, if any, is kept as it is.

    Raises:
        UsageError: the target is not positive, or not above what the warm start alone costs.
    """
    positive(epsilon=target)
    if plan.warm_start_noise is not None:
        alone = replace(plan, steps=0).spend().epsilon
        if not alone < target:
            raise UsageError(f"Expected epsilon above the warm start's own {alone:.3f}, got {target}.")
    low, high = _bracket(plan, target)
    root = brentq(lambda x: math.log(_fast_epsilon(plan, math.exp(x)) / target), low, high, xtol=_RELATIVE)
    found = replace(plan, noise_multiplier=math.exp(root))
    # The search asked the faster accountant; the printed epsilon is the larger of two.
    while (spent := found.spend().epsilon) > target:
        found = replace(found, noise_multiplier=found.noise_multiplier * (spent / target + _RELATIVE))
    return found


def calibrate_warm_start(target: float, delta: float) -> float:
    """The smallest noise of a single full-participation Gaussian query whose printed epsilon is at most `target`."""
    one = Plan(members=1, batch=1, steps=1, delta=delta, noise_multiplier=1.0)
    return calibrate(one, target).noise_multiplier


def default_delta(members: int) -> float:
    """The largest power of ten that is at most 1 / (10 x members).

    >>> default_delta(2400), default_delta(1000)
    (1e-05, 0.0001)
    """
    exponent = 0
    while members * 10 > 10**exponent:
        exponent += 1
    return float(f"1e-{exponent}")


def _bracket(plan: Plan, target: float) -> tuple[float, float]:
    """Logarithms of a noise multiplier that spends too much and of one that does not."""
    high = 1.0
    while _fast_epsilon(plan, high) > target:
        high *= 2.0
        if high > _MOST_NOISE:
            raise UsageError(
                f"No noise reaches epsilon {target} with {plan.steps} steps of {plan.batch} patients."
            )
    low = high / 2.0
    while _fast_epsilon(plan, low) <= target:
        low /= 2.0
        if low < _LEAST_NOISE:
            raise UsageError(f"Expected a smaller epsilon than {target}: at that size it protects nobody.")
    return math.log(low), math.log(low * 2.0)


def _fast_epsilon(plan: Plan, noise_multiplier: float) -> float:
    return epsilon_pld(replace(plan, noise_multiplier=noise_multiplier).queries, plan.delta)
