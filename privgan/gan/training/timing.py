"""How many steps fit into the minutes that a user has, measured on noise images before anything is charged."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from privgan.dp.clipping.patient_gradients import PatientGradients
from privgan.dp.plan import Plan
from privgan.dp.sampling import PatientIndex
from privgan.gan.randomness import Randomness
from privgan.gan.training.settings import TrainSettings
from privgan.gan.training.step import Training, fresh_state, generator_config, step
from privgan.gan.warm_start import Members, Mixture, measure_mixture
from privgan.memory import keep_freed_memory
from privgan.run import make_run_folders

_RESERVE = 0.8  # machines slow down, checkpoints take time


def affordable_steps(
    settings: TrainSettings,
    minutes: float,
    *,
    shape: tuple[int, ...],
    members: int,
    classes: int,
    device: torch.device,
) -> int:
    """At least 1; the number of discriminator steps, with their share of generator steps, that fill the minutes.

    shape: of an image, (h, w) or (h, w, 3). The warm start is counted in, at one image a member: how many there are
    is private.
    """
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        make_run_folders(run)
        rehearsal = _rehearsal(settings, run, shape, classes, device)
        left = minutes * 60 * _RESERVE - members * _seconds_an_image_of_warm_start(rehearsal)
        return max(1, int(left / _seconds_a_step(rehearsal)))


def _seconds_an_image_of_warm_start(training: Training) -> float:
    start, members = training.settings.warm_start, training.members
    started = time.perf_counter()
    noise, shape = tuple(1.0 for _ in start.noise_ratios), generator_config(training).mixture
    measure_mixture(members, start, noise, shape, Randomness.of(None))
    return (time.perf_counter() - started) / len(members.images)


def _seconds_a_step(training: Training) -> float:
    """The slowest half of two rounds of the ladder's first rung, after one round to warm up."""
    settings = training.settings
    randomness, rounds = Randomness.of(None), []
    state = fresh_state(training, Mixture.grey(generator_config(training).mixture), randomness.public)
    critic = PatientGradients(state.discriminator)
    for _ in range(3):
        started = time.perf_counter()
        for _ in range(settings.ladder.first):
            step(training, state, critic, randomness)
        rounds.append((time.perf_counter() - started) / settings.ladder.first)
    return max(rounds[1:])


def _rehearsal(
    settings: TrainSettings, run: Path, shape: tuple[int, ...], classes: int, device: torch.device
) -> Training:
    """A training like the real one, on noise images of invented patients with as many images as are ever read."""
    batch, each = settings.privacy.batch, settings.privacy.images_per_patient
    owners = np.repeat(np.arange(2 * batch), each)
    images = np.random.default_rng(0).integers(0, 256, (len(owners), *shape), dtype=np.uint8)
    index = PatientIndex.of(owners, np.arange(len(owners)))
    labels = np.zeros(len(owners), dtype=np.int64)
    plan = Plan(members=2 * batch, batch=batch, steps=1, delta=1e-5, noise_multiplier=1.0)
    return Training(
        run=run,
        run_id="rehearsal",
        members=Members(images=images, labels=labels, index=index, classes=classes),
        classes=tuple(str(number) for number in range(classes)),
        plan=replace(plan, clipping_norm=settings.privacy.clipping_norm),
        settings=settings,
        device=device,
    )
