"""Gathers what an audit may look at, from a cohort or from bare files.

What bare files say of patients beside their images is compared between members and non-members, and kept as digests
for the scan of the synthetic set, as `prepare` keeps a cohort's.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from privgan.data.cohort.classes import SMALLEST_CLASS
from privgan.data.cohort.cohort import MEMBER, NON_MEMBER, Cohort, open_cohort
from privgan.data.columns import Wanted, is_number
from privgan.data.identifiers import todays_dates
from privgan.dp.budget.ledger import Ledger
from privgan.kinds import RUN, require_kind
from privgan.language import to_tr
from privgan.progress import Progress, silent
from privgan.records.schema import NUMBER
from privgan.synthetic.synthetic_set import SyntheticSet
from privgan_audits.evidence.apart import apart
from privgan_audits.evidence.bands import Banding, banded, banding
from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.evidence.reading import (
    MEMBERS,
    NON_MEMBERS,
    SYNTHETIC_IMAGES,
    SYNTHETIC_SET,
    Form,
    Loaded,
    load,
    of_set,
    relabelled,
)
from privgan_audits.evidence.whose import Whose, identifiers_of, no_identifiers

UNCOUNTED = to_tr(
    "No cohort was named: if these are images of a cohort's patients, this look at them is not counted among the "
    "attempts on that cohort."
)
COUNTED = to_tr(
    "Files were compared, not the cohort that was named; this look counts among the attempts on that cohort."
)


def load_cohort_evidence(
    synthetic: Path, cohort: Path, run: Path | None = None, progress: Progress = silent
) -> Evidence:
    """Evidence against a prepared cohort, whose members were trained on.

    Raises:
        UsageError: a path is missing, or the synthetic images are of another size than the cohort's.
        IntegrityError: an edited cohort or set, or a ledger that belongs to another cohort.
        BudgetError: the ledger's chain is broken.
    """
    _require_run(run)
    opened = open_cohort(cohort)
    ledger = Ledger.of_cohort(opened.ledger_path, cohort_sha256=opened.sha256)
    wanted = Wanted(types=dict.fromkeys(_numbers(opened), NUMBER), anything=True)
    loaded = load(synthetic, SYNTHETIC_SET, Form.of(opened.images), progress, wanted=wanted)
    return _beside_cohort(loaded, synthetic, opened, ledger, run)


def opened_evidence(held: SyntheticSet, opened: Cohort, ledger: Ledger, run: Path) -> Evidence:
    """`load_cohort_evidence` of a set and a cohort that were opened, and so checked to the last byte, already.

    Raises:
        UsageError: the run is missing, or the synthetic images are of another size than the cohort's.
    """
    _require_run(run)
    return _beside_cohort(of_set(held, SYNTHETIC_SET, Form.of(opened.images)), held.folder, opened, ledger, run)


def _require_run(run: Path | None) -> None:
    if run is not None:
        require_kind(RUN, run)


def _numbers(cohort: Cohort) -> list[str]:
    """The columns that are numbers."""
    return [name for name, kind in cohort.facts.columns.items() if is_number(kind)]


def _beside_cohort(loaded: Loaded, synthetic: Path, opened: Cohort, ledger: Ledger, run: Path | None) -> Evidence:
    numbers = banding(opened.facts.columns, opened.columns, opened.patients)
    classes = _all_classes(loaded.classes, opened.facts.form.classes)
    sides = _sides(opened, classes, numbers)
    return Evidence(
        members=sides[0],
        non_members=sides[1] if opened.facts.non_members else None,
        synthetic=loaded.sample(classes, numbers=numbers),
        synthetic_folder=synthetic,
        synthetic_sha256=loaded.sha256,
        classes=classes,
        cohort=opened,
        ledger=ledger,
        claim=loaded.claim,
        run=run,
        notes=loaded.notes,
    )


def load_file_evidence(
    synthetic: Path,
    members: Path,
    non_members: Path | None,
    progress: Progress = silent,
    *,
    colour: bool = False,
    rehearses: Path | None = None,
) -> Evidence:
    """Evidence from files alone, for any generator; no claim of differential privacy can be checked.

    Images are compared in colour if that is asked for, or if the synthetic ones are a privgan set in colour; else
    colour becomes luminance. `rehearses` is the cohort whose patients the images are of: the look counts there, and
    its identifiers are searched for, too.

    Raises:
        UsageError: a path is missing, or a patient's number is among members and non-members.
        InputRejectedError: nothing readable in one of them.
        IntegrityError: an edited privgan set or cohort.
    """
    rehearsed = open_cohort(rehearses) if rehearses else None
    known = identifiers_of(rehearsed) if rehearsed else no_identifiers()
    ours, theirs = Whose(known), Whose(known)
    loaded = load(synthetic, SYNTHETIC_IMAGES, Form(colour=colour), progress)
    form = Form.of(loaded.images)
    trained = load(members, MEMBERS, form, progress, hear=ours.hear)
    others = load(non_members, NON_MEMBERS, form, progress, hear=theirs.hear) if non_members else None
    for side in (ours, theirs):
        side.finish()
    others = apart(trained, others, ours, theirs) if others else None
    classes = _all_classes(*(each.classes for each in (loaded, trained, others) if each))
    sides = (
        trained.sample(classes),
        others.sample(classes, int(trained.patients.max()) + 1) if others else None,
    )
    known.discard((*todays_dates(), *_public_classes(classes, [side for side in sides if side])))
    return Evidence(
        members=sides[0],
        non_members=sides[1],
        synthetic=loaded.sample(classes),
        synthetic_folder=synthetic,
        synthetic_sha256=loaded.sha256,
        classes=classes,
        claim=loaded.claim,
        rehearses=rehearsed,
        identifiers=known,
        numbered=trained.numbered and (others is None or others.numbered),
        notes=(*loaded.notes, *trained.notes, *(others.notes if others else ()), COUNTED if rehearses else UNCOUNTED),
    )


def _public_classes(classes: tuple[str, ...], sides: list[Sample]) -> Iterator[str]:
    """Names of classes that many patients share; what fewer have might be one of them."""
    for number, name in enumerate(classes):
        if sum(len(np.unique(side.patients[side.labels == number])) for side in sides) >= SMALLEST_CLASS:
            yield name


def _sides(cohort: Cohort, classes: tuple[str, ...], numbers: Banding) -> list[Sample]:
    """Members and non-members, whose images lie one after the other, so that all of them are no further copy."""
    parts, first = [np.asarray(cohort.rows(side)) for side in (MEMBER, NON_MEMBER)], 0
    images, sides = cohort.images[np.concatenate(parts)], []
    columns, codes = banded(cohort.columns, numbers), cohort.codes
    for rows in parts:
        sides.append(
            Sample(
                images=images[first : first + len(rows)],
                labels=relabelled(cohort.labels[rows], cohort.facts.form.classes, classes),
                patients=cohort.patients[rows],
                columns={name: column[rows] for name, column in columns.items()},
                codes=codes[rows],
            )
        )
        first += len(rows)
    return sides


def _all_classes(*lists: tuple[str, ...]) -> tuple[str, ...]:
    """The names of all lists, the first one's first: one label must mean the same on every side."""
    return tuple(dict.fromkeys(name for names in lists for name in names))
