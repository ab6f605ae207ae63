"""Invented patients through all stages of a disease: one image of each value of a column, all else held fixed.

What a column does to an image was released before, one effect a value; so the same latent numbers, the same grain and
pose and the same values of all other columns give an image of the same patient at another stage.
"""

from pathlib import Path

import numpy as np

from privgan.arrays import Floats, Integers
from privgan.errors import UsageError
from privgan.files import read_json
from privgan.records.condition import Condition
from privgan.records.schema import MISSING, ORDINAL, Column, Schema
from privgan.run import MODEL_CONFIG


def visits_of(run: Path, name: str) -> int:
    """How many images a patient has in a sequence through a column of a run: one of each value.

    Raises:
        UsageError: the run has no such column, or its values have no order.
    """
    table = read_json(run / MODEL_CONFIG).get("records") or {}
    return len(ordinal(Schema.of(table.get("columns", {})), name).values)


def ordinal(schema: Schema, name: str) -> Column:
    """The ordinal column of that name.

    Raises:
        UsageError: there is none.
    """
    found = [column for column in schema.columns if column.kind == ORDINAL]
    for column in found:
        if column.name == name:
            return column
    raise UsageError(
        f"Expected --sequence of a column of the run that is declared as ordinal, got {name!r}. "
        f"Known: {', '.join(column.name for column in found) or '-'}."
    )


def allowed_at_first(condition: Condition, sequence: str) -> list[Floats]:
    """Of each column how much of each code is allowed of who is drawn; in the sequence's all values that are known.

    Raises:
        UsageError: the condition asks for values of the sequence's column.
    """
    allowed = list(condition.allowed)
    if sequence:
        if sequence in condition:
            raise UsageError(
                f"Expected --where of other columns than --sequence {sequence}: a sequence has each of its values."
            )
        place = condition.schema.names.index(sequence)
        allowed[place] = np.where(np.arange(len(allowed[place])) == MISSING, 0.0, 1.0)
    return allowed


def through(codes: Integers, schema: Schema, sequence: str) -> Integers:
    """Codes (n, columns) of images in which each patient, one after the other, has each value of a column in order.

    codes: (n, columns), of which those of a patient's first image are taken.
    """
    column = ordinal(schema, sequence)
    visits = len(column.values)
    found = np.repeat(codes[::visits], visits, axis=0)
    found[:, schema.names.index(sequence)] = 1 + np.arange(len(found)) % visits
    return found
