"""What only draws draws the same, in double precision: beside the plain network, at every size."""

import pytest
import torch
import torch.nn.functional as F

from privgan.gan.networks import Generator, GeneratorConfig
from privgan.gan.networks.drawn import doubling_kernel, for_drawing, shuffled
from privgan.images.form import ImageForm


def _generator(size: int, channels: int, network: str) -> Generator:
    """One whose detail part draws something."""
    chance = torch.Generator().manual_seed(0)
    form = ImageForm(side=size, channels=channels, classes=("a", "b"))
    generator = Generator(GeneratorConfig(form=form, latent=12, width=24, order=6, network=network), chance)
    for weights in generator.last.parameters():
        torch.nn.init.normal_(weights, std=0.1, generator=chance)
    return generator


@pytest.mark.parametrize("network", ["conv", "mlp", "autoencoder"])
@pytest.mark.parametrize(("size", "channels"), [(28, 1), (37, 1), (64, 3)])
def test_it_draws_what_the_plain_network_draws(size: int, channels: int, network: str) -> None:
    plain = _generator(size, channels, network)
    drawing = for_drawing(plain)
    plain = plain.double()
    z, labels = torch.randn(3, plain.config.latents, dtype=torch.float64), torch.tensor([0, 1, 1])
    with torch.no_grad():
        shown, begun = plain.drawn(z, labels)
        assert float((shown - begun).abs().max()) > 0.1
        assert float((drawing(z, labels) - shown).abs().max()) < 1e-13


def test_the_plain_network_stays_as_it_is() -> None:
    plain = _generator(28, 1, "conv")
    before = {name: value.clone() for name, value in plain.state_dict().items()}
    for_drawing(plain)
    assert plain.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[name]) for name, value in plain.state_dict().items())
    assert all(parameter.requires_grad for parameter in plain.last.parameters())


def test_four_values_at_once_are_those_of_the_doubled_map() -> None:
    """To the border, where there is nothing beyond."""
    kernel, small = torch.randn(2, 3, 3, 3, dtype=torch.float64), torch.randn(1, 3, 5, 4, dtype=torch.float64)
    doubled = small.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    wanted = F.conv2d(doubled, kernel, padding=1)
    found = shuffled(F.conv2d(small, doubling_kernel(kernel), padding=1))
    assert torch.allclose(found, wanted, atol=1e-12)
