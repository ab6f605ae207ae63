"""One p-value for many attacks at once: who was held back is drawn anew, and the strongest attack is taken each time.

Under "no leak" every choice of the non-members is equally likely, whatever sorted the patients. So the smallest of
many single p-values is compared with the same minimum under thousands of random choices (Westfall and Young 1993):
attacks that say the same thing cost nothing, and the test is exact however they depend on each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from privgan.arrays import Flags, Floats, Integers
from privgan_audits.stats import statistics as st
from privgan_audits.stats.columns import running, sums
from privgan_audits.stats.pools import Labels, held_among, held_back, products

EQUAL = 1 + 1e-9  # equal probabilities from two tables count as equal
HITS_WEIGH = 4.0  # a space that only counts, beside 1 of one that ranks: see NearCopyStatistic


class Statistic(Protocol):
    """The smallest of some p-values, each exact by itself or only used to weigh attacks against each other.

    A p-value that weighs less than 1 is divided by its weight before.
    """

    @property
    def parts(self) -> float:
        """How much they weigh together: their number, if all weigh 1."""

    def __call__(self, labels: Labels) -> Floats:
        """The statistic for each column of labels (patients, b): (b,)."""


class Searched(Statistic, Protocol):
    """A statistic of which planted copies ask very often whether it reaches a value."""

    def reaches(self, labels: Labels, p: float) -> Flags:
        """Whether the statistic is at most p, for each column: bool (b,)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Together:
    """Several statistics as one, the smallest of theirs."""

    statistics: Sequence[Searched]

    @property
    def parts(self) -> float:
        """See Statistic."""
        return sum(each.parts for each in self.statistics)

    def __call__(self, labels: Labels) -> Floats:
        """See Statistic."""
        return np.asarray(np.minimum.reduce([each(labels) for each in self.statistics]))

    def reaches(self, labels: Labels, p: float) -> Flags:
        """See Searched."""
        return np.asarray(np.logical_or.reduce([each.reaches(labels, p) for each in self.statistics]))


@dataclass(frozen=True, kw_only=True, eq=False)
class Others:
    """What else takes part in a test: how much it weighs, and its statistic for each column of the pool (b,)."""

    parts: float
    null: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Trial:
    """What it takes to be significant: p below `level`, by a pool of choices, beside others if there are some."""

    level: float
    pool: Labels
    others: Others | None = None


def p_values(statistic: Statistic, labels: Labels, pool: Labels | None) -> Floats:
    """P of each column of `labels`: (b,), never 0.

    The share of the pool that is at least as extreme, or Bonferroni's bound where that is smaller: both are at
    least the exact p but for the simulation's error, and later attempts need values that no pool can resolve.

    Args:
        statistic: of how strongly an attack separates.
        labels: (patients, b).
        pool: random choices of the same number of non-members; None leaves Bonferroni's bound.
    """
    return _p(statistic(labels), statistic, pool)


def _p(observed: Floats, statistic: Statistic, pool: Labels | None) -> Floats:
    bound = np.minimum(1.0, statistic.parts * observed)
    if pool is None or statistic.parts == 1:
        return bound
    null = np.sort(statistic(pool))
    extreme = np.searchsorted(null, observed * EQUAL, side="right")
    return np.asarray(np.minimum(bound, (1 + extreme) / (1 + len(null))))


def is_significant(statistic: Searched, labels: Labels, trial: Trial) -> bool:
    """Whether p of the single column is below the level; asks the pool only where bounds leave it open.

    Others are paid for, as the test itself pays for them, but not asked: if they saw something, p would be smaller.
    """
    observed, parts = float(statistic(labels)[0]), statistic.parts
    others = trial.others
    if observed >= trial.level:  # no minimum of several is rarer than it would be alone
        return False
    parts += others.parts if others else 0.0
    if parts * observed < trial.level:
        return True
    extreme = statistic.reaches(trial.pool, observed * EQUAL)
    if others:
        extreme |= others.null <= observed * EQUAL
    return parts > 1 and (1 + int(extreme.sum())) / (1 + len(extreme)) < trial.level


