"""Groups of patients within which near copies are looked for: each class, and each value of a declared column.

Which groups there are follows from all patients together and from what is known of them, never from who was held
back: a group may not be tested because its members are many.
"""

from dataclasses import dataclass

import numpy as np

from privgan.arrays import Flags, Texts
from privgan_audits.evidence.interface import Evidence
from privgan_audits.questions.scores import Scores
from privgan_audits.questions.utility.drawing import class_names
from privgan_audits.telling.facts import CLASS

FEWEST = (
    20  # patients, members and non-members together: of 13 and 7, all copied, chance would lead one time in 77,520
)
MOST = 16  # groups: each further one takes from the others


@dataclass(frozen=True, kw_only=True, eq=False)
class Group:
    """The patients of whom some image has this value of a column, bool (P,)."""

    column: str
    value: str
    patients: Flags

    @property
    def size(self) -> int:
        """How many they are, on both sides."""
        return int(self.patients.sum())

    def to_json(self) -> dict[str, str]:
        """Its name."""
        return {"column": self.column, "value": self.value}


@dataclass(frozen=True, kw_only=True, eq=False)
class Groups:
    """tested: the largest ones. left_out: those that are too small, or too many."""

    tested: tuple[Group, ...]
    left_out: tuple[Group, ...]


def groups_of(evidence: Evidence, scores: Scores) -> Groups:
    """Every class and every value of a column that some patients have and others have not, largest first."""
    others = evidence.non_members
    sides = [evidence.members, *([others] if others else [])]
    names = sorted({name for side in sides for name in side.columns})
    values = {CLASS: [class_names(side, evidence.classes) for side in sides]}
    values |= {name: [side.column(name) for side in sides] for name in names if name != CLASS}
    found = [group for name, parts in values.items() for group in _by_value(name, np.concatenate(parts), scores)]
    found.sort(key=lambda group: (-group.size, group.column, group.value))
    tested = [group for group in found if group.size >= FEWEST][:MOST]
    return Groups(tested=tuple(tested), left_out=tuple(found[len(tested) :]))


def _by_value(name: str, values: Texts, scores: Scores) -> list[Group]:
    """Groups by the value of each image (n,); nobody is grouped by what is unknown, and all patients are no group."""
    groups = []
    for value in np.unique(values[values != ""]):
        patients = np.zeros(len(scores.non_member), np.bool_)
        patients[scores.owner[values == value]] = True
        if not patients.all():
            groups.append(Group(column=name, value=str(value), patients=patients))
    return groups
