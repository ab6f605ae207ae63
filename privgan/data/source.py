"""What a source of images is: a stream of entries, read once, in a fixed order."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from privgan.data.preprocess import Recipe
from privgan.data.selection import EVERYTHING, Selection

DEEP = "16 bits became 8, and the value 65,535 became white; fewer bits stored in 16 come out dark."


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the user asked for; None is chosen by the source and then said in its notes.

    classes: declared class names, empty when none were. columns: further columns to read, all that hold categories
    when None. max_images: read only the first files or rows. workers: processes that decode files; None takes one a
    processor, at most eight.
    The other fields are those of `Recipe` and `reading.Request`.
    """

    size: int | None = None
    preset: str | None = None
    window: tuple[float, float] | None = None
    roi: tuple[float, float, float, float] | None = None
    csv: Path | None = None
    classes: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = ()
    max_images: int | None = None
    selection: Selection = EVERYTHING
    workers: int | None = None
    accept_burned_in: bool = False
    trusted: bool = False


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One frame of a file, or one row: an image when code is empty, else a refusal.

    Sensitive; its repr shows the code only. image: uint8 (size, size). patient: the key of one person. label: a class
    name, empty when there are no labels. columns: one value of each of the source's columns. frame: number among the
    entries of one file, from 0. where: where it lay below the source. names: its file stem and folder names.
    identifiers: (category, value).
    """

    code: str = ""
    image: NDArray[np.uint8] | None = None
    patient: str = ""
    label: str = ""
    columns: tuple[str, ...] = ()
    frame: int = 0
    where: str
    names: tuple[str, ...] = ()
    identifiers: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"Entry({self.code or 'an image'})"


class Source(Protocol):
    """total: files or rows that will be looked at. declared: class names that were not found in the data.

    columns: names of the further columns of which every image has a value.
    """

    total: int
    recipe: Recipe
    declared: tuple[str, ...]
    columns: tuple[str, ...]

    def entries(self) -> Iterator[Entry]:
        """Every file or row once, in source order."""

    def notes(self) -> tuple[str, ...]:
        """What a reader of the result should know; complete once `entries` is exhausted; counts only."""
