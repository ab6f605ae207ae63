"""Further columns of a cohort: what else is known of an image, such as sex or age band, kept as text categories.

An audit asks whether a synthetic set gives them away. They are the most private numbers that a cohort holds beside
its images, so only those are kept that were asked for by name, and only categories: a column of many different
values is an identifier or a raw number, and either would say more of a patient than the audit can use.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privgan.errors import InputRejectedError, IntegrityError, UsageError
from privgan.files import PRIVATE_FILE

FILE = "columns.npz"
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
_NAME = re.compile(r"[a-z0-9_]{1,64}")

Texts = NDArray[np.str_]


def check_names(names: Sequence[str]) -> None:
    """Refuse names of columns that cannot be asked for.

    Raises:
        UsageError: one is repeated, has a meaning of its own, or other characters than letters, digits and `_`.
    """
    if len(set(names)) != len(names) or len(names) > MOST_COLUMNS or not all(map(is_name, names)):
        raise UsageError(
            f"Expected at most {MOST_COLUMNS} different columns of letters, digits and _, "
            "and none that is read anyway (label, patient, file, ...)."
        )


def is_name(name: str) -> bool:
    """Whether a further column may be called so; `name` is in lower case, as all columns are compared."""
    return bool(_NAME.fullmatch(name)) and name not in RESERVED


def are_categories(values: Iterable[str]) -> bool:
    """Few different and short values."""
    different = set(values)
    return len(different) <= MOST_VALUES and all(len(value) <= LONGEST_VALUE for value in different)


def require_categories(name: str, values: Iterable[str]) -> None:
    """Refuse a column that was asked for and holds no categories.

    Raises:
        InputRejectedError: there are too many different values, or one is too long.
    """
    if not are_categories(values):
        raise InputRejectedError(
            f"Expected at most {MOST_VALUES} values of up to {LONGEST_VALUE} characters in the column {name}: "
            "what has more is an identifier or a raw number. Band it first (age into age bands), or leave it out."
        )


def columns_of(names: Sequence[str], rows: Sequence[tuple[str, ...]]) -> dict[str, Texts]:
    """One array (n,) a column; `rows` (n) has one value of each column for each image."""
    return {name: np.array([row[number] for row in rows], dtype=np.str_) for number, name in enumerate(names)}


def write_columns(target: Path, columns: Mapping[str, Texts]) -> None:
    """Write texts (n,) by name."""
    arrays: dict[str, Any] = dict(columns)
    with target.open("xb") as stream:
        np.savez(stream, **arrays)
    target.chmod(PRIVATE_FILE)


def read_columns(path: Path, names: Sequence[str], count: int) -> Mapping[str, Texts]:
    """The columns of `count` images, as written.

    Raises:
        IntegrityError: other columns, or others than one text for each image.
    """
    with np.load(path, allow_pickle=False) as stored:
        columns = {name: stored[name] for name in stored.files}
    fits = all(column.shape == (count,) and column.dtype.kind == "U" for column in columns.values())
    if set(columns) != set(names) or not fits:
        raise IntegrityError(f"Expected one text for each image and column in {FILE}, got others.")
    return columns
