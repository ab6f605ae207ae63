"""Gains of detail: one changes nothing, another changes its band alone, and filled ones bring the power asked for."""

import math

import pytest
import torch

from privgan.gan.networks.generators import Generator, GeneratorConfig
from privgan.gan.networks.strengths import Strengths
from privgan.gan.warm_start.strength import DetailBands
from privgan.images.form import ImageForm

SIDE = 32
BANDS = DetailBands(side=SIDE, order=8)


def images_of(count: int, channels: int = 1) -> torch.Tensor:
    torch_rng = torch.Generator().manual_seed(0)
    return 0.2 * torch.randn(count, channels, SIDE, SIDE, generator=torch_rng)


def test_at_first_nothing_changes() -> None:
    images = images_of(4, channels=3)
    assert torch.equal(Strengths(BANDS, 2)(images, torch.arange(4) % 2), images)


def test_a_gain_is_of_its_class_and_band() -> None:
    strengths = Strengths(BANDS, 2)
    strengths.gains[1, 0] = 2.0
    images, labels = images_of(4), torch.arange(4) % 2
    before, after = BANDS.powers(images), BANDS.powers(strengths(images, labels))
    change = (after - before).unflatten(1, (BANDS.count, -1))
    assert torch.equal(strengths(images, labels)[::2], images[::2])
    assert (change[1::2, 0] - 2 * math.log(2)).abs().max() < 0.05
    assert change[1::2, 1:].abs().max() < 1e-3


def test_a_gain_is_of_its_part_of_the_frame() -> None:
    strengths = Strengths(BANDS, 1)
    strengths.gains[0, :, 0, 0] = 2.0
    images = images_of(8)
    change = (strengths(images, torch.zeros(8, dtype=torch.int64)) - images).abs().mean((0, 1))
    assert change[:4, :4].mean() > 0.05
    assert change[16:, 16:].max() < 1e-6


def test_gains_stay_within_sense() -> None:
    strengths = Strengths(BANDS, 1)
    wanted = torch.zeros(1, len(BANDS.numbers))
    wanted[:, ::2] = 100.0
    strengths.fill(wanted, torch.full_like(wanted, 50.0))
    assert set(strengths.gains.unique().tolist()) == {0.25, 4.0}


@pytest.mark.parametrize("shift", [-1.0, 0.5])
def test_detail_becomes_as_strong_as_is_asked(shift: float) -> None:
    """Of images that were not looked at, too."""
    torch_rng = torch.Generator().manual_seed(0)
    form = ImageForm(side=SIDE, classes=("clear", "opacity"))
    network = Generator(GeneratorConfig(form=form, latent=4, order=8, width=16, finish=8), torch_rng)
    assert network.finish is not None
    with torch.no_grad():
        for part in (network.start.means, network.start.loadings):
            part.copy_(0.3 * torch.randn(part.shape, generator=torch_rng))
        for weights in network.finish.parameters():
            weights.normal_(0, 0.1, generator=torch_rng)
    labels = torch.arange(400) % 2
    z = torch.randn(400, network.config.latents, generator=torch_rng)
    bands = network.config.detail_bands
    with torch.no_grad():
        before = bands.powers(network(z, labels))
    classes = torch.stack([before[labels == label].mean(0) for label in range(2)])
    wanted = classes + torch.tensor([shift, 0.0])[:, None]
    network.strengthen(wanted, torch_rng)
    with torch.no_grad():
        after = bands.powers(network(z, labels))
    for label in range(2):
        assert (after[labels == label].mean(0) - wanted[label]).abs().mean() < 0.1
