"""Queries of every member before the noise: sums of what describes their images, of norm at most 1 a member.

With `noise.released` at a bound of 1 each becomes a Gaussian mechanism.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Described:
    """A batch of whole patients: every image of theirs that is read. Sensitive.

    vectors: float (n, d), one an image; cells: int64 (n,), where its vector is added; owners: int64 (n,), whose it
    is, numbered within the batch.
    """

    vectors: Tensor
    cells: Tensor
    owners: Tensor


def bounded_sums(batches: Iterable[Described], *, cells: int, dimensions: int) -> Tensor:
    """For each cell the sum of the vectors that lie in it, an image weighing 1 / its patient's images.

    A patient adds the mean over their images of (cell indicator) x (vector), of norm at most 1 because each vector
    is scaled down to 1. Sensitive.

    Returns:
        float64 (cells, dimensions).
    """
    total = torch.zeros((cells, dimensions), dtype=torch.float64)
    for batch in batches:
        total.index_add_(0, batch.cells, _bounded(batch.vectors) * _weights(batch)[:, None])
    return total


def bounded_products(batches: Iterable[Described], *, cells: int, dimensions: int) -> Tensor:
    """For each cell the sum of v v^T over the vectors v that lie in it, weighed as in `bounded_sums`.

    A patient adds the mean over their images of (cell indicator) x (v v^T), of Frobenius norm at most 1. Given is the
    upper triangle, its off-diagonal entries times the root of 2, which keeps that norm. Sensitive.

    Returns:
        float64 (cells, dimensions x (dimensions + 1) / 2); see `symmetric`.
    """
    total = torch.zeros((cells, dimensions, dimensions), dtype=torch.float64)
    for batch in batches:
        scaled = _bounded(batch.vectors) * _weights(batch)[:, None].sqrt()
        order = torch.argsort(batch.cells)
        for cell, part in _groups(batch.cells[order], scaled[order]):
            total[cell] += part.T @ part
    rows, columns, scale = _triangle(dimensions)
    return total[:, rows, columns] * scale


def symmetric(upper: Tensor, dimensions: int) -> Tensor:
    """The matrices (cells, dimensions, dimensions) of what `bounded_products` gives, with noise or without.

    Noise of variance s^2 on that is noise of variance s^2 on the diagonal and half of it elsewhere.
    """
    rows, columns, scale = _triangle(dimensions)
    whole = upper.new_zeros((len(upper), dimensions, dimensions))
    whole[:, rows, columns] = whole[:, columns, rows] = upper / scale
    return whole


def _triangle(dimensions: int) -> tuple[Tensor, Tensor, Tensor]:
    """Rows and columns of the upper triangle, and what its entries are multiplied by."""
    rows, columns = torch.triu_indices(dimensions, dimensions)
    return rows, columns, torch.where(rows == columns, 1.0, 2.0**0.5).double()


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
