"""Records of nobody: drawn from the table that a run released, given the class of each image.

Each is a function of the seed and of its own position alone. The images in one file are of one invented patient: what
is the same in all images of a patient is drawn once for them.
"""

import numpy as np

from privgan.arrays import Floats, Integers
from privgan.errors import UsageError
from privgan.records.condition import Condition
from privgan.records.facts import RecordsFacts
from privgan.records.rows import Records
from privgan.records.schema import Schema
from privgan.records.table import Table
from privgan.synthetic.dicom.form import DicomForm, files_of
from privgan.synthetic.seed import Seed


def drawn_records(
    table: Table | None, labels: Integers, classes: tuple[str, ...], form: DicomForm, where: str, seed: Seed
) -> tuple[Records, RecordsFacts | None]:
    """A record for each image, and what a manifest says of them; without a table, records of no column.

    Args:
        table: the released one, if the run has one.
        labels: int64 (n,), in the set's order.
        classes: their names.
        form: of the DICOM files.
        where: what is asked of all records, see `records.condition`.
        seed: of the set.

    Raises:
        UsageError: what is asked for is unknown, or too rare among a class's patients to be drawn from; or the run
            has no records, or all images would be of one patient.
    """
    if table is None:
        if where:
            raise UsageError(
                "Expected --where of a run with records, this one has none. Prepare a cohort with declared columns "
                "and train again."
            )
        return Records.none(len(labels)), None
    if form.one_study:
        raise UsageError(
            "Expected --one-study of a run without records: all images of such a set are of one invented patient, "
            "whose records would contradict each other."
        )
    condition = Condition.parse(where, table.schema)
    for label in np.unique(labels).tolist():
        _require_common(table, label, classes[label], condition)
    return _drawn(table, labels, form.frames, condition, seed), RecordsFacts.of(table, condition)


def _drawn(table: Table, labels: Integers, frames: int, condition: Condition, seed: Seed) -> Records:
    parts = np.stack([_parts(seed, position, 1 + len(table.columns)) for position in range(len(labels))])
    codes = _codes(table, labels, frames, condition, parts[:, 0])
    columns = [
        column.cells(codes[:, number], parts[:, 1 + number], condition.span(column))
        for number, column in enumerate(table.schema.columns)
    ]
    return Records(codes=codes, cells=np.array(columns, dtype=np.str_).T)


def _codes(table: Table, labels: Integers, frames: int, condition: Condition, parts: Floats) -> Integers:
    codes = np.empty((len(labels), len(table.columns)), dtype=np.int64)
    firsts = np.array([images.start for images in files_of(labels, frames)])
    for label in np.unique(labels):
        rows = firsts[labels[firsts] == label]
        codes[rows] = table.codes(table.given(int(label), condition.allowed), parts[rows])
    for images in files_of(labels, frames):
        if len(images) > 1:
            allowed = _of_patient(table.schema, condition, codes[images.start])
            rest = np.arange(images.start + 1, images.stop)
            codes[rest] = table.codes(table.given(int(labels[images.start]), allowed), parts[rest])
    return codes


def _of_patient(schema: Schema, condition: Condition, codes: Integers) -> list[Floats]:
    """What is allowed of another image of a patient with this record."""
    return [
        np.eye(column.levels)[code] if column.per_patient else allowed
        for column, allowed, code in zip(schema.columns, condition.allowed, codes.tolist(), strict=True)
    ]


def _require_common(table: Table, label: int, name: str, condition: Condition) -> None:
    """Of fewer patients than the noise may have invented, nothing can be said, and so nothing drawn."""
    count = table.members * float(table.given(label, condition.allowed).sum())
    least = 2 * table.error_of(condition.allowed)
    if count < least:
        raise UsageError(
            f"Expected --where to ask for more than noise: of class {name!r} about {count:.0f} of "
            f"{table.members:,} patients fit {condition.text}, and up to {least:.0f} may be noise. Ask for a wider "
            "range or fewer columns, or leave that class out with --classes."
        )


def _parts(seed: Seed, position: int, count: int) -> Floats:
    """Uniform numbers (count,), at least 0 and below 1."""
    return np.asarray((seed.words("record", position, count) >> np.uint64(11)) * 2.0**-53, dtype=np.float64)
