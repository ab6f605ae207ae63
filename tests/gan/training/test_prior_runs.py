"""A run that starts from a public prior: it keeps a copy, goes on with nothing else, and without one is as ever."""

import shutil
from dataclasses import replace
from pathlib import Path
from unittest.mock import create_autospec

import pytest
import torch

from privgan.data.cohort.cohort import Cohort
from privgan.dp.budget.ledger import Ledger
from privgan.errors import BudgetError, IntegrityError, PreemptedError, UsageError
from privgan.files import read_json, write_json
from privgan.gan import patients as patients_module
from privgan.gan.finishing import adapting as adapting_module
from privgan.gan.networks import load_generator
from privgan.gan.networks.generators import GeneratorConfig
from privgan.gan.networks.public_prior import IN_RUN, WEIGHTS, Prior, open_prior
from privgan.gan.networks.saving import SCHEMA_VERSION, WITH_PRIOR
from privgan.gan.randomness import Randomness
from privgan.gan.training import beginning
from privgan.gan.training.request import TrainRequest
from privgan.gan.training.runs import resume_run, start_run
from privgan.gan.training.step import fit
from privgan.interruption import StopRequest
from privgan.run import MODEL_CONFIG, read_run, write_run
from tests.gan.small import small_training
from tests.gan.training.test_runs import REQUEST as PLAIN
from tests.priors import make_prior
from tests.takes import takes
from tests.test_facts_on_disk import WRITTEN

MODEL = replace(PLAIN.settings.model, adaptation_steps=2)
REQUEST = replace(PLAIN, settings=replace(PLAIN.settings, model=MODEL))


@pytest.fixture
def prior(tmp_path: Path) -> Prior:
    return make_prior(tmp_path / "prior", takes(6, seed=0, side=28))


@pytest.mark.parametrize("steps", [0, 3])
def test_a_run_keeps_a_copy_of_its_prior_and_its_network(
    cohort: Cohort, prior: Prior, tmp_path: Path, steps: int
) -> None:
    run = tmp_path / "run"
    facts = start_run(cohort, run, replace(adapting(0, prior), steps=steps), StopRequest(), force=False)
    assert facts.prior == read_run(run).prior == prior.named == open_prior(run / IN_RUN).named
    assert read_json(run / MODEL_CONFIG)["finish"] == prior.facts.width
    learned = load_generator(run).network.finish
    assert learned is not None
    known = prior.network().state_dict()
    assert read_json(run / MODEL_CONFIG)["schema_version"] == WITH_PRIOR
    assert load_generator(run).network.start.shape.uneven
    assert len(facts.plan["warm_start"]) == len(REQUEST.settings.warm_start.noise_ratios) + 1
    strengths = load_generator(run).network.strengths
    assert strengths is not None
    assert not (strengths.gains == 1).all()  # patients were asked
    assert all((value == known[name]).all() for name, value in learned.state_dict().items())  # no step moves it


def moved(run: Path, prior: Prior) -> float:
    """How far the weights of a run's network are from its prior's, at most."""
    network = load_generator(run).network.finish
    assert network is not None
    known = prior.network().state_dict()
    return max(float((value - known[name]).abs().max()) for name, value in network.state_dict().items())


def adapting(steps: int, prior: Prior) -> TrainRequest:
    settings = replace(REQUEST.settings, model=replace(MODEL, adaptation_steps=steps))
    return replace(REQUEST, settings=settings, prior=prior, steps=0, replay_seed=1)


def test_a_prior_learns_on_from_what_was_released(cohort: Cohort, prior: Prior, tmp_path: Path) -> None:
    """The longer the further, and its detail is as strong as patients' afterwards, not before."""
    far = []
    for steps in (0, 1, 3):
        start_run(cohort, tmp_path / str(steps), adapting(steps, prior), StopRequest(), force=False)
        far.append(moved(tmp_path / str(steps), prior))
    assert far[0] == 0 < far[1] < far[2]
    assert moved(tmp_path / "1", prior) < 0.01
    gains = [load_generator(tmp_path / str(steps)).network.strengths for steps in (0, 3)]
    assert gains[0] is not None
    assert gains[1] is not None
    assert not torch.equal(gains[0].gains, gains[1].gains)


