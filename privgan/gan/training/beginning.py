"""How a run begins: the members are asked what they are asked once, and networks are made of the answers.

A run that was stopped begins with the state that it saved; nobody is asked again.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from privgan.dp.budget.ledger import Ledger
from privgan.dp.plan import Plan
from privgan.errors import BudgetError
from privgan.files import sha256_file
from privgan.gan.effects.odds import Odds
from privgan.gan.finishing.nearness import judged
from privgan.gan.names import AUTOENCODER
from privgan.gan.networks import Discriminator, Generator, GeneratorConfig, placed
from privgan.gan.networks.autoencoder import fit_as_decoder
from privgan.gan.networks.descent import Adam
from privgan.gan.networks.public_prior import Prior
from privgan.gan.networks.saving import STATE
from privgan.gan.patients import Everybody, NoisyPatients
from privgan.gan.randomness import Randomness
from privgan.gan.ranks.ranks import ALONE, Ranks
from privgan.gan.training.ladder import Ladder
from privgan.gan.training.monitor import Monitor
from privgan.gan.training.settings import TrainSettings
from privgan.gan.training.state import TrainingState, may_restore, restore_state, save_state, saved_prior
from privgan.gan.warm_start import Mixture
from privgan.gan.warm_start.class_balance import ClassBalance, measure_class_balance
from privgan.gan.warm_start.measure import measure_mixture, noise_of_products
from privgan.gan.warm_start.mixture import with_tones
from privgan.gan.warm_start.records import measure_records
from privgan.gan.warm_start.strength import measure_powers
from privgan.language import to_tr, tr
from privgan.progress import Progress
from privgan.records.schema import Schema
from privgan.records.table import Table

_MEASURING = to_tr("asking members for the warm start")


@dataclass(frozen=True, kw_only=True)
class Training:
    """What stays the same over all steps of a run. config: of its generator, made of settings and public facts.

    prior: what public images say, if the run starts from that. ranks: who takes part; each has the same networks,
    does its pieces of the work, and hears what the others made. schema: the declared columns of records.
    """

    run: Path
    run_id: str
    patients: Everybody
    config: GeneratorConfig
    plan: Plan
    settings: TrainSettings
    device: torch.device
    prior: Prior | None = None
    ranks: Ranks = ALONE
    schema: Schema = field(default_factory=Schema)

    @property
    def without_prior(self) -> Self:
        """The same, had no prior been given; its plan stays."""
        config = self.settings.generator_config(self.config.form, None, self.schema)
        return replace(self, prior=None, config=config)


def begin(
    training: Training, ledger: Ledger | None, randomness: Randomness, progress: Progress
) -> tuple[Training, TrainingState, Ledger | None]:
    """The first state of a run, after its questions, or the saved one; and what the run then is.

    Whose prior is left out, by what was answered, goes on as if none had been given.
    """
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
    planned = training
    progress(tr(_MEASURING), 0, 1)
    records = _records(training, randomness)  # before the images, which are asked about given these
    odds = None if records is None else Odds.of_table(records)
    named, shape = None, training.config.mixture
    mixture = measure_mixture(training.patients, training.settings.warm_start, noises, shape, randomness, odds)
    progress(tr(_MEASURING), 1, 1)
    balance = _balance(training, randomness)
    if training.prior is not None:
        noise = noise_of_products(training.settings.warm_start, shape, noises)
        named = judged(training.prior, mixture, shape, noise, training.ranks, progress)
        if not named.used:
            training = training.without_prior
            mixture = with_tones(mixture, training.config.mixture, odds, randomness.public)
    state = fresh_state(training, mixture, randomness.public)
    state.records, state.prior, state.class_balance = records, named, balance
    if training.prior is not None:
        state.powers = _powers(training, training.prior, state, of_strength, randomness)
    elif planned.prior is not None and isinstance(planned.patients, NoisyPatients):
        # Whether a prior is far could differ by a machine's last bit: no site may wait for another's last answer.
        _powers(planned, planned.prior, state, of_strength, randomness)
    made_decoder(training, state, randomness, progress)
    state.monitor = Monitor.of(state.generator, randomness.public)
    # Saved at once: a second answer to the same queries after a crash would be wasted noise, not a better start.
    kept = None if ledger is None else save_state(state, training.run, ledger, training.run_id)
    return training, state, kept


def _records(training: Training, randomness: Randomness) -> Table | None:
    """The table of declared columns, if it was planned to ask for it."""
    plan, classes = training.plan, len(training.config.form.classes)
    if plan.records is None:
        return None
    return measure_records(training.patients, training.schema, classes, plan.members, plan.records, randomness.secret)


def _balance(training: Training, randomness: Randomness) -> ClassBalance | None:
    """How common the classes are, if it was planned to ask for it."""
    noise, classes = training.plan.class_balance, len(training.config.form.classes)
    return None if noise is None else measure_class_balance(training.patients, classes, noise, randomness.secret)


def _noises(training: Training) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Those planned for the warm start, with that of records, and, with a prior, the one of the strength of detail.

    Raises:
        BudgetError: more or fewer were charged than are asked about.
    """
    told, planned = training.plan.records is not None, training.plan.warm_start
    known = len(training.settings.warm_start.noise_ratios) + told
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
        config.form,
        torch_rng,
        width=settings.model.discriminator_width,
        network=settings.model.network,
        levels=config.levels if settings.records.judged else (),
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
        generator_optimiser=Adam(generator.parameters(), rate=rates.generator_rate, betas=betas),
        discriminator_optimiser=Adam(discriminator.parameters(), rate=rates.discriminator_rate, betas=betas),
    )


def made_decoder(training: Training, state: TrainingState, randomness: Randomness, progress: Progress) -> None:
    """With that network, fit the generator as a decoder before the first step; changes `state`."""
    if training.settings.model.network == AUTOENCODER:
        steps = training.settings.model.autoencoder_steps
        fit_as_decoder(state.generator, steps, randomness.public, progress)
        state.average.load_state_dict(state.generator.state_dict())