@dataclass(frozen=True, kw_only=True, eq=False)
class NearCopyStatistic:
    """T2's: precedence counts in each space that ranks, hypergeometric counts in each that only tells hits.

    Hits count for more, because mirrored copies lead in two spaces of eight alone, and where nobody is hit it costs
    nothing. With two members to a non-member hits alone see 18 copies; with a weight of 1 they would see 20.

    orders: per ranking space the patients, closest first, int64 (P,). hits: per counting space bool (P,).
    """

    orders: Sequence[Integers]
    hits: Sequence[Flags] = ()

    @property
    def parts(self) -> float:
        """What all p-values weigh; spaces without a hit say nothing and cost nothing."""
        return len(self.orders) + HITS_WEIGH * sum(bool(hit.any()) for hit in self.hits)

    def __call__(self, labels: Labels) -> Floats:
        """See Statistic."""
        parts = [precedence_ps(order, labels) for order in self.orders]
        parts += [hit_ps(hit, labels) / HITS_WEIGH for hit in self.hits if hit.any()]
        return np.asarray(np.minimum.reduce(parts))

    def reaches(self, labels: Labels, p: float) -> Flags:
        """Whether the statistic is at most p, for each column: bool (b,); planted copies ask it very often."""
        parts = [order_reaches(order, labels, p) for order in self.orders]
        parts += [hit_ps(hit, labels) / HITS_WEIGH <= p for hit in self.hits if hit.any()]
        return np.asarray(np.logical_or.reduce(parts))


@dataclass(frozen=True, kw_only=True, eq=False)
class MembershipStatistic:
    """T3's: the AUC and the tail at one per cent false positives of each attack.

    orders: per attack the patients, the likeliest member first, int64 (P,).
    """

    orders: Sequence[Integers]
    fpr: float

    @property
    def parts(self) -> int:
        """Two for each attack."""
        return 2 * len(self.orders)

    def __call__(self, labels: Labels) -> Floats:
        """See Statistic."""
        non_members = held_back(labels)
        members = len(labels) - non_members
        rank = st.tpr_rank(non_members, self.fpr)
        tails = st.precedence_tails(members, non_members, rank)
        parts = [tails[precedence_counts(order, (rank,), labels)[rank]] for order in self.orders]
        parts.append(st.auc_p(aucs(self.orders, labels).max(axis=0), members, non_members))
        return np.asarray(np.minimum.reduce(parts))


