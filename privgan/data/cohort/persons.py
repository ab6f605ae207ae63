"""Who is one person and who withdrew, as it was told; numbers of patients are sensitive."""

import csv
from collections.abc import Iterable
from pathlib import Path

from privgan.data.patient_keys import is_damaged, patient_key
from privgan.data.refusals import RefusedError, read_regular
from privgan.errors import UsageError
from privgan.language import to_tr


class Persons:
    """Union-find over patient numbers 0..n-1: numbers that share an image belong to one person."""

    def __init__(self) -> None:
        self._parents: list[int] = []

    def __len__(self) -> int:
        return len(self._parents)

    def add(self) -> int:
        """A new patient number, so far a person of its own."""
        self._parents.append(len(self._parents))
        return self._parents[-1]

    def find(self, patient: int) -> int:
        """The smallest patient number of the same person."""
        while self._parents[patient] != patient:
            self._parents[patient] = self._parents[self._parents[patient]]
            patient = self._parents[patient]
        return patient

    def join(self, one: int, other: int) -> None:
        """Two numbers turn out to be one person."""
        low, high = sorted((self.find(one), self.find(other)))
        self._parents[high] = low


def read_withdrawn(path: Path | None) -> frozenset[str]:
    """Patient keys of withdrawn patients, one a line; sensitive.

    Raises:
        UsageError: the file cannot be read, is not a text in UTF-8, or a spreadsheet damaged its numbers.
    """
    if path is None:
        return frozenset()
    return _keys(_lines(path, to_tr("withdrawn patients, one key a line")))


def read_merged(path: Path | None) -> tuple[frozenset[str], ...]:
    """Numbers that are one person, from a CSV file with one line a person; sensitive.

    Raises:
        UsageError: the file cannot be read, is not CSV in UTF-8, or a spreadsheet damaged its numbers.
    """
    if path is None:
        return ()
    what = to_tr("numbers, one line a person, separated by commas or semicolons")
    try:
        written = _lines(path, what)
        separator = "," if any("," in line for line in written) else ";"  # as Excel writes where a comma is a point
        lines = list(csv.reader(written, strict=True, delimiter=separator))
    except csv.Error:
        raise UsageError(f"Expected a CSV file of {what}, it cannot be parsed.") from None
    return tuple(filter(None, map(_keys, lines)))


def _keys(cells: Iterable[str]) -> frozenset[str]:
    keys = frozenset(map(patient_key, cells)) - {""}
    if damaged := sum(map(is_damaged, keys)):
        raise UsageError(
            f"Expected patient numbers, {damaged} are in scientific notation, as a spreadsheet writes long ones. "
            "Export the list again, with that column as text."
        )
    return keys


def _lines(path: Path, what: str) -> list[str]:
    try:
        return read_regular(path.resolve()).decode("utf-8-sig").splitlines()
    except (RefusedError, UnicodeDecodeError):
        raise UsageError(f"Expected a readable text file in UTF-8 of {what}.") from None
