"""Statistics of many orders of the patients at once; each is what `statistics` says of one order after the other.

Orders come as choices (P, b): the patients closest first, a column an order, ones for non-members.
"""

from collections.abc import Callable, Iterator

import numpy as np

from privgan.arrays import Choices, Floats, Integers
from privgan_audits.stats import statistics as st
from privgan_audits.stats.relabelling import precedence_counts

_BLOCK = 1 << 22  # numbers at once


def auc_ses(choices: Choices) -> Floats:
    """Standard error of each order's AUC: (b,); see `statistics.auc_se`."""
    non_members = int(choices[:, 0].sum())
    members = len(choices) - non_members
    null = st.auc_null_se(members, non_members)
    if min(members, non_members) < 2:
        return np.full(choices.shape[1], null)
    variances = np.concatenate([_variances(block, members, non_members) for block in _blocks(choices)])
    return np.asarray(np.maximum(null, np.sqrt(variances)))


def tpr_bounds(choices: Choices, fpr: float, error: float) -> tuple[Floats, Floats]:
    """One-sided bounds of each order's true-positive rate: (b,) each; see `statistics.tpr_bounds`."""
    non_members = int(choices[:, 0].sum())
    members = len(choices) - non_members
    below, above = st.quantile_ranks(non_members, fpr, error / 2)
    ranks = [rank for rank in (below, above) if 1 <= rank <= non_members]
    counts = precedence_counts(np.arange(len(choices)), ranks, choices) if ranks else {}
    nobody, everybody = (np.full(choices.shape[1], count, np.int64) for count in (0, members))
    low = counts[below] if below else nobody
    high = counts[above] if above <= non_members else everybody
    return (
        _of_counts(lambda count: st.binomial_lower(count, members, error / 2), low),
        _of_counts(lambda count: st.binomial_upper(count, members, error / 2), high),
    )


def _variances(choices: Choices, members: int, non_members: int) -> Floats:
    """DeLong's variance of each column, from sums of whole numbers: (b,)."""
    before = choices.cumsum(axis=0, dtype=np.int64)
    held = choices.astype(np.int64)
    after_member = (non_members - before) * (1 - held)
    before_other = (np.arange(1, len(choices) + 1)[:, None] - before) * held
    ours = _variance(after_member, members) / (members * non_members**2)
    return ours + _variance(before_other, non_members) / (non_members * members**2)


def _variance(values: Integers, count: int) -> Floats:
    """Of each column's `count` values, the others being zero."""
    sums, squares = values.sum(axis=0), np.square(values).sum(axis=0)
    return np.asarray((squares - sums.astype(np.float64) ** 2 / count) / (count - 1))


def _blocks(choices: Choices) -> Iterator[Choices]:
    step = max(1, _BLOCK // len(choices))
    for start in range(0, choices.shape[1], step):
        yield choices[:, start : start + step]


def _of_counts(bound: Callable[[int], float], counts: Integers) -> Floats:
    """A bound of each count, computed once a value."""
    values, place = np.unique(counts, return_inverse=True)
    return np.array([bound(int(value)) for value in values])[place]
