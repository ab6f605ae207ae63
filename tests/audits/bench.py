"""One audit of real pictures, scored once, into which studies plant copies of members again and again.

Nothing that scored a patient knew who was a member. So every repeat draws anew who was held back, and no table
depends on one lucky split.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from privgan.arrays import Flags, Floats, Images, Integers
from privgan_audits.evidence.interface import Evidence
from privgan_audits.policy import Policy
from privgan_audits.questions.controls import spike_in
from privgan_audits.questions.controls.disguises import Disguise, disguised
from privgan_audits.questions.controls.group_limits import GroupTrials
from privgan_audits.questions.groups import groups_of
from privgan_audits.questions.near_copies.measure import near_copy_statistic
from privgan_audits.questions.near_copies.rule import SHARE
from privgan_audits.questions.scores import Scores, patient_scores
from privgan_audits.stats.pools import as_labels, relabellings
from privgan_audits.stats.relabelling import NearCopyStatistic, Trial, is_significant
from tests.audits.pictures import Kind
from tests.audits.planted import with_copies

REPEATS = 60  # all found: the power is above 95 % with 95 % confidence
COUNTS = (20, 40, 120)  # 1.5, 3 and 9 % of 1,333 members
GRID = (10, 20, 30, 40, 60, 80, 120, 160, 240, 320)  # up to a quarter of them
LEVEL = Policy().level(1) * SHARE


Copied = Callable[[Integers], Images]  # copies of the real images of some rows


@dataclass(frozen=True, kw_only=True, eq=False)
class Turn:
    """One repeat. non_member: bool (P,). order: prepared copies of members (k,), in which they are planted.

    count: prepared copies, of members or not.
    """

    non_member: Flags
    order: Integers
    count: int

    def first(self, copies: int) -> Flags:
        """Which prepared copies (count,) are planted if so many are."""
        present = np.zeros(self.count, np.bool_)
        present[self.order[:copies]] = True
        return present


@dataclass(frozen=True, kw_only=True, eq=False)
class Bench:
    """Evidence about a safe set, its scores, and what it takes T2 to see something in them."""

    evidence: Evidence
    scores: Scores
    trial: Trial

    @classmethod
    def of(cls, kind: Kind, shared_data: Path, weigh: Callable[..., Evidence], rng: np.random.Generator) -> "Bench":
        """Score pictures of a kind."""
        evidence = weigh(*kind(shared_data, rng))
        scores = patient_scores(evidence)
        pool = relabellings(len(scores.non_member), scores.non_members, rng)
        trial = GroupTrials.of(scores, groups_of(evidence, scores), LEVEL, pool).all_patients
        return cls(evidence=evidence, scores=scores, trial=trial)

    @property
    def real(self) -> Images:
        """All patients' images, uint8 (n, h, h, c), in the order of the scores."""
        sides = (self.evidence.members, self.evidence.non_members)
        return np.concatenate([side.images for side in sides if side])

    def some(self, count: int, rng: np.random.Generator) -> Integers:
        """A random image each of so many random patients: rows of `real` (count,)."""
        rows = rng.permutation(np.flatnonzero(~self.scores.flat))
        return rng.permutation(rows[np.unique(self.scores.owner[rows], return_index=True)[1]])[:count]

    def copies(self, rows: Integers, disguise: Disguise, rng: np.random.Generator) -> Images:
        """Some of the real images in a disguise."""
        return disguised(self.real[rows], self.evidence.synthetic.images, disguise, rng)

    def turns(self, rows: Integers, rng: np.random.Generator, repeats: int = REPEATS) -> Sequence[Turn]:
        """Draws of who was held back, and of whose of the copies of these rows are planted first."""
        drawn = []
        for _ in range(repeats):
            non_member = rng.permutation(self.scores.non_member)
            order = rng.permutation(len(rows))
            members = order[~non_member[self.scores.owner[rows[order]]]]
            drawn.append(Turn(non_member=non_member, order=members, count=len(rows)))
        return drawn

    def sees(self, patient: Mapping[str, Floats], non_member: Flags) -> bool:
        """Whether T2 is below its level with these scores by space."""
        statistic = near_copy_statistic(self.scores, patient)
        return is_significant(statistic, as_labels(non_member), self.trial)

    def seen(self, planted: spike_in.Planted, turns: Sequence[Turn], copies: int) -> list[bool]:
        """Whether so many copies are found in each repeat, in all spaces together."""
        after = (with_copies(self.scores, planted, turn.first(copies)) for turn in turns)
        return [self.sees(patient, turn.non_member) for patient, turn in zip(after, turns, strict=True)]

    def shares(self, planted: spike_in.Planted, turns: Sequence[Turn]) -> list[str]:
        """In how many of the repeats each of COUNTS is found."""
        return [f"{np.mean(self.seen(planted, turns, copies)):.0%}" for copies in COUNTS]

    def from_how_many(self, planted: spike_in.Planted, turns: Sequence[Turn]) -> str | None:
        """The fewest of GRID that are found in every repeat; None where not even the most are."""
        return next((str(copies) for copies in GRID if all(self.seen(planted, turns, copies))), None)

    def of_all(self, copied: Copied, rng: np.random.Generator) -> str:
        """How often a set is seen into which every member is copied."""
        rows = self.some(len(self.scores.non_member), rng)
        planted = spike_in.plant(self.scores, copied(rows))
        return f"all: {np.mean(self.seen(planted, self.turns(rows, rng), len(rows))):.0%}"

    def limit(self, copied: Copied, rng: np.random.Generator) -> int | None:
        """The limit of detection that an audit of the split as it came would print."""
        planted = spike_in.plant(self.scores, copied(spike_in.chosen_images(self.scores, rng)))
        return spike_in.limit(spike_in.Front.of(self.scores, self.trial), planted, rng)

    def split(self, non_member: Flags, rng: np.random.Generator) -> "Bench":
        """The same patients, others of whom were held back, perhaps another number."""
        scores = dataclasses.replace(self.scores, non_member=non_member)
        pool = relabellings(len(non_member), scores.non_members, rng)
        trial = GroupTrials.of(scores, groups_of(self.evidence, scores), LEVEL, pool).all_patients
        return Bench(evidence=self.evidence, scores=scores, trial=trial)

    def limit_of(self, planted: spike_in.Planted, rows: Integers, rng: np.random.Generator) -> int | None:
        """The limit of detection that an audit would print, by copies of these rows that are members'."""
        members = np.flatnonzero(~self.scores.non_member[self.scores.owner[rows]])
        return spike_in.limit(spike_in.Front.of(self.scores, self.trial), only(planted, members), rng)

    def alone(self, planted: spike_in.Planted, turns: Sequence[Turn], copies: int) -> Iterator[str]:
        """The spaces that would see so many copies without the others, nineteen times of twenty."""
        after = [with_copies(self.scores, planted, turn.first(copies)) for turn in turns]
        for name in self.scores.spaces:
            each = [self._of(name, patient[name]) for patient in after]
            held = [as_labels(turn.non_member) for turn in turns]
            p = [float(one(labels)[0]) if one.parts else 1.0 for one, labels in zip(each, held, strict=True)]
            if np.mean(np.array(p) < LEVEL) >= 0.95:
                yield name

    def _of(self, name: str, patient: Floats) -> NearCopyStatistic:
        if name in self.scores.ranked:
            return NearCopyStatistic(orders=[self.scores.closest_first(patient)])
        return NearCopyStatistic(orders=[], hits=[self.scores.spaces[name].hits(patient)])


def only(planted: spike_in.Planted, copies: Integers) -> spike_in.Planted:
    """Some of the prepared copies, numbered anew."""
    number = np.full(planted.count, -1)
    number[copies] = np.arange(len(copies))
    changes = {}
    for name, every in planted.changes.items():
        kept = number[every.copy] >= 0
        changes[name] = spike_in.Changes(
            patient=every.patient[kept], copy=number[every.copy[kept]], score=every.score[kept]
        )
    return spike_in.Planted(count=len(copies), changes=changes)


BenchOf = Callable[[Kind], Bench]


def heading(columns: Sequence[str]) -> str:
    """The first two lines of a table."""
    return f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}"
