"""Images as cosine coefficients of low frequency, the two-dimensional DCT."""

import numpy as np
import torch
from scipy.fft import idct
from torch import Tensor


def cosine_basis(size: int, order: int) -> Tensor:
    """Orthonormal low-frequency cosines: float32 (m, size x size), m = order (order + 1) / 2 at most."""
    columns = idct(np.eye(size), axis=0, norm="ortho")
    pairs = [(u, v) for u in range(min(order, size)) for v in range(min(order, size)) if u + v < order]
    return torch.from_numpy(np.stack([np.outer(columns[:, u], columns[:, v]).ravel() for u, v in pairs])).float()


def analysed(images: Tensor, basis: Tensor) -> Tensor:
    """Coefficients (n, channels x m), one channel after the other, of images (n, channels, h, w)."""
    return (images.flatten(2) @ basis.T).flatten(1)


def synthesised(coefficients: Tensor, basis: Tensor, channels: int) -> Tensor:
    """Images (n, channels, size, size) of coefficients (n, channels x m)."""
    size = round(basis.shape[1] ** 0.5)
    return (coefficients.reshape(len(coefficients), channels, -1) @ basis).reshape(-1, channels, size, size)
