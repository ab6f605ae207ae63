"""One audit of real pictures, scored once, into which studies plant copies of members again and again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from privgan.arrays import Choices, Floats, Images, Integers
from privgan_audits.evidence.interface import Evidence
from privgan_audits.policy import Policy
from privgan_audits.questions.controls import spike_in
from privgan_audits.questions.controls.disguises import Disguise, disguised
from privgan_audits.questions.near_copies.measure import near_copy_statistic
from privgan_audits.questions.near_copies.rule import SHARE
from privgan_audits.questions.scores import Scores, patient_scores
from privgan_audits.stats.relabelling import NearCopyStatistic, as_labels, is_significant, p_values, relabellings
from tests.audits.conftest import Weigh
from tests.audits.pictures import Kind

REPEATS = 60  # all found: the power is above 95 % with 95 % confidence
LEVEL = Policy().level(1) * SHARE
Turns = Sequence[Integers]
"""Orders of the prepared copies, int64 (count,); so many copies are planted as have a smaller number."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Bench:
    """Evidence about a safe set, its scores, and random choices of the non-members (P, 10,000)."""

    evidence: Evidence
    scores: Scores
    pool: Choices

    @classmethod
    def of(cls, kind: Kind, shared_data: Path, weigh: Weigh, rng: np.random.Generator) -> "Bench":
        """Score pictures of a kind."""
        evidence = weigh(*kind(shared_data, rng))
        scores = patient_scores(evidence)
        return cls(
            evidence=evidence, scores=scores, pool=relabellings(len(scores.non_member), scores.non_members, rng)
        )

    @property
    def images(self) -> Images:
        """The members' images, uint8 (n, h, h, c)."""
        return self.evidence.members.images

    @property
    def safe_p(self) -> float:
        """P of the near-copy test before anything is planted."""
        labels = as_labels(self.scores.non_member)
        return float(p_values(near_copy_statistic(self.scores), labels, self.pool)[0])

    def one_each(self, rng: np.random.Generator) -> Integers:
        """A random image of every member, rows in random order."""
        rows = rng.permutation(np.flatnonzero(~self.scores.non_member[self.scores.owner] & ~self.scores.flat))
        return rng.permutation(rows[np.unique(self.scores.owner[rows], return_index=True)[1]])

    def copies(self, rows: Integers, disguise: Disguise, rng: np.random.Generator) -> Images:
        """Some of the members' images in a disguise."""
        return disguised(self.images[rows], self.evidence.synthetic.images, disguise, rng)

    def sees(self, patient: Mapping[str, Floats]) -> bool:
        """Whether T2 is below its level with these scores by space."""
        statistic = near_copy_statistic(self.scores, patient)
        return is_significant(statistic, as_labels(self.scores.non_member), self.pool, LEVEL)

    def share(self, planted: spike_in.Planted, turns: Turns, copies: int) -> float:
        """In how many of the repeats so many copies are found, in all spaces together."""
        after = (spike_in.with_copies(self.scores, planted, turn < copies) for turn in turns)
        return float(np.mean([self.sees(patient) for patient in after]))

    def always(self, planted: spike_in.Planted, turns: Turns, copies: int) -> bool:
        """Whether so many copies are found in every repeat."""
        return spike_in.always_found(self.scores, planted, turns, copies, LEVEL, self.pool)

    def alone(self, planted: spike_in.Planted, turns: Turns, copies: int) -> Iterator[str]:
        """The spaces that would see so many copies without the others, nineteen times of twenty."""
        after = [spike_in.with_copies(self.scores, planted, turn < copies) for turn in turns]
        labels = as_labels(self.scores.non_member)
        for name in self.scores.spaces:
            seen = [self._of(name, patient[name]) for patient in after]
            if np.mean([one.parts > 0 and float(one(labels)[0]) < LEVEL for one in seen]) >= 0.95:
                yield name

    def _of(self, name: str, patient: Floats) -> NearCopyStatistic:
        if name in self.scores.ranked:
            return NearCopyStatistic(orders=[self.scores.closest_first(patient)])
        return NearCopyStatistic(orders=[], hits=[self.scores.spaces[name].hits(patient)])


def turns_of(count: int, rng: np.random.Generator, repeats: int = REPEATS) -> Turns:
    """Random orders of so many copies."""
    return [rng.permutation(count) for _ in range(repeats)]


def heading(columns: Sequence[str]) -> str:
    """The first two lines of a table."""
    return f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}"
