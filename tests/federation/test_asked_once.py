"""One question, one draw of noise: whatever is killed, cut from the ledger or withheld by the folder's keeper."""

import itertools
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from privgan.dp.budget.anchor import SiteAnchor
from privgan.dp.budget.chain import Entry
from privgan.dp.budget.ledger import Ledger
from privgan.dp.budget.renyi import RenyiFilter
from privgan.errors import BudgetError, UsageError
from privgan.federation import answers, together
from privgan.federation.exchange import Exchange
from privgan.federation.letters import Answer
from privgan.files import sha256_bytes, sha256_file
from tests.federation.hospitals import NAMES, QUESTIONS, Hospital, World

NORTH, SOUTH, _ = NAMES
KILLS: dict[str, tuple[object, str]] = {
    "before it is kept": (answers, "write_bytes"),
    "before it is announced": (Ledger, "record_answer"),
    "before it is given": (Exchange, "give"),
    "after it is given": (answers.SumOfAnswers, "_without_answer"),
    "never": (object, ""),
}


class KilledError(BaseException):
    """Stands for kill -9."""


class Watched:
    """The north hospital: every draw of noise whose outcome is on disk, and every letter that has ever left."""

    def __init__(self, world: World, patched: pytest.MonkeyPatch) -> None:
        self.world, self.hospital, self.drawn = world, world.hospitals[NORTH], 0
        self.left: set[bytes] = set()
        patched.setattr(together, "released", self._counted(together.released))

    def _counted(self, inner: Callable[..., Any]) -> Callable[..., Any]:
        def count(*words: Any, **named: Any) -> Any:
            self.drawn += 1
            return inner(*words, **named)

        return count

    @property
    def letter(self) -> Path:
        """Of the first question, in the folder."""
        return self.world.letter(1, NORTH)

    @property
    def kept(self) -> Path:
        """The same at home."""
        return self.hospital.run / "private/answers/01.dsse.json"

    def answer(self, killed: str = "never") -> None:
        """The command, which may end early or refuse."""
        owner, name = KILLS[killed]
        with pytest.MonkeyPatch.context() as patched, suppress(KilledError):
            if name:
                patched.setattr(owner, name, Mock(side_effect=KilledError))
            self.hospital.answer(self.world.exchange)
        if self.letter.exists():
            self.left.add(self.letter.read_bytes())

    def cut(self, lines: int) -> None:
        """The ledger's last ones are lost."""
        path = self.hospital.cohort.ledger_path
        kept = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(kept[: max(1, len(kept) - lines)]))


@pytest.fixture
def watched(either: World, monkeypatch: pytest.MonkeyPatch) -> Watched:
    either.join()
    return Watched(either, monkeypatch)


@pytest.mark.parametrize("killed", KILLS)
def test_no_kill_cut_or_withheld_letter_brings_a_second_answer(watched: Watched, killed: str) -> None:
    """All that may be lost, in every combination, one after the other."""
    watched.answer(killed)
    drawn = watched.drawn if watched.kept.exists() else 0
    for lines, withheld in itertools.product((0, 1, 2), (False, True)):
        if withheld:
            watched.letter.unlink(missing_ok=True)
        watched.cut(lines)
        with suppress(BudgetError):
            watched.answer()
        drawn = drawn or watched.drawn
        assert watched.drawn == drawn
    assert len(watched.left) <= 1
    assert watched.left <= {watched.kept.read_bytes()}


def test_where_only_the_answer_was_cut_the_same_bytes_leave_and_the_charge_stays(watched: Watched) -> None:
    """As after a kill between the two, from which nobody can tell it."""
    watched.answer()
    first = watched.kept.read_bytes()
    watched.letter.unlink()
    watched.cut(1)
    watched.answer()
    assert watched.left == {first}
    (entry,) = watched.hospital.ledger.of_kind("answered")
    assert entry["sha256"] == sha256_bytes(first)
    assert len(watched.hospital.ledger.of_kind("charge")) == 1


def test_where_the_charge_was_cut_too_nothing_leaves(watched: Watched) -> None:
    watched.answer()
    watched.letter.unlink()
    watched.cut(2)
    with pytest.raises(BudgetError, match="rolled back"):
        watched.answer()
    assert not watched.letter.exists()
    assert len(watched.hospital.ledger.entries) == 1


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("lines", [1, 2])
def test_joining_again_never_replaces_a_kept_answer(watched: Watched, force: bool, lines: int) -> None:
    """Whether the ledger still knows of the charge or of nothing; the letter is withheld."""
    watched.answer()
    first = watched.kept.read_bytes()
    watched.letter.unlink()
    watched.cut(lines)
    with pytest.raises((UsageError, BudgetError), match="begun to answer" if lines == 1 else "not replaced"):
        watched.hospital.join(watched.world.exchange, force=force)
    assert watched.kept.read_bytes() == first


def test_a_run_that_a_kill_moved_aside_is_found_before_it_is_replaced(watched: Watched) -> None:
    watched.answer()
    watched.letter.unlink()
    watched.cut(2)
    run = watched.hospital.run
    run.rename(run.with_name(f".{run.name}.1.retired"))
    with pytest.raises(BudgetError, match="not replaced"):
        watched.hospital.join(watched.world.exchange, force=True)
    assert watched.kept.exists()


