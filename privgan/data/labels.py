"""The label table beside the images: a CSV that says which patient and class a file, study or patient has."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from privgan.data.columns import MOST_COLUMNS, are_categories, is_name, require_categories
from privgan.data.refusals import RefusedError, read_regular
from privgan.errors import InputRejectedError, UsageError

FILE_NAME = "labels.csv"
KEY_COLUMNS = ("instance", "file", "study", "patient")  # the most specific one present is the key


@dataclass(frozen=True, kw_only=True)
class Row:
    """What the table says about one key; an empty text where it says nothing. columns: of the table's, in order."""

    patient: str
    label: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LabelTable:
    """Rows by key; sensitive, so its repr shows a count only. `duplicates` counts repeated identical rows."""

    key: str
    rows: dict[str, Row]
    has_labels: bool
    has_patients: bool
    columns: tuple[str, ...] = ()
    duplicates: int = 0
    _used: set[str] = field(default_factory=set)

    def __repr__(self) -> str:
        return f"LabelTable({len(self.rows)} rows by {self.key})"

    def find(self, *names: str) -> Row | None:
        """The row of the first name that the table knows."""
        for name in names:
            if name in self.rows:
                self._used.add(name)
                return self.rows[name]
        return None

    def notes(self) -> list[str]:
        """What the reader of the table should know afterwards; counts only."""
        unused = len(self.rows) - len(self._used)
        return [
            text
            for count, text in (
                (self.duplicates, f"{self.duplicates} repeated rows in the label table were ignored."),
                (unused, f"{unused} rows of the label table name nothing that was read."),
            )
            if count
        ]


def read_labels(path: Path, wanted: tuple[str, ...] | None = ()) -> LabelTable:
    """Read a label table: columns among instance, file, study, patient, and label, in any order.

    Args:
        path: the CSV file.
        wanted: further columns to keep; None keeps those that hold categories and give no key two values.

    Raises:
        UsageError: there is no such file, or it has no key column or lacks one that is wanted.
        InputRejectedError: it is not CSV in UTF-8, gives one key two different labels, patients or values, or a
            wanted column holds no categories.
    """
    try:
        text = read_regular(path).decode("utf-8-sig")
    except RefusedError as refusal:
        raise UsageError(f"Expected a label table, the CSV file cannot be read ({refusal.code}).") from None
    except UnicodeDecodeError:
        raise InputRejectedError("Expected a label table in UTF-8, it has other bytes.") from None
    try:
        lines = list(csv.reader(io.StringIO(text), strict=True))
    except csv.Error:
        raise InputRejectedError("Expected a label table as CSV, it cannot be parsed.") from None
    columns = {name.strip().lower(): index for index, name in enumerate(lines[0] if lines else [])}
    key = next((name for name in KEY_COLUMNS if name in columns), None)
    if key is None or not {"label", "patient"} & columns.keys() - {key}:
        raise UsageError(
            "Expected a label table with a column file, patient, study or instance, and a column label "
            "(or file and patient); got other columns."
        )
    kept = _further(lines[1:], columns, key) if wanted is None else wanted
    if not set(kept) <= columns.keys():
        raise UsageError(f"Expected the columns {', '.join(kept)} in the label table, it does not have all of them.")
    rows, duplicates = _collect(lines[1:], columns, key, kept)
    for number, name in enumerate(kept):
        require_categories(name, (row.columns[number] for row in rows.values()))
    return LabelTable(
        key=key,
        rows=rows,
        columns=kept,
        has_labels="label" in columns,
        has_patients="patient" in columns,
        duplicates=duplicates,
    )


def _collect(
    lines: list[list[str]], columns: dict[str, int], key: str, kept: tuple[str, ...]
) -> tuple[dict[str, Row], int]:
    rows: dict[str, Row] = {}
    duplicates = conflicts = 0
    for name, cells in _named(lines, columns, key):
        row = Row(
            patient=cells.get("patient", ""),
            label=cells.get("label", ""),
            columns=tuple(cells.get(column, "") for column in kept),
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


def _further(lines: list[list[str]], columns: dict[str, int], key: str) -> tuple[str, ...]:
    """Further columns that nobody asked for: one that cannot be used must not keep the others from being read."""
    found = []
    for column in sorted(filter(is_name, columns)):
        values: dict[str, set[str]] = {}
        for name, cells in _named(lines, columns, key):
            values.setdefault(name, set()).add(cells.get(column, ""))
        if all(len(each) == 1 for each in values.values()) and are_categories(set().union(*values.values())):
            found.append(column)
    return tuple(found[:MOST_COLUMNS])


def _named(lines: list[list[str]], columns: dict[str, int], key: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Key and cells by column of every line that has a key."""
    for line in lines:
        cells = {name: line[index].strip() for name, index in columns.items() if index < len(line)}
        if cells.get(key):
            yield cells[key], cells
