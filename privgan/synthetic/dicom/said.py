"""What of a record the standard has an attribute for: sex, age, view and side, of columns that are called so.

Everything else a record says stands in records.csv alone. A file of several frames says what all of them say.
"""

import re
from collections.abc import Callable, Sequence

from privgan.records.facts import RecordsFacts
from privgan.records.schema import NUMBER, Column

SEX, AGE, VIEW, SIDE = "PatientSex", "PatientAge", "ViewPosition", "ImageLaterality"
_CALLED = {
    **dict.fromkeys(("sex", "gender"), SEX),
    "age": AGE,
    **dict.fromkeys(("view", "view_position", "projection"), VIEW),
    **dict.fromkeys(("laterality", "side"), SIDE),
}
_SEXES = {"f": "F", "female": "F", "m": "M", "male": "M", "o": "O", "other": "O", "diverse": "O"}
_SIDES = {"l": "L", "left": "L", "r": "R", "right": "R", "b": "B", "both": "B", "bilateral": "B", "u": "U"}
_CODE = re.compile(r"[A-Z0-9_ ]{1,16}")  # a code string (PS3.5 6.2)
_OLDEST = 150  # years: a column of ages reaches no further, or is none
_VIEWED = ("cr", "dx")  # kinds whose definitions know a view (PS3.3 C.8.1.1, C.8.11.5)


def keywords_of(records: RecordsFacts | None, kind: str) -> dict[str, str]:
    """The attribute that each column of a set fills, by the column's name; the first of two that would fill one.

    kind: of the DICOM files.
    """
    found: dict[str, str] = {}
    for column in () if records is None else records.schema.columns:
        keyword = _CALLED.get(column.name.lower().replace(" ", "_"), "")
        if keyword and keyword not in found.values() and _fits(column, keyword, kind):
            found[column.name] = keyword
    return found


def said_of(keywords: dict[str, str], names: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, str]:
    """Values of attributes by keyword; none of an attribute that may be absent where nothing is known.

    Args:
        keywords: see `keywords_of`.
        names: of all columns.
        rows: of each frame of a file, what is written of all columns.
    """
    said = {}
    for place, name in enumerate(names):
        if keyword := keywords.get(name):
            cells = {row[place] for row in rows}
            said[keyword] = _WORDS[keyword](cells.pop()) if len(cells) == 1 else _UNSAID[keyword]
    return {keyword: value for keyword, value in said.items() if value or keyword != AGE}


def _fits(column: Column, keyword: str, kind: str) -> bool:
    if keyword == AGE:
        return column.kind == NUMBER and column.low >= 0 and column.high <= _OLDEST
    return column.kind != NUMBER and (keyword != VIEW or kind in _VIEWED)


def _age(cell: str) -> str:
    """An age string (PS3.5 6.2) of whole years."""
    return f"{int(float(cell)):03d}Y" if cell else ""


def _view(cell: str) -> str:
    view = cell.upper()
    return view if _CODE.fullmatch(view) else ""


_UNSAID = {SEX: "", AGE: "", VIEW: "", SIDE: "U"}
_WORDS: dict[str, Callable[[str], str]] = {
    SEX: lambda cell: _SEXES.get(cell.lower(), ""),
    AGE: _age,
    VIEW: _view,
    SIDE: lambda cell: _SIDES.get(cell.lower(), "U"),
}
