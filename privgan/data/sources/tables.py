"""Several label tables as one: labels by instance, exam numbers to persons, clinical columns by person.

Each table has a key of its own. Where two of them speak of the same file they must agree; a file of which they say
different things is refused, because nobody could say which of them is right.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from privgan.data.columns import Wanted
from privgan.data.patient_keys import bare
from privgan.data.sources.called import PATIENT
from privgan.data.sources.labels import NOTHING_TOLD, LabelTable, Row, read_labels
from privgan.data.sources.source import ALIKE, Seen, alike_labels
from privgan.errors import UsageError
from privgan.files import sha256_file
from privgan.language import kept, to_tr

_Found = tuple[LabelTable, int, Row]
_UNUSED = to_tr("Not used: {columns} of the label table. If it says whose each file is, call it patient.")
_REPEATED = to_tr("{count} repeated rows in the label table were ignored.")
_NOTHING = to_tr("{count} rows of the label table name nothing that was read.")
_LOOSE = to_tr("{count} files were found in the label table by another spelling of their path.")
_NEARLY = to_tr("{count} files' patients are in the label table but for case, blanks or leading zeros.")
LOOSE, NEAR = "loose", "near"  # how a row was found, or not


@dataclass(frozen=True, kw_only=True)
class Told:
    """What all tables say of one file; sensitive, so its repr shows the code only.

    code: why the file cannot be used, if they say so. patient: whose it is, empty if no table says it. label: empty
    if no table gives it one. columns: one value of each further column. rows: the rows that speak of it, counted
    through all tables. remarks: how else it was found, or nearly.
    """

    code: str
    patient: str
    label: str
    columns: tuple[str, ...]
    rows: tuple[int, ...]
    remarks: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Told({self.code or len(self.rows)})"


class Tables:
    """The label tables of one source. Its repr shows counts only.

    columns: types of the further columns by name. elsewhere: those that no table has. name_patients: whether a table
    says whose a file is. has_labels: whether one says of which class it is. keys: of all tables. digests: hex SHA-256
    of the files.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        wanted: Wanted,
        called: Mapping[str, str] = NOTHING_TOLD,
        files_tell: Collection[str] = (),
    ) -> None:
        """Read them; `called` says what their columns are, see `called`, and `files_tell` which files may have.

        Raises:
            UsageError, InputRejectedError: see `labels.read_labels`; or none of them has a column that is wanted
                or was told.
        """
        self._tables = [read_labels(path, wanted, called) for path in paths]
        seen = frozenset[str]().union(*(table.told for table in self._tables))
        if absent := sorted(called.keys() - seen):
            raise UsageError(f"Expected the columns {', '.join(absent)} in a label table, as --csv-columns says.")
        self.digests = tuple(sha256_file(path) for path in paths)
        found = {name for table in self._tables for name in table.columns}
        self.elsewhere = () if wanted.anything else tuple(name for name in wanted.types if name not in found)
        if missing := sorted({*self.elsewhere} - {*files_tell}):
            raise UsageError(
                f"Expected the columns {', '.join(missing)} in a label table, there is none that has them. "
                "--csv names one."
            )
        names = sorted(found) if wanted.anything else list(wanted.types)
        self.columns = {name: wanted.type_of(name) for name in names}
        self.name_patients = any(table.names_patients for table in self._tables)
        self.has_labels = any(table.has_labels for table in self._tables)
        self.keys = frozenset(table.key for table in self._tables)

    def __repr__(self) -> str:
        return f"Tables({self._tables})"

    def ask(self, names: Mapping[str, Sequence[str]], patient: str, *, loosely: str = "") -> Told:
        """What is known of one file.

        Args:
            names: what the file is called by each key but `patient`, the best name first.
            loosely: its path below the source, where no other file is called alike; then a row that spells it
                otherwise is taken if there is no better one.
            patient: whose it is as far as the file itself says; a table that names patients knows better.
        """
        found = self._find(names)
        elsewise = self._find_loosely(loosely, found) if loosely else []
        found += elsewise
        persons = {row.patient for _, _, row in found} - {""}
        if self.name_patients:
            patient = min(persons, default="")
        remarks = [LOOSE] if elsewise else []
        by_person = self._find({PATIENT: (patient, bare(patient))} if patient else {})
        if not by_person and any(table.key == PATIENT and table.is_near(bare(patient)) for table in self._tables):
            remarks.append(NEAR)
        found += by_person
        labels = {row.label for _, _, row in found} - {""}
        values: dict[str, set[str]] = {name: set() for name in self.columns}
        for table, _, row in found:
            for name, value in zip(table.columns, row.columns, strict=True):
                values[name] |= {value} - {""}
        return Told(
            code=self._code(persons, labels, values),
            patient=patient if persons else "",
            label=min(labels, default=""),
            columns=tuple(min(each, default="") for each in values.values()),
            rows=tuple(start + row.number for _, start, row in found),
            remarks=tuple(remarks),
        )

    def notes(self, seen: Seen) -> list[str]:
        """What the reader of the tables should know, after all entries were seen; counts only."""
        spoke, loose, nearly = len(seen.rows), seen.remarks[LOOSE], seen.remarks[NEAR]
        rare = ", ".join(sorted(name for table in self._tables for name in table.unused))
        repeated = sum(table.duplicates for table in self._tables)
        labels = {row.label for table in self._tables for row in table.rows.values()}
        alike = alike_labels(labels)
        unused = sum(len(table.rows) for table in self._tables) - spoke
        return [
            text
            for count, text in (
                (len(rare), kept(_UNUSED, columns=rare)),
                (repeated, kept(_REPEATED, count=repeated)),
                (unused, kept(_NOTHING, count=unused)),
                (alike, kept(ALIKE, count=alike)),
                (loose, kept(_LOOSE, count=loose)),
                (nearly, kept(_NEARLY, count=nearly)),
            )
            if count
        ]

    def _find(self, names: Mapping[str, Sequence[str]]) -> list[_Found]:
        """The rows that these names have, with their tables and with how many rows come before the table."""
        asked = ((table, start, table.find(*names.get(table.key, ()))) for table, start in self._starts())
        return [(table, start, row) for table, start, row in asked if row is not None]

    def _find_loosely(self, where: str, found: Sequence[_Found]) -> list[_Found]:
        """The rows of tables by file that have none yet, by another spelling of a path."""
        answered = [table for table, _, _ in found]
        others = [
            pair
            for pair in self._starts()
            if pair[0].key == "file" and not any(pair[0] is table for table in answered)
        ]
        asked = ((table, start, table.find_loosely(where)) for table, start in others)
        return [(table, start, row) for table, start, row in asked if row is not None]

    def _starts(self) -> Iterator[tuple[LabelTable, int]]:
        """Each table with how many rows come before it."""
        return zip(self._tables, accumulate((len(table.rows) for table in self._tables), initial=0), strict=False)

    def _code(self, persons: set[str], labels: set[str], values: Mapping[str, set[str]]) -> str:
        if any(len(each) > 1 for each in (persons, labels, *values.values())):
            return "contradiction"
        if self.name_patients and not persons:
            return "missing_patient_id"
        return "missing_label" if self.has_labels and not labels else ""
