"""Exact nearest neighbours in memory that does not grow with the product of the two sides.

Blocks of float32 matrix products keep a running list of the best candidates, a few more than asked for;
these are measured again in float64 by direct differences, because |q|^2 + |b|^2 - 2qb loses small distances,
which are the ones that matter here. Equal distances are ordered by row number. Nothing is approximate:
an index with a recall of 99.3 % would miss 7 of 1,000 copies.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from privgan.progress import Progress, silent
from privgan_audits.spaces import Grid

QUERY_BLOCK, BASE_BLOCK = 512, 2048
_SPARE = 3  # candidates beyond k, so that float32 ties at the edge cannot decide


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The k nearest base images of each query, nearest first.

    distances: float64 (n, k), infinite where there is no candidate; rows: int64 (n, k), base rows;
    views: int64 (n, k), which view of the query came closest.
    """

    distances: NDArray[np.float64]
    rows: NDArray[np.int64]
    views: NDArray[np.int64]


def nearest(
    queries: Grid,
    base: Grid,
    *,
    k: int,
    turns: Callable[[Grid], list[Grid]],
    apart: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
    task: str = "nearest neighbours",
    progress: Progress = silent,
) -> Neighbours:
    """The k nearest base images of each query, Euclidean, each by the closest of the query's views.

    Args:
        queries: float32 (n, h, h).
        base: float32 (m, h, h), m >= 1.
        k: how many; at most m come back.
        turns: all views of a block of queries; the base is never turned.
        apart: groups of the queries (n,) and of the base (m,); pairs of one group are left out.
        task: the name under which progress is told.
        progress: listener.
    """
    k = min(k, len(base))
    flat = torch.from_numpy(base.reshape(len(base), -1))
    parts: list[Neighbours] = []
    for start in range(0, len(queries), QUERY_BLOCK):
        block = queries[start : start + QUERY_BLOCK]
        groups = None if apart is None else (apart[0][start : start + len(block)], apart[1])
        views = [view.reshape(len(block), -1) for view in turns(block)]
        parts.append(_block(torch.from_numpy(np.stack(views)), flat, k, groups))
        progress(task, min(start + QUERY_BLOCK, len(queries)), len(queries))
    return Neighbours(
        distances=np.concatenate([part.distances for part in parts]),
        rows=np.concatenate([part.rows for part in parts]),
        views=np.concatenate([part.views for part in parts]),
    )


def _block(
    turned: torch.Tensor, base: torch.Tensor, k: int, apart: tuple[NDArray[np.int64], NDArray[np.int64]] | None
) -> Neighbours:
    """`nearest` for one block of queries, given as (views, n, d)."""
    views, queries = turned.shape[:2]
    keep = min(k + _SPARE, len(base))
    values = torch.full((queries, 0), torch.inf)
    codes = torch.zeros((queries, 0), dtype=torch.int64)
    for start in range(0, len(base), BASE_BLOCK):
        part = base[start : start + BASE_BLOCK]
        squared, view = _closest_view(turned, part)
        if apart is not None:
            same = apart[0][:, None] == apart[1][None, start : start + len(part)]
            squared[torch.from_numpy(same)] = torch.inf
        best, column = squared.topk(min(keep, len(part)), dim=1, largest=False)
        code = (column + start) * views + view.gather(1, column)
        values, codes = torch.cat([values, best], dim=1), torch.cat([codes, code], dim=1)
        values, order = values.topk(min(keep, values.shape[1]), dim=1, largest=False)
        codes = codes.gather(1, order)
    return _measured_again(turned, base, codes, values, k)


def _closest_view(turned: torch.Tensor, base: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Squared distance (n, b) of each query to each base image, and the view that has it."""
    products = turned.reshape(-1, turned.shape[2]) @ base.T
    best, view = products.reshape(*turned.shape[:2], len(base)).max(dim=0)
    squared_norms = turned[0].square().sum(dim=1, keepdim=True) + base.square().sum(dim=1)
    return squared_norms - 2 * best, view


def _measured_again(
    turned: torch.Tensor, base: torch.Tensor, codes: torch.Tensor, values: torch.Tensor, k: int
) -> Neighbours:
    rows, views = codes // len(turned), codes % len(turned)
    queries = turned[views, torch.arange(len(codes))[:, None]].double()
    distances = (queries - base[rows].double()).square().sum(dim=2).sqrt()
    distances[torch.isinf(values)] = torch.inf
    order = np.lexsort((rows.numpy(), distances.numpy()), axis=1)[:, :k]
    return Neighbours(
        distances=np.take_along_axis(distances.numpy(), order, axis=1),
        rows=np.take_along_axis(rows.numpy(), order, axis=1),
        views=np.take_along_axis(views.numpy(), order, axis=1),
    )
