"""The training loop, on the side that sees no patient.

Members' images and labels stay with `Patients`, who answer the warm start's queries, that of class shares and each
step's draw with sums. Noise is added to those, and everything else here sees fakes, the released answers or the
discriminator.
"""

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from privgan.dp.budget.ledger import Ledger
from privgan.dp.clipping.patient_gradients import PatientGradients
from privgan.dp.clipping.surroundings import plain_surroundings
from privgan.dp.mechanism import noisy_gradient
from privgan.dp.plan import Plan
from privgan.errors import BudgetError
from privgan.files import sha256_file
from privgan.gan.finishing.adapting import adapted
from privgan.gan.finishing.brought import Released
from privgan.gan.finishing.nearness import judged
from privgan.gan.finishing.settings import LearningSettings
from privgan.gan.names import AUTOENCODER
from privgan.gan.networks import Discriminator, Generator, GeneratorConfig, placed
from privgan.gan.networks.autoencoder import fit_as_decoder
from privgan.gan.networks.losses import LOSSES
from privgan.gan.networks.public_prior import Prior
from privgan.gan.networks.saving import STATE
from privgan.gan.networks.states import follow
from privgan.gan.patients import GradientQuery, Patients
from privgan.gan.randomness import Randomness
from privgan.gan.ranks.ranks import ALONE, Ranks
from privgan.gan.training.fakes import drawn_fakes, set_gradients
from privgan.gan.training.ladder import Ladder
from privgan.gan.training.monitor import Monitor
from privgan.gan.training.settings import TrainSettings
from privgan.gan.training.state import TrainingState, may_restore, restore_state, save_state, saved_prior
from privgan.gan.warm_start import Mixture
from privgan.gan.warm_start.class_balance import measure_class_balance
from privgan.gan.warm_start.measure import measure_mixture, noise_of_products, with_tones
from privgan.gan.warm_start.strength import measure_powers
from privgan.interruption import StopRequest
from privgan.language import to_tr, tr
from privgan.memory import keep_freed_memory
from privgan.progress import Progress, silent

_MEASURING = to_tr("asking members for the warm start")


@dataclass(frozen=True, kw_only=True)
class Training:
    """What stays the same over all steps of a run. config: of its generator, made of settings and public facts.

    prior: what public images say, if the run starts from that. ranks: who takes part; each has the same networks,
    does its pieces of the work, and hears what the others made.
    """

    run: Path
    run_id: str
    patients: Patients
    config: GeneratorConfig
    plan: Plan
    settings: TrainSettings
    device: torch.device
    prior: Prior | None = None
    ranks: Ranks = ALONE

    @property
    def without_prior(self) -> Self:
        """The same, had no prior been given; its plan stays."""
        return replace(self, prior=None, config=self.settings.generator_config(self.config.form))


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
    training, state, ledger = _begin(training, ledger, randomness, progress)
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


def _begin(
    training: Training, ledger: Ledger | None, randomness: Randomness, progress: Progress
) -> tuple[Training, TrainingState, Ledger | None]:
    restored = ledger is not None and may_restore(training.run, ledger, training.run_id)
    if training.ranks.highest(int(restored)):
        digest = sha256_file(training.run / STATE)
        named = saved_prior(training.run, None if training.prior is None else training.prior.named)
        training = training if named is None or named.used else training.without_prior
        state = fresh_state(training, Mixture.grey(training.config.mixture), randomness.public)
        state.prior = named
        restore_state(state, training.run, randomness.public)
        kept = None if ledger is None else ledger.resume(training.run_id, step=state.step, sha256=digest)
        return training, state, kept
    noises, of_strength = _noises(training)
    progress(tr(_MEASURING), 0, 1)
    named, shape = None, training.config.mixture
    mixture = measure_mixture(training.patients, training.settings.warm_start, noises, shape, randomness)
    progress(tr(_MEASURING), 1, 1)
    if training.prior is not None:
        noise = noise_of_products(training.settings.warm_start, shape, noises)
        named = judged(training.prior, mixture, shape, noise, training.ranks, progress)
        if not named.used:
            training = training.without_prior
            mixture = with_tones(mixture, training.config.mixture, randomness.public)
    state = fresh_state(training, mixture, randomness.public)
    state.prior = named
    if training.prior is not None:
        state.powers = _powers(training, training.prior, state, of_strength, randomness)
    made_decoder(training, state, randomness, progress)
    state.monitor = Monitor.of(state.generator, randomness.public)
    if (noise_of_shares := training.plan.class_balance) is not None:
        classes, rng = len(training.config.form.classes), randomness.secret
        state.class_balance = measure_class_balance(training.patients, classes, noise_of_shares, rng)
    # Saved at once: a second answer to the same queries after a crash would be wasted noise, not a better start.
    kept = None if ledger is None else save_state(state, training.run, ledger, training.run_id)
    return training, state, kept


