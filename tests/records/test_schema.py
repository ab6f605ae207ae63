"""Declared columns: read back as themselves; codes are bands of what was declared, and cells lead back to codes."""

from decimal import Decimal

import numpy as np
import pytest

from privgan.errors import UsageError
from privgan.records.schema import MISSING, Column, Schema, is_declared, within_reach

TEXTS = {
    "sex": "category(F|M):patient",
    "stage": "ordinal(I<II<III<IV)",
    "age": "number(0..100)",
    "dose": "number(-0.5..2.50/5)",
}
SPELLED = {"gender": "category(男|女)", "grade": "ordinal(Gleason 3+3<T2-N0.a<größer 2+)"}  # any script, some signs


@pytest.mark.parametrize(("name", "text"), (TEXTS | SPELLED).items())
def test_a_declaration_reads_back_as_itself(name: str, text: str) -> None:
    assert Column.parse(name, text).text == text
    assert is_declared(text)


@pytest.mark.parametrize(
    "text",
    [
        "category()",
        "category(F)",
        "category(F|F)",
        "category(F<M)",
        "ordinal(I|II)",
        "number(5..5)",
        "number(9..1)",
        "number(0..1/1)",
        "number(0..99/33)",
        "number(0..3/4)",
        "number(a..b)",
        "category(F|M):image",
        "category(F|M",
        "category(" + "|".join(f"v{number}" for number in range(33)) + ")",
        "category(F|=1+1)",
        "category(F|+1)",
        "category(F|M/)",
        "category(F|n\u043ermal)",
        "category(F|M\ufe01)",
        "category(F|" + "m" * 33 + ")",
    ],
)
def test_what_declares_nothing_is_refused_and_the_column_is_named(text: str) -> None:
    with pytest.raises(UsageError, match="declaration of the column stage"):
        Column.parse("stage", text)


def test_codes_are_values_in_order_and_nothing_known_is_zero() -> None:
    stage = Column.parse("stage", TEXTS["stage"])
    assert stage.codes(np.array(["II", "", "IV", "V"])).tolist() == [2, MISSING, 4, -1]
    assert stage.levels == 5


def test_codes_of_numbers_are_equal_bands_and_both_ends_belong_to_it() -> None:
    age = Column.parse("age", TEXTS["age"])
    found = age.codes(np.array([0.0, 9.99, 10.0, 99.9, 100.0, 100.1, -0.1, np.nan, np.inf]))
    assert found.tolist() == [1, 1, 2, 10, 10, -1, -1, MISSING, -1]


@pytest.mark.parametrize(
    ("name", "text"), [*TEXTS.items(), ("narrow", "number(0..3)"), ("odd", "number(0.0..1.0/7)")]
)
def test_cells_lead_back_to_the_codes_they_were_written_from(name: str, text: str) -> None:
    column = Column.parse(name, text)
    codes = np.random.default_rng(0).integers(0, column.levels, 4000)
    cells = column.cells(codes, np.random.default_rng(1).random(len(codes)))
    numbers = text.startswith("number")
    read = np.array([float(cell or "nan") for cell in cells]) if numbers else np.array(cells)
    assert (column.codes(read) == codes).all()
    assert set(codes.tolist()) == set(range(column.levels))


def test_written_numbers_have_the_decimals_of_their_declaration() -> None:
    codes, parts = np.arange(1, 6), np.array([0.0, 0.3, 0.5, 0.9, 1 - 2**-53])
    assert all("." not in cell for cell in Column.parse("age", "number(0..100)").cells(codes, parts))
    assert all(len(cell.partition(".")[2]) == 2 for cell in Column.parse("dose", TEXTS["dose"]).cells(codes, parts))


def test_a_schema_holds_the_declared_columns_alone_in_their_order() -> None:
    schema = Schema.of({"ward": "category", **TEXTS, "weight": "number"})
    assert schema.names == tuple(TEXTS)
    assert schema.types == TEXTS
    assert schema.levels == (3, 5, 11, 6)
    assert schema.columns[3].low == Decimal("-0.5")
    assert not Schema.of({"ward": "category"})


def test_codes_of_a_schema_are_one_row_an_image() -> None:
    columns = {
        "sex": np.array(["M", ""]),
        "stage": np.array(["I", "IV"]),
        "age": np.array([50.0, np.nan]),
        "dose": np.array([2.5, -0.5]),
    }
    assert Schema.of(TEXTS).codes(columns, 2).tolist() == [[2, 1, 6, 5], [0, 4, 0, 1]]
    assert Schema().codes({}, 2).shape == (2, 0)


def test_what_a_table_can_be_computed_over() -> None:
    assert within_reach(3, Schema.of(TEXTS).levels)
    assert not within_reach(3, [33] * 4)
