"""Declared columns of a source: how they are typed, which cells fit, and what is said of the others."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privgan.data.columns import Wanted, columns_of, is_decimal
from privgan.data.declared import MISFITS, OUT_OF_RANGE, UNKNOWN_VALUE, Declared, Tally, misfit, nearly_fits
from privgan.data.sources.wishes import Wishes
from privgan.errors import UsageError
from privgan.records.schema import Column, Schema

TYPES = {
    "sex": "category(F|M):patient",
    "ward": "category",
    "stage": "ordinal(I<II<III<IV)",
    "age": "number(0..100)",
    "dose": "number(-0.50..2.50/5)",
}
TYPED = (
    "SEX: Category( F | M ) : Patient, Ward, stage:ordinal(I<II<III<IV),age:number(0..100),dose:NUMBER(-0.50..2.50/5)"
)
CELLS = st.one_of(
    st.sampled_from(
        ["", "F", "M", "f", " F", "I", "IV", "iv", "I V", "0", "100", "100.0", "-0.5", "2.5", "1e1", "nan"]
    ),
    st.text(max_size=6),
    st.floats(allow_nan=False).map(repr),
    st.integers(-5, 105).map(str),
)


def test_what_is_typed_is_read_as_it_was_meant() -> None:
    """Names, kinds and `:patient` in any case and with blanks; values as they stand; commas only between columns."""
    assert Wanted.typed(TYPED).types == TYPES
    assert list(Wanted.typed(TYPED).types) == list(TYPES)
    assert Wanted.typed("").types == {}
    assert Wanted.typed("sex,age:number").types == {"sex": "category", "age": "number"}
    again = ",".join(f"{name}:{text}" for name, text in TYPES.items())
    assert Wanted.typed(again).types == TYPES


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("sex:category(F,M)", "declaration of the column sex"),
        ("sex:category(F|M,age:number", "declaration of the column sex"),
        ("sex:category(F|M)),age", "declaration of the column sex"),
        ("age:number(0..100):person", "declaration of the column age"),
        ("sex:ordinal", "one of the types"),
        ("sex:category:patient", "one of the types"),
        ("label:category(a|b)", "columns of letters"),
        ("sex:category(F|M),SEX", "columns of letters"),
        ("day:category(2020-01-31|2020-02-01)", "day without dates"),
        ("day:category(Monday|31 Jan 2020)", "day without dates"),
        ("day:category(20200131|20200201)", "day without dates"),
        ("day:number(19000101..20251231)", "day without dates"),
        (",".join(f"c{place}:number(0..99/32)" for place in range(4)), "combinations of the classes"),
        (",".join(f"c{place}:category(a|b)" for place in range(13)), "at most 12 declared"),
    ],
)
def test_what_cannot_be_a_declaration_is_refused_before_anything_is_read(typed: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Wishes(columns=Wanted.typed(typed))


def test_years_and_codes_of_eight_digits_are_no_dates() -> None:
    Wishes(columns=Wanted.typed("birth_year:number(1920..2010),code:category(20209999|12345678)"))


def test_classes_count_among_the_combinations() -> None:
    columns = Wanted.typed(",".join(f"c{place}:number(0..100/31)" for place in range(3)))  # 32,768 by themselves
    Wishes(columns=columns, classes=("a", "b"))
    Wishes(columns=columns, classes=tuple(map(str, range(8))))
    with pytest.raises(UsageError, match=r"got 294912\. Declare fewer"):
        Wishes(columns=columns, classes=tuple(map(str, range(9))))


@pytest.mark.parametrize("name", ["sex", "stage", "age", "dose"])
@given(cell=CELLS)
@settings(deadline=None, derandomize=True, max_examples=200)
def test_a_cell_fits_exactly_if_it_has_a_code(name: str, cell: str) -> None:
    """The codes of the whole column are the twin; a text that is no number has none there either."""
    column = Column.parse(name, TYPES[name])
    why = misfit(column, cell)
    if column.kind == "number" and cell and not is_decimal(cell):
        assert why == UNKNOWN_VALUE
        return
    values = columns_of({name: TYPES[name]}, [(cell,)])[name]
    assert (column.codes(values)[0] >= 0) == (why == "")
    assert (column.codes(values)[0] == 0) == (cell == "")


@given(rows=st.lists(st.tuples(*[CELLS] * len(TYPES)), max_size=12))
@settings(deadline=None, derandomize=True, max_examples=100)
def test_counts_equal_their_slow_twin(rows: list[tuple[str, ...]]) -> None:
    """Every cell of every image is one of four things; an image is refused by the first that does not fit."""
    tally, declared, schema = Tally.of(TYPES), Declared.of(TYPES), Schema.of(TYPES)
    for row in rows:
        tally.add(declared.refuse(row), row)
        tally.add("damaged", row)  # of which nothing counts
    columns = {column.name: column for column in schema.columns}
    for place, (name, counts) in enumerate(tally.counts().items()):
        cells = [row[place] for row in rows]
        column = columns.get(name)
        why = [misfit(column, cell) if column else "" for cell in cells]
        assert counts.empty == cells.count("")
        assert (counts.unknown, counts.outside) == (why.count(UNKNOWN_VALUE), why.count(OUT_OF_RANGE))
        assert counts.fit + counts.empty + counts.unknown + counts.outside == len(rows)
        assert counts.near <= counts.unknown
    for row in rows:
        objections = [misfit(columns[name], row[place]) for place, name in enumerate(TYPES) if name in columns]
        assert declared.refuse(row) == next(filter(None, objections), "")


@pytest.mark.parametrize(
    ("name", "cell", "near"),
    [
        ("stage", "iv", True),
        ("stage", "I V", True),
        ("stage", "V", False),
        ("stage", "1", False),
        ("sex", "female", False),
        ("age", "42,0", True),
        ("age", "4 2", True),
        ("age", "142,0", False),
        ("age", "42Y", False),
    ],
)
def test_cells_that_nearly_fit_are_known_and_left_alone(name: str, cell: str, near: bool) -> None:
    column = Column.parse(name, TYPES[name])
    assert misfit(column, cell) in MISFITS
    assert nearly_fits(column, cell) == near


def test_letters_in_pieces_are_near_to_whole_ones() -> None:
    size = Column.parse("size", "category(größer|kleiner)")
    assert (misfit(size, "gro\u0308ßer"), nearly_fits(size, "gro\u0308ßer")) == (UNKNOWN_VALUE, True)


def test_numbers_of_grades_that_a_spreadsheet_made_decimals_are_near() -> None:
    grade = Column.parse("grade", "ordinal(1<2<3)")
    assert (misfit(grade, "2.0"), nearly_fits(grade, "2.0"), nearly_fits(grade, "2.5")) == (
        UNKNOWN_VALUE,
        True,
        False,
    )


def test_notes_have_counts_and_no_values() -> None:
    tally = Tally.of(TYPES)
    for sex in ("F", "f", "qzx", ""):
        tally.add("", (sex, "w", "", "101", "0"))
    nearly = "1 of them only by case, blanks or how a number is written; their images were left out."
    assert tally.notes() == (
        f"Column sex: 2 cells hold what was not declared, {nearly}",
        "Column age: 4 numbers lie outside the declared range; their images were left out.",
    )


def test_where_anything_is_wanted_nothing_is_held_against_a_declaration() -> None:
    """A foreign set that an audit reads need not know what a cohort's columns may hold."""
    wanted = Wanted(types=TYPES, anything=True)
    assert [wanted.type_of(name) for name in (*TYPES, "other")] == [
        "category",
        "category",
        "category",
        "number",
        "number",
        "category",
    ]
    assert np.array_equal(columns_of({"age": wanted.type_of("age")}, [("400.0",)])["age"], [400.0])
