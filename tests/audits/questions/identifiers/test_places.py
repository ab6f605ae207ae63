"""Every place of every kind of file, in every encoding: planted identifiers are found, other texts never."""

import base64
import string
import uuid
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privgan.data.identifiers import DATE, IDENTIFIER, NAME, PART, UID, IdentifierDigests
from privgan_audits.questions.identifiers.contents.files import file_pieces, opening_of
from privgan_audits.questions.identifiers.contents.pieces import UNREADABLE, Piece
from privgan_audits.questions.identifiers.contents.text_encodings import unfolded
from privgan_audits.questions.identifiers.lookup import Lookup
from tests.audits.questions.identifiers.containers import (
    BYTE_PLACES,
    ENCODINGS,
    TEXT_ENCODINGS,
    TEXT_PLACES,
    array,
    chunk,
    picture,
)

NUMBER, STRANGER = "MRN-4471-8823", "MRN-9952-1170"
SHEETS = ("1234567.0", "01234567", "1234567", "1,234,567", "1.234.567", "1 234 567", "1.234567E+06", "1.234.567,00")
RANDOM_UID = uuid.UUID("3f2b8c1d-9a4e-4b7f-8d21-c0ffee15900d")
KNOWN = (
    (IDENTIFIER, NUMBER),
    (NAME, "Müllerström^Anna"),
    (NAME, "Żółkiewicz"),
    (NAME, "Колмогоров"),
    (NAME, "山田太郎"),
    (DATE, "19570314"),
    (UID, f"2.25.{RANDOM_UID.int}"),
    (UID, "1.2.840.113619.2.55.3.4"),
)


def look_up_for(*known: tuple[str, str]) -> Lookup:
    digests = IdentifierDigests(bytes(32))
    for category, value in known:
        digests.add(category, value)
    return Lookup(digests)


LOOK_UP = look_up_for(*KNOWN)


def pieces(content: bytes) -> list[Piece]:
    opening = opening_of(content)
    return [found for piece in file_pieces(content, opening) for found in unfolded(piece, opening)]


def categories(content: bytes, look_up: Lookup = LOOK_UP) -> set[str]:
    found = pieces(content)
    assert all(piece.kind != UNREADABLE for piece in found)
    return {category for piece in found for category in look_up(piece)}


@pytest.mark.parametrize("place", BYTE_PLACES)
def test_bytes_of_every_encoding_are_found_in_every_place(place: str) -> None:
    plant = BYTE_PLACES[place]
    texts = {name: lambda text, encode=encode: encode(text).encode() for name, encode in TEXT_ENCODINGS.items()}
    for name, encode in {**ENCODINGS, **texts}.items():
        if place.startswith("gzip ") and name.startswith("UTF-") and name != "UTF-8":
            continue  # a name that ends at the first zero
        assert categories(plant(encode(NUMBER))) == {IDENTIFIER}, name
        assert categories(plant(encode(STRANGER))) == set(), name


@pytest.mark.parametrize("place", TEXT_PLACES)
def test_texts_of_every_encoding_are_found_in_every_place(place: str) -> None:
    plant = TEXT_PLACES[place]
    for name, encode in TEXT_ENCODINGS.items():
        if place == "a name" and "=" in encode(NUMBER):
            continue  # separates the spellings of one name
        assert categories(plant(encode(NUMBER))) == {IDENTIFIER}, name
        assert categories(plant(encode(STRANGER))) == set(), name


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_random_identifier_in_a_random_place_is_found(data: st.DataObject) -> None:
    text = data.draw(st.text(string.ascii_letters + string.digits, min_size=8, max_size=12), label="identifier")
    text = f"Q{text}7"
    encode = TEXT_ENCODINGS[data.draw(st.sampled_from([*TEXT_ENCODINGS]))]
    places: dict[str, Callable[[str], bytes]] = {
        **TEXT_PLACES,
        **{name: lambda t, plant=plant: plant(t.encode()) for name, plant in BYTE_PLACES.items()},
    }
    place = data.draw(st.sampled_from([name for name in places if name not in ("a name", "a DICOM preamble")]))
    hidden = places[place](encode(text))
    assert categories(hidden, look_up_for((IDENTIFIER, text))) == {IDENTIFIER}
    letter = "y" if text[4] in "xX" else "x"
    other = f"{text[:4]}{letter}{text[5:]}"  # not a longer one: what stands behind it may begin with that letter
    assert categories(hidden, look_up_for((IDENTIFIER, other))) == set()


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("Müllerström", "latin-1"),
        ("Żółkiewicz", "iso8859_2"),
        ("Żółkiewicz", "utf-16-le"),
        ("Колмогоров", "iso8859_5"),
        ("Колмогоров", "utf-16-be"),
        ("山田太郎", "gb18030"),
        ("山田太郎", "shift_jis"),
        ("山田太郎", "iso2022_jp_2"),
        ("山田太郎", "utf-8"),
    ],
)
def test_names_in_the_character_sets_of_dicom_are_found(name: str, encoding: str) -> None:
    hidden = name.encode(encoding)
    assert categories(b"\1\2\0\0" + hidden + b"\0\0\1") & {NAME, PART}
    assert categories(BYTE_PLACES["a private element"](hidden)) & {NAME, PART}


