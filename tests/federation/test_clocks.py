"""Machines whose clocks are off by years: nothing of the day hangs on them, and of the evening what says so."""

import shutil
import sys
import time
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from privgan.errors import IntegrityError
from privgan.federation.letters import Answer, Proposal, joined
from privgan.run import read_run
from privgan.synthetic.drawing import Asked
from privgan.synthetic.generate import GenerateOptions, draw, generate
from privgan.synthetic.seed import Seed
from privgan.synthetic.synthetic_set import Manifest
from tests.federation.hospitals import NAMES, QUESTIONS, World, make_world
from tests.federation.joint import SOUTH, Together

OFF = {"north": 0, "south": 4000, "west": -4000}  # days


def off_by(day: str) -> int:
    """How many days lie between today and a day that some machine took for it; the test may run past midnight."""
    days = (date.fromisoformat(day) - datetime.now(UTC).date()).days
    return days + 1 if days + 1 in OFF.values() else days


def set_clock(patched: pytest.MonkeyPatch, days: int) -> None:
    """Let every part of the product that asks for the time be told another."""
    off = timedelta(days=days)

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + off

        utcnow = now

    class ShiftedDay(date):
        @classmethod
        def today(cls) -> date:  # type: ignore[override]
            return date.today() + off  # noqa: DTZ011 - what a careless line would call

    true = time.time
    patched.setattr("time.time", lambda: true() + off.total_seconds())
    for name, module in list(sys.modules.items()):
        if name.startswith("privgan"):
            for word, shifted in (("datetime", Shifted), ("date", ShiftedDay)):
                if vars(module).get(word) in (datetime, date):
                    patched.setattr(module, word, shifted)


@pytest.fixture(scope="module")
def learned(made: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> World:
    """Three hospitals that have learned together, each by its own clock."""
    world = make_world(made, tmp_path_factory.mktemp("clocks"), transport="masked")
    for step in range(QUESTIONS + 2):
        for name in NAMES:
            with pytest.MonkeyPatch.context() as patched:
                set_clock(patched, OFF[name])
                world.round(name) if step else world.join(name)
    return world


def test_by_whatever_clocks_all_end_with_one_generator(learned: World) -> None:
    """The clocks were off: each ledger has its own machine's day of the charge."""
    facts = {name: read_run(hospital.run) for name, hospital in learned.hospitals.items()}
    assert {each.state for each in facts.values()} == {"finished"}
    assert len({each.generator_sha256 for each in facts.values()}) == 1
    charged = {name: hospital.ledger.of_kind("charge")[0]["date"] for name, hospital in learned.hospitals.items()}
    assert {name: off_by(day) for name, day in charged.items()} == OFF
    assert {name: off_by(each.created) for name, each in facts.items()} == OFF


def test_no_letter_of_the_day_holds_a_time(learned: World) -> None:
    """Written years later from the same content it is the same to the byte; so is a proposal."""
    federation, hospital = learned.federation, learned.hospitals[SOUTH]
    found = Answer.read(learned.letter(1, SOUTH).read_bytes(), federation, hospital.site, 1)
    proposal = Proposal(site=hospital.site, number=1, said={"synthetic_sha256": "0" * 64})
    written = []
    for days in OFF.values():
        with pytest.MonkeyPatch.context() as patched:
            set_clock(patched, days)
            written.append(
                (
                    joined(federation, hospital.site, hospital.key),
                    found.signed(federation, hospital.site, hospital.key),
                    proposal.signed(federation, hospital.key),
                )
            )
    assert len(set(written)) == 1
    assert written[0][:2] == (learned.exchange.yes(SOUTH), learned.letter(1, SOUTH).read_bytes())


def test_a_set_has_the_day_of_whoever_draws_it_first(learned: World, tmp_path: Path) -> None:
    """It travels in the proposal, so that all draw the same set by whatever clock."""
    seed, made = Seed.fresh(), dict[str, Manifest]()
    for name in ("west", "north", "south"):
        folder, run = tmp_path / name, learned.hospitals[name].run
        folder.mkdir()
        with pytest.MonkeyPatch.context() as patched:
            set_clock(patched, OFF[name])
            if not made:
                made[name] = generate(run, folder, GenerateOptions(count=3, formats=("npz",)), seed)
            else:
                made[name] = draw(run, folder, Asked.of(made["west"]), ("npz",), seed)
    assert {off_by(each.created) for each in made.values()} == {OFF["west"]}
    assert len({(tmp_path / name / "manifest.json").read_bytes() for name in made}) == 1


def test_an_approval_that_has_not_begun_by_this_machines_clock_waits(together: Together) -> None:
    """It is told of which site, and that it is the clock which says so; on its first day and its last it holds."""
    shutil.rmtree(together.bundle)
    with pytest.raises(IntegrityError, match=r"that of site .* begins on 2026-01-31, which this machine's clock"):
        together.release(today=date(2026, 1, 30))
    with pytest.raises(IntegrityError, match=r"begins on 2026-01-31, which this machine's clock"):
        together.agree(SOUTH, today=date(2026, 1, 30))
    for day in (date(2026, 1, 31), date(2026, 12, 31)):
        together.release(today=day)
        shutil.rmtree(together.bundle)
