"""One Gaussian query of every member: a sum of one vector each, of norm at most 1."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from privgan.checks import positive
from privgan.dp.noise import noised


def noisy_sum(vectors: Iterable[Tensor], dimensions: int, *, noise: float, rng: np.random.Generator) -> Tensor:
    """Sum of one vector a patient, each scaled down to norm 1 if it is longer, plus N(0, noise^2) once.

    Args:
        vectors: batches (n, dimensions) with one row a patient, every member in exactly one row.
        dimensions: length of a vector; public.
        noise: standard deviation for a sensitivity of 1.
        rng: a cryptographic generator.

    Returns:
        float64 (dimensions,). A vector that is not finite counts as zero.
    """
    positive(noise=noise)
    total = torch.zeros(dimensions, dtype=torch.float64)
    for batch in vectors:
        finite = torch.where(torch.isfinite(batch).all(1, keepdim=True), batch, 0.0).double()
        total += (finite / finite.norm(dim=1, keepdim=True).clamp_min(1.0)).sum(0).cpu()
    return noised(total, scale=noise, rng=rng)
