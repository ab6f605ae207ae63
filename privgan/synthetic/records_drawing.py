"""Records of nobody: drawn from the table that a run released, given the class of each image.

Each is a function of the seed and of its own position alone. The images in one file are of one invented patient: what
is the same in all images of a patient is drawn once for them.
"""

from dataclasses import dataclass

import numpy as np

from privgan.arrays import Floats, Integers
from privgan.errors import UsageError
from privgan.records.condition import EVERYTHING, Condition
from privgan.records.facts import RecordsFacts
from privgan.records.rows import Records
from privgan.records.schema import Schema
from privgan.records.table import Table
from privgan.synthetic.dicom.form import DicomForm, files_of
from privgan.synthetic.seed import Seed
from privgan.synthetic.sequences import allowed_at_first, ordinal, through


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Of all records. where: see `records.condition`. sequence: the column through whose values each patient goes."""

    where: str = EVERYTHING
    sequence: str = ""


ANY = Wanted()


def drawn_records(
    table: Table | None, labels: Integers, classes: tuple[str, ...], form: DicomForm, wanted: Wanted, seed: Seed
) -> tuple[Records, RecordsFacts | None]:
    """A record for each image, and what a manifest says of them; without a table, records of no column.

    Args:
        table: the released one, if the run has one.
        labels: int64 (n,), in the set's order.
        classes: their names.
        form: of the DICOM files.
        wanted: what is asked of all records.
        seed: of the set.

    Raises:
        UsageError: what is asked for is unknown, or too rare among a class's patients to be drawn from; or the run
            has no records, or all images would be of one patient.
    """
    if table is None:
        if wanted != ANY:
            raise UsageError(
                "Expected --where and --sequence of a run with records, this one has none. Prepare a cohort with "
                "declared columns and train again."
            )
        return Records.none(len(labels)), None
    if form.one_study:
        raise UsageError(
            "Expected --one-study of a run without records: all images of such a set are of one invented patient, "
            "whose records would contradict each other."
        )
    condition, sequence = Condition.parse(wanted.where, table.schema), wanted.sequence
    allowed = allowed_at_first(condition, sequence)
    for label in np.unique(labels).tolist():
        _require_common(table, label, classes[label], condition, allowed)
    records = _drawn(table, labels, form.frames, condition, sequence, seed)
    return records, RecordsFacts.of(table, condition, sequence)


def _drawn(table: Table, labels: Integers, frames: int, condition: Condition, sequence: str, seed: Seed) -> Records:
    parts = np.stack([_parts(seed, position, 1 + len(table.columns)) for position in range(len(labels))])
    codes = _codes(table, labels, frames, condition, allowed_at_first(condition, sequence), parts[:, 0])
    if sequence:
        codes = through(codes, table.schema, sequence)
        visits = len(ordinal(table.schema, sequence).values)
        parts = np.repeat(parts[::visits], visits, axis=0)  # numbers within their bands do not change either
    first = np.concatenate([np.full(len(images), images.start) for images in files_of(labels, frames)])
    columns = [
        column.cells(codes[:, n], parts[first if column.per_patient else ..., 1 + n], condition.span(column))
        for n, column in enumerate(table.schema.columns)
    ]
    return Records(codes=codes, cells=np.array(columns, dtype=np.str_).T)


def _codes(
    table: Table, labels: Integers, frames: int, condition: Condition, allowed: list[Floats], parts: Floats
) -> Integers:
    codes = np.empty((len(labels), len(table.columns)), dtype=np.int64)
    firsts = np.array([images.start for images in files_of(labels, frames)])
    for label in np.unique(labels):
        rows = firsts[labels[firsts] == label]
        codes[rows] = table.codes(table.given(int(label), allowed), parts[rows])
    for images in files_of(labels, frames):
        if len(images) > 1:
            same = _of_patient(table.schema, condition, codes[images.start])
            rest = np.arange(images.start + 1, images.stop)
            codes[rest] = table.codes(table.given(int(labels[images.start]), same), parts[rest])
    return codes


def _of_patient(schema: Schema, condition: Condition, codes: Integers) -> list[Floats]:
    """What is allowed of another image of a patient with this record."""
    return [
        np.eye(column.levels)[code] if column.per_patient else allowed
        for column, allowed, code in zip(schema.columns, condition.allowed, codes.tolist(), strict=True)
    ]


def _require_common(table: Table, label: int, name: str, condition: Condition, allowed: list[Floats]) -> None:
    """Of fewer patients than the noise may have invented, nothing can be said, and so nothing drawn."""
    count, least = table.members * float(table.given(label, allowed).sum()), 2 * table.error_of(allowed)
    if count < least and condition.text:
        raise UsageError(
            f"Expected --where to ask for more than noise: of class {name!r} about {count:.0f} of "
            f"{table.members:,} patients fit {condition.text}, and up to {least:.0f} may be noise. Ask for a wider "
            "range or fewer columns, or leave that class out with --classes."
        )
    if count < least:
        raise UsageError(
            f"Expected --sequence of classes whose patients have such values: of class {name!r} about {count:.0f} of "
            f"{table.members:,} patients have one, and up to {least:.0f} may be noise. Leave that class out with "
            "--classes."
        )


def _parts(seed: Seed, position: int, count: int) -> Floats:
    """Uniform numbers (count,), at least 0 and below 1."""
    return np.asarray((seed.words("record", position, count) >> np.uint64(11)) * 2.0**-53, dtype=np.float64)
