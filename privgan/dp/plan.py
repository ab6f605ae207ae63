"""The guarantee, stated where it is made: draws, clipping, noise and the warm start coupled into one plan.

Let D and D' differ in one member, whose images in D', with all that is known of them, are replaced by nothing
(zero-out adjacency: the slot remains, so the number of members N is public). A plan makes these releases and no
other use of members' images:

1. warm start: for each s in `warm_start`, a sum of one vector of norm at most 1 a member, plus N(0, s^2) once.
   Changing one member moves the sum by at most 1: a Gaussian mechanism. With records one of these sums says what
   goes along with each of their values, given the table of 3., which is asked before; with a public prior the last
   says how strong detail is. They cost what they cost, like all the others.
2. class balance, if `class_balance` is a noise s: a sum of one vector a member, their images' shares of the
   classes, of norm at most 1, plus N(0, s^2) once. A Gaussian mechanism, too.
3. records, if `records` is a noise s: a sum of one vector a member, the mean over their images of how each two of
   class and declared columns meet, of norm at most 1, plus N(0, s^2) once. A Gaussian mechanism, too. What a column
   may hold was declared and is public; the joint table that is fitted to the answer, and every record that is drawn
   from it, is post-processing.
4. `steps` times: every member is drawn independently with rate batch / N; a drawn member adds a vector of norm at
   most C to a sum, which follows from that member's images, classes and records alone, and so does each of `fakes`
   images of nobody, whose records come from the table of 3.; N(0, (sigma C)^2) is added; the result is divided by
   batch + fakes. Both numbers are part of the plan, so public and the same in D and D'.
   Changing one member moves the sum by at most C, and only if drawn: a Poisson-subsampled Gaussian mechanism.

Theorem. The whole is (epsilon, delta)-DP per patient for the epsilon of `spend`. Sketch:

- 1, 2 and 3 have sensitivity 1 in the Euclidean norm (`query` scales every vector down to it); 4 has C
  (`PatientGradients`: one mean gradient a patient, clipped over all parameters together), because neither `fakes`
  nor the divisor depends on the draw. An empty draw is a release like any other. Whoever holds the images answers
  with these sums and nothing else (`gan.patients`), and all noise is added by one function (`noise.released`).
- Draws are independent between patients and steps (`sampling.poisson_draw`), so each step is dominated by the pair
  N(0, s^2) and (1 - q) N(0, s^2) + q N(1, s^2), in both directions (Abadi et al. 2016; Zhu, Dong and Wang 2022).
- Each step may depend on what earlier ones released, with noises fixed in advance: adaptive composition, computed
  numerically by two accountants (`accounting`). Runs may be chosen by earlier ones: a Renyi filter (`budget.renyi`).
- The generator, every synthetic image and record, and the ladder see members only through these releases:
  post-processing. With a public prior (`gan.prior`) they are functions of these releases, of a network that was
  learned from public images alone, before the first of them, and of averages over those images: constants, the same
  in D and D'. The gains of detail (`strengths`) are computed from the last sum and from the generator's own drawings.
  Of the people on public images nothing is said.

Assumed: a patient key is a person; N, classes, image size and settings are public; public images are chosen without
looking at members, and none of them is one's; system entropy and ChaCha20 are sound; real arithmetic, with rounding
covered as the decision on floating point says. Attacked by `doctor`.
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

from scipy.optimize import brentq

from privgan.checks import positive, strictly_within, within
from privgan.dp.accounting import default_delta, estimate, spend_of
from privgan.dp.divergence import epsilon_rdp
from privgan.dp.gaussian import GaussianQueries, gaussian_delta
from privgan.dp.spend import PrivacySpend
from privgan.errors import InputRejectedError, UsageError

MIN_MEMBERS = 20
_RELATIVE = 1e-4  # how closely a calibrated noise multiplier is found
_BELOW = 2e-4  # how far below its target a search aims, so that what is printed is hardly ever above
_LEAST_NOISE, _MOST_NOISE = 0.05, 1e5


@dataclass(frozen=True, kw_only=True)
class MechanismSettings:
    """What the guarantee of one step depends on.

    clipping_norm: C. noise_multiplier: sigma. normaliser: the public constant that the noisy sum is divided by.
    """

    clipping_norm: float
    noise_multiplier: float
    normaliser: float

    def __post_init__(self) -> None:
        positive(
            clipping_norm=self.clipping_norm,
            noise_multiplier=self.noise_multiplier,
            normaliser=self.normaliser,
        )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that epsilon depends on, and what a step's sum is divided by.

    batch: expected patients a step, not images. fakes: images of nobody in every step, a constant.
    """

    members: int
    batch: int
    steps: int
    delta: float
    noise_multiplier: float
    clipping_norm: float = 1.0
    warm_start: tuple[float, ...] = ()
    class_balance: float | None = None
    fakes: int = 0
    records: float | None = None

    def __post_init__(self) -> None:
        positive(batch=self.batch, noise_multiplier=self.noise_multiplier, clipping_norm=self.clipping_norm)
        strictly_within(0.0, 1.0, delta=self.delta)
        within(0, 1e9, fakes=self.fakes)
        for noise in self.up_front:
            positive(noise=noise)
        if self.steps < 0 or (self.steps == 0 and not self.up_front):
            raise UsageError(f"Expected at least one step or a query before them, got {self.steps} steps.")
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
    def mechanism(self) -> MechanismSettings:
        """Of one step; its divisor is as constant as `batch` and `fakes` are."""
        return MechanismSettings(
            clipping_norm=self.clipping_norm,
            noise_multiplier=self.noise_multiplier,
            normaliser=self.batch + self.fakes,
        )

    @property
    def up_front(self) -> tuple[float, ...]:
        """The noises of the queries that every member takes part in, before the first step."""
        return (*self.warm_start, *(s for s in (self.class_balance, self.records) if s is not None))

    @property
    def queries(self) -> list[GaussianQueries]:
        """What the ledger is charged."""
        asked = [GaussianQueries(noise_multiplier=s, sample_rate=1.0, steps=1) for s in self.up_front]
        if self.steps:
            rate, noise = self.sample_rate, self.noise_multiplier
            asked.append(GaussianQueries(noise_multiplier=noise, sample_rate=rate, steps=self.steps))
        return asked

    def spend(self) -> PrivacySpend:
        """The guarantee of this plan."""
        return spend_of(self.queries, self.delta)


