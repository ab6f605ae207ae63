"""Layers of torch without their first weights, for whoever fills them in; torch's own way imports a compiler."""

from typing import Any, TypeVar

import torch
from torch import nn

_Kind = TypeVar("_Kind", bound=nn.Module)


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
