"""T2's numbers of one space: how many members come before the first, the fifth and the twentieth non-member."""

from typing import Any

import numpy as np

from privgan.arrays import Floats, Integers, Order
from privgan_audits.stats.many_orders import members_before
from privgan_audits.stats.statistics import (
    min_p_law,
    near_copy_ranks,
    precedence_count,
    precedence_p,
    precedence_tails,
)


def near_copy_findings(order: Order) -> dict[str, Any]:
    """p-value and counts of one space's order of patients, closest first."""
    non_members = int(order.sum())
    members = len(order) - non_members
    counts = {rank: precedence_count(order, rank) for rank in near_copy_ranks(non_members)}
    return {
        "p": precedence_p(counts, members, non_members),
        "members_before_non_member": {str(rank): count for rank, count in counts.items()},
        "expected_when_safe": {str(rank): rank * members / (non_members + 1) for rank in counts},
    }


def smallest_of(p: Floats) -> float:
    """A p-value of the smallest of several (n,) that may depend on each other: Bonferroni's bound."""
    return float(min(1.0, len(p) * p.min()))


def near_copy_ps(places: Integers, members: int) -> Floats:
    """The p-value of `near_copy_findings` for many orders at once: (b,).

    Args:
        places: (b, H), where the non-members of each order stand, as `many_orders` has it.
        members: of every order.
    """
    before, non_members = members_before(places), places.shape[1]
    ranks = near_copy_ranks(non_members)
    tails = [precedence_tails(members, non_members, rank)[before[:, rank - 1]] for rank in ranks]
    values, place = np.unique(np.minimum.reduce(tails), return_inverse=True)
    return np.array([min_p_law(ranks, members, non_members, float(value)) for value in values])[place]
