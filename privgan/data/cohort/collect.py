"""The one pass over the source: pixels go to disk row by row, memory keeps numbers, labels and digests."""

from array import array
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Flags, Integers
from privgan.data.cohort.classes import UNKNOWN_CLASS, told
from privgan.data.cohort.journal import Journal
from privgan.data.cohort.notes import Note
from privgan.data.cohort.persons import Persons
from privgan.data.declared import Tally
from privgan.data.identifiers import FILE_NAME, IdentifierDigests
from privgan.data.identity import Identities
from privgan.data.naming import Said
from privgan.data.pictures import Pictures
from privgan.data.sources.opening import refusal_of, reject_nothing_readable, watched
from privgan.data.sources.source import Seen, Source
from privgan.interruption import StopRequest
from privgan.language import kept
from privgan.progress import Progress

SHARED = "shared_picture"
_SHARED = b""  # stands for "more than one patient"; never the digest of one
_T = TypeVar("_T", bound=Hashable)


@dataclass(kw_only=True)
class Collected:
    """What one pass found; sensitive, so its repr shows counts only.

    patients, labels, columns, said: of every written row. keys: patient keys by number. persons: who shares an image
    with whom. left_aside: (rows,) whose picture is nobody's, known at the end. identities: what speaks for and
    against that a number is one person. refused: (reason code, keyed hash of where) in source order.
    outside: digests of patients by label outside the declared classes. cells: what the columns held.
    """

    digests: IdentifierDigests
    patients: "array[int]" = field(default_factory=lambda: array("q"))
    labels: list[str] = field(default_factory=list)
    columns: list[tuple[str, ...]] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    persons: Persons = field(default_factory=Persons)
    identities: Identities = field(default_factory=Identities)
    left_aside: Flags = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    refused: list[tuple[str, bytes]] = field(default_factory=list)
    seen: Seen = field(default_factory=Seen)
    outside: dict[str, set[bytes]] = field(default_factory=dict)
    cells: Tally = field(default_factory=Tally)
    _numbers: dict[str, int] = field(default_factory=dict)
    _pictures: Pictures = field(default_factory=Pictures)
    _places: "array[int]" = field(default_factory=lambda: array("q"))
    _marks: list[bytes] = field(default_factory=list)
    _names: dict[bytes, bytes] = field(default_factory=dict)
    _once: dict[Hashable, Hashable] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Collected({len(self.patients)} rows, {len(self.keys)} patients)"

    def refused_by_code(self) -> dict[str, int]:
        """How many images were refused for which reason."""
        return dict(sorted(Counter(code for code, _ in self.refused).items()))

    def take(self, note: Note, image: NDArray[np.uint8] | None) -> None:
        """Take in one entry, read or remembered; its image is there if it can be used."""
        for kind, digest in note.identifiers:
            self.digests.keep(kind, digest)
        owner = self._shared(note.owner)
        for name in note.names:
            if self._names.setdefault(name, owner) != owner:
                self._names[name] = _SHARED
        self.seen.add(note.remarks, note.rows)
        self.cells.add(note.code, note.columns)
        if image is None:
            self.refused.append((note.code, note.mark))
            if note.code == UNKNOWN_CLASS:
                self.outside.setdefault(note.label, set()).add(note.owner)
            return
        number = self._number(note.patient)
        self.identities.add(number, note.groups, note.person)
        self._places.append(self._pictures.add(image, number))
        self._marks.append(note.mark)
        self.patients.append(number)
        self.labels.append(self._shared(note.label))
        self.columns.append(self._shared(note.columns))
        self.said.append(self._shared(note.said))

    def finish(self) -> None:
        """What only the whole says: whose names, numbers and pictures are one person's, and which are nobody's."""
        for name, owner in self._names.items():
            if owner != _SHARED:
                self.digests.keep(FILE_NAME, name)
        for one, other in self._pictures.pairs():
            self.persons.join(one, other)
        self.left_aside = self._pictures.nobodys(np.array(self._places, dtype=np.int64))
        self.refuse(np.flatnonzero(self.left_aside), SHARED)
        for needed_while_reading in (self._numbers, self._names, self._once):
            needed_while_reading.clear()

    def refuse(self, rows: Integers, code: str) -> None:
        """Count written rows as refused."""
        self.refused += [(code, self._marks[row]) for row in rows.tolist()]

    def _number(self, key: str) -> int:
        if key not in self._numbers:
            self._numbers[key] = self.persons.add()
            self.keys.append(key)
        return self._numbers[key]

    def _shared(self, value: _T) -> _T:
        """The same value, held once however many images have it."""
        return self._once.setdefault(value, value)  # type: ignore[return-value]


def collect(
    source: Source, journal: Journal, key: bytes, progress: Progress, stop: StopRequest | None = None
) -> Collected:
    """Read every entry once; what the journal remembers is not read again.

    Raises:
        InputRejectedError: not one image can be used.
        PreemptedError, InterruptedRunError: an end was asked for; the journal keeps what was read.
    """
    found = Collected(digests=IdentifierDigests(key), cells=Tally.of(source.columns))
    for note, image in journal.replay():
        found.take(note, image)
    for entries in watched(source, progress, journal.files):
        noted = [Note.of(entry, refusal_of(entry, source), found.digests, key) for entry in entries]
        journal.append(noted)
        for note, image in noted:
            found.take(note, image)
        if stop is not None and stop.signal is not None:
            journal.commit()
            said = kept(
                "{files} of {total} files are read. What was read lies in the hidden folder {folder}: real images "
                "and patient numbers, for nobody's eyes but yours. Go on by the same command with --resume. To "
                "throw it away, delete that folder, or prepare without --resume.",
                files=journal.files,
                total=source.total,
                folder=journal.folder,
            )
            raise stop.error(said)
    journal.commit()
    found.finish()
    if found.left_aside.all():
        labels = told(found.outside)
        hint = kept("The labels found are {labels}; --classes names others.", labels=labels) if found.outside else ""
        raise reject_nothing_readable(found.refused_by_code(), *filter(None, (hint, *found.cells.notes())))
    return found
