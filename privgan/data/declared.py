"""Cells beside what was declared of their columns: which fit, which say nothing, and why the others do not fit.

A declaration is for everybody, and what does not fit it is never made to: `iv` for IV may be a slip of the pen, and
may be another stage. It is said how many cells would fit but for how they are written, so that somebody looks.
"""

import math
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from privgan.data.columns import is_decimal
from privgan.data.date_spellings import dates_in
from privgan.errors import UsageError
from privgan.language import kept, to_tr
from privgan.records.schema import MOST_COMBINATIONS, NUMBER, Column, Schema, within_reach

UNKNOWN_VALUE, OUT_OF_RANGE = "unknown_value", "out_of_range"
MISFITS = (UNKNOWN_VALUE, OUT_OF_RANGE)
MOST_UNKNOWN, MOST_OUTSIDE = 0.1, 0.5  # of the cells that say something; a range may be meant to leave patients out
_FIT, _EMPTY, _NEAR = "fit", "empty", "near"
_UNKNOWN = to_tr("Column {name}: {count} cells hold what was not declared; their images were left out.")
_NEARLY = to_tr(
    "Column {name}: {count} cells hold what was not declared, {near} of them only by case, blanks or how a number is "
    "written; their images were left out."
)
_OUTSIDE = to_tr("Column {name}: {count} numbers lie outside the declared range; their images were left out.")
_SLIP = to_tr(
    "Expected a declaration of the column {name} that nearly all of its cells fit, {count} of {known} hold something "
    "else, {near} of them only by case, blanks or how a number is written: each would cost its image. Declare the "
    "values as the source has them, or mend the table; `privgan scan` counts them."
)
_RANGE = to_tr(
    "Expected a range of the column {name} in which most of its numbers lie, {count} of {known} lie outside: each "
    "would cost its image. Is the unit another one? Declare a wider range, or mend the table."
)
_COMBINATIONS = to_tr(
    "Expected at most {most} combinations of the classes and of all that the declared columns may hold, got {count}. "
    "Declare fewer columns or values, or numbers in fewer bands, as in age:number(0..100/5)."
)


@dataclass(frozen=True)
class Declared:
    """Which columns of a source were declared, each with its place among the cells of an image."""

    places: tuple[tuple[int, Column], ...] = ()

    @classmethod
    def of(cls, types: Mapping[str, str]) -> Self:
        """The declared ones among all types by name, in order."""
        order = tuple(types)
        return cls(tuple((order.index(column.name), column) for column in Schema.of(types).columns))

    def refuse(self, cells: Sequence[str]) -> str:
        """Why an image with these cells, one of each column, cannot be used; empty if all of them fit."""
        return next(filter(None, (misfit(column, cells[place]) for place, column in self.places)), "")


def misfit(column: Column, text: str) -> str:
    """Why a cell does not fit its declaration: UNKNOWN_VALUE, OUT_OF_RANGE; empty if it does, or says nothing.

    >>> misfit(Column.parse("stage", "ordinal(I<II)"), "ii"), misfit(Column.parse("age", "number(0..9)"), "10")
    ('unknown_value', 'out_of_range')
    """
    if not text:
        return ""
    if column.kind != NUMBER:
        return "" if text in column.values else UNKNOWN_VALUE
    if not is_decimal(text):
        return UNKNOWN_VALUE
    return "" if float(column.low) <= float(text) <= float(column.high) else OUT_OF_RANGE


def nearly_fits(column: Column, text: str) -> bool:
    """Whether a cell that does not fit would but for case, blanks or how a number is written.

    >>> [nearly_fits(Column.parse("grade", "ordinal(1<2)"), text) for text in ("2.0", "G2")]
    [True, False]
    """
    if column.kind == NUMBER:
        return not misfit(column, "".join(text.split()).replace(",", "."))
    return _loosened(text) in map(_loosened, column.values)


def out_of_reach(types: Mapping[str, str], classes: int) -> str:
    """Why declared columns have too many combinations with so many classes for one table of all; empty if few."""
    levels = Schema.of(types).levels
    if within_reach(classes, levels):
        return ""
    return kept(_COMBINATIONS, most=MOST_COMBINATIONS, count=math.prod((classes, *levels)))


