"""Rank statistics of an attack, exact wherever a closed form exists.

Everything here is a function of one thing, the `Order`: the patients sorted by how close the synthetic set
comes to them, closest first, True where a patient is a non-member. Under "no leak" every arrangement of the
Trues is equally likely, whatever the images, the attack or the generator's quality, because nothing that
sorted the patients knew who was a member.

    >>> order = np.array([False, False, False, True, False, True])
    >>> precedence_count(order, 1), precedence_count(order, 2)
    (3, 4)
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from privgan.arrays import Floats, Order

PRECEDENCE_RANKS = (1, 5, 20)
Z_ONE_SIDED, Z_TWO_SIDED = 1.6448536269514722, 1.959963984540054  # standard errors of 95 % bounds and intervals
SMALLEST_P = 1e-300  # a probability that underflows is still not zero
_BONFERRONI_BELOW = 1e-8  # below it, 1 - (sum of nearly 1) has lost its digits


def precedence_count(order: Order, rank: int) -> int:
    """How many members come before the `rank`-th non-member."""
    return int(np.flatnonzero(order)[rank - 1]) - (rank - 1)


@lru_cache(maxsize=4096)  # relabellings leave a group dozens of numbers of non-members
def precedence_tails(members: int, non_members: int, rank: int) -> Floats:
    """P(precedence count >= c) for c = 0..members under exchangeability.

    The negative hypergeometric law: of all arrangements, C(c + k - 1, c) C(M - c + H - k, M - c) have exactly
    c members before the k-th non-member.
    """
    c = np.arange(members + 1.0)
    log_p = (
        _log_choose(c + rank - 1, c)
        + _log_choose(members - c + non_members - rank, members - c)
        - _log_choose(members + non_members, non_members)
    )
    tails = np.cumsum(np.exp(log_p)[::-1])[::-1]
    return np.asarray(np.minimum(tails, 1.0), dtype=np.float64)


def precedence_p(counts: dict[int, int], members: int, non_members: int) -> float:
    """One exact p-value for the precedence counts at several ranks together.

    The statistic is the smallest of the single p-values, T; its law follows from the joint law of the counts,
    so no multiplicity correction and no simulation is needed, and p is never 0.

    Args:
        counts: rank -> precedence count; every rank at most `non_members`.
        members: number of member patients.
        non_members: number of non-member patients.
    """
    tails = {rank: precedence_tails(members, non_members, rank) for rank in counts}
    smallest = min(float(tails[rank][count]) for rank, count in counts.items())
    return min_p_law(tuple(sorted(counts)), members, non_members, smallest)


@lru_cache(maxsize=8192)
def min_p_law(ranks: tuple[int, ...], members: int, non_members: int, t: float) -> float:
    """P(min over ranks of the single p-values <= t), by counting arrangements that stay above t everywhere."""
    if t < _BONFERRONI_BELOW:
        return max(SMALLEST_P, len(ranks) * t)
    t *= 1 + 1e-9  # equal probabilities from two tables count as equal
    if t >= 1:
        return 1.0
    ways, before = np.ones(1), 0
    for rank in ranks:
        limit = int(np.count_nonzero(precedence_tails(members, non_members, rank) > t))
        gaps = rank - before  # gaps between non-members in which further members may lie
        further = np.exp(_log_choose(np.arange(limit) + gaps - 1, np.arange(limit)))
        ways, before = np.convolve(ways, further)[:limit], rank
    c = np.arange(float(len(ways)))
    log_rest = _log_choose(members - c + non_members - before, members - c)
    log_all = _log_choose(members + non_members, non_members)
    above = float(np.sum(ways * np.exp(log_rest - log_all)))
    return min(1.0, max(t, 1.0 - above))


def _log_choose(n: ArrayLike, k: ArrayLike) -> Floats:
    n, k = np.asarray(n, dtype=np.float64), np.asarray(k, dtype=np.float64)
    return np.asarray(special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1))


def near_copy_ranks(non_members: int) -> tuple[int, ...]:
    """The ranks at which near copies are counted; small hold-outs have fewer."""
    return tuple(rank for rank in PRECEDENCE_RANKS if rank <= non_members)


def auc(order: Order) -> float:
    """P(a member is closer than a non-member), Mann and Whitney (1947)."""
    after, _ = _placements(order)
    return float(after.mean())


def auc_null_se(members: int, non_members: int) -> float:
    """Standard error of the AUC when nothing leaks."""
    return math.sqrt((members + non_members + 1) / (12 * members * non_members))


def auc_se(order: Order) -> float:
    """Standard error of the AUC whatever the truth: DeLong et al. (1988), never below the null's."""
    after, before = _placements(order)
    null = auc_null_se(len(after), len(before))
    if min(len(after), len(before)) < 2:
        return null
    return max(null, math.sqrt(after.var(ddof=1) / len(after) + before.var(ddof=1) / len(before)))


def auc_p(area: ArrayLike, members: int, non_members: int) -> Floats:
    """One-sided p-value of an AUC above 1/2, normal approximation with continuity correction."""
    excess = np.asarray(area) - 0.5 - 0.5 / (members * non_members)
    return np.asarray(special.ndtr(-excess / auc_null_se(members, non_members)))


def _placements(order: Order) -> tuple[Floats, Floats]:
    """For each member the share of non-members after it; for each non-member the share of members before it."""
    non_members_before = np.cumsum(order)
    total = int(non_members_before[-1])
    members = len(order) - total
    after = (total - non_members_before[~order]) / total
    before = (np.flatnonzero(order) - np.arange(total)) / members
    return after, before


