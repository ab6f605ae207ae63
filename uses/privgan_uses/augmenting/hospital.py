"""A second hospital: a set that it received, and its own cohort, whose held-back patients say what the set is worth.

Its members are the patients to learn from, its non-members are examined on. Whoever made the set is no second
hospital: their members are in the set already.
"""

from dataclasses import replace

import numpy as np

from privgan.arrays import Integers
from privgan.data.cohort.cohort import MEMBER, NON_MEMBER, Cohort
from privgan.errors import UsageError
from privgan_audits.evidence.interface import Sample
from privgan_audits.questions.utility.teaching import EXAMINED, LEARNED
from privgan_uses.acquainted import shaped_by
from privgan_uses.alike import require_alike
from privgan_uses.augmenting.design import SIZES
from privgan_uses.augmenting.lessons import as_seen, few, patients_of, small
from privgan_uses.augmenting.study import Sides
from privgan_uses.released import Released

_AT_ONCE = 2_048  # images that are in memory at their own size
FEWEST_HELD_BACK = 10  # of each class, below which a rate of them says too little


def sides_of(given: Released, own: Cohort, rng: np.random.Generator) -> Sides:
    """Who learns, who is examined on, and the set; as small as the network sees them, and of many some.

    Raises:
        UsageError: the cohort made the set, has another form, or too few patients of a class.
    """
    if any(shaped_by(own, given.origins)):
        raise UsageError(
            "Expected a cohort of another hospital: this one made the set, and its members are in it already. "
            "What the set is worth to you is in the report of its audit."
        )
    require_alike(own.facts.form, given.form)
    names = given.form.classes
    if own.facts.form.classes != names:
        raise UsageError(
            f"Expected a cohort of the set's classes in their order, {', '.join(names)}. Prepare it with --classes."
        )
    if len(names) < 2:
        raise UsageError("Expected a set of two classes or more: what helps to tell them apart is asked.")
    learned, examined = (_sample(own, own.rows(side)) for side in (MEMBER, NON_MEMBER))
    received = as_seen(Sample(images=given.images, labels=given.labels, patients=-1 - np.arange(len(given.labels))))
    sides = Sides(
        own=learned,
        test=examined,
        given=received,
        names=names,
    )
    _require_enough(sides)
    return replace(
        sides, test=few(examined, EXAMINED // len(names), rng), given=few(received, LEARNED // len(names), rng)
    )


def sizes_of(sides: Sides, asked: tuple[int, ...]) -> tuple[int, ...]:
    """How many patients of each class to learn from: as asked; else the usual numbers, as far as there are so many.

    Raises:
        UsageError: there are fewer patients of a class than were asked for.
    """
    most = _fewest(sides.own, sides.names)
    if asked:
        _require_members(max(asked), most)
        return asked
    return tuple(size for size in SIZES if size <= most)


def _require_enough(sides: Sides) -> None:
    least, held_back = _fewest(sides.own, sides.names), _fewest(sides.test, sides.names)
    _require_members(SIZES[0], least)
    if held_back < FEWEST_HELD_BACK:
        raise UsageError(
            f"Expected at least {FEWEST_HELD_BACK} held-back patients of every class, one has {held_back}. Prepare "
            "the cohort with more --non-members."
        )
    if len(np.unique(sides.given.labels)) < len(sides.names):
        raise UsageError("Expected synthetic images of every class, of one there are none.")


def _require_members(count: int, least: int) -> None:
    if least < count:
        raise UsageError(f"Expected at least {count} patients of every class to learn from, one has {least}.")


def _fewest(sample: Sample, names: tuple[str, ...]) -> int:
    """Patients of the rarest class."""
    return min(len(patients_of(sample, label)) for label in range(len(names)))


def _sample(cohort: Cohort, rows: Integers) -> Sample:
    """Images of the cohort as the network sees them, some at a time, so that a large one fits into memory."""
    parts = np.array_split(rows, max(1, -(-len(rows) // _AT_ONCE)))
    return Sample(
        images=np.concatenate([small(cohort.images[part]) for part in parts]),
        labels=cohort.labels[rows],
        patients=cohort.patients[rows],
    )
