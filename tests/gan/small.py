"""A training without a cohort: few small images of invented patients, in grey or colour, from a released mixture."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from privgan.arrays import Integers
from privgan.dp.plan import Plan
from privgan.dp.sampling import PatientIndex
from privgan.gan.image_model import MixtureSettings
from privgan.gan.training.beginning import Training
from privgan.gan.training.ladder import LadderSettings
from privgan.gan.training.members import Members
from privgan.gan.training.settings import ModelSettings, RefinementSettings, TrainSettings
from privgan.gan.warm_start import Mixture, MixtureShape
from privgan.images.form import ImageForm
from privgan.images.stored import with_channels
from privgan.run import make_run_folders

SIZE, LATENT, ORDER = 16, 8, 5
FORM = ImageForm(side=SIZE, classes=("clear", "opacity"))
SETTINGS = TrainSettings(
    model=ModelSettings(latent=LATENT, generator_width=8, discriminator_width=8, autoencoder_steps=3),
    refinement=RefinementSettings(fakes=8),
    warm_start=MixtureSettings(order=ORDER, align=False, bend=0.0),
    ladder=LadderSettings(first=1),
)


def small_mixture(channels: int = 1) -> Mixture:
    """Means around grey, and loadings that make images of a class differ by a fifth of the range."""
    shape = MixtureShape.of(SETTINGS.warm_start, replace(FORM, channels=channels), factors=LATENT)
    m, generator = shape.coordinates.count, torch.Generator().manual_seed(0)
    return replace(
        Mixture.grey(shape),
        means=0.1 * SIZE * torch.randn(2, 1, m, generator=generator) / m**0.5,
        loadings=0.3 * SIZE * torch.randn(2, 1, m, LATENT, generator=generator) / (m * LATENT / channels) ** 0.5,
    )


def members_of(
    images: NDArray[Any],
    labels: Integers,
    patients: Integers | None = None,
    *,
    settings: TrainSettings = SETTINGS,
    seed: int = 0,
) -> Members:
    """Those who hold these stored images, one each unless `patients` says whose; their draws come from a seed."""
    rows = np.arange(len(images))
    index = PatientIndex.of(rows if patients is None else patients, rows)
    rng, cpu = np.random.default_rng(seed), torch.device("cpu")
    return Members(images=with_channels(images), labels=labels, index=index, settings=settings, device=cpu, rng=rng)


def small_training(run: Path, *, network: str = "conv", **refinement: object) -> Training:
    """Forty invented patients of one image each."""
    make_run_folders(run)
    settings = replace(
        SETTINGS,
        model=replace(SETTINGS.model, network=network),
        refinement=replace(SETTINGS.refinement, **refinement),
    )
    numbers = np.arange(40)
    images = np.random.default_rng(0).integers(0, 256, (40, SIZE, SIZE), dtype=np.uint8)
    return Training(
        run=run,
        run_id="small",
        patients=members_of(images, numbers % 2, settings=settings),
        config=settings.generator_config(FORM),
        plan=Plan(members=40, batch=8, steps=60, delta=1e-3, noise_multiplier=1.0, fakes=settings.refinement.fakes),
        settings=settings,
        device=torch.device("cpu"),
    )
