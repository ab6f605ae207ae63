"""Images as cosine coefficients of low frequency, the two-dimensional DCT.

Colour is looked at as brightness and two differences of colour, which vary far less and hardly together with it
(Ohta, Kanade and Sakai 1980).
"""

import math

import numpy as np
import torch
from torch import Tensor

from privgan.gan.warm_start.constants import cosine_columns


def cosine_basis(size: int, order: int) -> Tensor:
    """Orthonormal low-frequency cosines: float32 (m, size x size), m = order (order + 1) / 2 at most.

    They come by frequency u + v, so that those of a lower order are the first of them; the same on every machine.
    """
    columns = cosine_columns(size)
    waves = [np.outer(columns[:, u], columns[:, v]).ravel() for u, v in cosine_frequencies(size, order)]
    return torch.from_numpy(np.stack(waves)).float()


def cosine_frequencies(size: int, order: int) -> list[tuple[int, int]]:
    """(u, v) of each of them."""
    within = range(min(order, size))
    return sorted(((u, v) for u in within for v in within if u + v < order), key=sum)


def analysed(images: Tensor, basis: Tensor) -> Tensor:
    """Coefficients (n, channels x m) of images (n, channels, h, w): of the only channel, or of brightness, then of
    the two differences of colour.
    """
    coefficients = images.flatten(2) @ basis.T
    return (_opponents(coefficients) @ coefficients).flatten(1)


def synthesised(coefficients: Tensor, basis: Tensor, channels: int) -> Tensor:
    """Images (n, channels, size, size) of coefficients (n, channels x m)."""
    size = round(basis.shape[1] ** 0.5)
    planes = coefficients.reshape(len(coefficients), channels, len(basis))
    return (_opponents(planes).T @ planes @ basis).reshape(-1, channels, size, size)


def _opponents(planes: Tensor) -> Tensor:
    """An orthonormal matrix for the channels of planes (n, channels, m)."""
    if planes.shape[1] == 1:
        return torch.ones(1, 1, device=planes.device, dtype=planes.dtype)
    rows = torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, -1.0], [1.0, -2.0, 1.0]], device=planes.device)
    lengths = torch.tensor([math.sqrt(3), math.sqrt(2), math.sqrt(6)], device=planes.device)
    return (rows / lengths[:, None]).to(planes.dtype)
