"""What a source of images is: a stream of entries, read once, in a fixed order."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from privgan.data.declared import Declared
from privgan.data.recipe import Recipe
from privgan.language import to_tr

CHOSEN = to_tr("Preset {preset} was chosen: stored values from black to white.")
ALIKE = to_tr("{count} labels differ from others in case or blanks only, and are classes of their own.")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An image of a file or row when code is empty, else a refusal. Sensitive; its repr shows the code only.

    image: uint8, of the recipe's shape. patient: the key of one person. groups: UIDs of its study and its series, as
    far as there are any, of which all images are of one person. person: what one person has one of. label: a class
    name, empty when there are no labels. columns: one value of each of the source's columns. said: modality and body
    part by its header (see `naming`). where: where it lay below the source; entries of one file follow each other and
    have the same. names: its file stem and folder names. identifiers: (category, value). remarks: words by which the
    source's notes count it. rows: of the label tables, those that speak of it. side: pixels of the longer side of
    what was stored. frame: its number in a file of many frames, from 1; 0 of others.
    """

    code: str = ""
    image: NDArray[np.uint8] | None = None
    patient: str = ""
    groups: tuple[str, ...] = ()
    person: tuple[str, ...] = ()
    label: str = ""
    columns: tuple[str, ...] = ()
    said: tuple[str, str] = ("", "")
    where: str
    names: tuple[str, ...] = ()
    identifiers: tuple[tuple[str, str], ...] = ()
    remarks: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    side: int = 0
    frame: int = 0

    def __repr__(self) -> str:
        return f"Entry({self.code or 'an image'})"


def fingerprint_of(folder: Path, files: Iterable[Path]) -> str:
    """Hex SHA-256 of paths below a folder, sizes in bytes and times of the last change in nanoseconds."""
    digest = hashlib.sha256()
    for file in files:
        try:
            facts = file.lstat()
        except OSError:
            line = f"{file.relative_to(folder)} gone\n"
        else:
            line = f"{file.relative_to(folder)} {facts.st_size} {facts.st_mtime_ns}\n"
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the notes count. remarks: how often each was made. rows: of the label tables, those that spoke."""

    remarks: Counter[str] = field(default_factory=Counter)
    rows: set[int] = field(default_factory=set)

    def add(self, remarks: tuple[str, ...], rows: tuple[int, ...]) -> None:
        """One more entry."""
        for remark in remarks:  # `update` is slow with one or none
            self.remarks[remark] += 1
        self.rows.update(rows)


def alike_labels(labels: Collection[str]) -> int:
    """How many different labels are another one's but for case and blanks."""
    different = set(labels)
    return len(different) - len({"".join(label.casefold().split()) for label in different})


class Source(Protocol):
    """total: files or rows that will be looked at. declared: class names that were not found in the data.

    columns: types by name of the further columns of which every image has a value. records: those that were declared.
    numbered: it says whose each image
    is; otherwise every file or row counts as one patient. chosen: nobody named the preset,
    so that all images must agree on it.
    """

    total: int
    recipe: Recipe
    declared: tuple[str, ...]
    columns: dict[str, str]
    records: Declared
    numbered: bool
    chosen: bool

    def entries(self, start: int = 0) -> Iterator[Entry]:
        """Every file or row once, in source order, from the one with the number `start` on."""

    def fingerprint(self) -> str:
        """Hex SHA-256 over which files these are, how large and from when; another one means another source."""

    def notes(self, seen: Seen) -> tuple[str, ...]:
        """What a reader of the result should know, after all entries were seen; counts only."""
