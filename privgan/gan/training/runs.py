"""Start a run or resume one: the order in which plan, ledger and files meet.

    plan  ->  run folder  ->  ledger charged with everything planned  ->  training  ->  generator, ledger closed

A kill between any two of these loses budget at worst, never hides any.
"""

import logging
import uuid
from dataclasses import asdict, replace
from pathlib import Path

import torch

from privgan.config import from_table, keys_of, read_toml, to_toml
from privgan.data.cohort.cohort import Cohort
from privgan.dp.budget.ledger import Ledger
from privgan.dp.plan import Plan
from privgan.errors import BudgetError, IntegrityError, UsageError
from privgan.files import write_text
from privgan.folders import remove_partials, require_absent, staged_folder
from privgan.gan.networks import save_generator
from privgan.gan.networks.public_prior import IN_RUN, Prior, open_prior, require_fitting, uncompared
from privgan.gan.networks.saving import has_state
from privgan.gan.networks.states import device_of
from privgan.gan.ranks.meeting import device_of_rank, gathered, wait_for_rank_0
from privgan.gan.size import smoothness
from privgan.gan.training.beginning import Training
from privgan.gan.training.members import Members
from privgan.gan.training.planning import begun, make_plan, outlook_of_records
from privgan.gan.training.request import TrainRequest
from privgan.gan.training.settings import TrainSettings
from privgan.gan.training.state import TrainingState, as_told
from privgan.gan.training.step import fit
from privgan.gan.training.timing import affordable_steps
from privgan.interruption import StopRequest
from privgan.language import tr
from privgan.progress import Progress, silent
from privgan.run import (
    MARKER,
    MODEL_CONFIG,
    WEIGHTS,
    ModelDigests,
    RunFacts,
    alone,
    make_run_folders,
    read_run,
    write_run,
)

CONFIG, PRIVATE = "config.resolved.toml", "private"

_log = logging.getLogger(__name__)


def start_run(
    cohort: Cohort, run: Path, request: TrainRequest, stop: StopRequest, *, force: bool, progress: Progress = silent
) -> RunFacts:
    """Plan, charge, train and save a new run.

    Raises:
        UsageError: the run folder exists, or the request cannot be met.
        InputRejectedError: the cohort has too few members.
        BudgetError: the cohort's cap would be passed; nothing is charged then. Or the ledger is damaged.
        IntegrityError: the ledger was opened for another cohort.
    """
    require_absent(run, marker=MARKER, force=force)
    ledger = ledger_for(cohort)
    device = device_of(request.settings.speed.device)
    if request.prior is not None:
        require_fitting(request.prior, cohort.facts.form)
        if unsaid := uncompared(request.prior, cohort.facts.form):
            _log.warning("%s", unsaid)
    request = replace(request, settings=_with_steps(request, cohort, device))
    progress(tr("planning"), 0, 1)
    plan = make_plan(cohort.facts.members, request, cohort.schema)
    progress(tr("planning"), 1, 1)
    if request.prior is None and (smooth := smoothness(cohort.facts.form.side, request.settings.warm_start)):
        _log.warning("%s", smooth)
    if told := outlook_of_records(plan, request, cohort.schema, len(cohort.facts.form.classes)):
        told.say()
    ledger.require_affordable(plan.queries, delta=plan.delta)
    facts = _facts(cohort, plan, request)
    with staged_folder(run, marker=MARKER, force=force) as folder:  # a kill leaves no run without its files
        make_run_folders(folder)
        write_run(folder, facts)
        write_text(folder / CONFIG, to_toml(request.settings))
        if request.prior is not None:
            request.prior.copy(folder / IN_RUN)
    ledger = _charge(ledger, facts)
    return _train(cohort, run, facts, request, ledger, stop, progress)