@pytest.mark.parametrize("text", ["Muellerstroem, Anna", "MULLERSTROM", "Zolkiewicz", "Anna_Müllerström"])
def test_names_are_found_as_a_keyboard_writes_them(text: str) -> None:
    assert categories(text.encode()) & {NAME, PART}


@pytest.mark.parametrize(
    "text",
    [
        *("14 March 1957", "14-MAR-1957", "March 14th, 1957", "14.3.1957", "3/14/57 or 3/14/1957", "1957-3-14"),
        *(
            "1957-03-14T10:30:00Z",
            "19570314103000.000",
            "1957:03:14 10:30:00",
            "14. März 1957",
            "14 de marzo de 1957",
        ),
        *("scan19570314.png", "14mars1957"),
    ],
)
def test_dates_are_found_as_people_write_them(text: str) -> None:
    assert categories(f"seen {text} again".encode()) == {DATE}
    assert categories(f"seen {text} again".replace("14", "15").encode()) == set()


@pytest.mark.parametrize(
    "content",
    [
        b"\0\1" + RANDOM_UID.bytes + b"\0\1",
        b"\0\1" + RANDOM_UID.bytes_le + b"\0\1",
        str(RANDOM_UID).encode(),
        b"file-" + RANDOM_UID.hex.encode() + b".dcm",
        base64.b64encode(f"2.25.{RANDOM_UID.int}".encode()),
        b"CT.1.2.840.113619.2.55.3.4.dcm",
        b"1_2_840_113619_2_55_3_4",
    ],
)
def test_uids_are_found_in_every_form(content: bytes) -> None:
    assert categories(content) == {UID}


def test_dates_in_binary_form_are_found() -> None:
    png = picture("PNG")
    time = chunk(b"tIME", b"\x07\xa5\x03\x0e\x0a\x1e\x00")  # 1957-03-14
    assert categories(png[:33] + time + png[33:]) == {DATE}
    assert categories(array(np.array(["1957-03-14T10:30"], "datetime64[s]"))) == {DATE}


def test_numbers_of_arrays_are_found() -> None:
    look_up = look_up_for((IDENTIFIER, "44718823"))
    assert categories(array([7, 44718823]), look_up) == {IDENTIFIER}
    assert categories(array([7, 44718824]), look_up) == set()
    assert categories(array([0.5, 44718823.0]), look_up) == {IDENTIFIER}
    assert categories(array([np.nan, np.inf, 0.44718823, 44718823.5, 44718824.0, 2.0**60]), look_up) == set()


@pytest.mark.parametrize("place", TEXT_PLACES)
def test_numbers_are_found_as_spreadsheets_write_them(place: str) -> None:
    look_ups = [look_up_for((IDENTIFIER, spelling)) for spelling in SHEETS]
    for spelling in SHEETS:
        hidden = TEXT_PLACES[place](spelling)
        assert all(categories(hidden, look_up) == {IDENTIFIER} for look_up in look_ups), spelling
        stranger = TEXT_PLACES[place](spelling.replace("4", "5"))
        assert not any(categories(stranger, look_up) for look_up in look_ups), spelling


def test_a_long_comment_is_found_as_a_whole() -> None:
    comment = "fell from the old bridge on a rainy day near the mill"
    assert categories(comment.encode(), look_up_for(("text", comment))) == {"text"}


def test_base64_that_mail_breaks_into_lines_is_found() -> None:
    before = b" quite some words that stand before it "
    hidden = base64.encodebytes(before * 5 + NUMBER.encode() + before)
    assert categories(b"-----BEGIN-----\n" + hidden) == {IDENTIFIER}
