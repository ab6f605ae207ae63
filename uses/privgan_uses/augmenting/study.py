"""Every arm learned several times from ever other few patients, and examined on the same held-back ones.

A repeat draws the few patients anew, begins with other random weights, and teaches all arms; so what arms differ by
in a repeat is paired. Whether the set helps is a matter of intervals: an arm with synthetic images must be better
than every arm without, beyond the interval of each difference.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from privgan.arrays import Floats
from privgan.images.augmentation import AugmentationSettings
from privgan.language import to_tr, tr
from privgan.progress import Progress, silent
from privgan_audits.evidence.interface import Sample
from privgan_audits.questions.utility.classifier import Classifier, Lessons, averaged, learning
from privgan_audits.questions.utility.examination import Examination
from privgan_uses.augmenting.arms import Arm
from privgan_uses.augmenting.design import AugmentDesign
from privgan_uses.augmenting.doubt import ERROR, Doubt
from privgan_uses.augmenting.lessons import as_seen, few, lessons_of

HELPS, HARMS, OPEN = "helps", "harms", "open"
AREA, RATE = "auc", "balanced_accuracy"
_LEARNING = to_tr("learning from few images")
_SEEDS = 2**31

Curves = dict[str, Floats]
"""Of one network by name: float64 (1 + resamples,)."""


@dataclass(frozen=True, kw_only=True)
class Sides:
    """own: patients to learn from. test: others, to be examined on. given: the released set. names: of the labels."""

    own: Sample
    test: Sample
    given: Sample
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What was reached by learning from so many patients of each class.

    images: of one's own by class, the mean over repeats. curves: of each arm by name, float64 (repeats, 1 +
    resamples).
    """

    patients: int
    images: tuple[float, ...]
    curves: Mapping[str, Curves]

    def to_json(self, arms: Sequence[Arm], names: Sequence[str]) -> dict[str, Any]:
        """`patients` of each class, `images` by class and `arms` by name: see `compared`."""
        images = dict(zip(names, self.images, strict=True))
        return {"patients": self.patients, "images": images, "arms": compared(arms, self.curves, names)}


def study(
    sides: Sides,
    design: AugmentDesign,
    changes: AugmentationSettings,
    rng: np.random.Generator,
    progress: Progress = silent,
) -> Iterator[Learned]:
    """One size after the other: every arm learned `design.repeats` times.

    Patients that are drawn, first weights and resamples depend on `rng` alone and not on which arms there are, so
    that arms of two studies with the same seed are paired, too.
    """
    seen = Sides(own=as_seen(sides.own), test=as_seen(sides.test), given=as_seen(sides.given), names=sides.names)
    exam = Examination.of(seen.test.labels, seen.test.patients, len(seen.names), rng)
    done = 0
    for size in design.sizes:
        curves: dict[str, list[Curves]] = {arm.name: [] for arm in design.arms}
        images = []
        for repeat in rng.spawn(design.repeats):
            own, first = few(seen.own, size, repeat), int(repeat.integers(_SEEDS))
            images.append(np.bincount(own.labels, minlength=len(seen.names)))
            for arm in design.arms:
                lessons = lessons_of(arm, own, seen.given, changes, repeat)
                network = _taught(lessons, len(seen.names), repeat, design.length(arm), first)
                curves[arm.name].append(_examined(exam, network.probabilities(seen.test.images), seen.names))
                done += 1
                progress(tr(_LEARNING), done, design.trainings)
        yield Learned(
            patients=size,
            images=tuple(np.mean(images, axis=0).tolist()),
            curves={name: _together(each) for name, each in curves.items()},
        )


def _taught(lessons: Lessons, classes: int, rng: np.random.Generator, steps: int, first: int) -> Classifier:
    for network in learning(lessons, classes, rng, averaged, steps=steps, first=first):
        learned = network
    return learned


def _examined(exam: Examination, chances: Floats, names: Sequence[str]) -> Curves:
    curves = exam.curves(chances)
    by_class = dict(zip(names, exam.sensitivities(chances), strict=True))
    return {
        AREA: curves[AREA].values,
        RATE: curves[RATE].values,
        **{_of_class(name): curve.values for name, curve in by_class.items()},
    }


def _together(repeats: Sequence[Curves]) -> Curves:
    """The curves of several networks by name: float64 (networks, 1 + resamples)."""
    return {name: np.stack([curves[name] for curves in repeats]) for name in repeats[0]}


def compared(arms: Sequence[Arm], found: Mapping[str, Curves], names: Sequence[str]) -> dict[str, Any]:
    """What each arm reaches, and of arms with synthetic images whether they help.

    Returns:
        By arm `auc`, `balanced_accuracy` and `sensitivity` by class with 95 % intervals; of arms with synthetic
        images also `difference` (of the AUC, `to` the best arm without), `twins` (the same by name, to those that
        are studied as long) and `answer`: helps, harms or open.
    """
    without = [arm.name for arm in arms if not arm.synthetic]
    best = max(without, key=lambda name: float(found[name][AREA][:, 0].mean()))
    told: dict[str, Any] = {}
    for arm in arms:
        own = found[arm.name]
        told[arm.name] = {
            AREA: Doubt.of(own[AREA]).to_json(),
            RATE: Doubt.of(own[RATE]).to_json(),
            "sensitivity": {name: Doubt.of(own[_of_class(name)]).to_json() for name in names},
        }
        if arm.synthetic:
            apart = {name: Doubt.of(own[AREA] - found[name][AREA]) for name in without}
            twins = {each.name: apart[each.name] for each in arms if each.name in apart and each.length == arm.length}
            told[arm.name] |= {
                "difference": {"to": best, **apart[best].to_json(-1.0)},
                "twins": {name: doubt.to_json(-1.0) for name, doubt in twins.items()},
                "answer": _answer(apart, twins or apart),
            }
    return told


def _answer(apart: Mapping[str, Doubt], twins: Mapping[str, Doubt]) -> str:
    """Better than every arm without; or worse than one that was studied as long, which had as many chances as twins.

    Against arms that were studied longer an arm would be told to harm for want of study.
    """
    if all(doubt.low > 0 for doubt in apart.values()):
        return HELPS
    return HARMS if any(doubt.value + doubt.reach(ERROR / len(twins)) < 0 for doubt in twins.values()) else OPEN


def _of_class(name: str) -> str:
    return f"sensitivity of {name}"
