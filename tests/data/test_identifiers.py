"""Digests find every spelling of an identifier and nothing that privgan writes by itself."""

from pathlib import Path

import pytest

from privgan.data import identifiers
from privgan.data.identifiers import IdentifierDigests, candidates, forms, normalise
from privgan.errors import IntegrityError

KEY = bytes(range(32))


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
