"""What a malicious site, or whoever keeps the folder, may try: each is refused by its reason, and costs nothing."""

import base64
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privgan.errors import BudgetError, IntegrityError, PrivganError, UsageError
from privgan.federation import letters
from privgan.federation.invitation import Federation
from privgan.federation.letters import Answer, joined
from privgan.federation.standing import standing
from privgan.federation.vectors import packed, unpacked
from privgan.language import retold, speaking
from tests.federation.hospitals import NAMES, QUESTIONS, World, make_world

NORTH, SOUTH, WEST = NAMES
Forgery = Callable[[World, Answer], bytes]


@pytest.fixture
def begun(world: World) -> World:
    """Everybody has answered the first question, and the last site the second."""
    world.join()
    world.round()
    return world


def answer_of(world: World, name: str, question: int = 1) -> Answer:
    site = world.hospitals[name].site
    return Answer.read(world.letter(question, name).read_bytes(), world.federation, site, question)


def signed(world: World, answer: Answer, name: str = SOUTH, federation: Federation | None = None) -> bytes:
    hospital = world.hospitals[name]
    return answer.signed(federation or world.federation, hospital.site, hospital.key)


def values_of(answer: Answer) -> torch.Tensor:
    """As they lie in it, one after the other."""
    count = len(base64.b64decode(answer.numbers)) // 8
    return unpacked(answer.numbers, (1, count), "f8").flatten()


def with_numbers(change: Callable[[torch.Tensor, float], torch.Tensor]) -> Forgery:
    def forge(world: World, answer: Answer) -> bytes:
        grid = world.federation.invitation.grid(1)
        return signed(world, replace(answer, numbers=packed(change(values_of(answer), grid))))

    return forge


def with_first(value: float) -> Forgery:
    return with_numbers(lambda values, _: torch.cat([torch.tensor([value], dtype=torch.float64), values[1:]]))


def another_key(world: World, answer: Answer) -> bytes:
    return answer.signed(world.federation, world.hospitals[SOUTH].site, Ed25519PrivateKey.generate())


def another_federation(world: World, answer: Answer) -> bytes:
    return signed(world, answer, federation=replace(world.federation, sha256="0" * 64))


def another_version(world: World, answer: Answer) -> bytes:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("privgan.__version__", "0.0.1")
        return signed(world, answer)


def another_protocol(world: World, answer: Answer) -> bytes:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(letters, "PROTOCOL", letters.PROTOCOL + 1)
        return signed(world, answer)


def of_another_site(world: World, answer: Answer) -> bytes:
    south = world.hospitals[SOUTH]
    return answer.signed(world.federation, world.hospitals[WEST].site, south.key)


def a_yes_instead(world: World, _: Answer) -> bytes:
    south = world.hospitals[SOUTH]
    return joined(world.federation, south.site, south.key)


def edited_around(world: World, answer: Answer) -> bytes:
    return signed(world, answer).replace(b' "payloadType"', b'  "payloadType"')