def resume_run(
    cohort: Cohort, run: Path, request: TrainRequest, stop: StopRequest, *, progress: Progress = silent
) -> RunFacts:
    """Continue a stopped run under its own plan and charge; the request may only repeat them.

    Raises:
        UsageError: another epsilon, delta or prior, class shares that are not charged, or a seed, are asked for; or
            the run is of several hospitals.
        BudgetError: the ledger does not know the run as open, lost its lines, or the state is old or foreign.
        IntegrityError: the run or the ledger belongs to another cohort.
    """
    facts, ledger = read_run(run), ledger_for(cohort)
    if facts.federation is not None or ledger.of_kind("answered", facts.run_id):
        raise UsageError("Expected a run of one hospital, this one is of several: go on with 'privgan answer'.")
    remove_partials(run)
    if facts.cohort_id != cohort.facts.cohort_id:
        raise IntegrityError("Expected a run of this cohort, it was trained on another one.")
    if facts.target_epsilon != request.epsilon or request.delta not in (None, facts.spend.delta):
        raise UsageError(
            f"Expected the run's own epsilon {facts.target_epsilon:g} and delta {facts.spend.delta:g}: "
            "what is charged cannot change."
        )
    plan = _plan_of(facts)
    if request.settings.class_balance.measure and plan.class_balance is None:
        raise UsageError("Expected a run that planned to measure class shares, this one did not. Start another run.")
    _require_whole(ledger, run, facts)
    if not ledger.of_kind("charge", facts.run_id):
        ledger = _charge(ledger, facts)  # killed between writing run.json and charging
    if facts.state == "training" and (model := closed_model(ledger, facts)) and model == _model(run):
        return finish(run, as_told(facts, run), model)  # killed between closing and writing run.json
    ledger.require_open(facts.run_id)
    if request.replay_seed is not None and not all(
        e.get("replayable") for e in ledger.of_kind("charge", facts.run_id)
    ):
        raise UsageError("Expected a run to go on with secret noise, as the ledger has it that it began, got a seed.")
    if ledger.queries(facts.run_id) != plan.queries:
        raise BudgetError("Expected the plan that the ledger charged, run.json holds another one.")
    request = replace(
        request, settings=from_table(TrainSettings, read_toml(run / CONFIG)), prior=_prior_of(run, facts, request)
    )
    return _train(cohort, run, facts, request, ledger, stop, progress)


def _train(
    cohort: Cohort,
    run: Path,
    facts: RunFacts,
    request: TrainRequest,
    ledger: Ledger,
    stop: StopRequest,
    progress: Progress,
) -> RunFacts:
    with alone(run):
        state = _fitted(cohort, run, facts, request, ledger, stop, progress)
    model = save_generator(run, state.average, state.class_balance, state.records)
    ledger.close(facts.run_id, **asdict(model))
    return finish(run, replace(facts, warnings=state.warnings, prior=state.prior), model)


def join_run(cohort: Cohort, run: Path, request: TrainRequest, stop: StopRequest) -> RunFacts:
    """Train along, as another rank than 0, in a run that rank 0 starts or resumes; writes nothing.

    What is trained is read from the run's folder once rank 0 has charged the ledger. Of the request only the company
    counts.

    Raises:
        LostRankError: another rank ended or does not answer.
    """
    wait_for_rank_0(request.company, run / PRIVATE, stop.heed)
    facts = read_run(run)
    settings = from_table(TrainSettings, read_toml(run / CONFIG))
    prior = None if facts.prior is None else open_prior(run / IN_RUN)
    _fitted(cohort, run, facts, replace(request, settings=settings, prior=prior), None, stop, silent)
    return facts


def _fitted(
    cohort: Cohort,
    run: Path,
    facts: RunFacts,
    request: TrainRequest,
    ledger: Ledger | None,
    stop: StopRequest,
    progress: Progress,
) -> TrainingState:
    """The last state, alone or in company."""
    settings, company = request.settings, request.company
    # A seed gives the same run on every machine, in whatever company; threads would split sums in other places.
    threads = settings.speed.threads or (1 if facts.not_private else company.threads)
    if threads:
        torch.set_num_threads(threads)
    device, patience_s = device_of_rank(company, device_of(settings.speed.device)), settings.speed.patience_seconds
    place, seed = run / PRIVATE, request.replay_seed
    together = gathered(company, place, device=device, patience_s=patience_s, alive=stop.heed, seed=seed)
    with together as (ranks, randomness):
        training = Training(
            run=run,
            run_id=facts.run_id,
            patients=Members.of(cohort, settings, device, randomness.secret, ranks),
            config=settings.generator_config(cohort.facts.form.bare, request.prior, cohort.schema),
            prior=request.prior,
            schema=cohort.schema,
            plan=_with_fakes(_plan_of(facts), settings),
            settings=settings,
            device=device,
            ranks=ranks,
        )
        return fit(training, ledger, randomness, stop, progress)


