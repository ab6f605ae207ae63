"""The label table beside the images: a CSV that says which patient and class a file, study or patient has."""

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

from privgan.data.refusals import RefusedError, read_regular
from privgan.errors import InputRejectedError, UsageError

FILE_NAME = "labels.csv"
KEY_COLUMNS = ("instance", "file", "study", "patient")  # the most specific one present is the key


@dataclass(frozen=True, kw_only=True)
class Row:
    """What the table says about one key; an empty text where it says nothing."""

    patient: str
    label: str


@dataclass(frozen=True, kw_only=True)
class LabelTable:
    """Rows by key; sensitive, so its repr shows a count only. `duplicates` counts repeated identical rows."""

    key: str
    rows: dict[str, Row]
    has_labels: bool
    has_patients: bool
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


def read_labels(path: Path) -> LabelTable:
    """Read a label table: columns among instance, file, study, patient, and label, in any order.

    Raises:
        UsageError: there is no such file, or it has no key column.
        InputRejectedError: it is not CSV in UTF-8, or gives one key two different labels or patients.
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
    rows, duplicates = _collect(lines[1:], columns, key)
    return LabelTable(
        key=key,
        rows=rows,
        has_labels="label" in columns,
        has_patients="patient" in columns,
        duplicates=duplicates,
    )


def _collect(lines: list[list[str]], columns: dict[str, int], key: str) -> tuple[dict[str, Row], int]:
    rows: dict[str, Row] = {}
    duplicates = conflicts = 0
    for line in lines:
        cells = {name: line[index].strip() for name, index in columns.items() if index < len(line)}
        name = cells.get(key, "")
        if not name:
            continue
        row = Row(patient=cells.get("patient", ""), label=cells.get("label", ""))
        known = rows.setdefault(name, row)
        duplicates += known is not row and known == row
        conflicts += known != row
    if conflicts:
        raise InputRejectedError(
            f"Expected one patient and one label a row of the label table, {conflicts} rows contradict others."
        )
    return rows, duplicates