@pytest.mark.parametrize("question", [1, QUESTIONS])
def test_joining_with_a_new_run_is_refused_where_the_folder_has_any_answer(watched: Watched, question: int) -> None:
    watched.answer()
    watched.cut(2)
    moved(watched, question)
    watched.hospital.run = watched.hospital.run.with_name("another-run")
    with pytest.raises(BudgetError, match="rolled back"):
        watched.hospital.join(watched.world.exchange)
    assert not watched.hospital.run.exists()


def moved(watched: Watched, question: int) -> None:
    """The folder has this site's answer to that question instead of its first."""
    world, site = watched.world, watched.hospital.site
    answer = Answer.read(watched.letter.read_bytes(), world.federation, site, 1)
    watched.letter.unlink()
    letter = replace(answer, question=question).signed(world.federation, site, watched.hospital.key)
    world.exchange.give(question, site.name, letter)


def test_what_others_put_into_a_sites_place_keeps_it_from_nothing(world: World) -> None:
    """A letter by another key is no answer of this site: it joins, and its own replaces it."""
    world.exchange.give(1, NORTH, b"{}")
    world.join()
    world.round(NORTH)
    letter = world.letter(1, NORTH).read_bytes()
    assert Answer.read(letter, world.federation, world.hospitals[NORTH].site, 1).question == 1


def test_a_withheld_letter_is_not_made_again_where_a_later_one_lies(watched: Watched, tmp_path: Path) -> None:
    """Cohort and run are as after the first question; the folder has the third, and its keeper took the second."""
    world, north = watched.world, watched.hospital
    watched.answer()
    for folder in (north.folder, north.run):
        shutil.copytree(folder, tmp_path / folder.name)
    world.round(SOUTH, *NAMES[2:])
    world.round()
    world.round(NORTH)
    assert world.letter(3, NORTH).exists()
    for folder in (north.folder, north.run):
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / folder.name, folder)
    world.letter(2, NORTH).unlink()
    drawn = watched.drawn
    with pytest.raises(BudgetError, match="rolled back"):
        watched.answer()
    assert watched.drawn == drawn
    assert not world.letter(2, NORTH).exists()


def edited(watched: Watched) -> None:
    watched.kept.write_bytes(watched.kept.read_bytes()[:-1])


def of_another_key(watched: Watched) -> None:
    world, south = watched.world, watched.world.hospitals[SOUTH]
    answer = Answer.read(watched.kept.read_bytes(), world.federation, watched.hospital.site, 1)
    watched.kept.write_bytes(answer.signed(world.federation, watched.hospital.site, south.key))


def following_from_others(watched: Watched) -> None:
    world, hospital = watched.world, watched.hospital
    answer = Answer.read(watched.kept.read_bytes(), world.federation, hospital.site, 1)
    answer = replace(answer, heard="0" * 64)
    watched.kept.write_bytes(answer.signed(world.federation, hospital.site, hospital.key))


def a_link(watched: Watched) -> None:
    elsewhere = watched.kept.with_name("elsewhere")
    watched.kept.rename(elsewhere)
    watched.kept.symlink_to(elsewhere)


@pytest.mark.parametrize("harm", [edited, of_another_key, following_from_others, a_link])
def test_a_kept_answer_that_is_not_what_it_was_is_neither_sent_nor_made_again(
    watched: Watched, harm: Callable[[Watched], None]
) -> None:
    watched.answer("before it is announced")
    harm(watched)
    with pytest.raises(BudgetError, match="None is made instead"):
        watched.answer()
    assert not watched.letter.exists()
    assert watched.drawn == 1
    assert not watched.hospital.ledger.of_kind("answered")


def seated(hospital: Hospital, home: Path) -> None:
    """Give the hospital a site anchor, as prepare would have."""
    cohort, anchor = hospital.cohort, SiteAnchor.found_or_made(home / "anchor")
    seat = anchor.join(cohort.facts.cohort_id, [frozenset({"a patient"})], RenyiFilter.of(10.0, 1e-3))
    cohort.ledger_path.unlink()
    Ledger.create(
        cohort.ledger_path,
        cohort_sha256=sha256_file(hospital.folder / "cohort.json"),
        members=cohort.facts.members,
        delta=1e-3,
        max_epsilon=10.0,
        seat=seat,
    )


@pytest.mark.parametrize("told", ["announced", "head"])
def test_with_a_site_anchor_a_cut_is_refused_and_a_kill_gone_on_from(
    either: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str
) -> None:
    """Killed as the anchor hears of the answer, before the ledger has it and after."""
    seated(either.hospitals[NORTH], tmp_path)
    either.join()
    watched, inner = Watched(either, monkeypatch), SiteAnchor.extended

    def deadly(self: SiteAnchor, entry: Entry) -> SiteAnchor:
        now = inner(self, entry) if told == "announced" else self
        if (
            watched.kept.exists()
            and entry["kind"] == told
            and len(watched.hospital.ledger.entries) == 2 + (told == "head")
        ):
            raise KilledError
        return now if told == "announced" else inner(self, entry)

    with monkeypatch.context() as patched, suppress(KilledError):
        patched.setattr(SiteAnchor, "extended", deadly)
        watched.answer()
    first = watched.kept.read_bytes()
    assert not watched.letter.exists()
    watched.cut(int(told == "head"))
    watched.answer()
    assert (watched.left, watched.drawn) == ({first}, 1)
    watched.letter.unlink()
    for lines in (1, 1):
        watched.cut(lines)
        with pytest.raises(BudgetError, match="rolled back"):
            watched.answer()
    assert not watched.letter.exists()
