"""Letters that are carried from folder to folder: each in its own place, and nobody else's in this site's."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from privgan.errors import IntegrityError, UsageError
from privgan.federation.carrying import Bag, Way, carry
from privgan.federation.letters import Answer
from privgan.federation.vectors import packed, unpacked
from privgan.files import sha256_bytes
from tests.federation.carried import Apart
from tests.federation.hospitals import NAMES, QUESTIONS, World, make_world

NORTH, SOUTH, WEST = NAMES


@pytest.fixture(scope="module")
def apart(made: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Apart:
    """Everybody has answered the first question, and nobody has heard it."""
    home = tmp_path_factory.mktemp("apart")
    found = Apart.of(make_world(made, home / "world"), home / "folders")
    found.carry()
    for name in NAMES:
        found.answer(name)
    return found


def test_sites_that_share_no_folder_hear_each_other(apart: Apart) -> None:
    """A site's bag has its own letters alone; carried, everybody has the same ones and answers what is next."""
    assert apart.answer(NORTH).missing == (SOUTH, WEST)
    own = apart.bag(SOUTH).given(apart.bag(SOUTH).places)
    assert set(own) == {f"joined/{SOUTH}", f"answers/01-{SOUTH}"}
    apart.carry()
    held = [apart.bag(name).holds() for name in NAMES]
    assert held[0] == held[1] == held[2]
    assert sum(map(bool, held[0].values())) == 2 * len(NAMES)
    assert len(held[0]) == len(NAMES) * (QUESTIONS + 3)
    assert apart.answer(NORTH).question == 2


@pytest.mark.parametrize(
    "place",
    [
        "invitation",
        "../joined/south",
        "joined/stranger",
        "answers/00-south",
        f"answers/{QUESTIONS + 1:02}-south",
        "answers/1-south",
        "answers/01-south\n",
        "agreed/stranger",
        "agreed/south.approval",
        "proposed/01-south",
        "set",
    ],
)
def test_what_has_no_place_is_neither_taken_nor_given(apart: Apart, place: str) -> None:
    before = sorted(path for path in apart.folders.rglob("*"))
    bag = apart.bag(NORTH)
    tries: list[Callable[[], object]] = [lambda: bag.take({place: b"{}"}), lambda: bag.given([place])]
    for attempt in tries:
        with pytest.raises(IntegrityError, match="place of a letter"):
            attempt()
    assert sorted(path for path in apart.folders.rglob("*")) == before


