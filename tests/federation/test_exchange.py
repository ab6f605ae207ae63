"""What lies where a letter or a folder of letters should: told in words, whichever letter it is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from privgan.errors import IntegrityError
from privgan.federation.exchange import Exchange
from tests.federation.hospitals import NAMES

NORTH = NAMES[0]
WRITES: dict[str, Callable[[Exchange], None]] = {
    f"joined/{NORTH}": lambda exchange: exchange.say_yes(NORTH, b"yes"),
    f"answers/01-{NORTH}": lambda exchange: exchange.give(1, NORTH, b"an answer"),
    f"proposed/{NORTH}": lambda exchange: exchange.propose(NORTH, b"a set"),
    f"agreed/{NORTH}": lambda exchange: exchange.agree(NORTH, b"a word", b"an approval"),
    f"agreed/{NORTH}.approval": lambda exchange: exchange.agree(NORTH, b"a word", b""),
}
READS: dict[str, Callable[[Exchange], object]] = {
    "joined": lambda exchange: exchange.yes(NORTH),
    "answers": lambda exchange: exchange.answer(1, NORTH),
    "proposed": lambda exchange: exchange.proposed(NORTH),
    "agreed": lambda exchange: exchange.agreed(NORTH),
}


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    """Without any letter but the invitation."""
    return Exchange.begun(tmp_path, b"an invitation")


@pytest.mark.parametrize("place", WRITES)
def test_a_folder_in_a_letters_place_is_told_and_left(exchange: Exchange, place: str) -> None:
    """Whoever has put it there knows what for; a word and its approval are written both or neither."""
    folder = exchange.folder / f"{place}.dsse.json"
    folder.mkdir()
    with pytest.raises(IntegrityError, match="Expected a letter, a folder is in its place"):
        WRITES[place](exchange)
    assert [*folder.parent.iterdir()] == [folder]
    folder.rmdir()
    WRITES[place](exchange)
    assert READS[folder.parent.name](exchange)


@pytest.mark.parametrize("place", WRITES)
def test_a_file_in_the_place_of_letters_is_told(exchange: Exchange, place: str) -> None:
    folder = (exchange.folder / place).parent
    folder.rmdir()
    folder.touch()
    for act in (READS[folder.name], WRITES[place]):
        with pytest.raises(IntegrityError, match="Expected a folder of letters, a file is in its place"):
            act(exchange)
