"""The limit of detection: how few copied patients would this very audit have found?

Copies of members are planted into the synthetic set, plain or disguised, and T2 is asked again in all its spaces.
Nothing is searched twice: the distances of every real image to a pool of prepared copies are measured once, as far
as T2 could ever look (`Front`), and each repeat only takes minima over the copies that it plants. T1 does not take
part, because one changed pixel blinds it; T3 does not either, because so few patients cannot move it beyond its
thresholds.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from privgan.arrays import Flags, Floats, Images, Integers
from privgan.language import tr
from privgan.memory import hand_back_freed_memory
from privgan.progress import Progress, silent
from privgan_audits.questions.controls.disguises import disguised, disguises_of
from privgan_audits.questions.controls.rule import search_limit
from privgan_audits.questions.scores import Scores, SpaceScores, score_of
from privgan_audits.spaces.space import Met
from privgan_audits.stats.pools import as_labels
from privgan_audits.stats.relabelling import (
    HITS_WEIGH,
    NearCopyStatistic,
    Trial,
    depth,
    is_significant,
    precedence_ps,
)
from privgan_audits.stats.statistics import near_copy_ranks

REPEATS = 59  # all found: the power is above 95 % with 95 % confidence, because 0.95^59 < 0.05
_HELD = 1 << 28  # bytes of planted copies; what is more is planted in several rounds
_POOL = 3  # copies prepared per copy that is ever planted at once
_ROUNDING = 1e-9  # of a distance; who is looked at is decided by scores, which are quotients


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
    """Prepared copies, each of another patient, and what they change in each space, by name.

    left_out: spaces that say nothing of them, see LensSpace.
    """

    count: int
    changes: dict[str, Changes]
    left_out: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class _Head:
    """The head of the patients' order in one space, with all whom any copy would bring there.

    patient: int64 (k,), the closest first; somebody may stand there more than once. copy: what brings each there, and
    the number of copies for those who are ahead by themselves, (k,).
    """

    patient: Integers
    copy: Integers

    def order(self, present: Flags, patients: int) -> Integers:
        """The head when the copies are in the set for which `present`, bool (count + 1,), is true; its last is."""
        found = self.patient[present[self.copy]]
        turn, first = np.arange(len(found)), np.empty(patients, np.int64)
        first[found[::-1]] = turn[::-1]  # of those who stand there more than once, the first remains
        return np.asarray(found[first[found] == turn])


@dataclass(frozen=True, kw_only=True, eq=False)
class Front:
    """The patients whom T2 ever looks at, however many copies are planted, and what it says of them.

    Copies only bring patients forward, and T2 counts up to a few non-members: those who are far behind, and stay
    there, decide nothing, neither of the set nor of a relabelling that is as rare as `trial` asks for.

    scores, trial: of the set as it is. place: of each patient in the canonical order (P,). farthest: in each space,
    the score beyond which nobody is looked at. ahead: in each space that ranks, the patients who are not beyond it.
    """

    scores: Scores
    trial: Trial
    place: Integers
    farthest: Mapping[str, float]
    ahead: Mapping[str, Integers]

    @classmethod
    def of(cls, scores: Scores, trial: Trial) -> "Front":
        """What is looked at in a test of this level, whatever else takes part in it."""
        parts = len(scores.ranked) + HITS_WEIGH * len(scores.counted) + (trial.others.parts if trial.others else 0.0)
        least = depth(scores.members, scores.non_members, trial.level / parts)
        last = max(near_copy_ranks(scores.non_members))
        farthest, ahead = {}, {}
        for name, each in scores.ranked.items():
            order = scores.closest_first(each.patient)
            count = max(least, 1 + int(np.flatnonzero(scores.non_member[order])[last - 1]))
            farthest[name] = float(each.patient[order[min(count, len(order)) - 1]])
            ahead[name] = order[each.patient[order] <= farthest[name]]
        counted = {name: float(each.hit_limit or 0.0) for name, each in scores.counted.items()}
        return cls(scores=scores, trial=trial, place=scores.place, farthest={**farthest, **counted}, ahead=ahead)

    def limits(self, name: str) -> Floats:
        """How close a copy must come to each real image, at most, to change anything in a space: (n,)."""
        scores = self.scores
        each = scores.spaces[name]
        worth = np.minimum(each.patient, self.farthest[name])[scores.owner]
        distance = worth * each.reference if each.hit_limit is None else worth
        return np.where(scores.flat, 0.0, np.minimum(each.closest.distance, distance * (1 + _ROUNDING)))

    def heads(self, planted: "Planted") -> Mapping[str, _Head]:
        """Of each space that ranks, those first in which most would change."""
        names = sorted(self.ahead, key=lambda name: -len(planted.changes[name].copy))
        return {name: self._head(name, planted.changes[name], planted.count) for name in names}

    def finds(self, planted: "Planted", present: Flags, heads: Mapping[str, _Head]) -> bool:
        """Whether T2 sees that those copies are in the set for which `present`, bool (count,), is true."""
        scores, changes, trial = self.scores, planted.changes, self.trial
        labels = as_labels(scores.non_member)
        hits = [each.hits(changes[name].planted(each.patient, present)) for name, each in scores.counted.items()]
        parts = NearCopyStatistic(orders=list(self.ahead.values()), hits=hits).parts
        parts += trial.others.parts if trial.others else 0.0
        orders, there = [], np.append(present, True)
        for head in heads.values():
            orders.append(head.order(there, len(self.place)))
            if parts * precedence_ps(orders[-1], labels)[0] < trial.level:
                return True  # so is the smallest p-value of all spaces: the others need not be asked
        return is_significant(NearCopyStatistic(orders=orders, hits=hits), labels, trial)

    def _head(self, name: str, changes: "Changes", copies: int) -> _Head:
        near, ahead = changes.score <= self.farthest[name], self.ahead[name]
        patient = np.concatenate([ahead, changes.patient[near]])
        score = np.concatenate([self.scores.spaces[name].patient[ahead], changes.score[near]])
        order = np.lexsort((self.place[patient], score))
        copy = np.concatenate([np.full(len(ahead), copies), changes.copy[near]])
        return _Head(patient=patient[order], copy=copy[order])


@dataclass(frozen=True, kw_only=True)
class Detected:
    """From how many copies on each disguise is found.

    limits: None where even `search_limit` copies were missed in one of the REPEATS. left_out: of how many disguises a
    space said nothing, by its name; see LensSpace.
    """

    limits: Mapping[str, int | None]
    left_out: Mapping[str, int]


def limits_of_detection(
    scores: Scores,
    images: Images,
    others: Images,
    trial: Trial,
    rng: np.random.Generator,
    progress: Progress = silent,
) -> Detected:
    """The smallest number of distinct copied members that T2 finds in every repeat, per disguise.

    Args:
        scores: of the set as it is.
        images: the members' images, uint8 (n, h, h, c), in the order of the scores.
        others: images of nobody, onto which parts of copies are put: the set's own.
        trial: of significance; beside others, the groups within which T2 looks, too.
        rng: draws which members, which images and which noise.
        progress: listener.

    """
    rows = chosen_images(scores, rng)
    disguises = disguises_of(images)
    limits: dict[str, int | None] = dict.fromkeys(disguises)
    left_out = Counter[str]()
    if not len(rows):
        return Detected(limits=limits, left_out=left_out)
    front, names = Front.of(scores, trial), list(disguises)
    some = max(1, _HELD // (len(rows) * images[0].nbytes))  # kinds whose copies are held at once
    for start in range(0, len(names), some):
        group, turns = names[start : start + some], []
        every = np.empty((len(group), len(rows), *images.shape[1:]), np.uint8)
        for copies, name in zip(every, group, strict=True):
            copies[:] = disguised(images[rows], others, disguises[name], rng)
            turns.append(_turns(len(rows), rng))
        planted = plant_sets(scores, list(every), front, progress, last=start + some >= len(names))
        for name, copies, taken in zip(group, planted, turns, strict=True):
            limits[name] = _limit(front, copies, taken)
            left_out.update(copies.left_out)
            progress(tr("limit of detection"), names.index(name) + 1, len(names), name)
    return Detected(limits=limits, left_out=left_out)


def chosen_images(scores: Scores, rng: np.random.Generator) -> Integers:
    """One random image of each of some random members, without constant ones; rows of the members' images."""
    rows = np.flatnonzero(~scores.non_member[scores.owner] & ~scores.flat)
    rows = rng.permutation(rows)
    first = np.unique(scores.owner[rows], return_index=True)[1]
    return rng.permutation(rows[first])[: _POOL * search_limit(scores.members)]


