"""The last moments of a run: whatever a kill leaves, the same generator comes out and nothing is paid twice."""

import fcntl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from privgan.data.cohort.cohort import Cohort, hounsfield
from privgan.dp.budget.ledger import Ledger
from privgan.dp.mechanism import noisy_gradient
from privgan.dp.plan import MechanismSettings
from privgan.errors import BudgetError, IntegrityError, PreemptedError, UsageError
from privgan.files import sha256_file
from privgan.gan.image_model import ClassBalanceSettings
from privgan.gan.networks import load_generator
from privgan.gan.training import beginning, runs
from privgan.gan.training import step as training
from privgan.gan.training.request import TrainRequest
from privgan.gan.training.runs import resume_run, start_run
from privgan.gan.training.settings import ModelSettings, PrivacySettings, RefinementSettings, TrainSettings
from privgan.gan.warm_start.class_balance import ClassBalance, measure_class_balance
from privgan.interruption import StopRequest
from privgan.run import WEIGHTS, read_run, write_run

REQUEST = TrainRequest(
    epsilon=4.0,
    settings=TrainSettings(
        privacy=PrivacySettings(batch=20, steps=4),
        model=ModelSettings(latent=8, generator_width=8, discriminator_width=8),
        refinement=RefinementSettings(fakes=8),
    ),
)

MEASURING = replace(
    REQUEST, settings=replace(REQUEST.settings, class_balance=ClassBalanceSettings(measure=True, share=0.3))
)


class Killed(BaseException):
    """Stands for kill -9: nothing below catches it."""


