"""Which records are asked for: `stage=III,age=60..70`, of columns that were declared.

>>> schema = Schema.of({"stage": "ordinal(I<II<III)", "age": "number(0..100)"})
>>> condition = Condition.parse("age = 60..64, stage=II..III", schema)
>>> condition.text
'stage=II|III,age=60..64'
>>> [weights.tolist() for weights in condition.allowed][0]
[0.0, 0.0, 1.0, 1.0]
>>> float(condition.allowed[1][7])
0.5
"""

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Self

import numpy as np

from privgan.arrays import Floats
from privgan.errors import UsageError
from privgan.records.schema import NUMBER, ORDINAL, Column, Schema, Span, within

EVERYTHING = ""
_TO = ".."


@dataclass(frozen=True, kw_only=True)
class Condition:
    """values: by column, those that are asked for. spans: of numbers, likewise. Columns left out are free."""

    schema: Schema
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    spans: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, schema: Schema) -> Self:
        """From what was typed; an empty text asks for nothing.

        Raises:
            UsageError: a column or value is unknown, twice there or out of range.
        """
        columns = {column.name: column for column in schema.columns}
        values: dict[str, tuple[str, ...]] = {}
        spans: dict[str, tuple[Decimal, Decimal]] = {}
        for part in text.split(",") if text.strip() else ():
            name, equals, asked = (piece.strip() for piece in part.partition("="))
            if not equals or name not in columns or name in values or name in spans:
                raise UsageError(
                    f"Expected --where COLUMN=VALUE,COLUMN=LOW..HIGH with each column at most once; got {part!r}. "
                    f"Declared: {', '.join(columns)}."
                )
            if columns[name].kind == NUMBER:
                spans[name] = _span(columns[name], asked)
            else:
                values[name] = _values(columns[name], asked)
        return cls(schema=schema, values=values, spans=spans)

    @property
    def text(self) -> str:
        """The one way to write it."""
        return ",".join(f"{name}={self._said(name)}" for name in self.schema.names if name in self)

    @cached_property
    def allowed(self) -> list[Floats]:
        """Of each column how much of each code is asked for, from 0 to 1; of a band, the share of its numbers."""
        return [self._allowed(column) for column in self.schema.columns]

    def span(self, column: Column) -> Span | None:
        """Of a column, counted as `Column.numbers` counts."""
        return column.span(*self.spans[column.name]) if column.name in self.spans else None

    def __contains__(self, name: str) -> bool:
        return name in self.values or name in self.spans

    def _said(self, name: str) -> str:
        return (
            "|".join(self.values[name])
            if name in self.values
            else _TO.join(map(str, dict.fromkeys(self.spans[name])))
        )

    def _allowed(self, column: Column) -> Floats:
        if column.name not in self:
            return np.ones(column.levels)
        if (span := self.span(column)) is None:
            return np.array([0.0, *(float(value in self.values[column.name]) for value in column.values)])
        bands = [column.numbers(code) for code in range(1, column.levels)]
        return np.array([0.0, *(len(within(band, span)) / len(band) for band in bands)])


def _values(column: Column, asked: str) -> tuple[str, ...]:
    """One value, several with | between them, or of an ordinal from one to another."""
    first, to, last = asked.partition(_TO)
    known = column.values
    if to and column.kind == ORDINAL and asked not in known and first in known and last in known:
        chosen = set(known[known.index(first) : known.index(last) + 1])
    else:
        chosen = {value.strip() for value in asked.split("|")}
    if not chosen or not chosen <= set(known):
        raise UsageError(f"Expected values of {column.name} among {', '.join(known)}; got {asked!r}.")
    return tuple(value for value in known if value in chosen)


def _span(column: Column, asked: str) -> tuple[Decimal, Decimal]:
    """One number, or from one to another; both belong to it."""
    first, to, last = asked.partition(_TO)
    try:
        low, high = Decimal(first.strip()), Decimal((last if to else first).strip())
        fits = column.low <= low <= high <= column.high and len(column.span(low, high)) > 0
    except InvalidOperation:
        fits = False
    if not fits:
        raise UsageError(
            f"Expected {column.name} as LOW..HIGH within {column.low}..{column.high}, in which one of its numbers "
            f"lies; got {asked!r}."
        )
    return low, high