def plant(scores: Scores, copies: Images) -> Planted:
    """Measure copies as the audit would, in every space: only those that beat the set's own images are kept."""
    return plant_sets(scores, [copies])[0]


def plant_sets(
    scores: Scores,
    sets: Sequence[Images],
    front: Front | None = None,
    progress: Progress = silent,
    *,
    last: bool = False,
) -> list[Planted]:
    """`plant` several sets, space by space: what a search makes of the real images serves all of them.

    Given a front, only what it looks at is measured. last: nobody will look through these spaces again, and each lets
    go of what it holds.
    """
    changes: list[dict[str, Changes]] = [{} for _ in sets]
    left_out: list[list[str]] = [[] for _ in sets]
    for done, (name, each) in enumerate(scores.spaces.items()):
        progress(tr("planting copies"), done, len(scores.spaces), tr(name))
        limits = front.limits(name) if front else each.closest.distance
        for of_set, silent_on, met in zip(changes, left_out, each.space.met(sets, each.closest, limits), strict=True):
            of_set[name] = _changes(scores, each, met)
            if met.left_out:
                silent_on.append(name)
        if last:
            each.space.forget()
        hand_back_freed_memory()
    progress(tr("planting copies"), len(scores.spaces), len(scores.spaces))
    return [
        Planted(count=len(copies), changes=of_set, left_out=silent_on)
        for copies, of_set, silent_on in zip(sets, changes, left_out, strict=True)
    ]