def _killed_at(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    def die(*_: object, **__: object) -> None:
        raise Killed

    monkeypatch.setattr(owner, name, die)


def _kill_before_charging(monkeypatch: pytest.MonkeyPatch) -> None:
    _killed_at(monkeypatch, Ledger, "charge")


def _kill_before_the_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    _killed_at(monkeypatch, runs, "save_generator")


def _kill_before_closing(monkeypatch: pytest.MonkeyPatch) -> None:
    _killed_at(monkeypatch, Ledger, "close")


def _kill_before_finishing(monkeypatch: pytest.MonkeyPatch) -> None:
    _killed_at(monkeypatch, runs, "finish")


@pytest.mark.parametrize(
    "kill", [_kill_before_charging, _kill_before_the_generator, _kill_before_closing, _kill_before_finishing]
)
def test_killed_between_two_writes_it_ends_as_if_it_had_not_been(
    cohort: Cohort, tmp_path: Path, kill: Callable[[pytest.MonkeyPatch], None]
) -> None:
    """One charge, one close, and a generator that was already on disk comes out bit for bit the same."""
    run = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        kill(patch)
        with pytest.raises(Killed):
            start_run(cohort, run, REQUEST, StopRequest(), force=False)
    early = sha256_file(run / WEIGHTS) if (run / WEIGHTS).exists() else None
    facts = resume_run(cohort, run, REQUEST, StopRequest())
    ledger = Ledger.read(cohort.ledger_path)
    assert facts.state == read_run(run).state == "finished"
    assert facts.generator_sha256 == sha256_file(run / WEIGHTS)
    assert early in (None, facts.generator_sha256)
    assert len(ledger.of_kind("charge")) == len(ledger.of_kind("closed")) == 1
    with pytest.raises(BudgetError):
        resume_run(cohort, run, REQUEST, StopRequest())


def test_a_refused_charge_leaves_an_older_run_in_place(cohort: Cohort, tmp_path: Path) -> None:
    """--force must not cost a run when the new one cannot be paid."""
    run = tmp_path / "run"
    first = start_run(cohort, run, REQUEST, StopRequest(), force=False)
    with pytest.raises(BudgetError, match="cap"):
        start_run(cohort, run, replace(REQUEST, epsilon=9.9), StopRequest(), force=True)
    assert read_run(run).run_id == first.run_id
    assert sha256_file(run / WEIGHTS) == first.generator_sha256


def test_a_seeded_run_is_stamped_and_repeats(cohort: Cohort, tmp_path: Path) -> None:
    """The same seed gives the same generator, in file and in ledger NOT PRIVATE; unseeded runs differ.

    torch's shared generator is neither asked nor seeded.
    """
    digests, shared = [], torch.get_rng_state()
    for number, seed in enumerate((1, 1, None)):
        request = replace(REQUEST, epsilon=1.5, replay_seed=seed)
        facts = start_run(cohort, tmp_path / str(number), request, StopRequest(), force=False)
        assert facts.not_private is (seed is not None)
        digests.append(facts.generator_sha256)
    assert digests[0] == digests[1] != digests[2]
    assert torch.equal(shared, torch.get_rng_state())
    charges = Ledger.read(cohort.ledger_path).of_kind("charge")
    assert [entry["replayable"] for entry in charges] == [True, True, False]


@pytest.mark.parametrize("stamped", [False, True])
def test_a_run_that_began_with_secret_noise_goes_on_with_no_seed(
    cohort: Cohort, tmp_path: Path, *, stamped: bool
) -> None:
    """The rest of its noise could be replayed, and nothing would say so: run.json may be edited there and back."""
    run, stop = tmp_path / "run", StopRequest()
    stop.note(15, None)
    with pytest.raises(PreemptedError):
        start_run(cohort, run, REQUEST, stop, force=False)
    began = read_run(run)
    write_run(run, replace(began, not_private=stamped))
    with pytest.raises(UsageError, match="secret noise"):
        resume_run(cohort, run, replace(REQUEST, replay_seed=1), StopRequest())
    write_run(run, began)
    assert not resume_run(cohort, run, REQUEST, StopRequest()).not_private


@pytest.mark.parametrize(
    ("preset", "modality", "window"),
    [
        ("ct-soft", "CT", (-160.0, 240.0)),
        ("custom", "CT", (-160.0, 240.0)),
        ("custom", "OT", None),
        ("cxr", "CT", None),  # pictures that --modality calls CT
        ("mr", "MR", None),
    ],
)
def test_a_run_knows_units_only_where_the_window_has_them(
    cohort: Cohort, tmp_path: Path, preset: str, modality: str, window: tuple[float, float] | None
) -> None:
    units = hounsfield(preset, modality, (-160.0, 240.0))
    facts = replace(cohort.facts, form=replace(cohort.facts.form, modality=modality, window=units))
    known = start_run(replace(cohort, facts=facts), tmp_path / "run", REQUEST, StopRequest(), force=False)
    assert known.form.window == window
    assert read_run(tmp_path / "run").form == facts.form


def test_a_stop_is_granted_at_the_next_step(cohort: Cohort, tmp_path: Path) -> None:
    """With the wish noted before the first step, one step is done, saved, and the run goes on later."""
    run, stop = tmp_path / "run", StopRequest()
    stop.note(15, None)
    with pytest.raises(Exception, match="--resume"):
        start_run(cohort, run, REQUEST, stop, force=False)
    assert Ledger.read(cohort.ledger_path).of_kind("checkpoint")[-1]["step"] == 1
    assert resume_run(cohort, run, REQUEST, StopRequest()).finished_steps == 4


@pytest.mark.parametrize("kill", [_kill_before_the_generator, _kill_before_finishing])
def test_a_kill_neither_measures_class_shares_twice_nor_forgets_them(
    cohort: Cohort, tmp_path: Path, kill: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is part of the saved state: one query in the ledger, one answer, which the released model holds."""
    run, answers = tmp_path / "run", []

    def measure(*arguments: Any) -> ClassBalance:
        answers.append(measure_class_balance(*arguments))
        return answers[-1]

    monkeypatch.setattr(beginning, "measure_class_balance", measure)
    with pytest.MonkeyPatch.context() as patch:
        kill(patch)
        with pytest.raises(Killed):
            start_run(cohort, run, MEASURING, StopRequest(), force=False)
    facts = resume_run(cohort, run, MEASURING, StopRequest())
    assert len(answers) == 1
    assert load_generator(run).class_balance == answers[0]
    (charge,) = Ledger.read(cohort.ledger_path).of_kind("charge")
    assert [query["steps"] for query in charge["queries"]] == [1, 1, 1, 1, 1, 4]
    assert charge["queries"][4]["noise_multiplier"] == facts.plan["class_balance"] == answers[0].noise


def test_what_was_not_planned_is_not_measured(cohort: Cohort, tmp_path: Path) -> None:
    """Without the option there is no such query, and a resume cannot add one that is not charged."""
    run, stop = tmp_path / "run", StopRequest()
    stop.note(15, None)
    with pytest.raises(Exception, match="--resume"):
        start_run(cohort, run, REQUEST, stop, force=False)
    with pytest.raises(UsageError, match="measure class shares"):
        resume_run(cohort, run, MEASURING, StopRequest())
    facts = resume_run(cohort, run, REQUEST, StopRequest())
    assert len(Ledger.read(cohort.ledger_path).queries(facts.run_id)) == 5
    assert facts.plan["class_balance"] is load_generator(run).class_balance is None


@pytest.mark.parametrize("kept", ["opened", "charged"])
def test_lines_cut_off_the_ledgers_end_are_missed(cohort: Cohort, tmp_path: Path, kept: str) -> None:
    """A run remembers that it was charged and closed; a ledger that forgot one or both is not charged again."""
    run = tmp_path / "run"
    start_run(cohort, run, REQUEST, StopRequest(), force=False)
    lines = cohort.ledger_path.read_bytes().splitlines(keepends=True)
    cut = b"".join(lines[:1] if kept == "opened" else lines[:-1])
    cohort.ledger_path.write_bytes(cut)
    with pytest.raises(BudgetError, match="cut or rolled back"):
        resume_run(cohort, run, REQUEST, StopRequest())
    assert cohort.ledger_path.read_bytes() == cut


def test_resume_removes_what_a_kill_left_half_written(cohort: Cohort, tmp_path: Path) -> None:
    """Temporary names of every folder of the run go; the user's own hidden files stay."""
    run, stop = tmp_path / "run", StopRequest()
    stop.note(15, None)
    with pytest.raises(Exception, match="--resume"):
        start_run(cohort, run, REQUEST, stop, force=False)
    left = [run / ".run.json.00ff.partial", run / "private" / ".state.safetensors.00ff.partial"]
    for path in (*left, run / ".note"):
        path.write_bytes(b"half")
    resume_run(cohort, run, REQUEST, StopRequest())
    assert not any(path.exists() for path in left)
    assert (run / ".note").exists()


def test_one_process_trains_a_run(cohort: Cohort, tmp_path: Path) -> None:
    """A second one would release other noise for the same steps; it is turned away and disturbs nothing."""
    run, stop = tmp_path / "run", StopRequest()
    stop.note(15, None)
    with pytest.raises(PreemptedError):
        start_run(cohort, run, REQUEST, stop, force=False)
    with (run / "private" / "lock").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(UsageError, match="other process"):
            resume_run(cohort, run, REQUEST, StopRequest())
    assert resume_run(cohort, run, REQUEST, StopRequest()).finished_steps == 4


def test_a_run_of_before_plans_held_fakes_goes_on_with_its_divisor(
    cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings have their number; where both have one and they differ, one was edited."""
    run, stop, divisors = tmp_path / "run", StopRequest(), set()
    stop.note(15, None)
    with pytest.raises(PreemptedError):
        start_run(cohort, run, REQUEST, stop, force=False)
    facts = read_run(run)
    assert facts.plan["fakes"] == 8
    write_run(run, replace(facts, plan={**facts.plan, "fakes": 9}))
    with pytest.raises(IntegrityError, match="fakes"):
        resume_run(cohort, run, REQUEST, StopRequest())
    write_run(run, replace(facts, plan={name: value for name, value in facts.plan.items() if name != "fakes"}))

    def release(model: Any, sums: Any, settings: MechanismSettings, **others: Any) -> None:
        divisors.add(settings.normaliser)
        noisy_gradient(model, sums, settings, **others)

    monkeypatch.setattr(training, "noisy_gradient", release)
    assert resume_run(cohort, run, REQUEST, StopRequest()).finished_steps == 4
    assert divisors == {20 + 8}


def test_without_steps_the_warm_start_has_all_of_epsilon(cohort: Cohort, tmp_path: Path) -> None:
    """`--steps 0`: no discriminator is trained or charged, and the generator draws what was measured."""
    alone = replace(REQUEST, settings=replace(REQUEST.settings, privacy=PrivacySettings(batch=20, steps=0)))
    facts = start_run(cohort, tmp_path / "run", alone, StopRequest(), force=False)
    assert (facts.state, facts.finished_steps) == ("finished", 0)
    assert 0.95 * alone.epsilon < facts.spend.epsilon <= alone.epsilon
    assert [query.sample_rate for query in Ledger.read(cohort.ledger_path).queries(facts.run_id)] == [1.0] * 4
    network = load_generator(tmp_path / "run").network
    z = torch.randn(2, network.config.mixture.latent)
    images, start = network.drawn(z, torch.tensor([0, 0]))
    assert torch.equal(images, start.clamp(-1, 1))
