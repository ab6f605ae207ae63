"""Dates as they are written, read back as YYYYMMDD, the one form that is digested.

`identifiers` finds a date whose eight digits stand alone, with any separators; here are the others: one digit
where two are usual, names of a month in six tongues, and a time behind the date.

The words of this file are no evidence against anybody (`own_words`), so it names no tongue and no month.
"""

import re
from collections.abc import Iterator

_YEAR = r"(?P<y>(?:19|20)\d\d)"
_DAY = r"(?P<d>[0-3]?\d)(?:st|nd|rd|th|er|\.)?"
_OF = r"[-./, ]*(?:of |de |del |d'|di )?"
# In en, de, fr, es, it and pt, in the order of a year.
_MONTHS = (
    *("j[aä]n|ene|gen", "f[eé][bv]", "m[aä]r", "a[pvb]r", "ma[iyg]", "jui?n|giu"),
    *("jui?l|lug", "aug|ao[uû]|ago", "sep|set", "o[cku]t|ott", "nov", "d[eéi][cz]"),
)
_MONTH = rf"(?P<name>{'|'.join(_MONTHS)})[^\W\d_]{{0,8}}"
_HAS_YEAR = re.compile(r"(?:19|20)\d\d")
_NUMBERS = (
    re.compile(rf"(?<![\d.]){_YEAR}([-./: ])(?P<m>[01]?\d)\2(?P<d>[0-3]?\d)(?!\.?\d)"),
    re.compile(rf"(?<![\d.])(?P<d>[0-3]?\d)([-./ ])(?P<m>[0-3]?\d)\2{_YEAR}(?!\.?\d)"),
    # A longer run of digits is a number, and behind one of a to f it may be part of a hash.
    re.compile(rf"(?<![^\W_]){_YEAR}(?P<m>[01]\d)(?P<d>[0-3]\d)(?:T|(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?(?![^\W_]))"),
)
_NAMED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?<!\d){_DAY}{_OF}{_MONTH}{_OF}{_YEAR}(?!\d)",
        rf"(?<![^\W_]){_MONTH}[-./, ]*{_DAY}[-./, ]+{_YEAR}(?!\d)",
        rf"(?<!\d){_YEAR}[-./, ]*{_MONTH}[-./, ]*{_DAY}(?!\d)",
    )
)


def dates_in(text: str) -> Iterator[str]:
    """Every date from 1900 to 2099 that a text spells, YYYYMMDD; both readings of 5/1/2020.

    >>> list(dates_in("on 31 Jan 1957, on 5/1/2020 and on 2021-12-05T10:30"))
    ['20211205', '20200105', '20200501', '19570131']
    """
    if not _HAS_YEAR.search(text):
        return
    for pattern in _NUMBERS:
        for found in pattern.finditer(text):
            day, month = int(found["d"]), int(found["m"])
            yield from _date(found["y"], month, day)
            if pattern is _NUMBERS[1] and day != month:
                yield from _date(found["y"], day, month)
    for pattern in _NAMED:
        for found in pattern.finditer(text):
            yield from _date(found["y"], _month(found["name"]), int(found["d"]))


def _month(name: str) -> int:
    return next(number for number, names in enumerate(_MONTHS, 1) if re.fullmatch(names, name, re.IGNORECASE))


def _date(year: str, month: int, day: int) -> Iterator[str]:
    if 1 <= month <= 12 and 1 <= day <= 31:
        yield f"{year}{month:02d}{day:02d}"
