"""One table beside the images: a CSV that says which patient and class a file, study or patient has."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from privgan.data.columns import MOST_COLUMNS, Wanted, fits, is_name, require_fitting, spelled
from privgan.data.patient_keys import names_patients, near, patient_key, speaks_of_patients
from privgan.data.sources.called import KEY_COLUMNS, LABEL, PATIENT, renamed
from privgan.data.sources.csv_text import CsvText
from privgan.errors import InputRejectedError, UsageError

FILE_NAME = "labels.csv"
NOTHING_TOLD: Mapping[str, str] = MappingProxyType({})
_SUFFIXES = frozenset(("png", "jpg", "jpeg", "dcm", "dicom", "nii"))


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

    columns: further ones, types by name. unused: names of those that may be the patients', where none is. duplicates:
    repeated identical rows. told: the names of columns that were told and are there.
    """

    key: str
    rows: dict[str, Row]
    has_labels: bool
    has_patients: bool
    columns: dict[str, str] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    duplicates: int = 0
    told: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"LabelTable({len(self.rows)} rows by {self.key})"

    @property
    def names_patients(self) -> bool:
        """Whether it says whose a file, study or instance is."""
        return self.has_patients and self.key != PATIENT

    def find(self, *names: str) -> Row | None:
        """The row of the first name that the table knows."""
        return next((self.rows[name] for name in names if name in self.rows), None)

    def find_loosely(self, where: str) -> Row | None:
        """The only row whose path ends as this one does, but for case, backslashes and the suffix.

        One of the two paths may begin with more folders than the other; a folder that both have must be the same.
        """
        parts = loosened(where)
        row, there = self._by_name.get(parts[-1], (None, ()))
        shared = min(len(parts), len(there))
        return row if parts[-shared:] == there[-shared:] else None

    def is_near(self, patient: str) -> bool:
        """Whether a row's patient is this one but for case, blanks or leading zeros."""
        return near(patient) in self._near

    @cached_property
    def _by_name(self) -> Mapping[str, tuple[Row | None, tuple[str, ...]]]:
        found: dict[str, tuple[Row | None, tuple[str, ...]]] = {}
        for name, row in self.rows.items():
            parts = loosened(name)
            found[parts[-1]] = (None, ()) if parts[-1] in found else (row, parts)
        return found

    @cached_property
    def _near(self) -> frozenset[str]:
        return frozenset(map(near, self.rows))


def loosened(path: str) -> tuple[str, ...]:
    """Folders and name of a path as other systems may have written it: in lower case, without suffix."""
    parts = PurePosixPath(path.replace("\\", "/").casefold()).parts or ("",)
    stem, _, suffix = parts[-1].removesuffix(".gz").rpartition(".")
    return (*parts[:-1], stem if stem and suffix in _SUFFIXES else parts[-1])


def read_labels(path: Path, wanted: Wanted, called: Mapping[str, str] = NOTHING_TOLD) -> LabelTable:
    """Read a label table: columns among instance, file, study, patient, and label, in any order.

    Args:
        path: the CSV file.
        wanted: further columns to keep, as far as this table has them. Of those that nobody asked for the ones are
            kept that fit their type and give no key two values.
        called: roles of columns by their names in the file, see `called`.

    Raises:
        UsageError: there is no such file, it has no key column, or nothing beside it that is wanted.
        InputRejectedError: it is not CSV in UTF-8, gives one key two different labels, patients or values, or a
            wanted column holds something else than its type.
    """
    looked_for = {*KEY_COLUMNS, LABEL, *wanted.types, *called}
    text = CsvText.read(path, lambda name: name in looked_for or names_patients(name))
    columns = _columns(text, called)
    key = next((name for name in KEY_COLUMNS if name in columns), "")
    kept = _further(text, columns, key, wanted) if wanted.anything else wanted.types
    types = {name: wanted.type_of(name) for name in kept if name in columns}
    if not key or not {LABEL, PATIENT, *types} & columns.keys() - {key}:
        raise UsageError(
            "Expected a label table with a column file, patient, study or instance, and beside it label, patient "
            f"or a column that --columns names, separated by commas, semicolons or tabs; {text.name} has others. "
            "--csv-columns file=...,patient=...,label=... says what its columns are."
        )
    rows, duplicates = _collect(text, columns, key, types)
    for number, (name, kind) in enumerate(types.items()):
        require_fitting(name, kind, (row.columns[number] for row in rows.values()))
    return LabelTable(
        key=key,
        rows=rows,
        columns=types,
        has_labels=LABEL in columns,
        has_patients=PATIENT in columns,
        unused=() if PATIENT in columns else tuple(filter(speaks_of_patients, columns.keys() - types.keys())),
        duplicates=duplicates,
        told=frozenset(called.keys() & set(text.header)),
    )


def _columns(text: CsvText, called: Mapping[str, str]) -> dict[str, int]:
    """Places of the columns by name, those that were told by their roles, and the one of patients called `patient`.

    Raises:
        UsageError: several columns may be that one.
    """
    header, told = renamed(text.header, called), PATIENT in called.values()
    patients = [name for name in header if (name == PATIENT if told else names_patients(name))]
    if len(patients) > 1:
        raise UsageError(
            f"Expected one column of patients in {text.name}, got {', '.join(patients)}. Name the one that says "
            "which images are of one person: --csv-columns patient=NAME."
        )
    return {PATIENT if name in patients else name: index for index, name in enumerate(header)}


def _collect(text: CsvText, columns: dict[str, int], key: str, types: dict[str, str]) -> tuple[dict[str, Row], int]:
    rows: dict[str, Row] = {}
    duplicates = conflicts = 0
    for name, cells in _named(text, columns, key):
        row = Row(
            patient=patient_key(cells.get(PATIENT, "")),
            label=cells.get(LABEL, ""),
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


def _further(text: CsvText, columns: dict[str, int], key: str, wanted: Wanted) -> list[str]:
    """Further columns that nobody asked for: one that cannot be used must not keep the others from being read."""
    found = []
    for column in sorted(filter(is_name, columns)):
        kind, values = wanted.type_of(column), dict[str, set[str]]()
        for name, cells in _named(text, columns, key):
            values.setdefault(name, set()).add(spelled(kind, cells.get(column, "")))
        if all(len(each) == 1 for each in values.values()) and fits(kind, set().union(*values.values())):
            found.append(column)
    return found[:MOST_COLUMNS]


def _named(text: CsvText, columns: dict[str, int], key: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Key and cells by column of every line that has a key."""
    for line in islice(text.lines(), 1, None):
        cells = {name: line[index].strip() for name, index in columns.items() if index < len(line)}
        name = patient_key(cells.get(key, "")) if key == PATIENT else cells.get(key)
        if name:
            yield name, cells
