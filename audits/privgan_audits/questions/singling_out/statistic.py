"""T12's numbers: how rarely chance alone would make so many members of those whom a record singles out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from privgan.arrays import Flags, Floats, Integers
from privgan_audits.stats.pools import Labels, as_labels
from privgan_audits.stats.relabelling import hit_ps

REPEATS = 20
SEEN = 0.9  # of the repeats, in which so many copies must be seen


@dataclass(frozen=True, kw_only=True, eq=False)
class SinglingOut:
    """The smallest of the p-values of each number of columns: patients met, of whom so many are members.

    hits: bool (P,) for each number of columns. A statistic as `stats.relabelling` has it.
    """

    hits: Sequence[Flags]

    @property
    def parts(self) -> float:
        """Numbers of columns that met anybody; one where none did."""
        return max(1, len(self._said))

    def __call__(self, labels: Labels) -> Floats:
        """For each column of labels (P, b): (b,)."""
        if not self._said:
            return np.ones(labels.shape[1])
        return np.asarray(np.minimum.reduce([hit_ps(hits, labels) for hits in self._said]))

    @property
    def _said(self) -> list[Flags]:
        return [hits for hits in self.hits if hits.any()]


def limit_of_detection(
    alone: Sequence[Flags], found: SinglingOut, non_member: Flags, *, level: float, rng: np.random.Generator
) -> int | None:
    """How many members' records, added to the set as they are, are seen in nine of ten draws; None if not even all.

    Records of members alone whom all columns together single out: others' are not one person's.

    Args:
        alone: (P,) for each number of columns, whom some combination of so many singles out; the last one is all.
        found: what the set itself met.
        non_member: bool (P,).
        level: p below it is significant, however many numbers of columns took part.
        rng: draws who is copied.
    """
    able = np.flatnonzero(alone[-1] & ~non_member)
    orders = [rng.permutation(able) for _ in range(REPEATS)]
    labels = as_labels(non_member)

    def seen(count: int) -> bool:
        p = [_planted(alone, found, order[:count], labels) for order in orders]
        return float(np.mean(np.array(p) < level)) >= SEEN

    if not seen(len(able)):
        return None
    low, high = -1, len(able)  # not seen with `low`, seen with `high`
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if seen(middle) else (middle, high)
    return high


def _planted(alone: Sequence[Flags], found: SinglingOut, who: Integers, labels: Labels) -> float:
    """Bonferroni's bound of p once these patients' records are in the set; it is at least p.

    A combination that one patient alone has says nothing of others, so that a copy meets its own patient and nobody
    else.
    """
    copied = np.zeros(len(labels), bool)
    copied[who] = True
    statistic = SinglingOut(hits=[hits | (copied & able) for hits, able in zip(found.hits, alone, strict=True)])
    return float(statistic.parts * statistic(labels)[0])