def test_killed_while_it_learns_on_it_asks_nobody_again(
    cohort: Cohort, prior: Prior, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was released is in the first state; a second answer to the same queries would be a second release."""
    run, request = tmp_path / "run", adapting(2, prior)

    def killed(*_: object, **_of: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(adapting_module, "learn_step", killed)
    with pytest.raises(KeyboardInterrupt):
        start_run(cohort, run, request, StopRequest(), force=False)
    monkeypatch.undo()
    monkeypatch.setattr(patients_module, "ask", killed)
    monkeypatch.setattr(beginning, "measure_mixture", killed)
    assert resume_run(cohort, run, replace(request, replay_seed=None), StopRequest()).state == "finished"
    assert moved(run, prior) > 0
    ledger = Ledger.read(cohort.ledger_path)
    assert len(ledger.of_kind("charge")) == len(ledger.of_kind("closed")) == 1


def stopped(cohort: Cohort, run: Path, prior: Prior) -> None:
    stop = StopRequest()
    stop.signal = 15
    with pytest.raises(PreemptedError):
        start_run(cohort, run, replace(REQUEST, prior=prior), stop, force=False)


@pytest.mark.parametrize("repeated", [True, False])
def test_a_stopped_run_goes_on_with_its_own_prior(
    cohort: Cohort, prior: Prior, tmp_path: Path, *, repeated: bool
) -> None:
    stopped(cohort, tmp_path / "run", prior)
    request = replace(REQUEST, prior=prior if repeated else None)
    assert resume_run(cohort, tmp_path / "run", request, StopRequest()).prior == prior.named


def test_a_stopped_run_goes_on_with_no_other(cohort: Cohort, prior: Prior, tmp_path: Path) -> None:
    run = tmp_path / "run"
    stopped(cohort, run, prior)
    other = make_prior(tmp_path / "other", takes(6, seed=1, side=28))
    with pytest.raises(UsageError, match="prior that the run began with"):
        resume_run(cohort, run, replace(REQUEST, prior=other), StopRequest())
    shutil.rmtree(run / IN_RUN)
    other.copy(run / IN_RUN)
    with pytest.raises(IntegrityError, match="was edited"):
        resume_run(cohort, run, REQUEST, StopRequest())
    began = read_run(run)
    write_run(run, replace(began, prior=other.named))  # a file that nobody vouches for, unlike the state
    with pytest.raises(IntegrityError, match=r"began with, run\.json and its folder name another"):
        resume_run(cohort, run, REQUEST, StopRequest())
    write_run(run, began)
    (run / IN_RUN / WEIGHTS).write_bytes(b"")
    with pytest.raises(IntegrityError, match="was edited"):
        resume_run(cohort, run, REQUEST, StopRequest())


def test_a_generator_of_another_version_is_refused(cohort: Cohort, prior: Prior, tmp_path: Path) -> None:
    run = tmp_path / "run"
    start_run(cohort, run, replace(REQUEST, prior=prior, steps=0), StopRequest(), force=False)
    config = read_json(run / MODEL_CONFIG)
    for other in ({"schema_version": SCHEMA_VERSION}, {"schema_version": WITH_PRIOR - 1}, {"finish": 0}):
        write_json(run / MODEL_CONFIG, {**config, **other})
        with pytest.raises(IntegrityError, match="schema version"):
            load_generator(run)


@pytest.mark.parametrize(("more", "with_prior"), [(0, True), (1, False), (2, True)])
def test_no_query_is_asked_that_was_not_charged(prior: Prior, tmp_path: Path, more: int, *, with_prior: bool) -> None:
    """Of a run, say, that an earlier version planned."""
    training = small_training(tmp_path / "run")
    noises = (1.0,) * (len(training.settings.warm_start.noise_ratios) + more)
    plan = replace(training.plan, warm_start=noises)
    training = replace(training, prior=prior if with_prior else None, plan=plan)
    ledger = create_autospec(Ledger)
    ledger.of_kind.return_value = []
    with pytest.raises(BudgetError, match="were charged"):
        fit(training, ledger, Randomness.of(0), StopRequest())


def test_a_prior_that_does_not_fit_costs_nothing(cohort: Cohort, tmp_path: Path) -> None:
    large = make_prior(tmp_path / "large", takes(6, seed=0, side=32))
    with pytest.raises(UsageError, match="Expected a prior of images"):
        start_run(cohort, tmp_path / "run", replace(REQUEST, prior=large), StopRequest(), force=False)
    assert not Ledger.read(cohort.ledger_path).of_kind("charge")
    assert not (tmp_path / "run").exists()


def test_without_a_prior_a_run_is_as_ever(cohort: Cohort, tmp_path: Path) -> None:
    """And one of before is read."""
    facts = start_run(cohort, tmp_path / "run", replace(REQUEST, steps=0), StopRequest(), force=False)
    assert facts.prior is None
    assert not (tmp_path / "run" / IN_RUN).exists()
    assert len(facts.plan["warm_start"]) == len(REQUEST.settings.warm_start.noise_ratios)
    network = load_generator(tmp_path / "run").network
    assert network.finish is None
    assert network.strengths is None
    assert read_json(tmp_path / "run" / MODEL_CONFIG)["schema_version"] == SCHEMA_VERSION
    assert "prior" not in read_json(WRITTEN / "run.json")
    assert read_run(WRITTEN).prior is None
    assert "finish" not in read_json(WRITTEN / "config.json")
    assert GeneratorConfig(form=facts.form.bare).finish == 0
