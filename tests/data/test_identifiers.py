"""Digests find every spelling of an identifier and nothing that privgan writes by itself."""

import hmac
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privgan.data import identifiers
from privgan.data.identifiers import IdentifierDigests, candidates, forms, keyed, normalise
from privgan.errors import IntegrityError

KEY = bytes(range(32))
SHEETS: dict[str, Callable[[int], str]] = {
    "plain": str,
    "with zeros before": lambda n: f"00{n}",
    "with decimals": lambda n: f"{n}.0",
    "with two decimals": lambda n: f"{n}.00",
    "with a decimal comma": lambda n: f"{n},0",
    "commas": lambda n: f"{n:,}",
    "commas and decimals": lambda n: f"{n:,}.00",
    "dots": lambda n: f"{n:,}".replace(",", "."),
    "dots and a decimal comma": lambda n: f"{n:,},00".replace(",", ".", f"{n:,}".count(",")),
    "blanks": lambda n: f"{n:,}".replace(",", " "),
    "narrow blanks": lambda n: f"{n:,}".replace(",", "\N{NARROW NO-BREAK SPACE}"),
    "apostrophes": lambda n: f"{n:,}".replace(",", "'"),
    "scientific": lambda n: f"{Decimal(n):.{len(str(n)) - 1}E}",
    "scientific, two digits": lambda n: f"{n / 10 ** (len(str(n)) - 1)}e+{len(str(n)) - 1:02d}",
    "scientific with a comma": lambda n: f"{Decimal(n):.{len(str(n)) - 1}E}".replace(".", ","),
}
TEXTS = ("{}", "see {}, or not", 'x,"{}",y', "3;{};4", "x,{},y", "id={}.")


def digests(*pairs: tuple[str, str]) -> IdentifierDigests:
    found = IdentifierDigests(KEY)
    for category, value in pairs:
        found.add(category, value)
    return found


@pytest.mark.parametrize(
    ("category", "value", "spellings"),
    [
        ("name", "Zörkel^Vim-bru^^Dr", ["ZORKEL", "zörkel, vimbru", "Vim Bru Zorkel", "Zorkel_Vimbru"]),
        ("identifier", "ZZ-4711/a", ["zz4711A", "ZZ 4711 a"]),
        ("date", "19570314", ["1957-03-14", "14.03.1957", "03/14/1957"]),
        ("date", "20190314101500.000", ["2019-03-14"]),
        ("uid", "1.2.840.99.1", ["1.2.840.99.1", "1_2_840_99_1"]),
        ("text", "call 0171-554433 at night", ["0171554433", "Call 0171 554433 at night"]),
    ],
)
def test_every_spelling_is_found(category: str, value: str, spellings: list[str]) -> None:
    found = digests((category, value))
    assert all(found.find(spelling) for spelling in spellings)
    assert found.find("zork") is None


@pytest.mark.parametrize("value", ["", "abc", "12345", "000001", "00012345"])
def test_what_would_be_found_everywhere_is_left_out(value: str) -> None:
    assert list(forms("identifier", value)) == []


def test_own_words_and_public_words_are_no_evidence() -> None:
    assert "epsilon" in identifiers.own_words()
    found = digests(("name", "Epsilon^Zorkel"), ("place", "Manifest"), ("identifier", "zorkelitis"))
    assert found.find("epsilon") is None
    assert found.find("manifest") is None
    assert found.find("Epsilon Zorkel") == "name"
    assert found.find("zorkelitis") == "identifier"
    found.discard(("Zorkel-itis",))
    assert found.find("zorkelitis") is None


def test_names_of_tongues_and_months_stay_evidence() -> None:
    """They are surnames, and a word in the sources is lost as one."""
    assert identifiers.own_words().isdisjoint({"english", "french", "german", "mueller", "january", "days", "born"})


@pytest.mark.parametrize(
    ("name", "spelling"),
    [("Müller", "Mueller"), ("Żółkiewska", "Zolkiewska"), ("Sørensen", "Soerensen"), ("Sørensen", "Sorensen")],
)
def test_names_are_found_as_a_keyboard_writes_them(name: str, spelling: str) -> None:
    assert digests(("name", name)).find(spelling) == "name"


@pytest.mark.parametrize(
    ("category", "value", "text"),
    [
        ("uid", "1.2.840.99.1.22.333.4444.5", "CT.1.2.840.99.1.22.333.4444.5.dcm"),
        ("identifier", "44718823", "scan44718823.png"),
        ("text", "fell from the old bridge on a rainy day", "fell from the old bridge, on a rainy day."),
        ("date", "19570314", "on 14 March 1957"),
    ],
)
def test_candidates_cover_what_stands_in_other_words(category: str, value: str, text: str) -> None:
    known = digests((category, value))
    assert category in {known.find_form(form) for form in candidates(text)}
    assert not any(known.find_form(form) for form in candidates(text.replace("4", "5").replace("bridge", "house")))


def test_candidates_cover_names_numbers_and_uids_inside_a_text() -> None:
    found = digests(("name", "Zorkel^Vimbru"), ("identifier", "ZZ-4711-MARK"), ("uid", "1.2.840.99.1.22.333.4444.5"))
    text = 'a <b title="for Vimbru Zorkel"> (ZZ-4711-mark); see 1.2.840.99.1.22.333.4444.5, or not'
    assert {found.find(piece) for piece in candidates(text)} == {None, "name", "name_part", "identifier", "uid"}


