"""What only draws draws the same: beside the plain network, at every size, in either precision, and its gradients."""

import pytest
import torch
import torch.nn.functional as F

from privgan.gan.networks import Generator, GeneratorConfig, for_drawing, placed
from privgan.gan.networks.drawn import doubling_kernel
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
    plain = _generator(size, channels, network).double()
    z, labels = torch.randn(3, plain.config.latents, dtype=torch.float64), torch.tensor([0, 1, 1])
    with torch.no_grad():
        shown, begun = plain.drawn(z, labels)
        assert float((shown - begun).abs().max()) > 0.1
        assert float((for_drawing(plain)(z, labels) - shown).abs().max()) < 1e-13


def test_the_way_down_is_the_same() -> None:
    """For whoever steers z, in single precision, where maps have their channels last."""
    plain = placed(_generator(32, 1, "conv"), "cpu")
    drawing, labels = for_drawing(plain), torch.tensor([0, 1])
    z = torch.randn(2, plain.config.latents)
    ways = []
    for network in (plain, drawing):
        steered = z.clone().requires_grad_()
        torch.autograd.backward(network(steered, labels).square().sum())
        ways.append(torch.as_tensor(steered.grad))
    assert float(ways[0].abs().max()) > 0.1
    assert torch.allclose(ways[0], ways[1], rtol=1e-4, atol=1e-4)
    assert not any(parameter.requires_grad for parameter in drawing.parameters())


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
    found = F.pixel_shuffle(F.conv2d(small, doubling_kernel(kernel), padding=1), 2)
    assert torch.allclose(found, wanted, atol=1e-12)
