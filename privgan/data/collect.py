"""The one pass over the source: pixels go to disk row by row, memory keeps numbers, labels and digests."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from privgan.data.dicom.identifying import ISSUER_MARK
from privgan.data.identifiers import FILE_NAME, IdentifierDigests
from privgan.data.source import Entry, Source
from privgan.data.sources import refusal_of, reject_nothing_readable, watched
from privgan.data.split import Persons
from privgan.progress import Progress

_SHARED = ""  # stands for "more than one patient"; never a patient key


@dataclass(kw_only=True)
class Collected:
    """What one pass found; sensitive, so its repr shows counts only.

    patients, labels, columns: of every written row. keys: patient keys by number. persons: who shares an image with
    whom. refused: (reason code, where) in source order.
    """

    digests: IdentifierDigests
    patients: list[int] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    columns: list[tuple[str, ...]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    persons: Persons = field(default_factory=Persons)
    refused: list[tuple[str, str]] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"Collected({len(self.patients)} rows, {len(self.keys)} patients)"

    def refused_by_code(self) -> dict[str, int]:
        """How many files or rows were refused for which reason."""
        return dict(sorted(Counter(code for code, _ in self.refused).items()))


@dataclass(frozen=True, kw_only=True)
class People:
    """Who stays in the cohort, after withdrawals and merges.

    kept: (rows,) which rows stay. persons: int64 (kept rows,), 0..p-1 in order of first appearance.
    keys: one key a person (sensitive). spellings: all numbers of each person, with and without their issuer
    (sensitive). merged: numbers that turned out to be somebody else's. withdrawn: numbers
    taken out; along: how many of them only because they share an image with one that was named.
    unmatched: named keys that no readable image has.
    """

    kept: NDArray[np.bool_]
    persons: NDArray[np.int64]
    keys: tuple[str, ...] = field(repr=False)
    spellings: tuple[frozenset[str], ...] = field(repr=False)
    merged: int
    withdrawn: int
    along: int
    unmatched: int


def collect(source: Source, rows: Path, digests: IdentifierDigests, progress: Progress) -> Collected:
    """Read every entry once and append the pixels of usable ones to the file `rows`.

    Raises:
        InputRejectedError: not one image can be used.
    """
    found = Collected(digests=digests)
    numbers: dict[str, int] = {}
    owners: dict[bytes, int] = {}
    names: dict[str, str] = {}
    with rows.open("xb") as stream:
        for entry in watched(source, progress):
            _note_identifiers(entry, digests, names)
            code = refusal_of(entry, source.declared)
            if code or entry.image is None:
                found.refused.append((code, entry.where))
                continue
            number = _number(entry.patient, numbers, found)
            if entry.image.min() != entry.image.max():  # a blank picture is nobody's
                owner = owners.setdefault(hashlib.sha256(entry.image.tobytes()).digest(), number)
                found.persons.join(owner, number)
            found.patients.append(number)
            found.labels.append(entry.label)
            found.columns.append(entry.columns)
            stream.write(entry.image.tobytes())
    if not found.patients:
        raise reject_nothing_readable(found.refused_by_code())
    for name, owner_key in names.items():
        if owner_key != _SHARED:
            digests.add(FILE_NAME, name)
    return found


def decide_people(found: Collected, named: frozenset[str]) -> People:
    """Take out withdrawn patients and merge patients who share an image.

    Whoever shares an image with a withdrawn patient is that person under a second number, and goes too.
    """
    matched = [number for number, key in enumerate(found.keys) if {key, key.partition(ISSUER_MARK)[0]} & named]
    roots = np.array([found.persons.find(number) for number in range(len(found.keys))])
    gone = np.isin(roots, roots[matched])
    keys: dict[int, str] = {}
    spellings: dict[int, set[str]] = {}
    for number in np.flatnonzero(~gone).tolist():  # the smallest key of a person decides its side
        root = int(roots[number])
        keys[root] = min(keys.get(root, found.keys[number]), found.keys[number])
        spellings.setdefault(root, set()).update(_spellings([found.keys[number]]))
    patients = np.array(found.patients)
    kept = ~gone[patients]
    owners = roots[patients[kept]]
    order, first = np.unique(owners, return_index=True)
    appearance = order[np.argsort(first)]
    position = np.empty(len(found.keys), dtype=np.int64)
    position[appearance] = np.arange(len(appearance))
    return People(
        kept=kept,
        persons=position[owners],
        keys=tuple(keys[root] for root in appearance.tolist()),
        spellings=tuple(frozenset(spellings[root]) for root in appearance.tolist()),
        merged=int((~gone).sum()) - len(keys),
        withdrawn=int(gone.sum()),
        along=int(gone.sum()) - len(matched),
        unmatched=len(named - _spellings([found.keys[number] for number in matched])),
    )


def _spellings(keys: list[str]) -> set[str]:
    return {spelling for key in keys for spelling in (key, key.partition(ISSUER_MARK)[0])}


def _number(key: str, numbers: dict[str, int], found: Collected) -> int:
    if key not in numbers:
        numbers[key] = found.persons.add()
        found.keys.append(key)
    return numbers[key]


def _note_identifiers(entry: Entry, digests: IdentifierDigests, names: dict[str, str]) -> None:
    """Digest header values at once; a file or folder name only once it is known to belong to one patient."""
    for category, value in entry.identifiers:
        digests.add(category, value)
    for name in entry.names:
        if names.setdefault(name, entry.patient) != entry.patient:
            names[name] = _SHARED