def _changes(scores: Scores, each: SpaceScores, met: Met) -> Changes:
    score = score_of(met.distance, each.reference[met.real], each.hit_limit)
    patient = scores.owner[met.real]
    better = (score < each.patient[patient]) & ~scores.flat[met.real]
    return Changes(patient=patient[better], copy=met.copy[better], score=score[better])


def limit(front: Front, planted: Planted, rng: np.random.Generator) -> int | None:
    """The smallest number of these copies that T2 finds in every repeat, or None."""
    return _limit(front, planted, _turns(planted.count, rng))


def _turns(count: int, rng: np.random.Generator) -> list[Integers]:
    """In which turn each of so many copies is planted, for every repeat."""
    return [rng.permutation(count) for _ in range(REPEATS)]


def _limit(front: Front, planted: Planted, turns: Sequence[Integers]) -> int | None:
    """Bisection: the repeats plant nested sets, and more copies are never harder to find."""
    low, high = 0, min(search_limit(front.scores.members), planted.count)
    if not always_found(front, planted, turns, high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if always_found(front, planted, turns, middle):
            high = middle
        else:
            low = middle
    return high


def always_found(front: Front, planted: Planted, turns: Iterable[Integers], copies: int) -> bool:
    """Whether T2 finds the first `copies` of every turn; each turn orders the prepared copies (count,)."""
    heads = front.heads(planted)
    return all(front.finds(planted, turn < copies, heads) for turn in turns)
