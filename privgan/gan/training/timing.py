"""How many steps fit into the minutes that a user has, measured on noise images before anything is charged."""

import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from privgan.dp.clipping.patient_gradients import PatientGradients
from privgan.dp.clipping.surroundings import plain_surroundings
from privgan.dp.plan import Plan
from privgan.dp.sampling import PatientIndex
from privgan.gan.networks import GeneratorConfig
from privgan.gan.randomness import Randomness
from privgan.gan.training.beginning import Training, fresh_state
from privgan.gan.training.members import Members
from privgan.gan.training.settings import TrainSettings
from privgan.gan.training.step import step
from privgan.gan.warm_start import Mixture
from privgan.gan.warm_start.measure import measure_mixture
from privgan.images.stored import with_channels
from privgan.memory import keep_freed_memory
from privgan.run import make_run_folders

_RESERVE = 0.8  # machines slow down, checkpoints take time


@plain_surroundings()
def affordable_steps(
    settings: TrainSettings, minutes: float, *, config: GeneratorConfig, members: int, device: torch.device
) -> int:
    """At least 1; the number of discriminator steps, with their share of generator steps, that fill the minutes.

    config: says how large images are. The warm start is counted in, at one image a member: how many there are is
    private.
    """
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        make_run_folders(run)
        rehearsal, randomness = _rehearsal(settings, run, config, device), Randomness.of(None)
        left = minutes * 60 * _RESERVE - members * _seconds_an_image_of_warm_start(rehearsal, randomness)
        return max(1, int(left / _seconds_a_step(rehearsal, randomness)))


def _seconds_an_image_of_warm_start(training: Training, randomness: Randomness) -> float:
    start, plan = training.settings.warm_start, training.plan
    started = time.perf_counter()
    noise = tuple(1.0 for _ in start.noise_ratios)
    measure_mixture(training.patients, start, noise, training.config.mixture, randomness)
    return (time.perf_counter() - started) / (plan.members * training.settings.privacy.images_per_patient)


def _seconds_a_step(training: Training, randomness: Randomness) -> float:
    """The slowest half of two rounds of the ladder's first rung, after one round to warm up."""
    settings = training.settings
    state = fresh_state(training, Mixture.grey(training.config.mixture), randomness.public)
    critic, rounds = PatientGradients(state.discriminator), []
    for _ in range(3):
        started = time.perf_counter()
        for _ in range(settings.ladder.first):
            step(training, state, critic, randomness)
        rounds.append((time.perf_counter() - started) / settings.ladder.first)
    return max(rounds[1:])


def _rehearsal(settings: TrainSettings, run: Path, config: GeneratorConfig, device: torch.device) -> Training:
    """A training like the real one, on noise images of invented patients with as many images as are ever read."""
    privacy, rng = settings.privacy, np.random.default_rng(0)
    patients = 2 * privacy.batch
    owners = np.repeat(np.arange(patients), privacy.images_per_patient)
    plan = Plan(
        members=patients,
        batch=privacy.batch,
        steps=1,
        delta=1e-5,
        noise_multiplier=1.0,
        clipping_norm=privacy.clipping_norm,
        fakes=settings.refinement.fakes,
    )
    invented = Members(
        images=with_channels(rng.integers(0, 256, (len(owners), *config.form.shape), dtype=np.uint8)),
        labels=np.zeros(len(owners), dtype=np.int64),
        index=PatientIndex.of(owners, np.arange(len(owners))),
        settings=settings,
        device=device,
        rng=rng,
    )
    return Training(
        run=run, run_id="rehearsal", patients=invented, config=config, plan=plan, settings=settings, device=device
    )
