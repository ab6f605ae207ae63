"""What comes of records at all: which values drown in the noise of their table, before anything is spent.

The error of a count is public (`Pairs.alone`): it follows from the declaration, the classes and the noise. A value
that fewer patients have than two such errors is drawn as often as noise says.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from privgan.language import kept
from privgan.records.pairs import Pairs
from privgan.records.schema import Schema

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ColumnOutlook:
    """values: that are declared, bands of a number. drowns: what fewer patients say. average: patients of a value, if
    all were equally common and everybody's known.
    """

    name: str
    values: int
    drowns: int
    average: int

    @property
    def drowned(self) -> bool:
        """Whether all of it drowns, unless some values are much commoner than others."""
        return self.average < self.drowns


@dataclass(frozen=True, kw_only=True)
class RecordsOutlook:
    """share: of epsilon, for the table. times: how many times as large the noise of images is beside records."""

    columns: tuple[ColumnOutlook, ...]
    members: int
    share: float
    times: float

    @property
    def told(self) -> tuple[str, ...]:
        """A sentence for all, and one for each column."""
        first = kept(
            "records: their table takes {percent:.0f} % of epsilon, and what images are asked bears {times:.2f} "
            "times the noise.",
            percent=100 * self.share,
            times=self.times,
        )
        return (first, *(self._of(column) for column in self.columns))

    def say(self) -> None:
        """Log it; a column that drowns is a warning."""
        for line, drowned in zip(self.told, (False, *(column.drowned for column in self.columns)), strict=True):
            _log.log(logging.WARNING if drowned else logging.INFO, "%s", line)

    def _of(self, column: ColumnOutlook) -> str:
        names = {"name": column.name, "drowns": column.drowns, "members": self.members}
        more = {"values": column.values, "average": column.average}
        if column.drowned:
            return kept(
                "records: {name} drowns: what fewer than {drowns} of {members} patients say is noise, and its "
                "{values} values have about {average} each. Declare fewer values or wider bands, or fewer columns.",
                **names,
                **more,
            )
        return kept(
            "records: of {name}, what fewer than {drowns} of {members} patients say drowns; its {values} values have "
            "about {average} each, were all equally common.",
            **names,
            **more,
        )


def records_outlook(
    schema: Schema, *, classes: int, members: int, noise: float, share: float, times: float
) -> RecordsOutlook:
    """Of declared columns.

    Args:
        schema: at least one column.
        classes: how many there are.
        members: patients who would be asked.
        noise: that the answer would bear, see `Pairs.errors`.
        share: see `RecordsOutlook`.
        times: likewise.
    """
    pairs = Pairs((classes, *schema.levels))
    _, errors = pairs.alone(np.zeros(pairs.cells), noise)
    return RecordsOutlook(
        columns=tuple(_columns(schema, errors[1:], members)), members=members, share=share, times=times
    )


def _columns(schema: Schema, errors: Sequence[float], members: int) -> list[ColumnOutlook]:
    return [
        ColumnOutlook(
            name=column.name,
            values=column.levels - 1,
            drowns=math.ceil(2 * error),
            average=round(members / (column.levels - 1)),
        )
        for column, error in zip(schema.columns, errors, strict=True)
    ]
