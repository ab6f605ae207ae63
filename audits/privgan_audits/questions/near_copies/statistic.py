"""T2's numbers of one space: how many members come before the first, the fifth and the twentieth non-member."""

from typing import Any

import numpy as np

from privgan.arrays import Choices, Floats, Order
from privgan_audits.stats.relabelling import precedence_ps
from privgan_audits.stats.statistics import near_copy_ranks, precedence_count, precedence_p


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


def near_copy_ps(choices: Choices) -> Floats:
    """The p-value of `near_copy_findings` for many orders at once: (b,).

    Args:
        choices: (P, b), the patients closest first, ones for non-members.
    """
    return precedence_ps(np.arange(len(choices)), choices)
