"""Between stored pixels and the networks' numbers: grey or colour, levels 0 to 255 or values in [-1, 1]."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from privgan.arrays import Singles


def from_uint8(images: NDArray[np.uint8]) -> Tensor:
    """uint8 grey (n, h, w) or colour (n, h, w, 3) -> float32 (n, 1 or 3, h, w) in [-1, 1].

    >>> from_uint8(np.zeros((2, 8, 8, 3), dtype=np.uint8)).shape
    torch.Size([2, 3, 8, 8])
    """
    return planes(unit_range(images))


def unit_range(images: NDArray[np.uint8]) -> Singles:
    """Levels 0 to 255 as values in [-1, 1], of the same shape."""
    return images.astype(np.float32) / np.float32(127.5) - np.float32(1)


def planes(images: NDArray[Any]) -> Tensor:
    """Grey (n, h, w) or colour (n, h, w, 3) as (n, 1 or 3, h, w)."""
    values = torch.from_numpy(np.ascontiguousarray(images))
    return values[:, None] if values.ndim == 3 else values.permute(0, 3, 1, 2).contiguous()


def to_levels(images: Tensor) -> NDArray[np.floating[Any]]:
    """(n, 1 or 3, h, w) in [-1, 1] -> levels 0 to 255, not rounded: grey (n, h, w) or colour (n, h, w, 3)."""
    scaled = (images.clamp(-1, 1) + 1) * 127.5
    return (scaled[:, 0] if scaled.shape[1] == 1 else scaled.permute(0, 2, 3, 1)).cpu().numpy()
