"""kill -9 at any moment of a training: what is charged covers what survives, and every file is old or new."""

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from privgan.dp.budget.ledger import Ledger
from privgan.files import sha256_file
from privgan.run import read_run
from tests.cli.forking import Warm

Privgan = Callable[..., subprocess.CompletedProcess[str]]
STEPS = 200


@dataclass(kw_only=True)
class Life:
    """One run from its first start to its end, and what was seen of it after every kill."""

    loaded: Warm
    cohort: Path
    run: Path
    config: Path
    fell: Counter[str] = field(default_factory=Counter)
    redone: int = 0

    @property
    def ledger(self) -> Ledger:
        """As it is now; reading verifies the chain and the site anchor."""
        return Ledger.read(self.cohort / "private" / "ledger.jsonl")

    def finished(self) -> bool:
        """Whether the run says so; a process may still be killed while it leaves."""
        return self.run.exists() and read_run(self.run).state == "finished"

    def announced(self) -> list[tuple[int, str]]:
        """(step, hash) of every resume state that the ledger was told of."""
        return [(entry["step"], entry["sha256"]) for entry in self.ledger.of_kind("checkpoint")]

    def saved_step(self) -> int:
        """Steps that survived; the state must be one that a resume accepts."""
        state = self.run / "private" / "state.safetensors"
        if not state.exists():
            return 0
        with safe_open(state, framework="np") as tensors:
            step = int(tensors.metadata()["step"])
        assert (step, sha256_file(state)) in self.announced()[-2:]
        return step

    def logged(self) -> list[int]:
        """Steps after which the generator moved, of all attempts; every line is whole."""
        log = self.run / "private" / "metrics.jsonl"
        return [int(json.loads(line)["step"]) for line in log.read_text().splitlines()] if log.exists() else []

    def attempt(self, kill_after: float | None) -> bool:
        """Start or resume; True if it ended by itself."""
        exists = self.run.exists()
        start, told, lines = self.saved_step() if exists else 0, len(self.announced()), len(self.logged())
        words = ["train", self.cohort, self.run, "--epsilon", 4, "--config", self.config, "--accept-noise"]
        words += ["--resume"] if exists else ["--steps", STEPS]
        process = self.loaded.start(*words)
        if kill_after is not None:
            time.sleep(kill_after)
            os.kill(process, signal.SIGKILL)
        done = self.loaded.wait(process)
        ended = done.returncode == 0
        assert ended or (kill_after is not None and done.returncode == -signal.SIGKILL), done.stderr
        place = self.check(start, self.announced()[told:], self.logged()[lines:])
        if not ended:
            self.fell[place] += 1
        return ended

    def check(self, start: int, told: list[tuple[int, str]], logged: list[int]) -> str:
        """What one attempt added, and that everything on disk belongs together.

        Args:
            start: the step it resumed at.
            told: the resume states that it announced.
            logged: after which steps it moved the generator.

        Returns:
            How far the run is.
        """
        steps = [step for step, _ in told]
        for done in (steps, logged):
            assert done == sorted(set(done))
            assert all(start <= step <= STEPS for step in done)
        ledger = self.ledger
        charges, closed = ledger.of_kind("charge"), ledger.of_kind("closed")
        if not self.run.exists():
            assert not charges
            return "before the run folder"
        facts, saved = read_run(self.run), self.saved_step()
        assert (self.run / "config.resolved.toml").read_text().endswith("\n")
        assert [entry["run_id"] for entry in charges] in ([], [facts.run_id])
        # Nothing noisy exists that was not charged, and the charge is of exactly the planned steps.
        assert charges or not (told or logged or saved)
        assert all(entry["queries"][-1]["steps"] == facts.planned_steps == STEPS for entry in charges)
        assert saved >= start
        assert not closed or saved == STEPS
        self.redone += max([saved, *logged]) - saved
        if not charges:
            return "before the charge"
        return "at the end" if saved == STEPS else f"after {saved * 4 // STEPS}/4 of the steps"


def born(privgan: Privgan, loaded: Warm, source: Path, home: Path, config: Path) -> Life:
    """A fresh cohort under a site anchor, and a place for its run."""
    words = ("--size", 28, "--accept-low-power", "--site-anchor", home / "anchor")
    privgan("prepare", source, home / "cohort", *words)
    (home / "runs").mkdir()
    return Life(loaded=loaded, cohort=home / "cohort", run=home / "runs" / "run", config=config)


def lived(life: Life, kills: int, delays: np.random.Generator) -> int:
    """Kill a run up to so many times, let it end, and check what it left; returns how often it was killed."""
    done = 0
    while done < kills and not life.finished():
        # A first attempt plans for about two seconds, a resumed one begins at once.
        done += not life.attempt(delays.uniform(0, 2.0 if life.run.exists() else 4.0))
    if not life.finished():
        assert life.attempt(None)
    facts, ledger = read_run(life.run), life.ledger
    assert (facts.state, facts.finished_steps, life.saved_step()) == ("finished", STEPS, STEPS)
    assert len(ledger.of_kind("charge")) == len(ledger.of_kind("closed")) == 1
    assert ledger.of_kind("closed")[0]["generator_sha256"] == sha256_file(
        life.run / "model" / "generator.safetensors"
    )
    assert ledger.spend(facts.spend.delta).epsilon == pytest.approx(facts.spend.epsilon)
    assert facts.spend.epsilon <= 4
    assert not [path for path in life.run.parent.rglob("*") if path.name.endswith((".partial", ".retired"))]
    return done


@pytest.fixture
def quick(fast_config: Path, tmp_path: Path) -> Path:
    """A train.toml with about twenty resume states a run."""
    path = tmp_path / "quick.toml"
    path.write_text(fast_config.read_text() + "checkpoint_seconds = 0.15\n")
    return path


def test_killed_at_any_moment_it_ends_with_the_planned_steps_under_one_charge(
    privgan: Privgan, loaded: Warm, source: Path, quick: Path, tmp_path: Path
) -> None:
    """Five kills, then to the end, under a site anchor; a closed run does not resume."""
    life = born(privgan, loaded, source, tmp_path, quick)
    lived(life, 5, np.random.default_rng(5))
    privgan("train", life.cohort, life.run, "--epsilon", 4, "--resume", code=7)


@pytest.mark.study
def test_fifty_kills(privgan: Privgan, loaded: Warm, source: Path, quick: Path, tmp_path: Path) -> None:
    """Several runs, killed fifty times in all."""
    delays, fell = np.random.default_rng(50), Counter[str]()
    kills = redone = lives = 0
    began = time.monotonic()
    while kills < 50:
        (tmp_path / str(lives)).mkdir()
        life = born(privgan, loaded, source, tmp_path / str(lives), quick)
        kills += lived(life, min(8, 50 - kills), delays)
        fell, redone, lives = fell + life.fell, redone + life.redone, lives + 1
    where = ", ".join(f"{count} {place}" for place, count in sorted(fell.items()))
    print(f"\n{kills} kills of {lives} runs in {time.monotonic() - began:.0f} s: {where}; {redone} steps redone")
