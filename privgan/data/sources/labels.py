"""One table beside the images: a CSV that says which patient and class a file, study or patient has."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from privgan.data.columns import MOST_COLUMNS, Wanted, fits, is_name, require_fitting, spelled
from privgan.data.refusals import RefusedError, read_regular
from privgan.errors import InputRejectedError, UsageError

FILE_NAME = "labels.csv"
KEY_COLUMNS = ("instance", "file", "study", "patient")  # the most specific one present is the key


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What the table says about one key; an empty text where it says nothing. columns: of the table's, in order.

    number: its place among the keys of the table.
    """

    patient: str
    label: str
    columns: tuple[str, ...] = ()
    number: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True)
class LabelTable:
    """Rows by key; sensitive, so its repr shows a count only.

    columns: further ones, types by name. duplicates: repeated identical rows.
    """

    key: str
    rows: dict[str, Row]
    has_labels: bool
    has_patients: bool
    columns: dict[str, str] = field(default_factory=dict)
    duplicates: int = 0

    def __repr__(self) -> str:
        return f"LabelTable({len(self.rows)} rows by {self.key})"

    @property
    def names_patients(self) -> bool:
        """Whether it says whose a file, study or instance is."""
        return self.has_patients and self.key != "patient"

    def find(self, *names: str) -> Row | None:
        """The row of the first name that the table knows."""
        return next((self.rows[name] for name in names if name in self.rows), None)


def read_labels(path: Path, wanted: Wanted) -> LabelTable:
    """Read a label table: columns among instance, file, study, patient, and label, in any order.

    Args:
        path: the CSV file.
        wanted: further columns to keep, as far as this table has them. Of those that nobody asked for the ones are
            kept that fit their type and give no key two values.

    Raises:
        UsageError: there is no such file, it has no key column, or nothing beside it that is wanted.
        InputRejectedError: it is not CSV in UTF-8, gives one key two different labels, patients or values, or a
            wanted column holds something else than its type.
    """
    try:
        text = read_regular(path).decode("utf-8-sig")
    except RefusedError as refusal:
        raise UsageError(f"Expected a label table, the CSV file cannot be read ({refusal.code}).") from None
    except UnicodeDecodeError:
        raise InputRejectedError("Expected a label table in UTF-8, it has other bytes.") from None
    columns = {name.strip().lower(): index for index, name in enumerate(next(_lines(text), []))}
    key = next((name for name in KEY_COLUMNS if name in columns), "")
    kept = _further(text, columns, key, wanted) if wanted.anything else wanted.types
    types = {name: wanted.type_of(name) for name in kept if name in columns}
    if not key or not {"label", "patient", *types} & columns.keys() - {key}:
        raise UsageError(
            "Expected a label table with a column file, patient, study or instance, and beside it label, patient "
            "or a column that --columns names; got other columns."
        )
    rows, duplicates = _collect(text, columns, key, types)
    for number, (name, kind) in enumerate(types.items()):
        require_fitting(name, kind, (row.columns[number] for row in rows.values()))
    return LabelTable(
        key=key,
        rows=rows,
        columns=types,
        has_labels="label" in columns,
        has_patients="patient" in columns,
        duplicates=duplicates,
    )


def _collect(text: str, columns: dict[str, int], key: str, types: dict[str, str]) -> tuple[dict[str, Row], int]:
    rows: dict[str, Row] = {}
    duplicates = conflicts = 0
    for name, cells in _named(text, columns, key):
        row = Row(
            patient=cells.get("patient", ""),
            label=cells.get("label", ""),
            columns=tuple(spelled(kind, cells.get(column, "")) for column, kind in types.items()),
            number=len(rows),
        )
        known = rows.setdefault(name, row)
        duplicates += known is not row and known == row
        conflicts += known != row
    if conflicts:
        raise InputRejectedError(
            "Expected one patient, one label and one value of each column for each key of the label table, "
            f"{conflicts} rows contradict others."
        )
    return rows, duplicates


def _further(text: str, columns: dict[str, int], key: str, wanted: Wanted) -> list[str]:
    """Further columns that nobody asked for: one that cannot be used must not keep the others from being read."""
    found = []
    for column in sorted(filter(is_name, columns)):
        kind, values = wanted.type_of(column), dict[str, set[str]]()
        for name, cells in _named(text, columns, key):
            values.setdefault(name, set()).add(spelled(kind, cells.get(column, "")))
        if all(len(each) == 1 for each in values.values()) and fits(kind, set().union(*values.values())):
            found.append(column)
    return found[:MOST_COLUMNS]


def _named(text: str, columns: dict[str, int], key: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Key and cells by column of every line that has a key."""
    for line in islice(_lines(text), 1, None):
        cells = {name: line[index].strip() for name, index in columns.items() if index < len(line)}
        if cells.get(key):
            yield cells[key], cells


def _lines(text: str) -> Iterator[list[str]]:
    """Every line, the names of the columns first; parsed anew each time, because all of them together are large."""
    try:
        yield from csv.reader(io.StringIO(text), strict=True)
    except csv.Error:
        raise InputRejectedError("Expected a label table as CSV, it cannot be parsed.") from None
