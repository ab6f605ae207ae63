"""The public detail network: any size and colour, nothing added at first, and noise only where it is small."""

import pytest
import torch

from privgan.gan.networks.finish import Finish, FinishShape


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [28, 50, 64, 100, 128])
def test_images_of_any_size_keep_it_and_are_not_changed_at_first(side: int, channels: int) -> None:
    torch_rng = torch.Generator().manual_seed(0)
    shape = FinishShape(side=side, channels=channels, width=8)
    network = Finish(shape, torch_rng)
    images = torch.rand(2, channels, side, side, generator=torch_rng) * 2 - 1
    z = torch.randn(2, shape.latent, generator=torch_rng)
    assert torch.equal(network(images, z), images)
    network.last.weight.data.normal_(generator=torch_rng)
    changed = network(images, z)
    assert changed.shape == images.shape
    assert not torch.equal(changed, images)
    assert not torch.equal(changed, network(images, torch.zeros_like(z)))


@pytest.mark.parametrize("side", [28, 50, 64, 100, 128])
def test_every_map_has_its_half(side: int) -> None:
    """And the noise of each is counted once."""
    shape = FinishShape(side=side, channels=1, width=8)
    assert shape.sides[0] == (side + 1) // 2
    assert all(small == (large + 1) // 2 for large, small in zip(shape.sides, shape.sides[1:], strict=False))
    assert len(shape.sides) == len(shape.widths) == len(shape.noisy)
    assert shape.latent == sum(count * side**2 for count, side in zip(shape.noisy, shape.sides, strict=True)) > 0


def test_another_size_of_noise_is_an_error() -> None:
    shape = FinishShape(side=28, channels=1, width=8)
    with pytest.raises(RuntimeError):
        Finish(shape, None)(torch.zeros(1, 1, 28, 28), torch.zeros(1, shape.latent + 1))
