"""Of how few patients of a class, or of a column's value, would copies have been found?

No image is planted again: perfect copies are those at distance 0 in every space, and T2 is asked with these. Copied
are the members who are ahead already, so that no other choice of as many would be harder to find. A group of which
not even copies of all would be found is named, and so is one that is too small to be looked at by itself.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from privgan.arrays import Floats, Integers
from privgan_audits.questions.groups import Group, Groups
from privgan_audits.questions.near_copies.measure import near_copy_statistic
from privgan_audits.questions.scores import Scores
from privgan_audits.stats.pools import Labels, as_labels
from privgan_audits.stats.relabelling import Others, Together, Trial, is_significant
from privgan_audits.stats.within_groups import WithinGroups

NAMED = 24  # groups that are too small; of a column of many values, the rest are a number


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupTrials:
    """What is significant, given which groups T2 looks within.

    The null of groups is that of the set as it is: copies that are planted elsewhere only make its spaces agree more,
    which makes chance rarer.

    all_patients: where all groups stand beside. within: by group, where the others do. weights: of each in a space.
    """

    all_patients: Trial
    within: Sequence[Trial]
    weights: Sequence[float]

    @classmethod
    def of(cls, scores: Scores, groups: Groups, level: float, pool: Labels) -> "GroupTrials":
        """See WithinGroups; level: a near-copy p-value below it makes the verdict FAIL."""
        orders = near_copy_statistic(scores).orders
        statistic = WithinGroups.of(orders, [group.patients for group in groups.tested])
        each = statistic.each(pool)

        def beside(left_out: int | None) -> Trial:
            rest = [number for number in range(len(each)) if number != left_out]
            null = np.minimum.reduce([np.ones(pool.shape[1]), *(each[number] for number in rest)])
            parts = sum(statistic.weights[number] for number in rest) * len(orders)
            return Trial(level=level, pool=pool, others=Others(parts=parts, null=null))

        trials = [beside(number) for number in range(len(each))]
        return cls(all_patients=beside(None), within=trials, weights=statistic.weights)


def group_findings(scores: Scores, groups: Groups, trials: GroupTrials) -> dict[str, Any]:
    """Each group's numbers of patients and its limit of detection; which groups were not looked at by themselves."""
    tested = [
        {**group.to_json(), **_sides(scores, group), "seen_from": seen_from(scores, group, trial, weight)}
        for group, trial, weight in zip(groups.tested, trials.within, trials.weights, strict=True)
    ]
    named, rest = groups.left_out[:NAMED], Counter(group.column for group in groups.left_out[NAMED:])
    left_out = [{**group.to_json(), **_sides(scores, group)} for group in named]
    return {"groups": tested, "groups_left_out": left_out, "further_groups_left_out": dict(rest)}


def _sides(scores: Scores, group: Group) -> dict[str, int]:
    held_back = int(scores.non_member[group.patients].sum())
    return {"members": group.size - held_back, "non_members": held_back}


def seen_from(scores: Scores, group: Group, trial: Trial, weight: float) -> int | None:
    """The fewest members of a group whose perfect copies are always found; None if not even those of all.

    Args:
        scores: of all patients.
        group: whose members are copied.
        trial: beside all other groups.
        weight: of the group in a space.
    """
    ahead, labels = members_ahead(scores, group), as_labels(scores.non_member)

    def found(copies: int) -> bool:
        near = near_copy_statistic(scores, with_perfect_copies(scores, ahead[:copies]))
        inside = WithinGroups(orders=near.orders, groups=[group.patients], weights=[weight])
        return is_significant(Together(statistics=[near, inside]), labels, trial)

    copies = 1 + bisect_left(range(1, len(ahead) + 1), True, key=found)
    return copies if copies <= len(ahead) else None


def members_ahead(scores: Scores, group: Group) -> Integers:
    """The group's members, those first who come closest to the front in any space."""
    orders = [scores.closest_first(each.patient) for each in scores.ranked.values()]
    best = np.minimum.reduce([np.argsort(order) for order in orders])
    members = np.flatnonzero(group.patients & ~scores.non_member)
    return np.asarray(members[np.argsort(best[members], kind="stable")])


def with_perfect_copies(scores: Scores, patients: Integers) -> dict[str, Floats]:
    """Every space's scores (P,) when some patients' images are in the synthetic set as they are."""
    after = {name: each.patient.copy() for name, each in scores.spaces.items()}
    for patient in after.values():
        patient[patients] = 0.0
    return after
