"""Dates in a text are read in the spellings of six languages, and digits that are no date are not."""

import pytest

from privgan.data.date_spellings import dates_in


@pytest.mark.parametrize(
    "text",
    [
        *("14 June 1957", "14. Juni 1957", "14 juin 1957", "14 de junio de 1957", "14 giugno 1957", "14/06/1957"),
        *("June 14, 1957", "JUN-14-1957", "1957-Jun-14", "14th of June, 1957", "14Jun1957", "1957/6/14"),
        *("19570614T1030", "195706141030", "19570614103000.123", "1957:06:14 10:30:00", "1957-06-14T10:30Z"),
    ],
)
def test_a_date_is_read(text: str) -> None:
    assert list(dates_in(f"of {text}.")) == ["19570614"]


@pytest.mark.parametrize(
    ("month", "names"),
    [
        (1, ("Jan", "Jänner", "enero", "gennaio", "janvier")),
        (3, ("March", "März", "mars", "marzo")),
        (5, ("May", "Mai", "mayo", "maggio")),
        (7, ("July", "Juli", "juillet", "luglio")),
        (8, ("Aug", "août", "agosto")),
        (10, ("October", "Okt", "outubro", "ottobre")),
        (12, ("Dec", "Dez", "décembre", "dic")),
    ],
)
def test_every_month_has_its_names(month: int, names: tuple[str, ...]) -> None:
    for name in names:
        assert list(dates_in(f"2 {name} 1957")) == [f"1957{month:02d}02"]


@pytest.mark.parametrize(
    "text",
    [
        "1.2.3.2005.4",
        "2.25.195706141030991",
        "a19570614103000",
        "1957-13-14",
        "14 Octets 2",
        "195706142530",
        "1856-06-14",
    ],
)
def test_digits_that_are_no_date_are_not_read(text: str) -> None:
    assert list(dates_in(text)) == []
