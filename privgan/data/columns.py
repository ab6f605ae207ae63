"""Further columns of a cohort: what else is known of an image, such as sex or age, as categories or as numbers.

An audit asks whether a synthetic set gives them away. They are the most private values that a cohort holds beside
its images, so only those are kept that were asked for by name. A category has few different values: what has many
is an identifier or a raw number, and whoever wants a number says so. Those of which it was declared what they may
hold (see `records.schema`) are kept for the records of a synthetic set, too; then whatever else a cell holds costs
its image, as a label outside the declared classes does.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from privgan.arrays import Values
from privgan.errors import InputRejectedError, IntegrityError, UsageError
from privgan.files import PRIVATE_FILE
from privgan.records.schema import CATEGORY, NUMBER, Schema, is_declared

FILE = "columns.npz"
TYPES = (CATEGORY, NUMBER)
MOST_VALUES = 32  # different ones that still are categories
LONGEST_VALUE = 64  # characters
MOST_COLUMNS = 32
READ_ANYWAY = (
    "instance",
    "file",
    "study",
    "patient",
    "label",
    "images",
    "labels",
    "patient_id",
    "classes",
    "filenames",
)
RESERVED = frozenset((*READ_ANYWAY, "allow_pickle"))  # the last is an argument of the function that writes them
_BETWEEN = re.compile(r",(?![^()]*\))")  # a comma in no parentheses
_NAME = re.compile(r"[a-z0-9_]{1,64}")
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

"""A column in memory: texts (n,), empty where nothing is known, or numbers (n,), NaN there."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which further columns to read.

    types: CATEGORY, NUMBER or a declaration by name. anything: none of them need be there or fit, and all others
    that hold categories are read, too.
    """

    types: Mapping[str, str] = field(default_factory=dict)
    anything: bool = False

    @classmethod
    def named(cls, wishes: Sequence[str]) -> Self:
        """Exactly these, each `name` or `name:type`; see `column_types`."""
        return cls(types=column_types(wishes))

    @classmethod
    def typed(cls, text: str) -> Self:
        """From one line as people type it, `sex,age:number` or `sex:category(F|M), age:number(0..100)`."""
        return cls.named(tuple(map(_tidied, _BETWEEN.split(text))) if text else ())

    def type_of(self, name: str) -> str:
        """As what a column is read: where it need not fit, it is not held against its declaration."""
        kind = self.types.get(name, CATEGORY)
        return (NUMBER if is_number(kind) else CATEGORY) if self.anything else kind


NOTHING = Wanted()


def column_types(wishes: Sequence[str]) -> dict[str, str]:
    """Types by name from `name` or `name:type`, where `category` may be left out, or `name:declaration`.

    Raises:
        UsageError: a name is repeated, has a meaning of its own, or other characters than letters, digits and `_`;
            an unknown type; or what declares nothing, see `records.schema.Column.parse`.
    """
    pairs = [(name, kind if colon else CATEGORY) for name, colon, kind in (wish.partition(":") for wish in wishes)]
    types = dict(pairs)
    if len(types) != len(pairs) or len(types) > MOST_COLUMNS or not all(map(is_name, types)):
        raise UsageError(
            f"Expected at most {MOST_COLUMNS} different columns of letters, digits and _, "
            "and none that is read anyway (label, patient, file, ...)."
        )
    if not {kind for kind in types.values() if not is_declared(kind)} <= set(TYPES):
        raise UsageError(
            f"Expected one of the types {', '.join(TYPES)} behind a column's name, as in age:number, or what it may "
            "hold, as in stage:ordinal(I<II<III<IV) or sex:category(F|M):patient."
        )
    return types | Schema.of(types).types


def is_number(kind: str) -> bool:
    """Whether a column's type, declared or not, is one of numbers."""
    return kind.partition("(")[0] == NUMBER


def _tidied(wish: str) -> str:
    """A wish as `column_types` reads it: in lower case but for what it declares, without blanks around its parts."""
    name, colon, kind = wish.partition(":")
    head, opened, rest = kind.partition("(")
    inside, closed, tail = rest.rpartition(")")
    tail = "".join(tail.lower().split())
    return f"{name.strip().lower()}{colon}{head.strip().lower()}{opened}{inside}{closed}{tail}"


