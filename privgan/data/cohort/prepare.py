"""From a source to a cohort: read everything once, decide who is who, write what training and audits will read."""

import math
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import compress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from privgan import __version__
from privgan.checks import require_names
from privgan.data.cohort.classes import require_common
from privgan.data.cohort.cohort import MEMBER, NON_MEMBER, CohortFacts, digested_files, hounsfield, write_facts
from privgan.data.cohort.collect import Collected, collect
from privgan.data.cohort.files import write_images, write_patients, write_refused
from privgan.data.cohort.journal import FILE as JOURNAL
from privgan.data.cohort.journal import ROWS, Journal
from privgan.data.cohort.options import (
    ACCEPT_BURNED_IN,
    ACCEPT_IDENTITY,
    ACCEPT_UNMATCHED,
    EACH_IMAGE_IS_A_PATIENT,
    PrepareOptions,
)
from privgan.data.cohort.people import People, decide_people
from privgan.data.cohort.persons import read_merged, read_withdrawn
from privgan.data.cohort.records import require_nobody_declared, settle
from privgan.data.cohort.sides import KEY_BYTES, assign_sides, write_sides
from privgan.data.columns import FILE as COLUMNS
from privgan.data.columns import write_columns
from privgan.data.declared import out_of_reach
from privgan.data.identifiers import require_nobody_named, todays_dates
from privgan.data.identity import objections
from privgan.data.naming import Names, names_of
from privgan.data.sources.opening import class_names, disagreement, open_source
from privgan.data.sources.source import Source
from privgan.errors import InputRejectedError, UsageError
from privgan.files import sha256_file, write_bytes
from privgan.folders import PRIVATE_FOLDER, list_files, require_space
from privgan.images.form import ImageForm
from privgan.interruption import StopRequest
from privgan.language import to_tr
from privgan.progress import Progress, silent
from privgan.records.schema import Schema

KEY = "private/hmac.key"

UNNUMBERED = (
    "Expected to be told whose each image is: there is no column patient in a label table beside the files, and no "
    "array patient_id in an .npz. A person with several images would be several patients, and protected as none of "
    "them. Name the table with --csv (columns file and patient), or say --each-image-is-a-patient if nobody has two "
    "images; it stands in red in every report."
)
Meet = Callable[[Sequence[frozenset[str]]], None]


def nobody(_: Sequence[frozenset[str]]) -> None:
    """Nobody outside the cohort remembers its members."""


def prepare(
    source: Path,
    folder: Path,
    options: PrepareOptions,
    progress: Progress = silent,
    *,
    meet: Meet = nobody,
    stop: StopRequest | None = None,
) -> CohortFacts:
    """Write a cohort, but for its ledger, into an existing folder: an empty one, or one that an interruption left.

    Args:
        source: a folder or an .npz file.
        folder: where to write.
        options: everything that was told.
        progress: told of every file.
        meet: told the numbers of every member patient, one set a person. Sensitive: it may keep digests only.
        stop: asked after every file whether to stop; what was read then stays in the folder, with patients' numbers.

    Raises:
        UsageError: the source or a table is missing, nobody says whose its images are, options do not fit it, a
            class has no short name or too many have one, declared columns are too many, the disk is too full, or what
            an interruption left belongs to another source, other options or another version.
        InputRejectedError: nothing readable, fewer than two patients, a found class of fewer than ten patients, no
            preset was named and the files disagree on it, one patient's header alone speaks against all others, or
            declared columns hold nothing, or who somebody is.
        PreemptedError, InterruptedRunError: `stop` asked for it.
    """
    origin = _opened(source, options)
    withdrawn, merged = read_withdrawn(options.exclude), read_merged(options.merge)
    key, shape = _key_of(folder), origin.recipe.shape
    with Journal(folder, shape, _bound(origin, options)) as journal:
        _require_space(folder, origin)
        found = collect(origin, journal, key, progress, stop)
    if reason := disagreement(origin, found.refused_by_code(), int((~found.left_aside).sum())):
        raise InputRejectedError(reason)
    people = decide_people(found, withdrawn, merged, options.join)
    _check_numbers(origin, people, options)
    people, columns, told = settle(found, people, origin.columns)
    labels = list(compress(found.labels, people.kept))
    classes = _classes(labels, people, origin, options)
    sides = _sides(key, people, options.non_members)
    names = _names(options, origin, found, people)
    write_images(folder / ROWS, folder / "images.npy", people.kept, shape)
    write_patients(folder / "patients.npz", people, labels, classes, sides)
    write_columns(folder / COLUMNS, columns)
    write_refused(folder / "refused.jsonl", found.refused)
    _write_digests(folder, found, options, origin, _public_words(options, origin, names, classes))
    write_sides(folder, key, people.spellings, sides.tolist())
    meet([people.spellings[person] for person in np.flatnonzero(sides == MEMBER)])
    journal.discard()
    facts = replace(
        _facts(folder, options, origin, found, people, _form(origin, names, classes), sides),
        notes=(*origin.notes(found.seen), *people.notes(numbered=origin.numbered), *names.notes, *told),
    )
    write_facts(folder, facts)
    return facts


def _write_digests(
    folder: Path, found: Collected, options: PrepareOptions, origin: Source, public: Sequence[str]
) -> None:
    """Of everything that could name a patient, which the project's own words must not."""
    require_nobody_declared(Schema.of(origin.columns), found.digests)
    found.digests.discard(public)
    require_nobody_named(found.digests, title=options.title, contact=options.contact)
    found.digests.write(folder / "private" / "identifiers")


def _opened(source: Path, options: PrepareOptions) -> Source:
    """The source, of which somebody knows whose each image is, or says that nobody has two."""
    origin = open_source(source, options.reading)
    if not (origin.numbered or options.each_image_is_a_patient):
        raise UsageError(UNNUMBERED)
    return origin


