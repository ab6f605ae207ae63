"""Layers whose first weights come from a generator that is handed to them, or are filled by somebody else.

torch's own layers ask the generator that all of a process shares. These have the same law, and with the same seed the
same weights, but leave that one alone.
"""

import math
from typing import Any, TypeVar

import torch
from torch import nn

_Kind = TypeVar("_Kind", bound=nn.Module)
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


def unfilled(kind: type[_Kind], *shape: int, **options: Any) -> _Kind:
    """A layer whose weights are whatever lay in memory; no generator is asked for a number.

    As `torch.nn.utils.skip_init`, which takes a third of a second and 484 modules to do it for the first time.

    Args:
        kind: of layer, with parameters of its own alone.
        shape: as the layer takes it.
        options: likewise.
    """
    layer = kind(*shape, device="meta", **options)
    for name, weights in list(layer.named_parameters(recurse=False)):
        setattr(layer, name, nn.Parameter(torch.empty(weights.shape, dtype=weights.dtype)))
    return layer


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