def finish(run: Path, facts: RunFacts, model: ModelDigests) -> RunFacts:
    """Write that a run has its generator, after the ledger has closed it."""
    done = replace(facts, state="finished", finished_steps=facts.planned_steps, **asdict(model))
    write_run(run, done)
    return done


def _charge(ledger: Ledger, facts: RunFacts) -> Ledger:
    plan = _plan_of(facts)
    return ledger.charge(facts.run_id, plan.queries, delta=plan.delta, replayable=facts.not_private)


def _require_whole(ledger: Ledger, run: Path, facts: RunFacts) -> None:
    """A run that got further than its ledger says: lines were cut off the ledger's end, or it was rolled back.

    Lost checkpoints need no check here: the resume state is then unknown to the ledger.
    """
    charged, closed = (ledger.of_kind(kind, facts.run_id) for kind in ("charge", "closed"))
    if (has_state(run) and not charged) or (facts.state == "finished" and not closed):
        raise BudgetError(
            "Expected every entry of this run in the ledger, its last lines are gone: the ledger was cut or rolled "
            "back. Restore it from a backup."
        )


def closed_model(ledger: Ledger, facts: RunFacts) -> ModelDigests | None:
    """The generator that the ledger has closed a run with, if it has."""
    closed = ledger.of_kind("closed", facts.run_id)
    return ModelDigests(**{key: str(closed[-1].get(key, "")) for key in keys_of(ModelDigests)}) if closed else None


def _model(run: Path) -> ModelDigests | None:
    there = all((run / name).is_file() for name in (WEIGHTS, MODEL_CONFIG))
    return ModelDigests.of(run) if there else None


def _facts(cohort: Cohort, plan: Plan, request: TrainRequest) -> RunFacts:
    return replace(
        begun(cohort, plan, run_id=uuid.uuid4().hex, epsilon=request.epsilon),
        accepted_delta=request.accept_delta and plan.delta > 1 / (10 * plan.members),
        not_private=request.replay_seed is not None,
        prior=None if request.prior is None else request.prior.named,
    )


def _prior_of(run: Path, facts: RunFacts, request: TrainRequest) -> Prior | None:
    """The prior that a stopped run began with; the request may only repeat it."""
    if request.prior is not None and request.prior.named != (facts.prior and facts.prior.as_learned):
        raise UsageError("Expected the prior that the run began with, or none: what it starts from cannot change.")
    if facts.prior is None:
        return None
    prior = open_prior(run / IN_RUN)
    if prior.named != facts.prior.as_learned:
        raise IntegrityError("Expected the prior that the run began with in its folder, it was edited.")
    return prior


def _plan_of(facts: RunFacts) -> Plan:
    try:
        return Plan(**{**facts.plan, "warm_start": tuple(facts.plan["warm_start"])})
    except (TypeError, KeyError):
        raise IntegrityError("Expected a plan in run.json, it was edited.") from None


def _with_fakes(plan: Plan, settings: TrainSettings) -> Plan:
    """The same plan; in a run of before plans held the number of fakes, its settings alone have it."""
    fakes = settings.refinement.fakes
    if plan.fakes not in (0, fakes):
        raise IntegrityError("Expected as many fakes in run.json's plan as in the run's settings, one was edited.")
    return replace(plan, fakes=fakes)


def ledger_for(cohort: Cohort) -> Ledger:
    """The ledger that a run on a cohort is charged to.

    Raises:
        BudgetError: it is damaged.
        IntegrityError: it was opened for another cohort, or for another number of members.
    """
    ledger = Ledger.of_cohort(cohort.ledger_path, cohort_sha256=cohort.sha256)
    if ledger.opening.get("members") != cohort.facts.members:
        raise IntegrityError("Expected as many members as the ledger was opened for, cohort.json has another number.")
    return ledger


def _with_steps(request: TrainRequest, cohort: Cohort, device: torch.device) -> TrainSettings:
    settings, steps = request.settings, request.steps
    if request.minutes is not None:
        config = settings.generator_config(cohort.facts.form.bare, request.prior, cohort.schema)
        steps = affordable_steps(
            settings, request.minutes, config=config, members=cohort.facts.members, device=device
        )
    return settings if steps is None else replace(settings, privacy=replace(settings.privacy, steps=steps))
