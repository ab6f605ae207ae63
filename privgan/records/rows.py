"""records.csv: an invented record for each image of a set, written and read back.

Written by `generate` and computed again by the audit, so that the two can never mean different things.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from privgan.arrays import Floats, Integers, Texts
from privgan.errors import IntegrityError, UsageError
from privgan.records.schema import NUMBER, Schema

HEAD = ("image", "file", "patient", "class")


@dataclass(frozen=True, kw_only=True, eq=False)
class Records:
    """codes: int64 (n, columns). cells: str (n, columns), what is written of them."""

    codes: Integers
    cells: Texts

    @classmethod
    def none(cls, count: int) -> "Records":
        """Of a set without columns."""
        return cls(codes=np.empty((count, 0), dtype=np.int64), cells=np.empty((count, 0), dtype="<U1"))

    def columns(self, names: Sequence[str]) -> dict[str, Texts]:
        """What is written of each column, (n,), by its name."""
        return dict(zip(names, self.cells.T, strict=True))


def records_csv(homes: Sequence[tuple[str, str, str]], records: Records, names: Sequence[str]) -> str:
    """The text of records.csv.

    Args:
        homes: of each image its file, its invented patient and its class, as labels.csv has them.
        records: of all images.
        names: of the columns.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*HEAD, *names))
    for number, (home, cells) in enumerate(zip(homes, records.cells.tolist(), strict=True)):
        writer.writerow((number, *home, *cells))
    return text.getvalue()


def read_records(content: bytes, schema: Schema, count: int) -> Records:
    """The records in the text of records.csv; what else stands there is for the audit to compare.

    Raises:
        IntegrityError: it is no such table of so many images, or a cell is none that its column declares.
    """
    try:
        rows = list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))
        table = np.array([row[len(HEAD) :] for row in rows], dtype=np.str_)
        if table.shape != (1 + count, len(schema.names)) or tuple(table[0].tolist()) != schema.names:
            raise _no_records(count)
        read = {
            column.name: _read(table[1:, number], numbers=column.kind == NUMBER)
            for number, column in enumerate(schema.columns)
        }
        codes = schema.codes(read, count)
    except (ValueError, csv.Error, UsageError):
        raise _no_records(count) from None
    if (codes < 0).any():
        raise _no_records(count)
    return Records(codes=codes, cells=table[1:])


def _read(cells: Texts, *, numbers: bool) -> Texts | Floats:
    return np.array([float(cell or "nan") for cell in cells.tolist()]) if numbers else cells


def _no_records(count: int) -> IntegrityError:
    return IntegrityError(f"Expected records.csv with a declared value in each cell for {count} images.")