def binomial_lower(successes: int, trials: int, error: float) -> float:
    """Lower Clopper-Pearson bound, too high with probability at most `error`."""
    return 0.0 if successes <= 0 else float(special.betaincinv(successes, trials - successes + 1, error))


def binomial_upper(successes: int, trials: int, error: float) -> float:
    """Upper Clopper-Pearson bound, too low with probability at most `error`."""
    return 1.0 if successes >= trials else float(special.betaincinv(successes + 1, trials - successes, 1 - error))


def wilson_interval(share: float, trials: int, z: float) -> tuple[float, float]:
    """Wilson's (1927) score interval of a mean of values in [0, 1]; none varies more than a coin of that mean."""
    spread = z * z / trials
    centre = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(max(0.0, share * (1 - share)) / trials + spread / (4 * trials)) / (1 + spread)
    return centre - half, centre + half


def difference_interval(a: float, a_trials: int, c: float, c_trials: int, z: float) -> tuple[float, float]:
    """Interval of the difference a - c of two independent shares: method 10 of Newcombe (1998), from Wilson's."""
    (a_low, a_high), (c_low, c_high) = wilson_interval(a, a_trials, z), wilson_interval(c, c_trials, z)
    return a - c - math.hypot(a - a_low, c_high - c), a - c + math.hypot(a_high - a, c - c_low)


def residual_risk(a: float, c: float) -> float:
    """What an attack reaches of members, a, beyond what it reaches of others, c, as a share of what is left to reach.

    Both are shares (Giomi et al. 2023, "A unified framework for quantifying privacy risk in synthetic data").
    """
    return (a - c) / (1 - c) if c < 1 else 0.0


def tpr_rank(non_members: int, fpr: float) -> int:
    """The non-member whose score is the threshold: floor(fpr x non-members) of them lie strictly below."""
    return math.floor(fpr * non_members + 1e-9) + 1


def tpr_bounds(order: Order, fpr: float, error: float) -> tuple[float, float]:
    """One-sided bounds of the true-positive rate at a false-positive rate, each wrong with at most `error`.

    The threshold that has exactly this false-positive rate in the population is unknown: half of the error is
    spent on the order statistics that bracket it, the other half on Clopper-Pearson for the members.
    """
    non_members = int(order.sum())
    members = len(order) - non_members
    below, above = quantile_ranks(non_members, fpr, error / 2)
    low = precedence_count(order, below) if below else 0
    high = precedence_count(order, above) if above <= non_members else members
    return binomial_lower(low, members, error / 2), binomial_upper(high, members, error / 2)


@lru_cache(maxsize=512)
def quantile_ranks(non_members: int, fpr: float, error: float) -> tuple[int, int]:
    """Ranks whose order statistics lie above, or below, the fpr-quantile with at most `error` each.

    The order statistic of rank r is above the quantile when fewer than r non-members fall below it. Rank 0 means
    that none is low enough.
    """
    at_most = special.bdtr(np.arange(non_members + 1), non_members, fpr)  # scipy.stats takes half a second to import
    low = int(np.count_nonzero(at_most[:-1] <= error))
    high = int(np.count_nonzero(1 - at_most > error)) + 1
    return low, high


def epsilon_lower_bound(order: Order, *, fpr: float, delta: float, error: float) -> tuple[float, float]:
    """(measured, largest that could have been measured) lower bound on the epsilon of any DP mechanism.

    epsilon >= ln((TPR - delta) / FPR) for the attack "closer than a threshold means member", and the same with
    the roles exchanged for "farther means non-member". The threshold is an order statistic of the side that is
    bounded from above, so its rate has an exact beta law; four bounds share the error.
    """
    reverse = ~order[::-1]  # farthest first, True where a member
    sides = [_one_direction(one, fpr, delta, error / 4) for one in (order, reverse)]
    return max(side[0] for side in sides), max(side[1] for side in sides)


def _one_direction(order: Order, fpr: float, delta: float, error: float) -> tuple[float, float]:
    negatives = int(order.sum())
    positives = len(order) - negatives
    rank = tpr_rank(negatives, fpr)
    false_rate = binomial_upper(rank - 1, negatives, error)
    measured = binomial_lower(precedence_count(order, rank), positives, error)
    best = binomial_lower(positives, positives, error)
    return _log_ratio(measured - delta, false_rate), _log_ratio(best - delta, false_rate)


def _log_ratio(numerator: float, denominator: float) -> float:
    return max(0.0, math.log(numerator / denominator)) if numerator > 0 else 0.0


def roc(order: Order) -> tuple[Floats, Floats]:
    """(fpr, tpr) after each patient, closest first, starting at (0, 0)."""
    false = np.concatenate([[0.0], np.cumsum(order) / order.sum()])
    true = np.concatenate([[0.0], np.cumsum(~order) / (~order).sum()])
    return false, true


def roc_lower_band(order: Order, grid: Floats, error: float) -> Floats:
    """A curve that lies under the true ROC everywhere at once, wrong with probability at most `error`.

    Both distribution functions are bracketed by the inequality of Dvoretzky, Kiefer and Wolfowitz with
    Massart's (1990) constant; each side takes half of the error.

    Args:
        order: see the module.
        grid: false-positive rates at which the band is wanted, ascending.
        error: simultaneous over the whole grid.
    """
    false, true = roc(order)
    slack = math.log(2 / error) / 2
    allowed = grid - math.sqrt(slack / order.sum())
    last = np.searchsorted(false, allowed, side="right") - 1
    reached = np.where(last >= 0, true[np.maximum(last, 0)], 0.0)
    return np.maximum(0.0, reached - math.sqrt(slack / (~order).sum()))