def require_sound(types: Mapping[str, str], classes: int) -> None:
    """Refuse declarations that hold for no source: too many combinations, or dates.

    Raises:
        UsageError: which column, or how many combinations there are and how there are fewer.
    """
    if reason := out_of_reach(types, classes):
        raise UsageError(reason)
    for column in Schema.of(types).columns:
        if any(map(_is_date, column.values or (str(column.low), str(column.high)))):
            raise UsageError(
                f"Expected a declaration of the column {column.name} without dates: they say who somebody is. Make "
                "years or an age of them."
            )


@dataclass(frozen=True, kw_only=True)
class CellCounts:
    """Of one column: cells that fit or say nothing, were not declared, would have fitted but for how they are
    written, or lie outside the range. A column without a declaration has fitting and empty ones only.
    """

    fit: int
    empty: int
    unknown: int
    near: int
    outside: int

    @property
    def known(self) -> int:
        """Cells that say something."""
        return self.fit + self.unknown + self.outside

    def objections(self, name: str) -> Iterator[str]:
        """Why the declaration is more likely wrong than so many cells are, in sentences."""
        if self.unknown > MOST_UNKNOWN * self.known:
            yield kept(_SLIP, name=name, count=self.unknown, known=self.known, near=self.near)
        if self.outside > MOST_OUTSIDE * self.known:
            yield kept(_RANGE, name=name, count=self.outside, known=self.known)

    def notes(self, name: str) -> Iterator[str]:
        """What was left out for it, in sentences."""
        if self.unknown:
            yield kept(_NEARLY if self.near else _UNKNOWN, name=name, count=self.unknown, near=self.near)
        if self.outside:
            yield kept(_OUTSIDE, name=name, count=self.outside)


@dataclass
class Tally:
    """Counts the cells of a source's columns, image by image."""

    names: tuple[str, ...] = ()
    declared: Declared = field(default_factory=Declared)
    _counts: Counter[tuple[int, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._columns = dict(self.declared.places)

    @classmethod
    def of(cls, types: Mapping[str, str]) -> Self:
        """Of columns by their types, nothing counted so far."""
        return cls(tuple(types), Declared.of(types))

    def add(self, code: str, cells: Sequence[str]) -> None:
        """One more image, unless something else than a cell is wrong with it."""
        if code and code not in MISFITS:
            return
        for place, text in enumerate(cells):
            column = self._columns.get(place)
            why = misfit(column, text) if column else ""
            self._counts[place, why or (_FIT if text else _EMPTY)] += 1
            if column and why == UNKNOWN_VALUE:
                self._counts[place, _NEAR] += nearly_fits(column, text)

    def counts(self) -> dict[str, CellCounts]:
        """By name of each column."""
        return {
            name: CellCounts(
                fit=self._counts[place, _FIT],
                empty=self._counts[place, _EMPTY],
                unknown=self._counts[place, UNKNOWN_VALUE],
                near=self._counts[place, _NEAR],
                outside=self._counts[place, OUT_OF_RANGE],
            )
            for place, name in enumerate(self.names)
        }

    def objections(self) -> Iterator[str]:
        """Why declarations are no good for this source: so many cells do not fit that they must be slips."""
        return (reason for name, counts in self.counts().items() for reason in counts.objections(name))

    def notes(self) -> tuple[str, ...]:
        """What was left out for cells that do not fit, in sentences."""
        return tuple(note for name, counts in self.counts().items() for note in counts.notes(name))


def _is_date(text: str) -> bool:
    """Whether a declared value is a day, in any spelling."""
    return any(dates_in(text)) or (len(text) == 8 and text.isdigit() and any(dates_in(f"{text}T")))


def _loosened(text: str) -> str:
    """Without case, blanks, decimals of a whole number, and other forms of a letter."""
    whole = text.removesuffix(".0") if is_decimal(text) else text
    return "".join(unicodedata.normalize("NFKC", whole).casefold().split())
