"""Convolutions in fewer steps are torch's own, gradients as well, to the border and in either layout."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from privgan.gan.networks.convolving import beside, doubled, one_output

LAYOUTS = (torch.contiguous_format, torch.channels_last)


def _some(*shapes: tuple[int, ...]) -> list[Tensor]:
    chance = torch.Generator().manual_seed(sum(map(sum, shapes)))
    return [torch.randn(shape, generator=chance, dtype=torch.float64).requires_grad_() for shape in shapes]


def _gradients(found: Tensor, weights: list[Tensor]) -> tuple[Tensor, ...]:
    outer = torch.cos(torch.arange(found.numel()).double()).reshape(found.shape)
    return torch.autograd.grad(found, weights, outer, retain_graph=True)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("channels", "side", "of_image"), [(1, 4, 8), (3, 5, 10), (1, 4, 3)])
def test_a_map_is_doubled_and_convolved(layout: torch.memory_format, channels: int, side: int, of_image: int) -> None:
    """Beside an image that is larger, or smaller, than the map; the image's own gradient where somebody asks."""
    shapes = [(3, 5, side, side), (3, channels, of_image, of_image), (4, 5 + channels, 3, 3), (4,)]
    x, image, kernel, bias = _some(*shapes)
    maps = x.contiguous(memory_format=layout)
    wanted = F.conv2d(F.interpolate(beside(maps, image), scale_factor=2), kernel, bias, padding=1)
    found = doubled(maps, image, kernel, bias)
    torch.testing.assert_close(found, wanted)
    every = [x, image, kernel, bias]
    torch.testing.assert_close(_gradients(found, every), gradients := _gradients(wanted, every))
    found = doubled(maps, image.detach(), kernel, bias)  # as in training, where nobody asks for the image's
    torch.testing.assert_close(_gradients(found, [x, kernel, bias]), (gradients[0], *gradients[2:]))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("height", [1, 4])
def test_a_map_of_one_output_is_convolved(layout: torch.memory_format, height: int) -> None:
    x, kernel, bias = _some((3, 5, height, 6), (1, 5, 3, 3), (1,))
    maps = x.contiguous(memory_format=layout)
    wanted, found = F.conv2d(maps, kernel, bias, padding=1), one_output(maps, kernel, bias)
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(_gradients(found, [x, kernel, bias]), _gradients(wanted, [x, kernel, bias]))


def test_maps_stay_in_the_layout_that_weights_have() -> None:
    """Or every layer that follows turns them."""
    x, image, kernel, bias = _some((2, 4, 4, 4), (2, 1, 8, 8), (8, 5, 3, 3), (8,))
    last = torch.channels_last
    found = doubled(x.contiguous(memory_format=last), image, kernel.contiguous(memory_format=last), bias)
    assert found.is_contiguous(memory_format=last)
    assert not found.is_contiguous()
