"""Several ranks as processes: the same bits as one, and whatever becomes of one of them, nothing is released."""

import errno
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from privgan.data.cohort.cohort import Cohort
from privgan.dp.budget.ledger import Ledger
from privgan.errors import PreemptedError
from privgan.files import sha256_file
from privgan.gan.image_model import ClassBalanceSettings
from privgan.gan.names import AUTOENCODER
from privgan.gan.randomness import Randomness
from privgan.gan.ranks.charter import Charter
from privgan.gan.training import beginning
from privgan.gan.training import state as saving
from privgan.gan.training import step as steps
from privgan.gan.training.request import TrainRequest
from privgan.gan.training.runs import resume_run, start_run
from privgan.gan.training.settings import (
    ModelSettings,
    PrivacySettings,
    RefinementSettings,
    SpeedSettings,
    TrainSettings,
)
from privgan.gan.training.state import TrainingState
from privgan.interruption import StopRequest
from privgan.run import WEIGHTS, read_run
from tests.gan.ranks.forks import WELL, told_to_wait, trained
from tests.priors import make_prior
from tests.takes import takes

REQUEST = TrainRequest(
    epsilon=4.0,
    settings=TrainSettings(
        privacy=PrivacySettings(batch=20, steps=4),
        model=ModelSettings(latent=8, generator_width=8, discriminator_width=8),
        refinement=RefinementSettings(fakes=40),
        class_balance=ClassBalanceSettings(measure=True),
        speed=SpeedSettings(patience_seconds=60.0, microbatch=8),
    ),
)


def with_records(cohort: Cohort) -> Cohort:
    """The same cohort with two declared columns."""
    rng, count = np.random.default_rng(0), len(cohort.labels)
    columns = {"sex": rng.choice(["", "F", "M"], count), "stage": rng.choice(["I", "II", "III"], count)}
    types = {"sex": "category(F|M)", "stage": "ordinal(I<II<III)"}
    return replace(cohort, facts=replace(cohort.facts, columns=types), columns=columns)


def nothing_left(run: Path) -> bool:
    """Whether no meeting place, and nothing half-written, stands in a run's folders."""
    return {path.name for path in (run / "private").iterdir()} <= {"lock", "metrics.jsonl", "state.safetensors"}


def nothing_released(cohort: Cohort, run: Path) -> bool:
    """Whether a run is charged once, open, and without a generator."""
    ledger = Ledger.read(cohort.ledger_path)
    open_still = (len(ledger.of_kind("charge")), len(ledger.of_kind("closed"))) == (1, 0)
    return open_still and not (run / WEIGHTS).exists() and read_run(run).state == "training"


def test_any_number_of_ranks_gives_the_same_generator_to_the_last_bit(cohort: Cohort, tmp_path: Path) -> None:
    """Warm start, class shares, steps of both players; one, two, three and four ranks, and one process alone."""
    digests = {}
    for name, size in (("alone", 0), ("one", 1), ("two", 2), ("three", 3), ("four", 4)):
        run, request = tmp_path / name, replace(REQUEST, epsilon=1.0, replay_seed=11)
        if size:
            assert trained(cohort, run, request, size) == [WELL] * size
        else:
            start_run(cohort, run, request, StopRequest(), force=False)
        facts = read_run(run)
        assert (facts.state, facts.not_private) == ("finished", True)
        assert facts.generator_sha256 == sha256_file(run / WEIGHTS)
        digests[name] = (facts.generator_sha256, facts.config_sha256)
        assert nothing_left(run)
    assert len(set(digests.values())) == 1, digests
    assert len(Ledger.read(cohort.ledger_path).of_kind("charge")) == len(digests)


@pytest.mark.parametrize("kind", ["autoencoder", "prior", "stopped with records", "prior and records"])
def test_two_ranks_begin_from_whatever_one_does(cohort: Cohort, tmp_path: Path, kind: str) -> None:
    """A decoder that is fitted first, a public prior that patients are asked about, a state that was saved, and
    records that images are given beside either.
    """
    stopped = kind.startswith("stopped")
    if kind.endswith("records"):
        cohort = with_records(cohort)
    request = replace(REQUEST, epsilon=1.0, replay_seed=11)
    if kind == "autoencoder":
        model = replace(request.settings.model, network=AUTOENCODER, autoencoder_steps=3)
        request = replace(request, settings=replace(request.settings, model=model))
    if kind.startswith("prior"):
        request = replace(request, prior=make_prior(tmp_path / "prior", takes(6, seed=0, side=28)))
        model = replace(request.settings.model, adaptation_steps=2)
        request = replace(request, settings=replace(request.settings, model=model))
    found = []
    for name, size in (("alone", 0), ("two", 2)):
        run, stop = tmp_path / name, StopRequest()
        if stopped:
            stop.note(signal.SIGTERM, None)
            with pytest.raises(PreemptedError):
                start_run(cohort, run, request, stop, force=False)
        if size:
            assert trained(cohort, run, request, size, resume=stopped) == [WELL] * size
        elif stopped:
            resume_run(cohort, run, request, StopRequest())
        else:
            start_run(cohort, run, request, stop, force=False)
        found.append(read_run(run).generator_sha256)
    assert found[0] == found[1] != ""


