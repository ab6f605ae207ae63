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

QUERY_BLOCK, BASE_BLOCK = 128, 2048
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
        queries: float32 (n, ...), in whatever form `turns` takes.
        base: float32 (m, d), m >= 1.
        k: how many; at most m come back.
        turns: all views of a block of queries, each float32 (block, d); the base is never turned.
        apart: groups of the queries (n,) and of the base (m,); pairs of one group are left out.
        task: the name under which progress is told.
        progress: listener.
    """
    k = min(k, len(base))
    targets = torch.from_numpy(base)
    parts: list[Neighbours] = []
    for start in range(0, len(queries), QUERY_BLOCK):
        block = queries[start : start + QUERY_BLOCK]
        groups = None if apart is None else (apart[0][start : start + len(block)], apart[1])
        parts.append(_block(torch.from_numpy(np.stack(turns(block))), targets, k, groups))
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
    queries = turned.shape[1]
    keep = min(k + _SPARE, len(base))
    values = torch.full((queries, 0), torch.inf)
    rows = torch.zeros((queries, 0), dtype=torch.int64)
    for start in range(0, len(base), BASE_BLOCK):
        part = base[start : start + BASE_BLOCK]
        squared = _squared_distances(turned, part)
        if apart is not None:
            same = apart[0][:, None] == apart[1][None, start : start + len(part)]
            squared[torch.from_numpy(same)] = torch.inf
        best, column = squared.topk(min(keep, len(part)), dim=1, largest=False)
        values, rows = torch.cat([values, best], dim=1), torch.cat([rows, column + start], dim=1)
        values, order = values.topk(min(keep, values.shape[1]), dim=1, largest=False)
        rows = rows.gather(1, order)
    return _measured_again(turned, base, rows, values, k)


def _squared_distances(turned: torch.Tensor, base: torch.Tensor) -> torch.Tensor:
    """(n, b), the smallest over all views, as |b|^2 - 2 max (q.b - |q|^2 / 2)."""
    ones = torch.ones((len(base), 1))
    queries = torch.cat([turned, -turned.square().sum(dim=2, keepdim=True) / 2], dim=2)
    products = queries.reshape(-1, queries.shape[2]) @ torch.cat([base, ones], dim=1).T
    best = products.reshape(*turned.shape[:2], len(base)).amax(dim=0)
    return base.square().sum(dim=1) - 2 * best


def _measured_again(
    turned: torch.Tensor, base: torch.Tensor, rows: torch.Tensor, values: torch.Tensor, k: int
) -> Neighbours:
    """The candidates' views and distances in float64; the view by products, the distance by differences."""
    targets, queries = base[rows].double(), turned.double()
    products = torch.einsum("vnd,nkd->nkv", queries, targets) - queries.square().sum(dim=2).T[:, None] / 2
    views = products.argmax(dim=2)
    chosen = queries[views, torch.arange(len(rows))[:, None]]
    distances = (chosen - targets).square().sum(dim=2).sqrt()
    distances[torch.isinf(values)] = torch.inf
    order = np.lexsort((rows.numpy(), distances.numpy()), axis=1)[:, :k]
    return Neighbours(
        distances=np.take_along_axis(distances.numpy(), order, axis=1),
        rows=np.take_along_axis(rows.numpy(), order, axis=1),
        views=np.take_along_axis(views.numpy(), order, axis=1),
    )
