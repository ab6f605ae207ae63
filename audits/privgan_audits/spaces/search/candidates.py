"""Which of many images may be among the nearest of a query, by products of low precision."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from privgan.arrays import Bits, Flags, Floats, Integers, Singles
from privgan_audits.spaces.search.screening import Precision, places

BLOCK = 2048  # images of the base
_SUM = 2.0**-24  # of all that is added in single precision, for each number


@dataclass(frozen=True, kw_only=True, eq=False)
class Pairs:
    """Pairs of a query and a base image. views: bool (p, v), those of the query that may be the closest."""

    query: Integers
    row: Integers
    views: Flags

    def only(self, which: Flags | Integers) -> "Pairs":
        """Some of them."""
        return Pairs(query=self.query[which], row=self.row[which], views=self.views[which])

    @classmethod
    def all_of(cls, *parts: "Pairs") -> "Pairs":
        """Those of several."""
        columns = ([getattr(part, name) for part in parts] for name in ("query", "row", "views"))
        query, row, views = (np.concatenate(column) for column in columns)
        return cls(query=query, row=row, views=views)


@dataclass(frozen=True, kw_only=True, eq=False)
class RoughQueries:
    """Some queries, n of v views each, in some precision, seen from a centre: the same for every base that is.

    points: (n * v, d + 4). norms: of each (n * v,). lost: the norms of what rounding took, likewise.
    """

    points: Tensor
    norms: Floats
    lost: Floats
    shape: tuple[int, int]

    @classmethod
    def of(cls, views: Singles, centre: Singles, precision: Precision) -> "RoughQueries":
        """Of all views, float32 (n, v, d)."""
        points, halves = _centred(views.reshape(-1, views.shape[2]), centre)
        rounded, lost = precision.rounded_and_lost(points)
        columns = torch.cat(
            [rounded, _split(halves, precision), torch.ones((len(points), 2), dtype=precision.dtype)], dim=1
        )
        norms = np.sqrt(2.0 * halves.astype(np.float64))
        return cls(points=columns, norms=norms, lost=lost, shape=(len(views), views.shape[1]))


@dataclass(frozen=True, kw_only=True, eq=False)
class RoughBase:
    """A base in some precision, seen from a centre: it changes no distance, and rounding takes shares of norms.

    points: (m, d + 4), of which products with queries are half the squared distances. reach: the largest norm.
    lost: the largest norm of what rounding took.
    """

    precision: Precision
    centre: Singles
    points: Tensor
    reach: float
    lost: float

    @classmethod
    def of(cls, base: Singles, centre: Singles, precision: Precision) -> "RoughBase":
        """Of points float32 (m, d)."""
        points, halves = _centred(base, centre)
        rounded, lost = precision.rounded_and_lost(-points)
        columns = torch.cat(
            [rounded, torch.ones((len(base), 2), dtype=precision.dtype), _split(halves, precision)], dim=1
        )
        reach = float(np.sqrt(2 * halves.max()))
        return cls(precision=precision, centre=centre, points=columns, reach=reach, lost=float(lost.max()))

    def asked(self, views: Singles) -> RoughQueries:
        """Views of queries, float32 (n, v, d), as they are compared with this base."""
        return RoughQueries.of(views, self.centre, self.precision)

    def candidates(self, asked: RoughQueries, k: int, apart: tuple[Integers, Integers], limits: Floats) -> Pairs:
        """All that may be among the k nearest.

        Args:
            asked: the queries, n of them.
            k: how many are wanted.
            apart: queries and base rows of pairs that are left out.
            limits: of each query, a distance beyond which none is wanted (n,).
        """
        errors = self._errors(asked)
        nearest = np.broadcast_to(self._bits(np.square(limits) / 2, errors)[:, None], (len(limits), k))
        found, rough = [], []
        for start in range(0, len(self.points), BLOCK):
            halves = self.precision.magnitudes(asked.points, self.points[start : start + BLOCK])
            halves = halves.reshape(*asked.shape, -1)
            inside = (apart[1] >= start) & (apart[1] < start + halves.shape[2])
            halves[apart[0][inside], :, apart[1][inside] - start] = self.precision.infinite
            closest = halves.min(axis=1)
            nearest = np.sort(np.concatenate([nearest, _smallest(closest, k)], axis=1), axis=1)[:, :k]
            query, column = places(closest <= self._beyond(nearest[:, -1], errors)[:, None])
            reached = closest[query, column]
            possible = halves[query, :, column] <= self._beyond(reached, errors[query])[:, None]
            finite = reached < self.precision.infinite
            found.append(Pairs(query=query, row=start + column, views=possible).only(finite))
            rough.append(reached[finite])
        pairs, limit = Pairs.all_of(*found), self._beyond(nearest[:, -1], errors)
        return pairs.only(np.concatenate(rough) <= limit[pairs.query])

    def _errors(self, asked: RoughQueries) -> Floats:
        """Of each query, how far half a squared distance may be off (n,)."""
        added = _SUM * (len(self.centre) + 8) * (asked.norms + self.reach) ** 2
        errors = asked.lost * self.reach + (asked.norms + asked.lost) * self.lost + added
        return np.asarray(errors.reshape(asked.shape).max(axis=1))

    def _beyond(self, bits: Bits, errors: Floats) -> Bits:
        """What a true value may look like that is no larger than the largest which looks like these bits (n,)."""
        rounding = 1 + 1.1 * self.precision.unit
        return self._bits(rounding * self.precision.values(bits).double().numpy() + errors, errors)

    def _bits(self, halves: Floats, errors: Floats) -> Bits:
        """The largest bits that half a squared distance may look like (n,)."""
        return self.precision.at_least((1 + self.precision.unit) * (halves + errors))


def _centred(points: Singles, centre: Singles) -> tuple[Singles, Singles]:
    """Points (n, d) about a centre, and half their squared norms (n,)."""
    centred = points - centre
    return centred, np.asarray(np.einsum("nd,nd->n", centred, centred) / 2, np.float32)


def _split(values: Singles, precision: Precision) -> Tensor:
    """Numbers (n,) as sums of two that have this precision, or nearly: (n, 2)."""
    high = precision.rounded(values).float().numpy()
    return precision.rounded(np.stack([high, values - high], axis=1))


def _smallest(bits: Bits, k: int) -> Bits:
    """The k smallest of each row (n, m), in no order, or all where there are fewer."""
    if k == 1:
        return np.asarray(bits.min(axis=1, keepdims=True))
    return np.asarray(np.partition(bits, k - 1, axis=1)[:, :k] if k < bits.shape[1] else bits)
