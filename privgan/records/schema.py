"""What a record may say: columns whose categories, order and ranges were declared, never taken from the data.

A declared column may leave a hospital as a column of invented records, so that what it can hold must be public: who
computes a range from patients has asked the oldest of them. One that is not declared is kept for the audit alone.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Self

import numpy as np

from privgan.arrays import Floats, Integers, Values
from privgan.checks import is_name
from privgan.errors import UsageError

CATEGORY, ORDINAL, NUMBER = "category", "ordinal", "number"
PATIENT = "patient"
MISSING = 0  # the code of a cell that says nothing
MOST_VALUES = 32  # of a column
MOST_COLUMNS = 12  # declared
MOST_COMBINATIONS = 1 << 18  # of classes and all columns: what a table is computed over
BANDS = 10  # of a number, unless declared otherwise
_SEPARATOR = {CATEGORY: "|", ORDINAL: "<"}
_DECLARED = re.compile(r"(category|ordinal|number)\(([^()]*)\)(:patient)?")
_LONGEST_VALUE = 32  # characters
_RANGE = re.compile(r"(-?\d{1,9}(?:\.\d{1,6})?)\.\.(-?\d{1,9}(?:\.\d{1,6})?)(?:/(\d{1,2}))?")
_ROUNDING = 1e-12  # of a band: a number on its lower edge is of it
_EXAMPLES = "sex:category(F|M):patient, stage:ordinal(I<II<III<IV), age:number(0..100) or dose:number(0.0..2.5/5)"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One declared column. Codes: 0 where nothing is known, then the values in order, or equal bands of a range.

    values: of a category or, in their order, of an ordinal. low, high: of a number, both belong to it, with as many
    decimals as its numbers have. bands: equal parts of a number's range, none finer than its decimals. per_patient: a
    patient has one value, in all images; otherwise every image has one.
    """

    name: str
    kind: str
    values: tuple[str, ...] = ()
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)
    bands: int = 0
    per_patient: bool = False

    def __post_init__(self) -> None:
        number = self.kind == NUMBER
        bands = number and 2 <= self.bands <= min(MOST_VALUES, _steps(self.low, self.high))
        named = 2 <= len(set(self.values)) == len(self.values) <= MOST_VALUES and all(map(_is_value, self.values))
        if not (bands and not self.values if number else named and self.kind in _SEPARATOR):
            raise _undeclared(self.name)

    @classmethod
    def parse(cls, name: str, text: str) -> Self:
        """From what stands behind a column's name, as in `stage:ordinal(I<II<III<IV)`.

        Raises:
            UsageError: it declares nothing, less than two values or more than 32, or an empty range.
        """
        found = _DECLARED.fullmatch(text)
        if found is None:
            raise _undeclared(name)
        kind, inside, patient = found.groups()
        if kind != NUMBER:
            values = tuple(value.strip() for value in inside.split(_SEPARATOR[kind]))
            return cls(name=name, kind=kind, values=values, per_patient=bool(patient))
        span = _RANGE.fullmatch(inside.replace(" ", ""))
        if span is None:
            raise _undeclared(name)
        low, high = Decimal(span[1]), Decimal(span[2])
        bands = int(span[3] or min(BANDS, _steps(low, high)))
        return cls(name=name, kind=kind, low=low, high=high, bands=bands, per_patient=bool(patient))

    @property
    def text(self) -> str:
        """The declaration, which `parse` reads."""
        if self.kind == NUMBER:
            parts = "" if self.bands == min(BANDS, _steps(self.low, self.high)) else f"/{self.bands}"
            inside = f"{self.low}..{self.high}{parts}"
        else:
            inside = _SEPARATOR[self.kind].join(self.values)
        return f"{self.kind}({inside}){f':{PATIENT}' if self.per_patient else ''}"

    @property
    def levels(self) -> int:
        """How many codes there are, the one of nothing known among them."""
        return 1 + (self.bands or len(self.values))

    def codes(self, cells: Values) -> Integers:
        """Codes (n,) of cells (n,): texts, empty where nothing is known, or numbers, NaN there.

        -1 stands for what was not declared.
        """
        if self.kind != NUMBER:
            places = {value: number for number, value in enumerate(("", *self.values))}
            return np.array([places.get(cell, -1) for cell in cells.tolist()], dtype=np.int64)
        numbers = np.asarray(cells, dtype=np.float64)
        low, high = float(self.low), float(self.high)
        inside = (numbers >= low) & (numbers <= high)
        part = (np.where(inside, numbers, low) - low) / (high - low)
        bands = np.minimum((part * self.bands + _ROUNDING).astype(np.int64), self.bands - 1)
        return np.where(np.isnan(numbers), MISSING, np.where(inside, bands + 1, -1)).astype(np.int64)

    def cells(self, codes: Integers, parts: Floats, span: "Span | None" = None) -> list[str]:
        """Texts (n) of codes: values, and numbers of their bands; empty where nothing is known.

        Args:
            codes: (n,); of a span's bands alone where one is given.
            parts: (n,), at least 0 and below 1: how far up the numbers of its band each lies.
            span: which numbers may be written.
        """
        if self.kind != NUMBER:
            names = ("", *self.values)
            return [names[code] for code in codes.tolist()]
        return [self._number(code, part, span) for code, part in zip(codes.tolist(), parts.tolist(), strict=True)]

    def _number(self, code: int, part: float, span: "Span | None") -> str:
        if code == MISSING:
            return ""
        numbers = self.numbers(code) if span is None else within(self.numbers(code), span)
        step = _step(self.low, self.high)
        return str((self.low + (numbers.start + int(part * len(numbers))) * step).quantize(step))

    def numbers(self, code: int) -> range:
        """The numbers of a band, counted in the last decimal from the lower end of the whole range."""
        steps, band = _steps(self.low, self.high), code - 1
        first, after = (-(-edge * steps // self.bands) for edge in (band, band + 1))
        return range(first, after if code < self.bands else steps + 1)

    def band(self, code: int) -> str:
        """A band by its first and last number; public, as the declaration is.

        >>> [Column.parse("age", "number(18..90)").band(code) for code in (1, 2, 10)]
        ['18..25', '26..32', '83..90']
        """
        step, numbers = _step(self.low, self.high), self.numbers(code)
        ends = (self.low + place * step for place in (numbers[0], numbers[-1]))
        return "..".join(dict.fromkeys(str(end.quantize(step)) for end in ends))

    def span(self, low: Decimal, high: Decimal) -> "Span":
        """The numbers from one to the other, counted likewise; empty where none is declared."""
        step = _step(self.low, self.high)
        first, last = ((bound - self.low) / step for bound in (max(low, self.low), min(high, self.high)))
        return range(math.ceil(first), math.floor(last) + 1)


Span = range
"""Numbers of a column, counted in its last decimal from the lower end of its range."""


def within(numbers: range, span: Span) -> range:
    """Those of consecutive numbers that are of the span."""
    return range(max(numbers.start, span.start), min(numbers.stop, span.stop))


@dataclass(frozen=True)
class Schema:
    """All declared columns, in order; empty where none was."""

    columns: tuple[Column, ...] = ()

    def __post_init__(self) -> None:
        if len(self.columns) > MOST_COLUMNS:
            raise UsageError(f"Expected at most {MOST_COLUMNS} declared columns, got {len(self.columns)}.")

    @classmethod
    def of(cls, types: Mapping[str, str]) -> Self:
        """The declared ones among columns' types by name."""
        return cls(tuple(Column.parse(name, text) for name, text in types.items() if is_declared(text)))

    def __bool__(self) -> bool:
        return bool(self.columns)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """In order."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def levels(self) -> tuple[int, ...]:
        """Codes of each column."""
        return tuple(column.levels for column in self.columns)

    @property
    def types(self) -> dict[str, str]:
        """Declarations by name, which `of` reads."""
        return {column.name: column.text for column in self.columns}

    def codes(self, columns: Mapping[str, Values], count: int) -> Integers:
        """Codes (count, columns) of columns (count,) by name; see `Column.codes`."""
        found = [column.codes(columns[column.name]) for column in self.columns]
        return np.stack(found, axis=1) if found else np.empty((count, 0), dtype=np.int64)


def is_declared(text: str) -> bool:
    """Whether a column's type says what it may hold."""
    return "(" in text


def within_reach(classes: int, levels: Sequence[int]) -> bool:
    """Whether so many classes and columns of so many codes are few enough combinations for a table of all."""
    return int(np.prod([classes, *levels], dtype=np.float64)) <= MOST_COMBINATIONS


def _is_value(text: str) -> bool:
    """Whether a value is a short name that begins and ends with a letter or digit, or with the + of a grade."""
    ends = text[:1].isalnum() and (text[-1].isalnum() or text[-1] == "+")
    return ends and len(text) <= _LONGEST_VALUE and is_name(text) and not set("()/") & set(text)


def _step(low: Decimal, high: Decimal) -> Decimal:
    """The last decimal that a range was declared with."""
    exponents = (bound.as_tuple().exponent for bound in (low, high))
    return Decimal(1).scaleb(min(exponent for exponent in exponents if isinstance(exponent, int)))


def _steps(low: Decimal, high: Decimal) -> int:
    return max(0, int((high - low) / _step(low, high)))


def _undeclared(name: str) -> UsageError:
    return UsageError(
        f"Expected a declaration of the column {name} such as {_EXAMPLES}: 2 to {MOST_VALUES} different values of "
        "letters and digits, or a range, and at most 32 bands no finer than its decimals."
    )