def precedence_counts(order: Integers, ranks: Sequence[int], labels: Labels) -> Mapping[int, Integers]:
    """Members before the rank-th non-member, for each column of labels: rank -> int64 (b,)."""
    if labels.shape[1] == 1:  # planted copies ask for a single choice tens of thousands of times
        places = np.flatnonzero(labels.take(order, axis=0)[:, 0])
        return {rank: places[[rank - 1]] - (rank - 1) for rank in ranks}
    patients, last = len(order), max(ranks)
    length = min(patients, 64 + 3 * last * patients // max(1, held_back(labels)))
    while True:
        before = running(labels.take(order[:length], axis=0))
        if length == patients or before[-1].min() >= last:
            break
        length = min(patients, 2 * length)
    return {rank: sums(before < rank).astype(np.int64) - (rank - 1) for rank in ranks}


def precedence_ps(order: Integers, labels: Labels, below: float = 1.0) -> Floats:
    """The exact p of one space's precedence counts at all ranks together, for each column: (b,).

    P-values of at least `below` may be told as 1, which takes less time.
    """
    non_members = held_back(labels)
    members = len(labels) - non_members
    ranks = st.near_copy_ranks(non_members)
    counts = precedence_counts(order, ranks, labels)
    smallest = np.minimum.reduce([st.precedence_tails(members, non_members, rank)[counts[rank]] for rank in ranks])
    if len(smallest) == 1:
        return np.array([st.min_p_law(ranks, members, non_members, float(smallest[0]))])
    values, place = np.unique(smallest, return_inverse=True)
    laws = [st.min_p_law(ranks, members, non_members, float(value)) if value < below else 1.0 for value in values]
    return np.array(laws)[place]


def order_reaches(order: Integers, labels: Labels, p: float) -> Flags:
    """Whether `precedence_ps` is at most p, for each column, without counting what comes later: bool (b,).

    So many members come before the rank-th non-member if the patients up to there hold fewer non-members than rank.
    """
    non_members = held_back(labels)
    members, found = len(labels) - non_members, np.zeros(labels.shape[1], np.bool_)
    for rank in st.near_copy_ranks(non_members):
        least = _least_count(members, non_members, rank, p)
        if least is not None:
            found |= sums(labels.take(order[: least + rank - 1], axis=0)) < rank
    return found


def depth(members: int, non_members: int, p: float) -> int:
    """How many patients at the head of an order decide whether its `precedence_ps` is at most p, or at most more."""
    ranks = st.near_copy_ranks(non_members)
    least = {rank: _least_count(members, non_members, rank, p) for rank in ranks}
    return max((count + rank - 1 for rank, count in least.items() if count is not None), default=0)


@lru_cache(maxsize=4096)  # the same few p-values come again and again
def _least_count(members: int, non_members: int, rank: int, p: float) -> int | None:
    """The fewest members before the rank-th non-member that have at most p over all ranks together; None if none."""
    tails, ranks = st.precedence_tails(members, non_members, rank), st.near_copy_ranks(non_members)
    low, high = -1, members + 1
    while high - low > 1:
        middle = (low + high) // 2
        reached = st.min_p_law(ranks, members, non_members, float(tails[middle])) <= p
        low, high = (low, middle) if reached else (middle, high)
    return high if high <= members else None


def hit_ps(hits: Flags, labels: Labels) -> Floats:
    """P(at least so many of the patients who were hit are members), for each column: (b,)."""
    total, non_members = int(hits.sum()), held_back(labels)
    member_hits = total - held_among(labels, hits)
    return np.asarray(_hit_tails(len(labels), len(labels) - non_members, total)[member_hits])


@lru_cache(maxsize=4096)
def _hit_tails(patients: int, members: int, hits: int) -> Floats:
    """P(at least h of `hits` patients are members) for h = 0..hits."""
    from scipy import stats

    return np.asarray(np.maximum(stats.hypergeom.sf(np.arange(-1, hits), patients, members, hits), st.SMALLEST_P))


def excesses(scores: Floats, labels: Labels) -> Floats:
    """By how much members exceed their share of a score's sum, in standard deviations: float64 (scores, b).

    The mean and variance of a sum over patients drawn without replacement. A patient of unknown score has the mean.

    Args:
        scores: float64 (scores, P), NaN where unknown.
        labels: (P, b).
    """
    centred = np.nan_to_num(scores - np.nanmean(scores, axis=1, keepdims=True))
    patients, non_members = len(labels), held_back(labels)
    drawn = (patients - non_members) * non_members / (patients * (patients - 1))
    spread = np.sqrt(drawn * np.square(centred).sum(axis=1, keepdims=True))
    return np.asarray(-products(centred, labels) / np.where(spread > 0, spread, 1.0))


def aucs(orders: Sequence[Integers], labels: Labels) -> Floats:
    """P(a member comes before a non-member) by each order, for each column of labels: float64 (orders, b)."""
    non_members = held_back(labels)
    members = len(labels) - non_members
    places = np.empty((len(orders), len(labels)))
    for number, order in enumerate(orders):
        places[number, order] = np.arange(len(order))
    before = products(places, labels) - non_members * (non_members - 1) / 2
    return np.asarray(before / (members * non_members))