def is_name(name: str) -> bool:
    """Whether a further column may be called so; `name` is in lower case, as all columns are compared."""
    return bool(_NAME.fullmatch(name)) and name not in RESERVED


def are_categories(values: Iterable[str]) -> bool:
    """Few different and short values."""
    different = set(values)
    return len(different) <= MOST_VALUES and all(len(value) <= LONGEST_VALUE for value in different)


def is_decimal(text: str) -> bool:
    """Whether a cell is a finite decimal number."""
    return _DECIMAL.fullmatch(text) is not None and math.isfinite(float(text))


def spelled(kind: str, text: str) -> str:
    """A cell as it is kept: of a number one spelling, so that 40 and 40.0 agree; what is none stays as it is."""
    return repr(float(text)) if is_number(kind) and is_decimal(text) else text


def fits(kind: str, values: Iterable[str]) -> bool:
    """Whether all values of a column are of its type; an empty one always is."""
    return are_categories(values) if kind == CATEGORY else not _no_numbers(values)


def require_fitting(name: str, kind: str, values: Iterable[str]) -> None:
    """Refuse a column that was asked for and holds something else; of a declared one `declared.Declared` does.

    Raises:
        InputRejectedError: categories with too many different values or one that is too long; numbers that are none.
    """
    if is_declared(kind):
        return
    if kind == NUMBER:
        if count := _no_numbers(values):
            raise InputRejectedError(
                f"Expected finite decimal numbers such as 63 or 1.75 in the column {name}, {count} cells hold "
                "something else. Leave a cell empty where nothing is known."
            )
    elif not are_categories(values):
        raise InputRejectedError(
            f"Expected at most {MOST_VALUES} values of up to {LONGEST_VALUE} characters in the column {name}: "
            f"what has more is an identifier or a number. Ask for numbers as {name}:number, or leave it out."
        )


def _no_numbers(values: Iterable[str]) -> int:
    return sum(1 for value in values if value and not is_decimal(value))


def columns_of(types: Mapping[str, str], rows: Sequence[tuple[str, ...]]) -> dict[str, Values]:
    """One array (n,) a column; `rows` (n) has one value of each column for each image."""
    return {
        name: np.array([float(row[number] or "nan") for row in rows], dtype=np.float64)
        if is_number(kind)
        else np.array([row[number] for row in rows], dtype=np.str_)
        for number, (name, kind) in enumerate(types.items())
    }


def fitting_columns(types: Mapping[str, str], rows: Sequence[tuple[str, ...]]) -> dict[str, Values]:
    """Like `columns_of`, where some columns may hold anything.

    Raises:
        InputRejectedError: see `require_fitting`.
    """
    for number, (name, kind) in enumerate(types.items()):
        require_fitting(name, kind, (row[number] for row in rows))
    return columns_of(types, rows)


def write_columns(target: Path, columns: Mapping[str, Values]) -> None:
    """Write arrays (n,) by name; without any there is no file."""
    if not columns:
        return
    arrays: dict[str, Any] = dict(columns)
    with target.open("xb") as stream:
        np.savez(stream, **arrays)
    target.chmod(PRIVATE_FILE)


def read_columns(path: Path, types: Mapping[str, str], count: int) -> Mapping[str, Values]:
    """The columns of `count` images, as written.

    Raises:
        IntegrityError: other columns, others than one text or number for each image, or what was not declared.
    """
    with np.load(path, allow_pickle=False) as stored:
        columns = {name: stored[name] for name in stored.files}
    kinds = {name: "f" if is_number(kind) else "U" for name, kind in types.items()}
    whole = all(column.shape == (count,) for column in columns.values())
    if {name: column.dtype.kind for name, column in columns.items()} != kinds or not whole:
        raise IntegrityError(f"Expected one value for each image and column in {FILE}, got others.")
    if (Schema.of(types).codes(columns, count) < 0).any():
        raise IntegrityError(f"Expected only what was declared in the columns of {FILE}, got something else.")
    return columns
