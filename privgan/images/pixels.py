"""Between stored pixels and the networks' numbers: levels 0 to 255 or values in [-1, 1], channels last or first."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from privgan.arrays import Singles


def from_uint8(images: NDArray[np.uint8]) -> Tensor:
    """uint8 (n, h, w, c) -> float32 (n, c, h, w) in [-1, 1].

    >>> from_uint8(np.zeros((2, 8, 8, 3), dtype=np.uint8)).shape
    torch.Size([2, 3, 8, 8])
    """
    return planes(unit_range(images))


def unit_range(images: NDArray[np.uint8]) -> Singles:
    """Levels 0 to 255 as values in [-1, 1], of the same shape."""
    return images.astype(np.float32) / np.float32(127.5) - np.float32(1)


def planes(images: NDArray[Any]) -> Tensor:
    """(n, h, w, c) as (n, c, h, w), stored in that order."""
    first = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).contiguous()
    return first.view(first.shape)  # of one channel both orders are one; only strides in ours choose our convolutions


def to_levels(images: Tensor) -> NDArray[np.floating[Any]]:
    """(n, c, h, w) in [-1, 1] -> levels 0 to 255, not rounded: (n, h, w, c)."""
    scaled = (images.clamp(-1, 1) + 1) * 127.5
    return scaled.permute(0, 2, 3, 1).cpu().numpy()