@lru_cache(maxsize=32)  # the same plan is asked for by several runs of a cohort
def calibrate(plan: Plan, target: float) -> Plan:
    """The plan with the smallest noise multiplier whose printed epsilon is at most `target`.

    The queries before the first step are kept as they are; without steps nothing is left to find.

    Raises:
        UsageError: the target is not positive, or not above what those queries alone cost.
    """
    positive(epsilon=target)
    if plan.up_front:
        alone = replace(plan, steps=0).spend().epsilon
        if not alone < target:
            raise UsageError(
                f"Expected epsilon above the {alone:.3f} that warm start, class balance and records cost, "
                f"got {target}."
            )
    if not plan.steps:
        return plan
    low, high = _bracket(plan, target)
    aim = target * (1 - _BELOW)
    root = brentq(lambda x: math.log(_estimate(plan, math.exp(x), target) / aim), low, high, xtol=_RELATIVE)
    found = replace(plan, noise_multiplier=math.exp(root))
    # The search asked for estimates; the printed epsilon is the larger of two.
    while (spent := found.spend().epsilon) > target:
        found = replace(found, noise_multiplier=found.noise_multiplier * (spent / target + _RELATIVE))
    return found


def calibrate_queries(target: float, delta: float, ratios: tuple[float, ...]) -> tuple[float, ...]:
    """The smallest noises, in the given ratios, of queries of every member that together spend `target`.

    Together they cost what one query of noise (sum of s^-2)^(-1/2) costs; see `gaussian_delta`.

    Raises:
        UsageError: the target is not positive, or out of reach of any sensible noise.
    """
    positive(epsilon=target)

    def excess(sigma: float) -> float:
        return gaussian_delta(sigma, target) - delta

    if not excess(_LEAST_NOISE) > 0 > excess(_MOST_NOISE):
        raise UsageError(f"Expected an epsilon that noise can reach for queries of every member, got {target:g}.")
    scale = brentq(excess, _LEAST_NOISE, _MOST_NOISE) * math.sqrt(sum(ratio**-2 for ratio in ratios))
    return tuple(scale * ratio for ratio in ratios)


def plan_steps(
    *,
    members: int,
    batch: int,
    steps: int,
    noise_multiplier: float | None,
    epsilon: float | None,
    delta: float | None,
    accept_delta: bool = False,
) -> Plan:
    """A plan of discriminator steps alone, from its noise or from the epsilon to reach.

    Raises:
        UsageError: both or neither of noise_multiplier and epsilon are given, or delta is too large.
        InputRejectedError: fewer members than the batch.
    """
    if (noise_multiplier is None) == (epsilon is None):
        raise UsageError("Expected either a noise multiplier or an epsilon.")
    positive(members=members, steps=steps)
    plan = Plan(
        members=members,
        batch=batch,
        steps=steps,
        delta=checked_delta(delta, members, accept=accept_delta),
        noise_multiplier=1.0 if noise_multiplier is None else noise_multiplier,
    )
    return plan if epsilon is None else calibrate(plan, epsilon)


def checked_delta(delta: float | None, members: int, *, accept: bool) -> float:
    """The delta to use: the default when None is given, and never above 1 / (10 x members) unless accepted.

    Raises:
        UsageError: it is not in (0, 1), or too large.
    """
    if delta is None:
        return default_delta(members)
    strictly_within(0.0, 1.0, delta=delta)
    limit = 1 / (10 * members)
    if delta > limit and not accept:
        raise UsageError(
            f"Expected delta of at most 1/(10 x members) = {limit:.2g}, got {delta:g}. "
            "A larger one may betray whole patients; --accept-delta takes it, in red in every report."
        )
    return delta


def _bracket(plan: Plan, target: float) -> tuple[float, float]:
    """Logarithms of a noise multiplier that spends too much and of one that does not.

    Renyi accounting finds the second at once: it is quick, and only ever above the others. Far below it the
    others grow slow, so the first is looked for from there.
    """
    high = 1.0
    while epsilon_rdp(replace(plan, noise_multiplier=high).queries, plan.delta) > target:
        high *= 1.25
        if high > _MOST_NOISE:
            raise UsageError(f"No noise reaches epsilon {target} with {plan.steps} steps of {plan.batch} patients.")
    while epsilon_rdp(replace(plan, noise_multiplier=high / 1.25).queries, plan.delta) <= target:
        high /= 1.25
        if high < _LEAST_NOISE:
            raise UsageError(f"Expected a smaller epsilon than {target}: at that size it protects nobody.")
    low = high / 1.25
    while _estimate(plan, low, target) <= target:
        low /= 1.25
    return math.log(low), math.log(high)


def _estimate(plan: Plan, noise_multiplier: float, target: float) -> float:
    return estimate(replace(plan, noise_multiplier=noise_multiplier).queries, plan.delta, expected=target)