@pytest.mark.parametrize("letter", [b"", "text", None, b"x" * 11])
def test_what_is_no_letter_is_not_taken(apart: Apart, letter: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("privgan.federation.carrying.LARGEST_ANSWER", 10)
    with pytest.raises(IntegrityError, match="empty, too large"):
        apart.bag(NORTH).take({f"answers/02-{WEST}": letter})  # type: ignore[dict-item]
    assert apart.exchange(NORTH).answer(2, WEST) is None


def test_nobody_takes_this_sites_place(world: World, tmp_path: Path) -> None:
    """Its own letters stay as they are; another site's forged one is not believed, and gives way to the real one."""
    apart = Apart.of(world, tmp_path / "folders")
    own = apart.exchange(NORTH).yes(NORTH)
    apart.bag(NORTH).take({f"joined/{NORTH}": b"forged", f"joined/{SOUTH}": b"forged"})
    assert apart.exchange(NORTH).yes(NORTH) == own
    with pytest.raises(IntegrityError, match=f"The yes of site {SOUTH}"):
        apart.answer(NORTH)
    apart.carry()
    assert apart.answer(NORTH).question == 1


def test_a_site_that_tells_each_another_answer_is_noticed(world: World, tmp_path: Path) -> None:
    """Where folders are apart, it may: who heard one refuses the next answer of who heard the other."""
    apart = Apart.of(world, tmp_path / "folders")
    apart.carry()
    for name in NAMES:
        apart.answer(name)
    apart.carry()
    south, letter = world.hospitals[SOUTH], apart.exchange(WEST).answer(1, SOUTH) or b""
    answer = Answer.read(letter, world.federation, south.site, 1)
    numbers = unpacked(answer.numbers, (1, len(base64.b64decode(answer.numbers)) // 8), "f8").flip(1)
    other = replace(answer, numbers=packed(numbers)).signed(world.federation, south.site, south.key)
    apart.bag(WEST).take({f"answers/01-{SOUTH}": other})
    for name in (NORTH, WEST):
        assert apart.answer(name).question == 2
    apart.carry()
    apart.bag(WEST).take({f"answers/01-{SOUTH}": other})
    for name, liar in ((NORTH, WEST), (WEST, NORTH)):
        with pytest.raises(IntegrityError, match=f"The answer of site {liar} to question 2.*follows from others"):
            apart.answer(name)


def test_a_bag_is_a_sites_that_the_invitation_names(apart: Apart) -> None:
    for name in ("stranger", "../north", ""):
        with pytest.raises(IntegrityError, match="names none of this name"):
            Bag(exchange=apart.exchange(NORTH), site=name).holds()
    place = apart.exchange(WEST).folder / "invitation.dsse.json"
    kept = place.read_bytes()
    place.write_bytes(kept.replace(b"payload", b"payloat"))
    with pytest.raises(IntegrityError):
        apart.bag(WEST).holds()
    place.write_bytes(kept)


class BrokenError(Exception):
    """A wire broke."""


class Lying:
    """A site that gives more than its own, or something else, and may break when it takes."""

    def __init__(self, bag: Bag, given: object, *, breaks: bool = False) -> None:
        self.bag, self.gives, self.breaks = bag, given, breaks

    def given(self, asked: list[str]) -> object:
        """See `Bag`."""
        own = self.bag.given(asked)
        return {**own, **self.gives} if isinstance(self.gives, dict) else self.gives

    def take(self, letters: dict[str, bytes]) -> None:
        """See `Bag`."""
        if self.breaks:
            raise BrokenError
        self.bag.take(letters)


def rounds(apart: Apart, ways: Mapping[str, Way], told: Mapping[str, object], known: dict[str, bytes]) -> bool:
    """One round, in which some sites say something else than what they hold."""
    held = {name: apart.bag(name).told() for name in NAMES}
    return carry(known, {**held, **told}, ways, broken=BrokenError)


def bags(apart: Apart) -> dict[str, Way]:
    return {name: apart.bag(name) for name in NAMES}


def held_by_all(apart: Apart) -> bool:
    """Whether everybody has what each has said so far."""
    held = [apart.bag(name).holds() for name in NAMES]
    return held[0] == held[1] == held[2] and sum(map(bool, held[0].values())) == len(NAMES)


def test_a_round_brings_everything_to_everybody_and_the_last_one_nothing(world: World, tmp_path: Path) -> None:
    """What the letters say is nothing to whoever carries them."""
    apart, known = Apart.of(world, tmp_path / "folders"), dict[str, bytes]()
    assert not rounds(apart, bags(apart), {}, known)
    for name in NAMES:
        for question in range(1, QUESTIONS + 1):
            apart.exchange(name).give(question, name, f"{name} {question}".encode())
    assert not rounds(apart, bags(apart), {}, known)
    assert not rounds(apart, bags(apart), {}, known)  # nothing to bring, and no set yet
    sha256 = apart.propose(NORTH, "a set")
    for name in NAMES:
        apart.say(name, sha256)
    assert not rounds(apart, bags(apart), {}, known)
    assert rounds(apart, bags(apart), {}, known)
    assert len(known) == len(apart.bag(NORTH).places) - 2  # one of them proposes
    for name in NAMES:
        held = {place: digest for place, digest in apart.bag(name).holds().items() if digest}
        assert held == {place: sha256_bytes(letter) for place, letter in known.items()}


def test_a_site_gives_no_letter_but_its_own(world: World, tmp_path: Path) -> None:
    """It cannot put another's letter in place of the real one, nor stop the others from hearing each other."""
    apart = Apart.of(world, tmp_path / "folders")
    says = (apart.bag(WEST).federation, {**apart.bag(WEST).holds(), f"joined/{SOUTH}": "0" * 64}, False)
    for other in (b"forged", b"", 3):
        known: dict[str, bytes] = {}
        stray = {f"joined/{SOUTH}": other, f"answers/03-{WEST}": other, "elsewhere": other}
        ways = {**bags(apart), WEST: Lying(apart.bag(WEST), stray)}
        rounds(apart, ways, {WEST: says}, known)
        rounds(apart, ways, {}, known)
        assert held_by_all(apart)
        assert set(known) == {f"joined/{name}" for name in NAMES}


def test_a_site_that_says_odd_things_costs_the_others_nothing(world: World, tmp_path: Path) -> None:
    apart = Apart.of(world, tmp_path / "folders")
    for said in (
        None,
        "holds",
        ("f", {}),
        ("f", ["joined/west"], True),
        ("f", {"joined/west": None}, True),
        (b"f", {}, 1),
        {},
    ):
        known: dict[str, bytes] = {}
        assert not rounds(apart, bags(apart), {WEST: said}, known)
        assert set(known) == {f"joined/{name}" for name in (NORTH, SOUTH)}
    assert apart.exchange(NORTH).yes(SOUTH) == known[f"joined/{SOUTH}"]


def test_a_site_whose_wire_breaks_costs_the_others_nothing(world: World, tmp_path: Path) -> None:
    apart = Apart.of(world, tmp_path / "folders")
    for given in (None, [b"forged"], {f"joined/{NORTH}": ""}):
        known: dict[str, bytes] = {}
        ways = {**bags(apart), NORTH: Lying(apart.bag(NORTH), given, breaks=True)}
        assert not rounds(apart, ways, {}, known)
        assert f"joined/{NORTH}" not in known
        for name, other in ((SOUTH, WEST), (WEST, SOUTH)):
            assert apart.exchange(name).yes(other) == known[f"joined/{other}"]


def test_sites_of_several_invitations_are_not_mixed(world: World, tmp_path: Path) -> None:
    apart = Apart.of(world, tmp_path / "folders")
    with pytest.raises(UsageError, match="one invitation at all sites"):
        rounds(apart, bags(apart), {WEST: ("another", apart.bag(WEST).holds(), True)}, {})