def _classes(labels: list[str], people: People, origin: Source, options: PrepareOptions) -> tuple[str, ...]:
    """Names that may be said, few enough for a table of them and of the declared columns."""
    classes = class_names(labels, origin.declared)
    require_names(classes, what=to_tr("class names"), typed=bool(options.reading.classes))
    if not origin.declared:
        require_common(labels, people.persons)
    if reason := out_of_reach(origin.columns, len(classes)):
        raise UsageError(reason)
    return classes


def _require_space(folder: Path, origin: Source) -> None:
    """Twice the pixels: rows as they come, then the rows that stay; and some hundred bytes a row for the rest."""
    needed = origin.total * (2 * math.prod(origin.recipe.shape) + 4096)
    require_space(folder, needed - (folder / ROWS).stat().st_size)


def _names(options: PrepareOptions, origin: Source, found: Collected, people: People) -> Names:
    """What the images of all who stay are called."""
    said = list(compress(found.said, people.kept))
    names = names_of(options.reading.selection, origin.recipe.rule, said, people.persons.tolist())
    if names.doubt:
        raise InputRejectedError(names.doubt)
    return names


def _key_of(folder: Path) -> bytes:
    """A new cohort's key, or that of an interrupted one, of which everything else but the journal is made anew."""
    kept = {folder / name for name in (KEY, JOURNAL, ROWS)}
    if (folder / JOURNAL).is_file():
        for path in list_files(folder):
            if path not in kept:
                path.unlink()
        return (folder / KEY).read_bytes()
    (folder / "private").mkdir(mode=PRIVATE_FOLDER)
    key = secrets.token_bytes(KEY_BYTES)
    write_bytes(folder / KEY, key)
    return key


def _bound(origin: Source, options: PrepareOptions) -> dict[str, str]:
    """What must not change between two halves of one reading."""
    named = to_tr(("privgan's version", "the source's files and tables", "the options"))
    return dict(zip(named, (__version__, origin.fingerprint(), options.fingerprint()), strict=True))


def _check_numbers(origin: Source, people: People, options: PrepareOptions) -> None:
    """Whoever withdrew must be found, and every number must be one person, unless somebody says otherwise."""
    if people.unmatched and not options.accept_unmatched:
        raise UsageError(
            f"Expected every withdrawn key to be a patient's who was read, {people.unmatched} match nobody"
            f"{f'; {people.near_misses} would but for case, blanks or leading zeros' if people.near_misses else ''}. "
            "Write them as the source does, or accept with --accept-unmatched that they are not in it."
        )
    if origin.numbered and (reason := objections(people.findings, options.accept_identity)):
        raise InputRejectedError(reason)


def _sides(key: bytes, people: People, non_members: float) -> NDArray[np.uint8]:
    """The side of every person, of whom there must be somebody to learn from and somebody else."""
    sides = assign_sides(key, people.keys, non_members)
    count, members = len(people.keys), int((sides == MEMBER).sum())
    if count < 2 or not members:
        raise InputRejectedError(
            f"Expected at least two patients and, by lot, one member among them, got {count} patients with {members} "
            "members. Prepare a larger source: so few patients protect nobody."
        )
    return sides


def _public_words(options: PrepareOptions, origin: Source, names: Names, classes: tuple[str, ...]) -> tuple[str, ...]:
    """Words that outputs carry by design, today's date among them."""
    asked = options.reading.selection
    declared = (word for column in Schema.of(origin.columns).columns for word in (column.name, *column.values))
    typed = (*classes, *asked.modalities, *asked.body_parts, *declared)
    return (*typed, *todays_dates(), origin.recipe.preset, names.modality, names.body_part)


def _form(origin: Source, names: Names, classes: tuple[str, ...]) -> ImageForm:
    """What is public about the images."""
    recipe = origin.recipe
    return ImageForm(
        side=recipe.size,
        channels=recipe.channels,
        classes=classes,
        modality=names.modality,
        body_part=names.body_part,
        window=hounsfield(recipe.preset, names.modality, recipe.limits),
        each_image_is_a_patient=not origin.numbered,
    )


def _facts(
    folder: Path,
    options: PrepareOptions,
    origin: Source,
    found: Collected,
    people: People,
    form: ImageForm,
    sides: NDArray[np.uint8],
) -> CohortFacts:
    low, high = origin.recipe.limits
    return CohortFacts(
        cohort_id=secrets.token_hex(8),
        privgan_version=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        preset=origin.recipe.preset,
        window_low=low,
        window_high=high,
        form=form,
        patients=len(people.keys),
        members=int((sides == MEMBER).sum()),
        non_members=int((sides == NON_MEMBER).sum()),
        images=int(people.kept.sum()),
        non_member_fraction=options.non_members,
        merged_patients=people.merged,
        excluded_patients=people.withdrawn,
        refused=found.refused_by_code(),
        overrides=tuple(_overrides(options, people, numbered=origin.numbered)),
        digests={name: sha256_file(folder / name) for name in digested_files(origin.columns)},
        columns=origin.columns,
        title=options.title,
        contact=options.contact,
    )


def _overrides(options: PrepareOptions, people: People, *, numbered: bool) -> Iterator[str]:
    """Safeguards that were switched off and would have spoken."""
    if not numbered:
        yield EACH_IMAGE_IS_A_PATIENT
    if options.reading.selection.accept_burned_in:
        yield ACCEPT_BURNED_IN
    if people.unmatched:
        yield ACCEPT_UNMATCHED
    yield from (f"{ACCEPT_IDENTITY} {kind}" for kind in options.accept_identity if kind in people.findings)
