"""A run without privacy: the product's own networks, trained without noise on few small images, saved as runs are."""

import copy
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from privgan.data.cohort.cohort import open_cohort
from privgan.dp.budget.ledger import Ledger
from privgan.dp.spend import PrivacySpend
from privgan.gan.networks import Discriminator, Generator, GeneratorConfig, save_generator
from privgan.gan.networks.descent import Adam
from privgan.gan.training.ladder import Ladder
from privgan.gan.training.state import TrainingState, save_state
from privgan.images.form import ImageForm
from privgan.images.pixels import from_uint8
from privgan.images.stored import with_channels
from privgan_audits.evidence.interface import Claim, Evidence, Sample
from tests.audits.releasing import QUERIES, make_cohort
from tests.cli.conftest import blobs
from tests.synthetic.making import CLASSES, RUN_ID, make_run

SIZE = 16
FORM = ImageForm(side=SIZE, classes=CLASSES)
EPSILON = 1.0  # what the run claims
_BATCH, _RATE, _GENERATOR_EVERY = 16, 5e-3, 3

Networks = tuple[Generator, Discriminator]


def patients(count: int, seed: int, first: int = 0, images: int = 1) -> Sample:
    """So many invented patients, numbered from `first`, with so many unrelated images each, in two classes."""
    numbers = np.arange(count * images)
    owners = first + numbers // images
    return Sample(images=with_channels(blobs(len(numbers), seed, SIZE)), labels=owners % 2, patients=owners)


def trained_networks(sample: Sample, steps: int, seed: int = 0) -> Networks:
    """Both after ordinary adversarial training (Goodfellow et al. 2014), without clipping and without noise."""
    real, labels = from_uint8(sample.images), torch.from_numpy(sample.labels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = GeneratorConfig(form=FORM, latent=16, width=8, order=8)
        generator = Generator(config, torch.default_generator)
        discriminator = Discriminator(FORM, torch.default_generator)
        ours, theirs = (
            torch.optim.Adam(network.parameters(), lr=rate, betas=(0.5, 0.99), fused=True)
            for network, rate in ((generator, 2e-3), (discriminator, _RATE))
        )
        for step in range(steps):
            rows, fake_labels = torch.randint(len(real), (_BATCH,)), torch.randint(len(CLASSES), (_BATCH,))
            fakes = generator(torch.randn(_BATCH, config.mixture.latent), fake_labels)
            told = F.softplus(discriminator(fakes.detach(), fake_labels)).mean()
            _descend(theirs, told + F.softplus(-discriminator(real[rows], labels[rows])).mean())
            if step % _GENERATOR_EVERY == 0:
                _descend(ours, F.softplus(-discriminator(fakes, fake_labels)).mean())
    return generator.eval(), discriminator.eval()


def _descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    optimiser.step()


def make_hospital(root: Path, members: Sample, non_members: Sample, networks: Networks) -> Evidence:
    """A cohort's ledger, a finished run with these networks, and what an audit of its set is given."""
    generator, discriminator = networks
    cohort = open_cohort(make_cohort(root / "cohort"))
    run = make_run(root / "run", image_size=SIZE)
    model = asdict(save_generator(run, generator))
    ledger = Ledger.read(cohort.ledger_path).charge(RUN_ID, QUERIES, delta=1e-5)
    ledger = save_state(_state(generator, discriminator), run, ledger, RUN_ID)
    return Evidence(
        members=members,
        non_members=non_members,
        synthetic=patients(40, 99),
        synthetic_folder=root,
        synthetic_sha256="0" * 64,
        classes=CLASSES,
        cohort=cohort,
        ledger=ledger.close(RUN_ID, **model),
        claim=Claim(
            run_id=RUN_ID,
            cohort_id=cohort.facts.cohort_id,
            spend=PrivacySpend(epsilon=EPSILON, delta=1e-5),
            not_private=False,
            **model,
        ),
        run=run,
    )


def _state(generator: Generator, discriminator: Discriminator) -> TrainingState:
    return TrainingState(
        step=1,
        waited=0,
        ladder=Ladder(steps=1),
        counts=torch.ones(len(CLASSES)),
        generator=generator,
        average=copy.deepcopy(generator),
        discriminator=discriminator,
        generator_optimiser=Adam(generator.parameters(), rate=_RATE),
        discriminator_optimiser=Adam(discriminator.parameters(), rate=_RATE),
    )


def part_of(sample: Sample, rows: NDArray[np.bool_]) -> Sample:
    """The rows where `rows` (n,) is true."""
    return Sample(images=sample.images[rows], labels=sample.labels[rows], patients=sample.patients[rows])