def made_decoder(training: Training, state: TrainingState, randomness: Randomness, progress: Progress) -> None:
    """With that network, fit the generator as a decoder before the first step; changes `state`."""
    if training.settings.model.network == AUTOENCODER:
        steps = training.settings.model.autoencoder_steps
        fit_as_decoder(state.generator, steps, randomness.public, progress)
        state.average.load_state_dict(state.generator.state_dict())


def _noises(training: Training) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Those planned for the warm start, and, with a prior, the one of the strength of detail.

    Raises:
        BudgetError: more or fewer were charged than are asked about.
    """
    known, planned = len(training.settings.warm_start.noise_ratios), training.plan.warm_start
    wanted = known + (training.prior is not None)
    if len(planned) != wanted:
        raise BudgetError(
            f"Expected a plan of {wanted} queries for the warm start, {len(planned)} were charged: another version "
            "of privgan planned this run. Go on with that one, or start another run."
        )
    return planned[:known], planned[known:]


def _powers(
    training: Training, prior: Prior, state: TrainingState, noise: tuple[float, ...], randomness: Randomness
) -> Tensor:
    """Ask how strong detail is, with the only noise given."""
    bands, (alone,) = training.config.detail_bands, noise
    return measure_powers(training.patients, bands, prior.powers(bands), state.counts, alone, randomness.secret)


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
        patients = Released(start=generator.start, counts=state.counts, bands=bands, powers=powers)
        network = adapted(prior, patients, settings, torch_rng, lambda: _obey(_heard(training, stop), stop), progress)
        generator.finish.load_state_dict(network.state_dict())
    generator.strengthen(powers, torch_rng)
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


def fresh_state(training: Training, mixture: Mixture, torch_rng: torch.Generator) -> TrainingState:
    """Networks and optimisers at the start of refinement, watched by nobody."""
    settings, config, device = training.settings, training.config, training.device
    generator = placed(Generator(config, torch_rng), device)
    if training.prior is not None and generator.finish is not None:
        generator.finish.load_state_dict(training.prior.network().state_dict())
    generator.warm_start(mixture)
    # Its first weights are drawn, too, though never used: so a seed gives the run that it always gave.
    average = placed(Generator(config, torch_rng), device)
    average.load_state_dict(generator.state_dict())
    discriminator = Discriminator(
        config.form, torch_rng, width=settings.model.discriminator_width, network=settings.model.network
    )
    discriminator = placed(discriminator, device)
    rates, betas = settings.refinement, (0.5, 0.999)
    return TrainingState(
        step=0,
        waited=0,
        ladder=Ladder(steps=settings.ladder.first),
        counts=mixture.counts,
        generator=generator,
        average=average,
        discriminator=discriminator,
        generator_optimiser=torch.optim.Adam(generator.parameters(), lr=rates.generator_rate, betas=betas),
        discriminator_optimiser=torch.optim.Adam(
            discriminator.parameters(), lr=rates.discriminator_rate, betas=betas
        ),
    )


def step(training: Training, state: TrainingState, critic: PatientGradients, randomness: Randomness) -> None:
    """One noisy discriminator step and, when the ladder says so, one generator step; changes `state`."""
    sums = training.patients.clipped_gradients(_question(training, state, critic, randomness.public))
    noisy_gradient(critic, sums, training.plan.mechanism, rng=randomness.secret)
    del sums  # sensitive: they have no noise
    state.discriminator_optimiser.step()
    state.discriminator_optimiser.zero_grad(set_to_none=True)
    state.step += 1
    state.waited += 1
    if state.waited >= state.ladder.steps:
        _generator_step(training, state, randomness.public)
        state.waited = 0


def _question(
    training: Training, state: TrainingState, critic: PatientGradients, torch_rng: torch.Generator
) -> GradientQuery:
    """What the patients are asked in a step, beside as many fakes as the plan says."""
    plan = training.plan
    fakes, labels = drawn_fakes(state, plan.fakes, training.device, training.ranks, torch_rng)
    return GradientQuery(
        critic=critic,
        losses=LOSSES[training.settings.refinement.loss].discriminator,
        fakes=fakes,
        labels=labels,
        rate=plan.sample_rate,
        clipping_norm=plan.clipping_norm,
    )


def _generator_step(training: Training, state: TrainingState, torch_rng: torch.Generator) -> None:
    refinement = training.settings.refinement
    told_apart, distance = set_gradients(state, refinement, training.device, training.ranks, torch_rng)
    state.generator_optimiser.step()
    state.generator_optimiser.zero_grad(set_to_none=True)
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
