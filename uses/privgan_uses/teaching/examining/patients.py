"""Whom a classifier may be examined on, and what of it cannot be known.

The hospital whose set was learned from has patients whom the generator never saw: the non-members of that cohort, and
only they are asked. In another house every patient may be, as far as anybody can tell: that nobody of them was
treated in both houses no file says, because a cohort keeps no number that another house could compare.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from privgan.arrays import Images, Integers, Texts
from privgan.data.cohort.cohort import NON_MEMBER, Cohort
from privgan.errors import InputRejectedError, UsageError
from privgan.language import kept
from privgan.records.schema import Column
from privgan_audits.evidence.bands import banded, banding
from privgan_uses.acquainted import shaped_by
from privgan_uses.alike import require_alike
from privgan_uses.teaching.classifier import ClassifierFacts
from privgan_uses.teaching.lesson import known_labels

HELD_BACK, ALL = "held-back", "all"
WHOM = (HELD_BACK, ALL)
FEWEST = 10  # patients, below whom a rate says too little


@dataclass(frozen=True, kw_only=True, eq=False)
class Examined:
    """Real images to be examined on.

    images: uint8 (n, h, h, c). labels: int64 (n,), indices into the classifier's classes. patients: int64 (n,).
    columns: str (n,) by name, empty where nothing is known. whom: of WHOM. own: whether the set came from this
    cohort. unknown: images left out because nothing is known of the column. notes: sentences as they are written.
    """

    images: Images = field(repr=False)
    labels: Integers = field(repr=False)
    patients: Integers = field(repr=False)
    columns: Mapping[str, Texts] = field(repr=False)
    whom: str
    own: bool
    unknown: int
    notes: tuple[str, ...]


def examined(cohort: Cohort, facts: ClassifierFacts, whom: str | None) -> Examined:
    """The patients of a cohort whom a classifier may be examined on.

    Args:
        cohort: opened, and so checked.
        facts: of the classifier.
        whom: HELD_BACK or ALL; None for all that may be.

    Raises:
        UsageError: images of another size, colour, modality, body part or window; other classes; members were asked
            for whom the classifier may know.
        InputRejectedError: too few patients, or of one class only.
    """
    require_alike(cohort.facts.form, facts.form)
    own = any(shaped_by(cohort, facts.origins))
    if own and whom == ALL:
        raise UsageError(
            "Expected patients whom the model cannot know: its images came from members of this cohort. Leave out "
            "--on all, or say --on held-back."
        )
    chosen = whom or (HELD_BACK if own else ALL)
    rows = cohort.rows(NON_MEMBER) if chosen == HELD_BACK else np.arange(len(cohort.labels))
    labels = _labels(cohort, facts)[rows]
    rows, labels, unknown = rows[labels >= 0], labels[labels >= 0], int((labels < 0).sum())
    patients = len(np.unique(cohort.patients[rows]))
    if patients < FEWEST:
        raise InputRejectedError(f"Expected at least {FEWEST} patients to examine on, there are {patients}.")
    if len(np.unique(labels)) < 2:
        raise InputRejectedError("Expected patients of two classes or more to examine on, there is one.")
    return Examined(
        images=np.asarray(cohort.images[rows]),
        labels=labels,
        patients=cohort.patients[rows],
        columns=_columns(cohort, facts, rows),
        whom=chosen,
        own=own,
        unknown=unknown,
        notes=_notes(cohort, facts, own=own),
    )


def _labels(cohort: Cohort, facts: ClassifierFacts) -> Integers:
    """Of all images, (n,), in the classifier's order; -1 where nothing is known."""
    if facts.column:
        if cohort.facts.columns.get(facts.column) != facts.declaration:
            raise UsageError(
                f"Expected a cohort that declares the column {facts.column!r} as the model learned it, "
                f"{facts.declaration}. Prepare it with --columns {facts.column}:{facts.declaration}."
            )
        return known_labels(
            cohort.columns[facts.column].astype(np.str_), Column.parse(facts.column, facts.declaration)
        )
    names = cohort.facts.form.classes
    strange = sorted(set(names) - set(facts.classes))
    if strange:
        raise UsageError(
            f"Expected a cohort of the classes {', '.join(facts.classes)} alone, it has {', '.join(strange)}, too. "
            "Prepare it with the classes that the model knows."
        )
    return np.array([facts.classes.index(name) for name in names], dtype=np.int64)[cohort.labels]


def _columns(cohort: Cohort, facts: ClassifierFacts, rows: Integers) -> dict[str, Texts]:
    """Numbers in bands; never the column that is examined itself."""
    others = {name: values[rows] for name, values in cohort.columns.items() if name != facts.column}
    types = {name: cohort.facts.columns[name] for name in others}
    return banded(others, banding(types, others, cohort.patients[rows]))


def _notes(cohort: Cohort, facts: ClassifierFacts, *, own: bool) -> tuple[str, ...]:
    first = (
        kept(
            "The images that the model learned from were drawn after members of this very cohort; those here are "
            "the patients whom a lot held back, so that neither the generator nor the model has seen them."
        )
        if own
        else kept(
            "This is another cohort than the one that the model's images were drawn after. Whether somebody was a "
            "patient of both, or whether both were prepared from the same files, cannot be known from here: whoever "
            "knows that it is so must not believe these numbers."
        )
    )
    alone = kept(
        "Nobody said whose each image is, so that each counts as a patient of its own: where people have several, "
        "the intervals are too narrow."
    )
    unsaid = kept(
        "Of which modality and body part the images are is not said by both, the cohort and the model: whether the "
        "model knows such images at all has not been checked."
    )
    form = cohort.facts.form
    notes = {
        first: True,
        facts.sight: bool(facts.sight),
        unsaid: not all((*form.kind, *facts.form.kind)),
        alone: form.each_image_is_a_patient,
    }
    return tuple(note for note, holds in notes.items() if holds)
