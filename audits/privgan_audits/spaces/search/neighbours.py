"""Exact nearest neighbours in memory that does not grow with the product of the two sides.

Products of low precision rule out nearly every pair (`screening`); what is left is measured in float64 by direct
differences, because |q|^2 + |b|^2 - 2qb loses small distances, which are the ones that matter here. Equal distances
are ordered by row number. Nothing is approximate: an index with a recall of 99.3 % would miss 7 of 1,000 copies. What
comes out depends neither on block sizes nor on the number of threads.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from privgan.arrays import Floats, Integers, Singles
from privgan.gan.ranks.ranks import Ranks
from privgan.gan.ranks.rows import Arrays, in_shares
from privgan.language import to_tr, tr
from privgan.progress import Progress, silent
from privgan_audits.spaces.search.candidates import BLOCK, Pairs, RoughBase
from privgan_audits.spaces.search.screening import SINGLE, fastest, places

TILE = 1 << 21  # products in one block
DIFFERENCES = 1 << 20  # float64 values of one block of direct differences: 8 MiB
NEAREST = to_tr("nearest neighbours")
_CROWDED = 64  # candidates of a query, and as many again of its k, from which they are chosen in single precision
_FEW = 64  # crowded queries at once

Groups = tuple[Integers, Integers]


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The k nearest base images of each query, nearest first.

    distances: float64 (n, k), infinite where there is no candidate; rows: int64 (n, k), base rows;
    views: int64 (n, k), which view of the query came closest, the first of equals.
    """

    distances: Floats
    rows: Integers
    views: Integers

    @classmethod
    def of(cls, columns: Arrays) -> Self:
        """Distances, rows and views."""
        distances, rows, views = columns
        return cls(distances=distances, rows=rows, views=views)


def nearest(
    queries: Singles,
    base: Singles,
    *,
    k: int,
    turns: Callable[[Singles], list[Singles]],
    apart: Groups | None = None,
    progress: Progress = silent,
    ranks: Ranks | None = None,
) -> Neighbours:
    """The k nearest base images of each query, Euclidean, each by the closest of the query's views.

    Args:
        queries: float32 (n, ...), in whatever form `turns` takes.
        base: float32 (m, d), m >= 1.
        k: how many; at most m come back.
        turns: all views of a block of queries, each float32 (block, d); the base is never turned.
        apart: groups of the queries (n,) and of the base (m,); pairs of one group are left out.
        progress: listener; see `called`.
        ranks: among whom the queries are shared out; all learn what all found.
    """
    search = _Search.of([base], apart)

    def found(rows: range) -> Arrays:
        parts: list[Neighbours] = []
        for start, end, views in _blocks(queries[rows.start : rows.stop], turns, len(base)):
            groups = None if apart is None else apart[0][rows.start + start : rows.start + end]
            parts += search.nearest(views, k, groups)
            progress(tr(NEAREST), end, len(rows))
        return _columns(_joined(parts))

    return Neighbours.of(in_shares(len(queries), ranks, found))


def called(name: str, progress: Progress) -> Progress:
    """A listener to whom a search is told under another name."""

    def listener(task: str, done: int, total: int, note: str = "") -> None:
        del task
        progress(tr(name), done, total, note)

    return listener


def nearest_within(
    queries: Singles,
    bases: Sequence[Singles],
    limits: Floats,
    *,
    k: int,
    turns: Callable[[Singles], list[Singles]],
    ranks: Ranks | None = None,
) -> list[Neighbours]:
    """The k `nearest` of each of several bases, but those that are farther than a query's limit (n,)."""
    search, longest = _Search.of(bases, None), max(map(len, bases))

    def found(rows: range) -> Arrays:
        parts: list[list[Neighbours]] = [[] for _ in bases]
        within = limits[rows.start : rows.stop]
        for start, end, views in _blocks(queries[rows.start : rows.stop], turns, longest):
            for of_base, some in zip(parts, search.nearest(views, k, None, within[start:end]), strict=True):
                of_base.append(some)
        return [column for of_base in parts for column in _columns(_joined(of_base))]

    columns = in_shares(len(queries), ranks, found)
    return [Neighbours.of(columns[first : first + 3]) for first in range(0, len(columns), 3)]