FORGERIES: dict[str, tuple[Forgery, str]] = {
    "another key": (another_key, "signature by the given key"),
    "another site's letter": (lambda world, _: world.letter(1, WEST).read_bytes(), "signature by the given key"),
    "another federation": (another_federation, "of another one"),
    "another version": (another_version, "version of privgan"),
    "another protocol": (another_protocol, "version of privgan"),
    "for another site": (of_another_site, "written for another one"),
    "another kind": (a_yes_instead, "of another kind"),
    "edited": (edited_around, "something around the signature"),
    "no letter": (lambda *_: b"{}", "signed DSSE envelope"),
    "empty": (lambda *_: b"", "signed DSSE envelope"),
    "replayed": (lambda world, answer: signed(world, replace(answer, question=2)), "sent again"),
    "stale": (lambda world, answer: signed(world, replace(answer, heard="0" * 64)), "follows from others"),
    "NaN": (with_first(np.nan), "finite"),
    "infinite": (with_first(np.inf), "finite"),
    "norm 1,000": (with_first(1000.0), "these are larger"),
    "off the grid": (with_numbers(lambda values, grid: values + grid / 2), "on the grid"),
    "too few": (with_numbers(lambda values, _: values[1:]), "as many as were asked for"),
    "too many": (with_numbers(lambda values, _: torch.cat([values, values[:1]])), "as many as were asked for"),
    "no numbers": (lambda world, answer: signed(world, replace(answer, numbers="naïve")), "base64"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_answer_is_refused_by_its_reason(begun: World, forgery: str) -> None:
    """In both languages, with the site's name; the site that is asked answers nothing, and the folder stays whole."""
    forge, reason = FORGERIES[forgery]
    begun.letter(1, SOUTH).write_bytes(forge(begun, answer_of(begun, SOUTH)))
    before = begun.hospitals[NORTH].ledger.entries
    with pytest.raises(IntegrityError, match=reason) as refused:
        begun.round(NORTH)
    assert f"The answer of site {SOUTH} to question 1: " in str(refused.value)
    with speaking("zh"):
        assert retold(str(refused.value)).startswith(f"站点 {SOUTH} 对提问 1 的应答：")
        assert re.search("[\u4e00-\u9fff]", retold(str(refused.value)).partition("：")[2])
    assert begun.hospitals[NORTH].ledger.entries == before
    assert not begun.letter(2, NORTH).exists()


def test_all_that_a_liar_can_do_is_to_make_up_patients(begun: World) -> None:
    """As many as the invitation allows, all of them one way: from outside numbers of nobody look like others."""
    asked = begun.federation.invitation
    within = asked.longest(1, 1) - 1.0
    begun.letter(1, SOUTH).write_bytes(with_first(float(round(within)))(begun, answer_of(begun, SOUTH)))
    with pytest.raises(IntegrityError, match="follows from others"):  # the last site had heard another answer
        begun.round(NORTH)
    begun.letter(2, WEST).unlink()
    (came,) = begun.round(NORTH)
    assert came.question == 2
    assert asked.longest(1, 1) < asked.patients * 1.5 + 100


def test_an_answer_that_is_exchanged_later_is_noticed(begun: World) -> None:
    """By those who had heard the first one, at once; by the others through them."""
    own = answer_of(begun, SOUTH)
    other = signed(begun, replace(own, numbers=packed(values_of(own).flip(0))))
    begun.round(NORTH)
    begun.letter(1, SOUTH).write_bytes(other)
    for name in (NORTH, WEST):
        with pytest.raises(IntegrityError, match=f"The answer of site {NORTH} to question 2.*exchanged"):
            begun.round(name)


def test_a_link_in_the_folder_leads_nowhere(begun: World, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of this hospital")
    place = begun.letter(1, SOUTH)
    place.unlink()
    place.symlink_to(secret)
    with pytest.raises(IntegrityError):
        begun.round(NORTH)
    own = begun.letter(1, NORTH)
    own.unlink()
    own.symlink_to(secret)
    with pytest.raises(IntegrityError):
        begun.round(NORTH)
    assert secret.read_text() == "of this hospital"


def test_a_folder_that_is_a_link_is_not_written_to(world: World, tmp_path: Path) -> None:
    world.join()
    elsewhere, answers = tmp_path / "elsewhere", world.exchange.folder / "answers"
    elsewhere.mkdir()
    answers.rmdir()
    answers.symlink_to(elsewhere)
    with pytest.raises(IntegrityError, match="a link is in its place"):
        world.round(NORTH)
    assert not list(elsewhere.iterdir())


def test_whoever_takes_this_sites_place_is_replaced(world: World) -> None:
    """Nobody else's letter keeps a site from answering, and a forged one costs nothing."""
    world.join()
    world.letter(1, NORTH).write_bytes(b"not yours")
    world.round(NORTH)
    assert answer_of(world, NORTH).question == 1


@pytest.mark.parametrize("part", ["joined", "answers"])
def test_a_site_that_has_not_joined_by_its_own_key_is_not_counted(world: World, part: str) -> None:
    world.join(NORTH, SOUTH)
    stranger = Ed25519PrivateKey.generate()
    yes = joined(world.federation, world.hospitals[WEST].site, stranger)
    (world.exchange.folder / part / f"{WEST}.dsse.json").write_bytes(yes)
    if part == "joined":
        with pytest.raises(IntegrityError, match=f"The yes of site {WEST}"):
            world.round(NORTH)
    else:
        assert world.round(NORTH)[0].missing == (WEST,)
    assert not world.hospitals[NORTH].ledger.queries()


def test_a_ledger_that_was_rolled_back_answers_nothing(begun: World) -> None:
    """A second answer with other noise would halve it."""
    hospital = begun.hospitals[NORTH]
    path, run = hospital.cohort.ledger_path, Path(hospital.run)
    newest, lines = path.read_bytes(), path.read_bytes().splitlines(keepends=True)
    for kept in (1, 2):  # without the charge, and without the answer
        path.write_bytes(b"".join(lines[:kept]))
        with pytest.raises(BudgetError, match="rolled back"):
            hospital.answer(begun.exchange)
    path.write_bytes(newest)
    begun.round(NORTH)
    own = begun.letter(1, NORTH)
    own.unlink()  # not even where the folder forgets it
    path.write_bytes(b"".join(lines[:2]))
    with pytest.raises(BudgetError, match="rolled back"):
        hospital.answer(begun.exchange)
    assert (run / "private/answers/02.dsse.json").exists()


@pytest.mark.parametrize("harm", ["lost", "edited"])
def test_an_answer_that_is_lost_is_not_made_again(begun: World, harm: str) -> None:
    hospital = begun.hospitals[NORTH]
    place = hospital.run / "private/answers/01.dsse.json"
    place.unlink() if harm == "lost" else place.write_bytes(place.read_bytes()[:-1])
    with pytest.raises(BudgetError, match="lost or edited"):
        hospital.answer(begun.exchange)
    assert len(hospital.ledger.of_kind("answered")) == 1


def test_a_second_run_of_the_same_site_answers_nothing(world: World) -> None:
    """Joining twice gives no second answer, and no second charge; afterwards a site does not join again."""
    world.join()
    hospital = world.hospitals[NORTH]
    first, hospital.run = hospital.run, hospital.run.with_name("again")
    hospital.join(world.exchange)
    second, hospital.run = hospital.run, first
    world.round()
    hospital.run = second
    with pytest.raises(BudgetError, match="Answer in the run in which this site answered first"):
        hospital.answer(world.exchange)
    hospital.run = first.with_name("once more")
    with pytest.raises(UsageError, match="answers in its first run"):
        hospital.join(world.exchange)
    assert not hospital.run.exists()
    assert len(hospital.ledger.of_kind("charge")) == 1
    hospital.run = first
    assert hospital.answer(world.exchange).question == 2


def test_a_yes_that_the_folder_has_lost_is_given_again_by_whoever_answers(begun: World) -> None:
    """It would have to join again, which it cannot."""
    place = begun.exchange.folder / "joined" / f"{NORTH}.dsse.json"
    whole = place.read_bytes()
    for harm in (place.unlink, lambda: place.write_bytes(whole[:100])):
        harm()
        begun.round(NORTH)
        assert place.read_bytes() == whole


def test_another_federations_folder_is_refused(made: dict[str, Path], begun: World, tmp_path: Path) -> None:
    other = make_world(made, tmp_path / "other")
    shutil.rmtree(begun.exchange.folder)
    os.rename(other.exchange.folder, begun.exchange.folder)  # noqa: PTH104 - of a folder
    with pytest.raises(IntegrityError):  # by another inviter
        begun.round(NORTH)
    hospital = begun.hospitals[NORTH]
    hospital.inviter = other.hospitals[NORTH].inviter
    with pytest.raises(IntegrityError, match="of another one"):
        begun.round(NORTH)


def test_another_cohort_or_key_is_refused(begun: World) -> None:
    north, south = (begun.hospitals[name] for name in (NORTH, SOUTH))
    before = north.ledger.entries
    north.folder, own = south.folder, north.folder
    with pytest.raises(IntegrityError, match="cohort that joined"):
        begun.round(NORTH)
    north.folder, north.key = own, Ed25519PrivateKey.generate()
    with pytest.raises(UsageError, match="site that is invited"):
        begun.round(NORTH)
    north.key = south.key
    with pytest.raises(UsageError, match=f"the key of site {NORTH}.*got that of {SOUTH}"):
        begun.round(NORTH)
    assert north.ledger.entries == before


def test_the_key_of_another_site_makes_no_first_answer(world: World) -> None:
    """It would be signed, believed, and of another hospital's patients."""
    world.join()
    north = world.hospitals[NORTH]
    north.key = world.hospitals[SOUTH].key
    with pytest.raises(UsageError, match=f"the key of site {NORTH}.*got that of {SOUTH}"):
        world.round(NORTH)
    assert not north.ledger.queries()


def test_whoever_keeps_the_folder_sees_whose_letter_is_wrong(begun: World) -> None:
    begun.letter(1, SOUTH).write_bytes(another_key(begun, answer_of(begun, SOUTH)))
    found = {each.site: each for each in standing(begun.exchange, begun.federation)}
    assert (found[NORTH].answered, found[NORTH].wrong) == (1, ())
    assert found[WEST].answered == 2
    assert found[SOUTH].answered == 0
    assert "signature by the given key" in found[SOUTH].wrong[0]
    assert all(each.joined for each in found.values())
    assert begun.federation.invitation.noise[QUESTIONS - 1 :]


def test_no_refusal_names_a_patient_or_a_file(begun: World) -> None:
    begun.letter(1, SOUTH).write_bytes(b"x" * 100)
    with pytest.raises(PrivganError) as refused:
        begun.round(NORTH)
    assert "QZX-" not in str(refused.value)
    assert str(begun.exchange.folder) not in str(refused.value)
