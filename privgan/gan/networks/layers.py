"""Layers whose first weights come from a generator that is handed to them.

torch's own layers ask the generator that all of a process shares. These have the same law, and with the same seed the
same weights, but leave that one alone.
"""

import math
from typing import TypeVar

import torch
from torch import nn

from privgan.unfilled import unfilled

Layer = TypeVar("Layer", nn.Linear, nn.Conv2d)


def linear(inputs: int, outputs: int, torch_rng: torch.Generator | None, *, bias: bool = True) -> nn.Linear:
    """A dense layer; without a generator its weights are zero, for whoever fills them."""
    return _begun(unfilled(nn.Linear, inputs, outputs, bias=bias), torch_rng)


def convolution(
    inputs: int, outputs: int, side: int, torch_rng: torch.Generator | None, *, stride: int = 1
) -> nn.Conv2d:
    """A convolution of `side` pixels a side, padded so that maps keep their size (a stride of 2 halves it); without a
    generator its weights are zero.
    """
    layer = unfilled(nn.Conv2d, inputs, outputs, side, stride=stride, padding=(side - 1) // 2)
    return _begun(layer, torch_rng)


def _begun(layer: Layer, torch_rng: torch.Generator | None) -> Layer:
    """Weights and then biases, uniform up to one over the root of how many numbers go in."""
    if torch_rng is None:
        for weights in layer.parameters():
            nn.init.zeros_(weights)
        return layer
    nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=torch_rng)
    if layer.bias is not None:
        bound = 1 / math.sqrt(layer.weight[0].numel())
        nn.init.uniform_(layer.bias, -bound, bound, generator=torch_rng)
    return layer
