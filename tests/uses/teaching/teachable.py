"""A released set whose classes can be told apart, and cohorts of patients that look like it."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import torch

from privgan.arrays import Images, Integers
from privgan.gan.networks import save_generator
from privgan.gan.networks.saving import load_generator
from privgan.images.stored import with_channels
from privgan.synthetic.generate import GenerateOptions, generate
from tests.audits.releasing import TODAY, Gate, gate_around
from tests.synthetic.making import CLASSES, SEED, finish_again, make_run

WORDS = ("--size", 28, "--modality", "CR", "--body-part", "CHEST", "--accept-low-power")


def teachable_run(folder: Path) -> Path:
    """A run whose generator draws the two classes around different means."""
    run = make_run(folder)
    network, rng = load_generator(run).network, torch.Generator().manual_seed(3)
    with torch.no_grad():
        network.last.weight.normal_(0, 0.05, generator=rng)
        shape = network.start.means.shape
        network.start.means[0, :, :12] = 1.5 * torch.randn((*shape[1:2], 12), generator=rng)
        network.start.means[1] = -network.start.means[0]
        network.start.loadings.copy_(0.6 * torch.randn(network.start.loadings.shape, generator=rng))
        network.start.grain.copy_(0.2 * torch.randn(network.start.grain.shape, generator=rng).abs())
    save_generator(run, network)
    return finish_again(run)


def make_teachable(root: Path, count: int = 160, today: date = TODAY) -> Gate:
    """Approved for a year and released on a day in `bundle`; without an approval in `plain`."""
    root.mkdir(exist_ok=True)
    run, made = teachable_run(root / "synthetic-run"), root / "synthetic"
    made.mkdir(mode=0o700)
    generate(run, made, GenerateOptions(count=count, formats=("npz",)), SEED)
    gate = gate_around(root)
    gate.audit()
    gate.release(today=today)
    (root / "bundle").rename(root / "plain")
    gate.approve(first=today.isoformat(), last=(today + timedelta(days=365)).isoformat())
    gate.release(today=today)
    return gate


def drawn(run: Path, count: int, seed: int) -> tuple[Images, Integers]:
    """Images uint8 (n, h, h, c) of such a run, and their labels: they stand for patients."""
    generator, rng = load_generator(run), np.random.default_rng(seed)
    labels = np.arange(count) % len(CLASSES)
    levels = generator.levels_together(rng.standard_normal((count, generator.latent)), labels)
    return with_channels(np.clip(np.round(levels), 0, 255).astype(np.uint8)), labels


def write_patients(path: Path, run: Path, count: int = 90, seed: int = 7) -> Path:
    """An .npz that `prepare` reads: so many images of two thirds as many patients."""
    images, labels = drawn(run, count, seed)
    owner = np.arange(count) % (
        2 * count // 3 // 2 * 2
    )  # an even number, so that a patient's images are of one class
    np.savez(
        path,
        images=images[..., 0],
        labels=np.array(CLASSES)[labels],
        patient_id=np.array([f"PAT-{number:04d}" for number in owner]),
        sex=np.array(["F", "M"])[owner // 2 % 2],
    )
    return path
