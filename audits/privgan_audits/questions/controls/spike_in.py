"""The limit of detection: how few copied patients would this very audit have found?

Copies of members are planted into the synthetic set, plain or disguised, and T2 is asked again in all its spaces.
Nothing is searched twice: the distances of every real image to a pool of prepared copies are measured once, and each
repeat only takes minima over the copies that it plants. T1 does not take part, because one changed pixel
blinds it; T3 does not either, because so few patients cannot move it beyond its thresholds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from privgan.arrays import Flags, Floats, Images, Integers
from privgan.progress import Progress, silent
from privgan_audits.questions.controls.disguises import disguised, disguises_of
from privgan_audits.questions.near_copies.measure import near_copy_statistic
from privgan_audits.questions.scores import Scores, SpaceScores, score_of
from privgan_audits.spaces.space import Met
from privgan_audits.stats.relabelling import Trial, as_labels, is_significant

REPEATS = 59  # all found: the power is above 95 % with 95 % confidence, because 0.95^59 < 0.05
SEARCHED = 0.03  # share of the members up to which copies are planted, but at least:
SEARCHED_AT_LEAST = 40
_POOL = 3  # copies prepared per copy that is ever planted at once


@dataclass(frozen=True, kw_only=True)
class Changes:
    """In one space: copy `copy[i]` gives patient `patient[i]` the score `score[i]`, better than before; (m,) each."""

    patient: Integers
    copy: Integers
    score: Floats

    def planted(self, before: Floats, present: Flags) -> Floats:
        """Patients' scores (P,) when the copies are in the set for which `present`, bool (count,), is true."""
        after, these = before.copy(), present[self.copy]
        np.minimum.at(after, self.patient[these], self.score[these])
        return after


@dataclass(frozen=True, kw_only=True)
class Planted:
    """Prepared copies, each of another patient, and what they change in each space, by name."""

    count: int
    changes: dict[str, Changes]


def search_limit(members: int) -> int:
    """How many distinct copied patients are planted at most."""
    return min(max(SEARCHED_AT_LEAST, round(SEARCHED * members)), members)


def limits_of_detection(
    scores: Scores,
    images: Images,
    others: Images,
    trial: Trial,
    rng: np.random.Generator,
    progress: Progress = silent,
) -> dict[str, int | None]:
    """The smallest number of distinct copied members that T2 finds in every repeat, per disguise.

    Args:
        scores: of the set as it is.
        images: the members' images, uint8 (n, h, h, c), in the order of the scores.
        others: images of nobody, onto which parts of copies are put: the set's own.
        trial: of significance; beside others, the groups within which T2 looks, too.
        rng: draws which members, which images and which noise.
        progress: listener.

    Returns:
        The limit, or None where even `search_limit` copies were missed in one of the REPEATS.
    """
    rows = chosen_images(scores, rng)
    disguises = disguises_of(images)
    limits: dict[str, int | None] = dict.fromkeys(disguises)
    if not len(rows):
        return limits
    sets, turns = [], []
    for disguise in disguises.values():
        sets.append(disguised(images[rows], others, disguise, rng))
        turns.append(_turns(len(rows), rng))
    planted = plant_sets(scores, sets, progress)
    for done, (name, copies, taken) in enumerate(zip(disguises, planted, turns, strict=True), start=1):
        limits[name] = _limit(scores, copies, trial, taken)
        progress("limit of detection", done, len(disguises), name)
    return limits


def chosen_images(scores: Scores, rng: np.random.Generator) -> Integers:
    """One random image of each of some random members, without constant ones; rows of the members' images."""
    rows = np.flatnonzero(~scores.non_member[scores.owner] & ~scores.flat)
    rows = rng.permutation(rows)
    first = np.unique(scores.owner[rows], return_index=True)[1]
    return rng.permutation(rows[first])[: _POOL * search_limit(scores.members)]


def plant(scores: Scores, copies: Images) -> Planted:
    """Measure copies as the audit would, in every space: only those that beat the set's own images are kept."""
    return plant_sets(scores, [copies])[0]


def plant_sets(scores: Scores, sets: Sequence[Images], progress: Progress = silent) -> list[Planted]:
    """`plant` several sets, space by space: what a search makes of the real images serves all of them."""
    changes: list[dict[str, Changes]] = [{} for _ in sets]
    for done, (name, each) in enumerate(scores.spaces.items()):
        progress("planting copies", done, len(scores.spaces), name)
        for of_set, met in zip(changes, each.space.met(sets, each.closest), strict=True):
            of_set[name] = _changes(scores, each, met)
    progress("planting copies", len(scores.spaces), len(scores.spaces))
    return [Planted(count=len(copies), changes=of_set) for copies, of_set in zip(sets, changes, strict=True)]


def _changes(scores: Scores, each: SpaceScores, met: Met) -> Changes:
    score = score_of(met.distance, each.reference[met.real], each.hit_limit)
    patient = scores.owner[met.real]
    better = (score < each.patient[patient]) & ~scores.flat[met.real]
    return Changes(patient=patient[better], copy=met.copy[better], score=score[better])


def limit(scores: Scores, planted: Planted, trial: Trial, rng: np.random.Generator) -> int | None:
    """The smallest number of these copies that T2 finds in every repeat, or None."""
    return _limit(scores, planted, trial, _turns(planted.count, rng))


def _turns(count: int, rng: np.random.Generator) -> list[Integers]:
    """In which turn each of so many copies is planted, for every repeat."""
    return [rng.permutation(count) for _ in range(REPEATS)]


def _limit(scores: Scores, planted: Planted, trial: Trial, turns: Sequence[Integers]) -> int | None:
    """Bisection: the repeats plant nested sets, and more copies are never harder to find."""
    low, high = 0, min(search_limit(scores.members), planted.count)
    if not always_found(scores, planted, turns, high, trial):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if always_found(scores, planted, turns, middle, trial):
            high = middle
        else:
            low = middle
    return high


def always_found(scores: Scores, planted: Planted, turns: Iterable[Integers], copies: int, trial: Trial) -> bool:
    """Whether T2 finds the first `copies` of every turn; each turn orders the prepared copies (count,)."""
    labels = as_labels(scores.non_member)
    for turn in turns:
        statistic = near_copy_statistic(scores, with_copies(scores, planted, turn < copies))
        if not is_significant(statistic, labels, trial):
            return False
    return True


def with_copies(scores: Scores, planted: Planted, present: Flags) -> dict[str, Floats]:
    """Every space's scores (P,) with some of the copies, bool (count,), in the synthetic set."""
    return {name: planted.changes[name].planted(each.patient, present) for name, each in scores.spaces.items()}
