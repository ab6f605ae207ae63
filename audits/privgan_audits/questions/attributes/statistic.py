"""T8's numbers: by how much facts are guessed better of members, and how rarely chance alone would look so."""

from privgan.arrays import Floats
from privgan_audits.stats import statistics as st
from privgan_audits.stats.pools import Labels
from privgan_audits.stats.relabelling import excesses

_EQUAL = 1e-9  # sums of the same patients in another order count as equal


def advantage_bounds(a: float, members: int, c: float, non_members: int) -> tuple[float, float]:
    """What the verdict reads of one column: the two-sided 95 % interval's lower end, the one-sided upper bound.

    Args:
        a: share of members guessed right.
        members: patients.
        c: share of non-members guessed right.
        non_members: patients.
    """
    low = st.difference_interval(a, members, c, non_members, st.Z_TWO_SIDED)[0]
    return low, st.difference_interval(a, members, c, non_members, st.Z_ONE_SIDED)[1]


def permutation_ps(right: Floats, labels: Labels, pool: Labels) -> tuple[list[float], float]:
    """One-sided p of each attribute, and one p of the strongest of all (Westfall and Young 1993).

    Args:
        right: float64 (attributes, P), NaN where unknown.
        labels: the true choice, (P, 1).
        pool: random choices of the same number of non-members, (P, b).
    """
    observed, null = excesses(right, labels)[:, 0], excesses(right, pool)
    singles = [_share(row, value) for row, value in zip(null, observed, strict=True)]
    return singles, _share(null.max(axis=0), observed.max())


def _share(null: Floats, value: float) -> float:
    return float((1 + (null >= value - _EQUAL).sum()) / (1 + len(null)))