def upright(points: Singles) -> list[Singles]:
    """The only view of points (n, d) that have no others."""
    return [points]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Search:
    """Several bases, each in the precisions in which it is searched, the fastest first, and grouped."""

    bases: Sequence[Singles]
    rough: Sequence[Sequence[RoughBase]]
    grouped: Groups | None

    @classmethod
    def of(cls, bases: Sequence[Singles], apart: Groups | None) -> "_Search":
        every = np.concatenate(bases)
        centre = np.asarray(every.mean(axis=0, dtype=np.float64), np.float32)
        kinds = list(dict.fromkeys([fastest(), SINGLE]))
        rough = [[RoughBase.of(base, centre, kind) for kind in kinds] for base in bases]
        grouped = None
        if apart is not None:
            order = np.argsort(apart[1], kind="stable")
            grouped = (apart[1][order], order)
        return cls(bases=bases, rough=rough, grouped=grouped)

    def nearest(
        self, views: Singles, k: int, groups: Integers | None, limits: Floats | None = None
    ) -> list[Neighbours]:
        """Of some queries, float32 (n, v, d), the nearest in each base."""
        apart = self._kept_apart(groups)
        bounds = np.full(len(views), np.inf) if limits is None else limits
        found, asked = [], self.rough[0][0].asked(views)  # which takes longer than to compare with a small base
        for base, rough in zip(self.bases, self.rough, strict=True):
            wanted = min(k, len(base))
            pairs = rough[0].candidates(asked, wanted, apart, bounds)
            for finer in rough[1:]:
                pairs = _thinned(pairs, finer, views, wanted, apart, bounds)
            found.append(_measured(views, base, pairs, wanted, bounds))
        return found

    def _kept_apart(self, queries: Integers | None) -> Groups:
        """Query numbers and base rows of all pairs of one group."""
        if self.grouped is None or queries is None:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        groups, order = self.grouped
        first, last = (np.searchsorted(groups, queries, side) for side in ("left", "right"))
        counts = last - first
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.repeat(np.arange(len(counts)), counts), order[np.repeat(first, counts) + within]


def _blocks(
    queries: Singles, turns: Callable[[Singles], list[Singles]], base: int
) -> Iterator[tuple[int, int, Singles]]:
    """Some queries at a time: the first, the end, and all their views (n, v, d)."""
    step = max(1, TILE // (len(turns(queries[:1])) * min(base, BLOCK)))
    for start in range(0, len(queries), step):
        views = np.stack(turns(queries[start : start + step]), axis=1)
        yield start, start + len(views), views


def _thinned(pairs: Pairs, finer: RoughBase, views: Singles, k: int, apart: Groups, limits: Floats) -> Pairs:
    """Where a query has very many candidates, a higher precision chooses among them."""
    crowded = np.flatnonzero(np.bincount(pairs.query, minlength=len(views)) > _CROWDED + _CROWDED * k)
    parts = [pairs.only(~np.isin(pairs.query, crowded))]
    for start in range(0, len(crowded), _FEW):
        some = crowded[start : start + _FEW]
        place = np.searchsorted(some, apart[0]).clip(max=len(some) - 1)
        held = some[place] == apart[0]
        found = finer.candidates(finer.asked(views[some]), k, (place[held], apart[1][held]), limits[some])
        parts.append(Pairs(query=some[found.query], row=found.row, views=found.views))
    return Pairs.all_of(*parts)


def _measured(views: Singles, base: Singles, pairs: Pairs, k: int, limits: Floats) -> Neighbours:
    """The nearest k of the candidates, by float64 differences of every view that may be the closest."""
    pair, view = places(pairs.views)
    squares, step = np.empty(len(pair)), max(1, DIFFERENCES // base.shape[1])
    for start in range(0, len(pair), step):
        some = slice(start, start + step)
        queries = views[pairs.query[pair[some]], view[some]].astype(np.float64)
        queries -= base[pairs.row[pair[some]]]
        squares[some] = np.einsum("pd,pd->p", queries, queries)
    # By query, distance and row; of a pair's views the first of the closest.
    query, row = pairs.query[pair], pairs.row[pair]
    order = np.lexsort((view, pair, squares))
    order = order[np.sort(np.unique(pair[order], return_index=True)[1])]
    distances = np.sqrt(squares)
    order = order[distances[order] <= limits[query[order]]]
    order = order[np.lexsort((row[order], distances[order], query[order]))]
    counts = np.bincount(query[order], minlength=len(views))
    rank = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    order, rank = order[rank < k], rank[rank < k]
    found = Neighbours(
        distances=np.full((len(views), k), np.inf),
        rows=np.zeros((len(views), k), np.int64),
        views=np.zeros((len(views), k), np.int64),
    )
    at = query[order], rank
    found.distances[at], found.rows[at], found.views[at] = distances[order], row[order], view[order]
    return found


def _columns(found: Neighbours) -> Arrays:
    return [found.distances, found.rows, found.views]


def _joined(parts: Sequence[Neighbours]) -> Neighbours:
    """One after the other."""
    return Neighbours(
        distances=np.concatenate([part.distances for part in parts]),
        rows=np.concatenate([part.rows for part in parts]),
        views=np.concatenate([part.views for part in parts]),
    )
