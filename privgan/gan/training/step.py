"""The training loop, on the side that sees no patient.

Members' images and labels stay with `Patients`, who answer the warm start's queries, that of class shares and each
step's draw with sums. Noise is added to those, and everything else here sees fakes, the released answers or the
discriminator.
"""

import json
import time
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from privgan.dp.budget.ledger import Ledger
from privgan.dp.clipping.patient_gradients import PatientGradients
from privgan.dp.clipping.surroundings import plain_surroundings
from privgan.dp.mechanism import noisy_gradient
from privgan.gan.finishing.adapting import adapted
from privgan.gan.finishing.brought import Released
from privgan.gan.finishing.settings import LearningSettings
from privgan.gan.networks.losses import LOSSES
from privgan.gan.networks.public_prior import Prior
from privgan.gan.networks.states import follow
from privgan.gan.patients import GradientQuery, NoisyPatients
from privgan.gan.randomness import Randomness
from privgan.gan.training.beginning import Training, begin
from privgan.gan.training.fakes import set_gradients, shown_fakes
from privgan.gan.training.monitor import Monitor
from privgan.gan.training.state import TrainingState, save_state
from privgan.interruption import StopRequest
from privgan.language import tr
from privgan.memory import keep_freed_memory
from privgan.progress import Progress, silent


@plain_surroundings()
def fit(
    training: Training, ledger: Ledger | None, randomness: Randomness, stop: StopRequest, progress: Progress = silent
) -> TrainingState:
    """Train to the planned number of steps, from the start or from a saved state.

    ledger: of the rank that keeps records; None of all others, who write nothing.

    Returns:
        The last state: the moving average of its generator and its class balance are what is released.

    Raises:
        PreemptedError, InterruptedRunError: a signal arrived; the state is saved.
        BudgetError: the ledger refuses to resume.
        LostRankError: another rank ended or does not answer.
    """
    keep_freed_memory()
    training, state, ledger = begin(training, ledger, randomness, progress)
    if state.powers is not None and training.prior is not None:
        _finish_detail(training, training.prior, state, state.powers, randomness.public, stop, progress)
        state.monitor = Monitor.of(state.generator, randomness.public)
        ledger = None if ledger is None else save_state(state, training.run, ledger, training.run_id)
    critic = PatientGradients(state.discriminator)
    saved, total = time.monotonic(), training.plan.steps
    charged = tr("epsilon {epsilon} charged", epsilon=f"{training.plan.spend().epsilon:.3g}")
    while state.step < total:
        step(training, state, critic, randomness)
        progress(tr("training"), state.step, total, charged)
        late = time.monotonic() - saved > training.settings.speed.checkpoint_seconds
        asked_to_stop = _heard(training, stop)
        # The last state too: a generator that a kill leaves unfinished must come out the same again, because
        # redoing its last steps with other noise would be a release that nobody charged.
        if ledger is not None and (asked_to_stop or late or state.step == total):
            ledger, saved = save_state(state, training.run, ledger, training.run_id), time.monotonic()
        if state.step < total:
            _obey(asked_to_stop, stop)
    return state


def _finish_detail(
    training: Training,
    prior: Prior,
    state: TrainingState,
    powers: Tensor,
    torch_rng: torch.Generator,
    stop: StopRequest,
    progress: Progress,
) -> None:
    """Fit the prior's network, and how strong its detail is, to what was released; changes `state`."""
    generator, steps = state.generator, training.settings.model.adaptation_steps
    if steps and generator.finish is not None:
        bands, settings = training.config.detail_bands, LearningSettings(width=prior.facts.width, steps=steps)
        patients = Released(start=generator.start, counts=state.counts, bands=bands, powers=powers, odds=state.odds)
        network = adapted(prior, patients, settings, torch_rng, lambda: _obey(_heard(training, stop), stop), progress)
        generator.finish.load_state_dict(network.state_dict())
    generator.strengthen(powers, torch_rng, state.odds)
    state.average.load_state_dict(generator.state_dict())
    state.powers = None


def _heard(training: Training, stop: StopRequest) -> int:
    """A signal that one of the ranks heard, the same on all of them; 0 without one."""
    return training.ranks.highest(stop.signal or 0)


def _obey(signal: int, stop: StopRequest) -> None:
    """End by a signal that all ranks agree on; one that comes later waits for the next agreement."""
    if signal:
        stop.note(signal, None)
        raise stop.error()


def step(training: Training, state: TrainingState, critic: PatientGradients, randomness: Randomness) -> None:
    """One noisy discriminator step and, when the ladder says so, one generator step; changes `state`."""
    if isinstance(training.patients, NoisyPatients):
        raise TypeError("several hospitals answer what is asked once, and take no steps")
    sums = training.patients.clipped_gradients(_question(training, state, critic, randomness.public))
    noisy_gradient(critic, sums, training.plan.mechanism, rng=randomness.secret)
    del sums  # sensitive: they have no noise
    state.discriminator_optimiser.step()
    state.discriminator_optimiser.zero_grad()
    state.step += 1
    state.waited += 1
    if state.waited >= state.ladder.steps:
        _generator_step(training, state, randomness.public)
        state.waited = 0


def _question(
    training: Training, state: TrainingState, critic: PatientGradients, torch_rng: torch.Generator
) -> GradientQuery:
    """What the patients are asked in a step, beside as many fakes as the plan says."""
    plan, refinement = training.plan, training.settings.refinement
    fakes, told = shown_fakes(state, plan.fakes, refinement.showings, training.device, training.ranks, torch_rng)
    return GradientQuery(
        critic=critic,
        losses=LOSSES[refinement.loss].discriminator,
        fakes=fakes,
        told=told,
        rate=plan.sample_rate,
        clipping_norm=plan.clipping_norm,
    )


def _generator_step(training: Training, state: TrainingState, torch_rng: torch.Generator) -> None:
    refinement = training.settings.refinement
    told_apart, distance = set_gradients(state, refinement, training.device, training.ranks, torch_rng)
    state.generator_optimiser.step()
    state.generator_optimiser.zero_grad()
    follow(state.average, state.generator, decay=refinement.average, seen=state.step)
    state.ladder = state.ladder.observe(told_apart, training.settings.ladder)
    _log(training, {"step": state.step, "accuracy_on_fakes": state.ladder.accuracy, "anchor": distance})
    if state.monitor is not None:
        for alarm in state.monitor.observe(
            state.generator, step=state.step, told_apart=told_apart, distance=distance
        ):
            _log(training, asdict(alarm))


def _log(training: Training, entry: dict[str, Any]) -> None:
    if training.ranks.rank:
        return
    with (training.run / "private" / "metrics.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(entry) + "\n")
