"""Gaussian queries of every member: sums of what describes their images, of norm at most 1 a member."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from privgan.checks import positive
from privgan.dp.noise import noised


@dataclass(frozen=True, kw_only=True, eq=False)
class Described:
    """A batch of whole patients: every image of theirs that is read. Sensitive.

    vectors: float (n, d), one an image; cells: int64 (n,), where its vector is added; owners: int64 (n,), whose it
    is, numbered within the batch.
    """

    vectors: Tensor
    cells: Tensor
    owners: Tensor


def noisy_sums(
    batches: Iterable[Described], *, cells: int, dimensions: int, noise: float, rng: np.random.Generator
) -> Tensor:
    """For each cell the sum of the vectors that lie in it, an image weighing 1 / its patient's images.

    A patient adds the mean over their images of (cell indicator) x (vector), of norm at most 1 because each vector
    is scaled down to 1: a Gaussian query of sensitivity 1, the noise N(0, noise^2) on every number.

    Returns:
        float64 (cells, dimensions).
    """
    positive(noise=noise)
    total = torch.zeros((cells, dimensions), dtype=torch.float64)
    for batch in batches:
        total.index_add_(0, batch.cells, _bounded(batch.vectors) * _weights(batch)[:, None])
    return noised(total, scale=noise, rng=rng)


def noisy_products(
    batches: Iterable[Described], *, cells: int, dimensions: int, noise: float, rng: np.random.Generator
) -> Tensor:
    """For each cell the sum of v v^T over the vectors v that lie in it, weighed as in `noisy_sums`.

    A patient adds the mean over their images of (cell indicator) x (v v^T), of Frobenius norm at most 1: a Gaussian
    query of sensitivity 1. The upper triangle is released with its off-diagonal entries times the root of 2, which
    keeps that norm; so the noise has variance noise^2 on the diagonal and half of it elsewhere.

    Returns:
        float64 (cells, dimensions, dimensions), symmetric.
    """
    positive(noise=noise)
    total = torch.zeros((cells, dimensions, dimensions), dtype=torch.float64)
    for batch in batches:
        scaled = _bounded(batch.vectors) * _weights(batch)[:, None].sqrt()
        order = torch.argsort(batch.cells)
        for cell, part in _groups(batch.cells[order], scaled[order]):
            total[cell] += part.T @ part
    rows, columns = torch.triu_indices(dimensions, dimensions)
    norm = torch.where(rows == columns, 1.0, 2.0**0.5).double()
    upper = noised(total[:, rows, columns] * norm, scale=noise, rng=rng) / norm
    total[:, rows, columns] = upper
    total[:, columns, rows] = upper
    return total


def _bounded(vectors: Tensor) -> Tensor:
    """In float64, scaled down to norm 1 where longer; zero where not finite."""
    finite = torch.where(torch.isfinite(vectors).all(1, keepdim=True), vectors, 0.0).double()
    bounded: Tensor = finite / finite.norm(dim=1, keepdim=True).clamp_min(1.0)
    return bounded


def _weights(batch: Described) -> Tensor:
    return 1 / torch.bincount(batch.owners).double()[batch.owners]


def _groups(cells: Tensor, rows: Tensor) -> Iterable[tuple[int, Tensor]]:
    found, counts = torch.unique_consecutive(cells, return_counts=True)
    return zip(found.tolist(), torch.split(rows, counts.tolist()), strict=True)