def test_the_file_holds_sorted_digests_and_nothing_else(tmp_path: Path) -> None:
    written = digests(("name", "Zorkel^Vimbru"), ("identifier", "ZZ-4711-MARK"), ("date", "19570314"))
    written.write(tmp_path / "identifiers")
    text = (tmp_path / "identifiers").read_text()
    assert [line.split()[1] for line in text.splitlines()] == sorted(line.split()[1] for line in text.splitlines())
    assert all(value not in text.lower() for value in ("zorkel", "vimbru", "4711", "1957"))
    assert (tmp_path / "identifiers").stat().st_mode & 0o777 == 0o600
    again = IdentifierDigests.read(tmp_path / "identifiers", KEY)
    assert again.find("Vimbru, Zorkel") == "name"
    assert IdentifierDigests.read(tmp_path / "identifiers", bytes(32)).find("zz4711mark") is None
    assert "Zorkel" not in repr(again)


@pytest.mark.parametrize("line", ["name", "name zz", "other " + "0" * 64, "name " + "0" * 63])
def test_an_edited_file_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "identifiers").write_text(line + "\n")
    with pytest.raises(IntegrityError, match="Expected"):
        IdentifierDigests.read(tmp_path / "identifiers", KEY)


def test_normalising_twice_changes_nothing() -> None:
    for text in ("Straße", "İstanbul", "ΑΣ", "Müller^Anna", "１２３"):
        assert normalise(normalise(text)) == normalise(text)


def meant(text: str) -> Iterator[int]:
    """Whole numbers that somebody may read a cell as: a comma or a dot is a decimal one, or parts thousands."""
    plain = "".join(sign for sign in text if not sign.isspace() and sign != "'")
    for decimal, thousands in ((".", ","), (",", ".")):
        number = Decimal(plain.replace(thousands, "").replace(decimal, ".")) if plain.count(decimal) < 2 else None
        if number is not None and number == int(number):
            yield int(number)
    yield int("".join(filter(str.isdigit, plain.partition("E")[0])))


@pytest.mark.parametrize("table", SHEETS)
@pytest.mark.parametrize("leak", SHEETS)
def test_a_number_is_found_however_spreadsheets_wrote_it_before_and_after(table: str, leak: str) -> None:
    for number in (1234567, 123456, 4471882300, 71000081):
        known, written = digests(("identifier", SHEETS[table](number))), SHEETS[leak](number)
        assert number in meant(written.upper())
        for text in TEXTS:
            assert "identifier" in {known.find_form(form) for form in candidates(text.format(written))}, text


@given(
    st.integers(100_000, 10**12), st.integers(100_000, 10**12), st.sampled_from([*SHEETS]), st.sampled_from([*SHEETS])
)
def test_a_number_is_found_where_a_cell_means_it_and_other_numbers_are_not(
    one: int, other: int, table: str, leak: str
) -> None:
    known = digests(("identifier", SHEETS[table](one)))
    same, strange = (
        any(known.find_form(form) for form in candidates(SHEETS[leak](number))) for number in (one, other)
    )
    assert same or len(str(one).rstrip("0")) < identifiers.SHORTEST_NUMBER  # see the next test
    before, after = (set(map(str, meant(text.upper()))) for text in (SHEETS[table](one), SHEETS[leak](other)))
    assert not strange or any(some in another for some in before for another in after)


@pytest.mark.parametrize("value", ["1E5", "12E05", "1.2E+06", "1.5E+11"])
def test_of_a_short_mantissa_no_number_is_made(value: str) -> None:
    known = digests(("identifier", value))
    assert not any(
        known.find_form(form) for text in ("100000", "1200000", "150000000000") for form in candidates(text)
    )


def test_of_exponents_only_whole_numbers_are_read() -> None:
    known = digests(("identifier", "1234567"), ("identifier", "12345670"))
    texts = ("1.234567E+05", "1.234567E-06", "ab1.234567E+06", "1.234567E+06a", "1.234567E+100", "2.234567E+06")
    assert not any(known.find_form(form) for text in texts for form in candidates(text) if form.isdigit())


@given(st.binary(max_size=64), st.lists(st.binary(max_size=200), max_size=3))
def test_a_key_that_is_hashed_once_gives_what_hmac_gives(key: bytes, messages: list[bytes]) -> None:
    digest = keyed(key)
    assert [digest(message) for message in messages] == [hmac.digest(key, each, "sha256") for each in messages]


@pytest.mark.parametrize("word", ["Befund", "Über"])
def test_long_free_texts_are_not_kept(word: str) -> None:
    """What is at hand of recent values is bounded in bytes, too; their digests are those of short ones."""
    identifiers.own_words()
    identifiers._normalise_any.cache_clear()
    known, text = IdentifierDigests(KEY), f"{word} 0815-471100 " * 100
    assert [known.digests_of("text", each) for each in (text, f"{word} 471100")] == [
        tuple(IdentifierDigests(KEY)._forms_and_digests("text", each)) for each in (text, f"{word} 471100")
    ]
    assert known._of_recent.cache_info().currsize == 1
    assert identifiers._normalise_any.cache_info().currsize == (not word.isascii())


def test_a_key_longer_than_a_block_is_refused() -> None:
    with pytest.raises(ValueError, match="64"):
        keyed(bytes(65))
