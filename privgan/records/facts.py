"""What a set says of its records: the columns, how sure their shares are, and what was asked for."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

from privgan.checks import positive
from privgan.errors import UsageError
from privgan.records.condition import EVERYTHING, Condition
from privgan.records.schema import ORDINAL, Schema
from privgan.records.table import Table


@dataclass(frozen=True, kw_only=True)
class RecordsFacts:
    """columns: declarations by name. errors: by column, see `Table.errors`. members: how many patients were asked.

    where: what was asked for, as `Condition.text` has it. sequence: the column through whose values each patient
    goes, empty without one.
    """

    columns: dict[str, str]
    errors: dict[str, float]
    members: int
    where: str = EVERYTHING
    sequence: str = ""

    def __post_init__(self) -> None:
        positive(members=self.members, **self.errors)
        if not self.schema or tuple(self.errors) != self.schema.names or self.schema.types != self.columns:
            raise UsageError("Expected declared columns of records, and of each how sure it is.")
        if Condition.parse(self.where, self.schema).text != self.where:
            raise UsageError("Expected what was asked of records as privgan writes it.")
        if self.sequence not in ("", *(column.name for column in self.schema.columns if column.kind == ORDINAL)):
            raise UsageError("Expected a sequence through a column of records that is declared as ordinal.")

    @classmethod
    def of(cls, table: Table, condition: Condition, sequence: str = "") -> Self:
        """Of a set whose records are drawn from this table."""
        return cls(
            columns=table.columns,
            errors=table.errors,
            members=table.members,
            where=condition.text,
            sequence=sequence,
        )

    @cached_property
    def schema(self) -> Schema:
        """The declared columns."""
        return Schema.of(self.columns)
