"""A night of waiting: what is still being copied is waited for, what is whole and wrong ends it at once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from privgan.errors import IntegrityError
from privgan.federation import exchange
from privgan.federation.letters import joined
from privgan.federation.together import Progressed, answer
from privgan.language import retold, speaking
from tests.federation.hospitals import NAMES, QUESTIONS, World

NORTH, SOUTH, WEST = NAMES
PARTS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "half": lambda whole: whole[: len(whole) // 2],
    "all but a byte": lambda whole: whole.rstrip()[:-1],
    "room is made first": lambda whole: whole[:-40] + bytes(40),
}
Wait = Callable[[], bool]


def waited(world: World, wait: Wait) -> Progressed:
    """The north hospital's command."""
    hospital = world.hospitals[NORTH]
    keys = (hospital.key, hospital.inviter.public_key())
    return answer(world.exchange, hospital.cohort, hospital.run, keys, wait=wait)


def copied_after(looks: int, place: Path, whole: bytes) -> tuple[Wait, list[int]]:
    """A `wait` during which a copy is completed, and how often it was called; it gives up one look later."""
    called: list[int] = []

    def wait() -> bool:
        called.append(len(called))
        if len(called) == looks:
            place.write_bytes(whole)
        return len(called) <= looks

    return wait, called


def place_of(world: World, kind: str) -> Path:
    return world.exchange.folder / "joined" / f"{SOUTH}.dsse.json" if kind == "yes" else world.letter(1, SOUTH)


@pytest.fixture(params=["yes", "answer"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def begun(world: World, kind: str) -> tuple[Path, bytes]:
    """All is there that the north hospital needs for its second answer; where the south's letter of a kind lies."""
    world.join()
    world.round(SOUTH, WEST)
    place = place_of(world, kind)
    return place, place.read_bytes()


@pytest.mark.parametrize("part", PARTS)
def test_a_letter_that_is_being_copied_is_waited_for(world: World, kind: str, part: str) -> None:
    place, whole = begun(world, kind)
    place.write_bytes(PARTS[part](whole))
    wait, called = copied_after(3, place, whole)
    came = waited(world, wait)
    assert (came.question, len(called)) == (2, 4)  # and then for the second answer of the others


@pytest.mark.parametrize("part", PARTS)
def test_at_the_deadline_it_is_told_whose_letter_is_not_whole(world: World, kind: str, part: str) -> None:
    """In both languages; nothing but this site's own answer was made, and a whole copy goes on from there."""
    place, whole = begun(world, kind)
    place.write_bytes(PARTS[part](whole))
    wait, called = copied_after(3, place, PARTS[part](whole))
    with pytest.raises(IntegrityError, match=f"The {kind} of site {SOUTH}.*: Expected a whole letter") as refused:
        waited(world, wait)
    assert len(called) == 4
    with speaking("zh"):
        assert "完整" in retold(str(refused.value))
    assert len(world.hospitals[NORTH].ledger.of_kind("answered")) == (kind == "answer")
    place.write_bytes(whole)
    assert world.round(NORTH)[0].question == 2


def test_what_comes_at_the_last_look_is_not_missing(world: World, kind: str) -> None:
    """It lies there when nobody waits any longer, and is gone on from."""
    place, whole = begun(world, kind)
    place.unlink()

    def wait() -> bool:
        place.write_bytes(whole)
        return False

    came = waited(world, wait)
    assert (came.question, came.joined, came.missing) == (2, True, (SOUTH, WEST))


def test_who_is_missing_at_the_last_look_is_told_and_nobody_else(world: World, kind: str) -> None:
    place, whole = begun(world, kind)
    place.unlink()
    place.with_name(place.name.replace(SOUTH, WEST)).unlink()

    def wait() -> bool:
        place.write_bytes(whole)
        return False

    assert waited(world, wait).missing == (WEST,)


def test_what_is_whole_and_wrong_is_refused_at_once(world: World, kind: str) -> None:
    """Also while another letter is missing."""
    place, _ = begun(world, kind)
    place.write_bytes(joined(world.federation, world.hospitals[SOUTH].site, world.hospitals[WEST].key))
    place_of(world, kind).with_name(place.name.replace(SOUTH, WEST)).unlink()
    wait, called = copied_after(3, place, b"")
    with pytest.raises(IntegrityError, match="signature by the given key"):
        waited(world, wait)
    assert not called


def a_link(place: Path) -> None:
    place.symlink_to(place.with_name("elsewhere"))


def too_large(place: Path) -> None:
    with place.open("wb") as file:
        file.truncate(exchange.LARGEST_LETTER + 1)


@pytest.mark.parametrize("put", [a_link, Path.mkdir, too_large])
def test_what_is_no_file_of_a_letter_is_told_by_its_site(
    world: World, kind: str, put: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, in both languages."""
    monkeypatch.setattr(exchange, "LARGEST_ANSWER", exchange.LARGEST_LETTER)
    place, _ = begun(world, kind)
    place.unlink()
    put(place)
    wait, called = copied_after(3, place, b"")
    with pytest.raises(IntegrityError, match=f"The {kind} of site {SOUTH}") as refused:
        waited(world, wait)
    assert not called
    with speaking("zh"):
        assert f"站点 {SOUTH}" in retold(str(refused.value))


def test_what_hides_a_sites_own_answer_is_told_by_its_site(world: World) -> None:
    """Nothing is charged: it may be an answer of which the ledger does not know."""
    world.join()
    a_link(world.letter(QUESTIONS, NORTH))
    with pytest.raises(IntegrityError, match=f"The answer of site {NORTH} to question {QUESTIONS}"):
        world.round(NORTH)
    assert not world.hospitals[NORTH].ledger.queries()
