"""What attacks tell that may not have tried every patient: each is judged by those whom it tried.

Whom an attack tries is drawn without a look at who was a member. So is, in the permutation test, who is taken for a
non-member: among those tried there may be more or fewer of them each time, and each number has its own exact law.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from privgan.arrays import Choices, Flags, Floats, Integers
from privgan_audits.questions.membership.statistic import FPR, auc_interval, true_positive_rates
from privgan_audits.stats import statistics as st
from privgan_audits.stats.pools import Labels, as_labels
from privgan_audits.stats.relabelling import MembershipStatistic, p_values


@dataclass(frozen=True, kw_only=True, eq=False)
class TriedStatistic:
    """`MembershipStatistic` of several attacks, each on patients of its own.

    orders: per attack the patients whom it tried, the likeliest member first, int64 (at most P,).
    """

    orders: Sequence[Integers]

    @property
    def parts(self) -> int:
        """As many as all attacks have alone."""
        return sum(_alone(len(order)).parts for order in self.orders)

    def __call__(self, labels: Labels) -> Floats:
        """See `relabelling.Statistic`; an attack that tried nobody of one side says nothing."""
        return np.asarray(np.minimum.reduce([_smallest(labels.take(order, axis=0)) for order in self.orders]))


def _alone(tried: int) -> MembershipStatistic:
    return MembershipStatistic(orders=[np.arange(tried)], fpr=FPR)


def _smallest(arranged: Choices) -> Floats:
    """For each column of labels in an attack's order (tried, b): (b,)."""
    held, found = arranged.sum(axis=0, dtype=np.int64), np.ones(arranged.shape[1])
    for count in np.unique(held):
        columns = held == count
        if 0 < count < len(arranged):
            found[columns] = _alone(len(arranged))(arranged[:, columns])
    return found


def one_p(orders: Sequence[Integers], non_member: Flags, pool: Labels) -> float:
    """P of the strongest of these attacks.

    Args:
        orders: see TriedStatistic.
        non_member: bool (P,).
        pool: random choices of the non-members (P, b).
    """
    return float(p_values(TriedStatistic(orders=orders), as_labels(non_member), pool)[0])


def attack_findings(order: Integers, non_member: Flags, pool: Labels) -> Mapping[str, Any]:
    """One attack by itself; `order`, `non_member` and `pool` as in `one_p`."""
    arranged = non_member[order]
    return {
        "auc": st.auc(arranged),
        "auc_interval": auc_interval(arranged),
        "p": one_p([order], non_member, pool),
        "tpr": true_positive_rates(arranged),
        "members": int((~arranged).sum()),
        "non_members": int(arranged.sum()),
    }
