"""Sets, words and approvals between hospitals: carried as answers are, believed by signature."""

import base64
import shutil
from pathlib import Path
from typing import Any

import pytest

from privgan.errors import IntegrityError, UsageError
from privgan.federation.exchange import LARGEST_LETTER
from privgan.federation.letters import MOST_PROPOSALS, Proposal
from privgan.federation.standing import Due, Standing, current, doubted, due
from privgan.seals import sign, unverified
from privgan_audits.release.joint.gathering import Joint
from tests.federation.carried import Apart
from tests.federation.hospitals import NAMES, World, make_world
from tests.federation.test_carrying import bags, rounds

NORTH, SOUTH, WEST = NAMES


@pytest.fixture(scope="module")
def once(made: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> World:
    """Invited; nobody has joined."""
    return make_world(made, tmp_path_factory.mktemp("evening"))


@pytest.fixture
def apart(once: World, tmp_path: Path) -> Apart:
    """Each with its copy of the folder; nobody needs to have answered for what lies in it afterwards."""
    found = Apart(world=once, folders=tmp_path)
    for name in NAMES:
        found.exchange(name).folder.mkdir()
        type(found.exchange(name)).begun(found.exchange(name).folder, once.exchange.invitation)
    return found


def latest(apart: Apart, name: str) -> Proposal | None:
    """The set that counts at a site."""
    return current(apart.exchange(name), apart.world.federation)


def waits(apart: Apart) -> bool:
    """Whether the first site is still due to hear something."""
    return apart.bag(NORTH).told()[2]


def said(apart: Apart, at: str, site: str, sha256: str) -> bool | None:
    """What a site reads of another's word."""
    return Joint(exchange=apart.exchange(at), sites=apart.sites).said(site, sha256)


def test_a_set_and_the_words_on_it_reach_everybody(apart: Apart) -> None:
    """Byte for byte; a word and its approval as one, and without one where the next word has none."""
    known: dict[str, bytes] = {}
    sha256 = apart.propose(SOUTH, "a set")
    word = apart.say(WEST, sha256, approval=b"an approval\n")
    rounds(apart, bags(apart), {}, known)
    for name in NAMES:
        found = latest(apart, name)
        assert found is not None
        assert (found.site.name, found.number, found.sha256) == (SOUTH, 1, sha256)
        assert apart.exchange(name).agreed(WEST) == (word, b"an approval\n")
        assert said(apart, name, WEST, sha256) is False
        assert said(apart, name, NORTH, sha256) is None
    again = apart.say(WEST, sha256)
    rounds(apart, bags(apart), {}, known)
    assert apart.exchange(NORTH).agreed(WEST) == (again, b"")


def test_a_site_waits_until_everybody_has_said_a_word_on_this_set(apart: Apart) -> None:
    """Words on an earlier one do not count, nor does one that cannot be read; whose turn it is, `due` says."""
    for name in NAMES:
        apart.exchange(NORTH).say_yes(name, b"yes")
        for place, (kind, site, question) in apart.bag(NORTH).places.items():
            if kind == "answers" and place.endswith(f"-{name}"):
                apart.exchange(NORTH).give(question, site, b"an answer")
    assert waits(apart)
    first = apart.propose(NORTH, "first")
    for name in NAMES:
        assert waits(apart)
        apart.exchange(NORTH).agree(name, apart.say(name, first), b"")
    assert not waits(apart)
    second = apart.propose(NORTH, "second")
    assert waits(apart)
    for name, word in ((SOUTH, apart.say(SOUTH, second)), (WEST, b"no word"), (NORTH, apart.say(NORTH, second))):
        apart.exchange(NORTH).agree(name, word, b"")
    assert waits(apart)
    apart.exchange(NORTH).agree(WEST, apart.say(WEST, second), b"")
    assert not waits(apart)


def test_the_latest_set_counts_and_two_at_once_are_the_same_for_all(apart: Apart) -> None:
    known: dict[str, bytes] = {}
    mine, yours = apart.propose(WEST, "west's"), apart.propose(SOUTH, "south's")
    assert [found and found.sha256 for found in (latest(apart, WEST), latest(apart, SOUTH))] == [mine, yours]
    rounds(apart, bags(apart), {}, known)
    assert {found and found.sha256 for found in (latest(apart, name) for name in NAMES)} == {yours}
    apart.propose(WEST, "another")
    rounds(apart, bags(apart), {}, known)
    assert {found and (found.site.name, found.number) for found in (latest(apart, name) for name in NAMES)} == {
        (WEST, 2)
    }


def test_an_older_set_that_is_sent_again_releases_nothing(apart: Apart) -> None:
    """Whoever carries letters may withhold the newer one, and then words do not meet."""
    known: dict[str, bytes] = {}
    old = apart.propose(NORTH, "old")
    rounds(apart, bags(apart), {}, known)
    kept = known[f"proposed/{NORTH}"]
    new = apart.propose(NORTH, "new")
    rounds(apart, bags(apart), {}, known)
    apart.bag(WEST).take({f"proposed/{NORTH}": kept})
    heard = latest(apart, WEST)
    assert heard is not None
    assert heard.sha256 == old
    apart.say(WEST, heard.sha256)
    rounds(apart, bags(apart), {}, known)
    with pytest.raises(IntegrityError, match=f"The word of site {WEST}.*stale"):
        said(apart, NORTH, WEST, new)


def together(folders: list[Path]) -> None:
    """What a tool does that keeps folders alike: of each file the newest copy goes everywhere, none goes away."""
    for place in {path.relative_to(folder) for folder in folders for path in folder.rglob("*.json")}:
        there = [folder / place for folder in folders if (folder / place).exists()]
        newest = max(there, key=lambda path: path.stat().st_mtime_ns)
        for folder in folders:
            if folder / place != newest:
                shutil.copy2(newest, folder / place)


def test_copies_that_a_tool_keeps_alike_have_no_conflict(apart: Apart) -> None:
    """No file has two authors: all propose and speak at once, twice, and one takes its approval back."""
    folders = [apart.exchange(name).folder for name in NAMES]
    for attempt in ("first", "second"):
        for name in NAMES:
            apart.propose(name, f"{attempt} of {name}")
        together(folders)
        counts = [latest(apart, name) for name in NAMES]
        assert counts[0] == counts[1] == counts[2]
        assert counts[0] is not None
        for name in NAMES:
            apart.say(name, counts[0].sha256, approval=b"an approval" if attempt == "first" else b"")
        together(folders)
        for at in NAMES:
            assert [said(apart, at, name, counts[0].sha256) for name in NAMES] == [False] * len(NAMES)


def _said(apart: Apart, **change: Any) -> dict[str, Any]:
    """South's proposal, with another value."""
    told = unverified(apart.exchange(SOUTH).proposed(SOUTH) or b"")
    return {**told, "predicate": {**told["predicate"], **change}}


@pytest.mark.parametrize("number", [0, -1, True, 1.0, "1", None, MOST_PROPOSALS + 1, [1]], ids=repr)
def test_a_number_that_is_none_is_refused_by_its_site(apart: Apart, number: object) -> None:
    apart.propose(SOUTH, "a set")
    apart.exchange(NORTH).propose(SOUTH, sign(_said(apart, number=number), apart.world.hospitals[SOUTH].key))
    with pytest.raises(IntegrityError, match=f"The set that site {SOUTH} proposes: .*odd or missing"):
        latest(apart, NORTH)


def test_a_set_that_is_nobodys_is_refused_and_keeps_nobody_from_another(apart: Apart, once: World) -> None:
    """Forged, of another federation, version or kind, or another site's sent again; each by the site and a reason."""
    hospitals = once.hospitals
    apart.propose(SOUTH, "a set")
    apart.propose(WEST, "another")
    own = apart.exchange(SOUTH).proposed(SOUTH) or b""
    elsewhere = {**_said(apart), "subject": [{"name": "federation", "digest": {"sha256": "ab" * 32}}]}
    for letter, reason in (
        (sign(_said(apart), hospitals[NORTH].key), "given key"),
        (own.replace(b'"payload"', b' "payload"'), "around the signature"),
        (sign(elsewhere, hospitals[SOUTH].key), "another one"),
        (sign(_said(apart, privgan_version="0"), hospitals[SOUTH].key), "version"),
        (sign(_said(apart, site=WEST), hospitals[SOUTH].key), "written for another"),
        (sign({**_said(apart), "predicateType": "urn:else"}, hospitals[SOUTH].key), "another kind"),
        (apart.exchange(WEST).proposed(WEST) or b"", "given key"),
        (b"{}", "Expected"),
    ):
        apart.bag(NORTH).take({f"proposed/{SOUTH}": letter})
        assert doubted(apart.exchange(NORTH), apart.world.federation) == (SOUTH,)
        with pytest.raises(IntegrityError, match=f"The set that site {SOUTH} proposes: .*{reason}"):
            latest(apart, NORTH)
    sha256 = apart.propose(NORTH, "here")
    apart.bag(NORTH).take({f"proposed/{SOUTH}": own})
    assert doubted(apart.exchange(NORTH), apart.world.federation) == ()
    found = latest(apart, NORTH)
    assert found is not None
    assert (found.number, found.sha256) == (1, sha256)


def test_nobody_can_make_numbers_run_out(apart: Apart) -> None:
    """The last one can be taken by all; the first of them counts, and who comes behind it hears so."""
    apart.propose(SOUTH, "a set")
    apart.exchange(NORTH).propose(SOUTH, sign(_said(apart, number=MOST_PROPOSALS), apart.world.hospitals[SOUTH].key))
    sha256 = apart.propose(NORTH, "here")
    found = latest(apart, NORTH)
    assert found is not None
    assert (found.number, found.sha256) == (MOST_PROPOSALS, sha256)
    apart.exchange(WEST).propose(SOUTH, apart.exchange(NORTH).proposed(SOUTH) or b"")
    with pytest.raises(UsageError, match=f"site {SOUTH} has taken the last number"):
        apart.propose(WEST, "one that could not count")
    assert apart.exchange(WEST).proposed(WEST) is None
    again = apart.propose(NORTH, "again")
    assert current(apart.exchange(NORTH), apart.world.federation) != found
    apart.exchange(WEST).propose(NORTH, apart.exchange(NORTH).proposed(NORTH) or b"")
    found = latest(apart, WEST)
    assert found is not None
    assert found.sha256 == again
    with pytest.raises(UsageError, match=f"site {NORTH} has taken the last number"):
        apart.propose(WEST, "neither")


@pytest.mark.parametrize(
    "letter",
    [
        b"word",
        b"",
        b" ",
        b" " + base64.b64encode(b"an approval"),
        base64.b64encode(b"word") + b" not base64",
        base64.b64encode(b"word") + b"  ",
        base64.b64encode(b"x" * (LARGEST_LETTER + 1)) + b" ",
        base64.b64encode(b"word") + b" " + base64.b64encode(b"x" * (LARGEST_LETTER + 1)),
    ],
    ids=["plain", "empty", "nothing", "no word", "odd", "two spaces", "too large", "too large an approval"],
)
def test_what_is_no_word_costs_the_others_nothing(apart: Apart, letter: bytes) -> None:
    """A site that gives one keeps the others from none of theirs; and it is not taken from a carrier either."""

    class Odd:
        def given(self, asked: list[str]) -> object:
            return dict.fromkeys(asked, letter)

        def take(self, letters: dict[str, bytes]) -> None:
            apart.bag(WEST).take(letters)

    known: dict[str, bytes] = {}
    sha256 = apart.propose(WEST, "a set")
    for name in NAMES:
        apart.say(name, sha256)
    rounds(apart, {**bags(apart), WEST: Odd()}, {}, known)
    assert f"agreed/{WEST}" not in known
    assert apart.exchange(NORTH).agreed(SOUTH) == apart.exchange(SOUTH).agreed(SOUTH)
    with pytest.raises(IntegrityError, match="empty, too large"):
        apart.bag(NORTH).take({f"agreed/{WEST}": letter})
    assert apart.exchange(NORTH).agreed(WEST) is None


@pytest.mark.parametrize("kind", ["joined", "proposed"])
def test_a_letter_that_could_not_be_read_again_is_not_taken(apart: Apart, kind: str) -> None:
    """It would keep the site from hearing anybody."""
    with pytest.raises(IntegrityError, match="empty, too large"):
        apart.bag(NORTH).take({f"{kind}/{WEST}": b"x" * (LARGEST_LETTER + 1)})
    assert apart.bag(NORTH).holds()[f"{kind}/{WEST}"] == ""


@pytest.mark.parametrize("kind", ["joined", "proposed", "agreed", "answers"])
def test_whatever_can_be_read_at_its_site_is_carried(apart: Apart, kind: str) -> None:
    """Up to the largest letter of each kind; a word and its approval are two of them."""
    exchange, known, letter = apart.exchange(WEST), dict[str, bytes](), b"x" * LARGEST_LETTER
    {
        "joined": lambda: exchange.say_yes(WEST, letter),
        "proposed": lambda: exchange.propose(WEST, letter),
        "agreed": lambda: exchange.agree(WEST, letter, letter),
        "answers": lambda: exchange.give(1, WEST, letter * 2),
    }[kind]()
    rounds(apart, bags(apart), {}, known)
    assert len(known) == 1
    assert apart.bag(NORTH).holds() == apart.bag(WEST).holds()


def test_no_set_is_written_over_this_sites_own(apart: Apart) -> None:
    own = apart.propose(NORTH, "a set")
    word = apart.say(NORTH, own)
    apart.bag(NORTH).take({f"proposed/{NORTH}": b"forged", f"agreed/{NORTH}": base64.b64encode(b"forged") + b" "})
    found = latest(apart, NORTH)
    assert found is not None
    assert found.sha256 == own
    assert apart.exchange(NORTH).agreed(NORTH) == (word, b"")


def _standing(*answered: int) -> list[Standing]:
    """Fewer than nothing of who has not joined."""
    return [
        Standing(site=name, joined=count >= 0, answered=max(0, count), wrong=())
        for name, count in zip(NAMES, answered, strict=True)
    ]


@pytest.mark.parametrize(
    ("answered", "words", "expected"),
    [
        ((-1, 0, -1), None, Due(step="join", sites=(NORTH, WEST))),
        ((0, 0, 0), None, Due(step="answer", sites=NAMES, question=1)),
        ((2, 1, 1), None, Due(step="answer", sites=(SOUTH, WEST), question=2)),
        ((3, 3, 3), None, Due(step="propose")),
        ((3, 3, 3), {NORTH: None, SOUTH: True, WEST: None}, Due(step="agree", sites=(NORTH, WEST))),
        ((3, 3, 3), {NORTH: None, SOUTH: True, WEST: False}, Due(step="propose-another", sites=(WEST,))),
        ((3, 3, 3), dict.fromkeys(NAMES, True), Due(step="release")),
        ((3, 3, 3), (WEST,), Due(step="propose-again", sites=(WEST,))),
        ((3, 1, 3), (WEST,), Due(step="answer", sites=(SOUTH,), question=2)),
        ((3, 3, 2), dict.fromkeys(NAMES, True), Due(step="answer", sites=(WEST,), question=3)),
    ],
)
def test_what_is_due_of_whom(
    answered: tuple[int, ...], words: dict[str, bool | None] | tuple[str, ...] | None, expected: Due
) -> None:
    """Words, or the sites whose sets nobody can believe."""
    said, unbelieved = (None, words) if isinstance(words, tuple) else (words, ())
    assert due(_standing(*answered), 3, said, unbelieved) == expected
