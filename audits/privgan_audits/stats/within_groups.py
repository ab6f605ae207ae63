"""The near-copy statistic within groups of patients: a class of sixteen, all copied, is lost among a thousand.

Who was held back is drawn for all patients together, so that a relabelling gives a group another number of
non-members each time. Each column of labels is therefore judged by the law of its own numbers: given how many of a
group were held back, every choice of them is equally likely, and the p-values are as exact as those of all patients.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from privgan.arrays import Flags, Floats, Integers
from privgan_audits.stats.pools import Labels, by_non_members
from privgan_audits.stats.relabelling import order_reaches, precedence_ps

SHARE = 0.125
"""What all groups together weigh in a space, where all patients weigh 1.

At 1,333 and 667 that costs all patients at most one more copied patient before they are seen. Where 20 unchanged or
mirrored copies are needed, which is what the default policy allows, it costs none of those, and twice as much does.
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class WithinGroups:
    """The precedence counts among each group's own patients, in every space.

    orders: per ranking space the patients, closest first, int64 (P,). groups: who is in each, bool (P,); a patient
    may be in several, and who was held back may not decide it. weights: of each in one space.
    """

    orders: Sequence[Integers]
    groups: Sequence[Flags]
    weights: Sequence[float]

    @classmethod
    def of(cls, orders: Sequence[Integers], groups: Sequence[Flags]) -> "WithinGroups":
        """The smaller a group, the larger its part of SHARE: copies in a large one are seen among all patients."""
        shares = [1.0 / max(1, int(group.sum())) for group in groups]
        return cls(orders=orders, groups=groups, weights=[SHARE * share / sum(shares) for share in shares])

    @property
    def parts(self) -> float:
        """See Statistic."""
        return sum(self.weights) * len(self.orders)

    def __call__(self, labels: Labels) -> Floats:
        """See Statistic; 1 where no group stands out."""
        return np.asarray(np.minimum.reduce([np.ones(labels.shape[1]), *self.each(labels)]))

    def each(self, labels: Labels) -> list[Floats]:
        """The statistic of every group by itself, for each column: (b,) each."""
        weighed = zip(self.groups, self.weights, strict=True)
        return [np.minimum(1.0, within(g, self.orders, labels, w).min(axis=0) / w) for g, w in weighed]

    def reaches(self, labels: Labels, p: float) -> Flags:
        """Whether the statistic is at most p, for each column: bool (b,)."""
        found = np.full(labels.shape[1], p >= 1.0)
        for group, weight in zip(self.groups, self.weights, strict=True):
            inside, largest = _inside(group, self.orders), _times(p, weight)
            for columns, some in by_non_members(labels, group):
                found[columns] |= np.logical_or.reduce([order_reaches(order, some, largest) for order in inside])
        return found


def _times(p: float, weight: float) -> float:
    """The largest number that is at most p when it is divided by the weight: rounding decides nothing."""
    found = p * weight
    while found / weight > p:
        found = math.nextafter(found, 0.0)
    while (larger := math.nextafter(found, math.inf)) / weight <= p:
        found = larger
    return found


def within(group: Flags, orders: Sequence[Integers], labels: Labels, below: float = 1.0) -> Floats:
    """The exact p of the precedence counts among a group's patients, in each space and for each column.

    Args:
        group: bool (P,).
        orders: per space the patients, closest first, int64 (P,).
        labels: (P, b), whose columns may leave the group any number of non-members.
        below: p-values from here on may be told as 1.

    Returns:
        float64 (spaces, b); 1 where a whole group is on one side.
    """
    found = np.ones((len(orders), labels.shape[1]))
    for columns, some in by_non_members(labels, group):
        for row, order in enumerate(_inside(group, orders)):
            found[row, columns] = precedence_ps(order, some, below)
    return found


def _inside(group: Flags, orders: Sequence[Integers]) -> list[Integers]:
    """Orders of a group's patients alone, by their numbers in it."""
    place = np.cumsum(group) - 1
    return [place[order[group[order]]] for order in orders]
