"""Can real and synthetic images be told apart? A small network tries, on images that it never saw.

The classifier two-sample test (Lopez-Paz and Oquab 2017, "Revisiting classifier two-sample tests"): a network learns
to separate the two, and its accuracy on held-back images is the figure. 50 % is a coin: to this network, synthetic
images are as good as real ones. 100 % is always told apart, be it by grain that no eye sees. Other numbers of
likeness compare sets in features which forgive what they never learned to look at; this network learns what differs.
It is asked twice: with every detail, and with shapes and shading alone, because wrong grain alone gives all away.

Each patient gives one image, so that images are independent, and is on one side of the split alone. Every part holds
as many real images as synthetic ones, of every class, so that neither classes nor shares tell anything. When to stop
is decided on a part of its own. The reference is the same of real patients whom a lot divides in two: near 50 %, or
the method errs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from privgan.arrays import Integers
from privgan.language import kept, to_tr, tr
from privgan.progress import Progress, silent
from privgan_audits.evidence.interface import Sample
from privgan_audits.questions.utility import classifier
from privgan_audits.questions.utility.classifier import Classifier, Lessons, Look, learning
from privgan_audits.questions.utility.details import all_detail, shapes_alone
from privgan_audits.questions.utility.drawing import Gathered, Shown, class_name, drawn
from privgan_audits.stats.statistics import wilson_interval

LARGEST = 4_000  # images a side
FEWEST = 50  # images a side, below which nothing can be learned from them
FEWEST_EXAMINED = 20  # images of a class on each side, below which nothing is said of it
LOOKS: Mapping[str, Look] = {"all": all_detail, "shapes": shapes_alone}
_TASKS = to_tr({"all": "telling images apart by all", "shapes": "telling images apart by shapes"})
LEARNED, EXAMINED = 1 / 2, 1 / 3  # of the images; the rest decides when to stop
CHECK = 40  # steps between looks at that rest
PATIENCE = 4  # looks without progress, after which learning ends
_Z = 1.96  # of a 95 % interval
_Told = tuple[Integers, Integers]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pairs:
    """A real and another image of the same class each. first, second: n images; labels: int64 (n,)."""

    first: Gathered
    second: Gathered
    labels: Integers

    def some(self, rows: Integers) -> "_Pairs":
        return _Pairs(first=self.first.some(rows), second=self.second.some(rows), labels=self.labels[rows])

    def lessons(self) -> Lessons:
        """Both sides of every pair, named 0 and 1."""
        count = 2 * len(self.labels)
        return Lessons(
            images=self.first.followed_by(self.second),
            labels=np.arange(count) // len(self.labels),
            weights=np.full(count, 1 / count),
        )


def measure_realism(
    real: Sample,
    synthetic: Sample,
    classes: tuple[str, ...],
    rng: np.random.Generator,
    progress: Progress = silent,
) -> dict[str, Any]:
    """How often real and synthetic images are told apart, and real ones from those of other patients.

    Args:
        real: of whatever patients; they are split here.
        synthetic: each image somebody's only one.
        classes: their names.
        rng: all chance comes from here.
        progress: listener.

    Returns:
        `images` a side; `all`, `shapes` and by name `classes`: accuracy and interval, `synthetic` and `reference`,
        with the number of images `examined`; or `reason` where there are too few images.
    """
    of_real, of_synthetic, of_lot = rng.spawn(3)  # the reference is the same beside every synthetic set
    people, other = _one_each(real, of_real), _one_each(synthetic, of_synthetic)
    first, second = np.array_split(of_lot.permutation(len(people.images)), 2)
    sides = {
        "synthetic": (of_synthetic, _paired(people, other, of_synthetic)),
        "reference": (of_lot, _paired(people.some(first), people.some(second), of_lot)),
    }
    images = {name: len(pairs.labels) for name, (_, pairs) in sides.items()}
    if min(images.values()) < FEWEST:
        return {"reason": kept("there are fewer than {least} images on one of the sides", least=FEWEST)}
    found = {
        look: {name: _told_apart(pairs, look, chance, progress) for name, (chance, pairs) in sides.items()}
        for look in LOOKS
    }
    labels = np.unique(people.labels)
    of_class = {class_name(classes, int(label)): _of_class(found["all"], int(label)) for label in labels}
    return {
        "images": images,
        **{look: {name: _estimate(right) for name, (right, _) in told.items()} for look, told in found.items()},
        "classes": {name: told for name, told in of_class.items() if told and len(labels) > 1},
    }


def _one_each(sample: Sample, rng: np.random.Generator) -> Shown:
    """A random image of each patient."""
    return Shown.of(sample, drawn(sample, rng, patients=len(sample.images), each=1))


def _paired(first: Shown, second: Shown, rng: np.random.Generator) -> _Pairs:
    """As many random images of each class as both sides have, `LARGEST` at most, in random order."""
    rows = [np.empty((0, 2), np.int64)]
    for label in np.intersect1d(first.labels, second.labels):
        sides = [rng.permutation(np.flatnonzero(side.labels == label)) for side in (first, second)]
        fewer = min(map(len, sides))
        rows.append(np.stack([side[:fewer] for side in sides], axis=1))
    one, other = rng.permutation(np.concatenate(rows))[:LARGEST].T
    return _Pairs(first=first.images.some(one), second=second.images.some(other), labels=first.labels[one])


def _told_apart(pairs: _Pairs, look: str, rng: np.random.Generator, progress: Progress) -> _Told:
    """Of each held-back pair, how many of its two images are called rightly, and its class."""
    count = len(pairs.labels)
    ends = [round(LEARNED * count), round((1 - EXAMINED) * count)]
    lesson, choice, held = (pairs.some(part) for part in np.split(np.arange(count), ends))
    network = _learned(lesson.lessons(), choice.lessons(), look, rng, progress)
    exam = held.lessons()
    right = network.probabilities(exam.images).argmax(axis=1) == exam.labels
    return right.reshape(2, -1).sum(axis=0), held.labels


def _learned(lesson: Lessons, choice: Lessons, look: str, rng: np.random.Generator, progress: Progress) -> Classifier:
    """The network as it was when it did best on what it did not learn from."""
    task, best, stale = tr(_TASKS[look]), np.inf, 0
    seen: list[Tensor] = []
    for step, network in enumerate(learning(lesson, 2, rng, LOOKS[look], steps=classifier.STEPS), start=1):
        if step % CHECK and step < classifier.STEPS:
            continue
        progress(task, step, classifier.STEPS)
        seen = seen or network.seen(choice.images)
        doubt = _doubt(network, seen, choice.labels)
        stale += 1
        if not doubt >= best:
            best, stale, kept = doubt, 0, network.as_it_is()
        if stale == PATIENCE:
            progress(task, classifier.STEPS, classifier.STEPS)
            break
    return kept


def _doubt(network: Classifier, seen: Iterable[Tensor], labels: Integers) -> float:
    """The mean cross-entropy, which sees progress before the accuracy does."""
    chances = network.chances(seen)[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chances, 1e-12)).mean())


def _of_class(told: Mapping[str, _Told], label: int) -> dict[str, Any]:
    """Of one class, where both comparisons examined enough of it; empty otherwise."""
    right = {name: of_pair[labels == label] for name, (of_pair, labels) in told.items()}
    if min(map(len, right.values())) < FEWEST_EXAMINED:
        return {}
    return {name: _estimate(values) for name, values in right.items()}


def _estimate(right: Integers) -> dict[str, float]:
    """The accuracy on pairs (n,), of which 0, 1 or 2 images were called rightly, with Wilson's interval."""
    examined = 2 * len(right)
    share = float(right.sum() / examined)
    low, high = wilson_interval(share, examined, _Z)
    return {"value": share, "low": low, "high": high, "examined": examined}
