"""Statistics of many orders of the patients at once; each is what `statistics` says of one order after the other.

Orders come as places (b, H): where each order's H non-members stand among all patients, from 0, ascending, the
patients closest first. Where nobody else stands are members.
"""

from collections.abc import Callable

import numpy as np

from privgan.arrays import Floats, Integers
from privgan_audits.stats import statistics as st


def members_before(places: Integers) -> Integers:
    """How many members come before each non-member: (b, H)."""
    return places - np.arange(places.shape[1])


def aucs(before: Integers, members: int) -> Floats:
    """Each order's AUC: (b,); see `statistics.auc`.

    Args:
        before: (b, H), as `members_before` has it.
        members: of every order.
    """
    return np.asarray(before.sum(axis=1) / (members * before.shape[1]))


def auc_ses(before: Integers, members: int) -> Floats:
    """Standard error of each order's AUC: (b,); see `statistics.auc_se`. The arguments are those of `aucs`.

    DeLong's variances from sums of whole numbers. The members between two non-members have the same non-members after
    them, so that sums over members are sums over non-members, too.
    """
    non_members = before.shape[1]
    null = st.auc_null_se(members, non_members)
    if min(members, non_members) < 2:
        return np.full(len(before), null)
    after = np.arange(non_members, 0, -1)  # non-members after whoever stands right before each of them
    sums = before.sum(axis=1)
    ours = _variance(sums, before @ (2 * after - 1), members) / (members * non_members**2)
    theirs = _variance(sums, np.einsum("bh,bh->b", before, before), non_members) / (non_members * members**2)
    return np.asarray(np.maximum(null, np.sqrt(ours + theirs)))


def tpr_bounds(before: Integers, members: int, fpr: float, error: float) -> tuple[Floats, Floats]:
    """One-sided bounds of each order's true-positive rate: (b,) each; see `statistics.tpr_bounds`."""
    non_members = before.shape[1]
    below, above = st.quantile_ranks(non_members, fpr, error / 2)
    nobody, everybody = (np.full(len(before), count) for count in (0, members))
    low = before[:, below - 1] if below else nobody
    high = before[:, above - 1] if above <= non_members else everybody
    return (
        _of_counts(lambda count: st.binomial_lower(count, members, error / 2), low),
        _of_counts(lambda count: st.binomial_upper(count, members, error / 2), high),
    )


def _variance(sums: Integers, squares: Integers, count: int) -> Floats:
    """Of each order's `count` values."""
    return np.asarray((squares - sums.astype(np.float64) ** 2 / count) / (count - 1))


def _of_counts(bound: Callable[[int], float], counts: Integers) -> Floats:
    """A bound of each count, computed once a value."""
    values, place = np.unique(counts, return_inverse=True)
    return np.array([bound(int(value)) for value in values])[place]