def test_every_start_has_a_chance_of_its_own_and_all_its_ranks_the_same() -> None:
    one, other = Charter.fresh(None), Charter.fresh(None)
    drawn = [charter.randomness.secret.random(4).tolist() for charter in (one, one, other)]
    assert drawn[0] == drawn[1] != drawn[2]
    seeds = [charter.randomness.public.initial_seed() for charter in (one, one, other)]
    assert seeds[0] == seeds[1] != seeds[2]
    assert one.token != other.token


def _at_step(monkeypatch: pytest.MonkeyPatch, number: int, rank: int, become: str) -> None:
    """In the process where this is called: before a step, die, or stop answering."""
    usual = steps.step

    def step(training: beginning.Training, state: TrainingState, *others: object) -> None:
        if state.step == number and training.ranks.rank == rank:
            os.kill(os.getpid(), {"dead": signal.SIGKILL, "silent": signal.SIGSTOP}[become])
        usual(training, state, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(steps, "step", step)


@pytest.mark.parametrize("lost", [0, 2])
def test_a_rank_that_dies_stops_all_others_and_another_number_goes_on(
    cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    """Killed in its third step; who is left says so and ends. Two go on and close the run, charged once."""
    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        _at_step(patch, 2, lost, "dead")
        found = trained(cohort, run, REQUEST, 3)
    assert found[lost].code == -signal.SIGKILL
    others = [end for rank, end in enumerate(found) if rank != lost]
    assert {end.error for end in others} == {"LostRankError"}
    assert all("--resume" in end.message for end in others)
    assert nothing_released(cohort, run)
    assert trained(cohort, run, REQUEST, 2, resume=True) == [WELL] * 2
    ledger = Ledger.read(cohort.ledger_path)
    assert len(ledger.of_kind("charge")) == len(ledger.of_kind("closed")) == 1
    assert read_run(run).state == "finished"
    assert nothing_left(run)


def test_a_rank_that_hangs_is_given_up_after_the_stated_time(
    cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It never answers again; rank 0 ends by itself, and a run that is resumed alone comes to its end.

    That the time is the stated one, torch is told; that torch keeps it, rank 0 shows long before it would be ended.
    """
    run, speed = tmp_path / "run", replace(REQUEST.settings.speed, patience_seconds=5.0)
    impatient = replace(REQUEST, settings=replace(REQUEST.settings, speed=speed))
    with monkeypatch.context() as patch:
        waits = told_to_wait(patch, tmp_path)
        _at_step(patch, 1, 1, "silent")
        found = trained(cohort, run, impatient, 2, within=120)
    assert waits() == {5.0}
    assert (found[0].error, found[1].code) == ("LostRankError", -signal.SIGKILL)
    assert nothing_released(cohort, run)
    assert resume_run(cohort, run, impatient, StopRequest()).state == "finished"


def test_a_full_disk_stops_all_ranks(cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rank 0 alone writes: it says what the system said, the others that they lost it."""
    run = tmp_path / "run"

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(saving, "write_bytes", full)
        found = trained(cohort, run, REQUEST, 2)
    assert [end.error for end in found] == ["OSError", "LostRankError"]
    assert nothing_released(cohort, run)
    assert trained(cohort, run, REQUEST, 3, resume=True) == [WELL] * 3


def test_a_signal_that_one_rank_hears_stops_all_with_the_run_saved(
    cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Torchrun may tell any of them; what was done is kept."""
    run, usual = tmp_path / "run", steps.step

    def step(training: beginning.Training, state: TrainingState, *others: object) -> None:
        usual(training, state, *others)  # type: ignore[arg-type]
        if (training.ranks.rank, state.step) == (1, 2):
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(steps, "step", step)
        found = trained(cohort, run, REQUEST, 2)
    assert [end.error for end in found] == ["PreemptedError"] * 2
    assert nothing_released(cohort, run)
    kept = [entry["step"] for entry in Ledger.read(cohort.ledger_path).of_kind("checkpoint")]
    assert kept == [0, 2]


def test_who_does_not_know_the_token_hears_nothing(
    cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program that takes a rank's place is found before a sum is made; no question has been asked by then."""
    run, heard = tmp_path / "run", Charter.heard

    def guessed(*given: object, **named: object) -> Charter:
        return replace(heard(*given, **named), token="00" * 32)  # type: ignore[arg-type]

    def asked(*_: object) -> None:
        raise AssertionError("a question was asked")

    monkeypatch.setattr(Charter, "heard", guessed)
    monkeypatch.setattr(beginning, "measure_mixture", asked)
    found = trained(cohort, run, REQUEST, 2)
    assert [end.error for end in found] == ["IntegrityError"] * 2
    assert nothing_released(cohort, run)


def test_a_rank_that_draws_for_itself_is_found(
    cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two ranks that drew differently could count one patient twice: their sums are not taken."""

    def alone(self: Charter) -> Randomness:
        return Randomness.of(None)

    monkeypatch.setattr(Charter, "randomness", property(alone))
    found = trained(cohort, tmp_path / "run", REQUEST, 2)
    assert [end.error for end in found] == ["LostRankError"] * 2
    assert all("same question" in end.message for end in found)
    assert nothing_released(cohort, tmp_path / "run")
