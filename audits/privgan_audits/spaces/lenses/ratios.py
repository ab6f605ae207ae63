"""How far real images are from others through a lens: by a bound, for all pairs, and exactly, for some."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from privgan.arrays import Bits, Flags, Floats, Integers, Singles
from privgan_audits.spaces.lenses.references import SLACK, alike
from privgan_audits.spaces.lenses.views import LensViews
from privgan_audits.spaces.search.screening import Precision, fastest, places

_CLOSEST = 1e-6  # ratio below which nothing is closer
_FAR = 1.2  # in units of the reference: parts that do not agree
_PAIRS = 1 << 20  # numbers of pairs that are compared at once: what stays in a cache
_AT_ONCE = 512  # real images in one block of products
_COLUMNS = 1 << 12  # their views there, at most: rows must be many, too
_TILE = 1 << 18  # products at once, which a processor's cache holds
_FEWEST = 64  # others in one block of products, which fewer make slower
_READY = 3 << 29  # bytes of views, ready for products, that are held where they are not kept as they are


@dataclass(frozen=True, kw_only=True, eq=False)
class LensRatios:
    """The geometric mean of those parts of two images that agree best, in units of the real image's references.

    weights: of each part (parts, n), by which a squared distance is divided by the reference's square. ready: some
    real images, by the first, while somebody looks.
    """

    views: LensViews
    weights: Floats
    ready: dict[int, "list[_Part]"] = field(default_factory=dict)

    @classmethod
    def of(cls, views: LensViews, references: Sequence[Floats]) -> "LensRatios":
        """By the references of each part (n,)."""
        return cls(views=views, weights=np.stack([2.0 / each**2 for each in references]))

    def exact(self, real: Integers, others: Sequence[Singles], other: Integers) -> Floats:
        """In float64, of pairs of images, rows of the real and of the others (k,): (k,).

        others: their every part, float32 (m, d).
        """
        step = max(1, _PAIRS // (self.views.changes * sum(part.shape[1] for part in others)))
        order = np.argsort(real, kind="stable")  # what is not kept is made once for all pairs of an image
        found = np.empty(len(real))
        for start in range(0, len(real), step):
            pairs = order[start : start + step]
            found[pairs] = self._measured(real[pairs], others, other[pairs])
        return found

    def forget(self) -> None:
        """Hold nothing until somebody looks again."""
        self.ready.clear()
        self.views.forget()

    def least_squares(self, others: Sequence[Singles]) -> Singles:
        """Never more than a ratio's square, but for single precision: float32 (m, n), others first."""
        precision, count, images = fastest(), len(others[0]), len(self.weights[0])
        rounded, least = [precision.rounded(part) for part in others], np.empty((count, images), np.float32)
        step = max(1, min(_AT_ONCE, _COLUMNS // self.views.changes))
        for first in range(0, images, step):
            rows = slice(first, first + step)
            parts = self._ready(rows, precision)
            tile = max(_FEWEST, _TILE // len(parts[0].views))
            for start in range(0, count, tile):
                columns = slice(start, start + tile)
                together = _Together.of(self.views.lens.agreeing, (len(rounded[0][columns]), len(parts[0].edge)))
                for part, points in zip(parts, rounded, strict=True):
                    if self.views.lens.agreeing == 1:
                        together.add_all(part.all(points[columns], precision))
                    else:
                        together.add(*part.near(points[columns], precision))
                least[columns, rows] = together.mean()
        return least

    def _ready(self, rows: slice, precision: Precision) -> "list[_Part]":
        """The parts of some real images; held if they would have to be made again, and there is room for all."""
        if rows.start in self.ready:
            return self.ready[rows.start]
        parts = [
            _Part.of(views, weight[rows], precision)
            for views, weight in zip(self.views.some(rows.start, rows.stop), self.weights, strict=True)
        ]
        if not self.views.whole and len(self.views) * sum(part.each for part in parts) <= _READY:
            self.ready[rows.start] = parts
        return parts

    def _measured(self, real: Integers, others: Sequence[Singles], other: Integers) -> Floats:
        seen, theirs = self.views.at(real), np.stack([points.take(other, axis=0) for points in others])
        weights = self.weights.take(real, axis=1)
        part, pair = places(self._possible(weights, seen, theirs))
        squares = np.full(weights.shape, _FAR**2)
        closest = alike(seen[part, pair], theirs[part, pair])
        squares[part, pair] = np.minimum(weights[part, pair] * (1.0 - closest), _FAR**2)
        agreeing = self.views.lens.agreeing
        best = np.full((agreeing, len(real)), _FAR**2)
        last = min(agreeing, len(squares)) - 1
        best[: last + 1] = np.partition(squares, last, axis=0)[: last + 1]
        product = np.prod(np.maximum(best, _CLOSEST**2), axis=0)
        return np.asarray(product ** (0.5 / agreeing))

    def _possible(self, weights: Floats, seen: Singles, theirs: Singles) -> Flags:
        """Which parts of pairs may be among the nearest that agree: bool (parts, k), by single precision.

        seen: float32 (parts, k, views, d). theirs: float32 (parts, k, d).
        """
        agreeing = self.views.lens.agreeing
        if len(seen) <= agreeing:
            return np.ones(weights.shape, np.bool_)
        roughly = np.abs(np.einsum("pkvd,pkd->pkv", seen, theirs)).max(axis=2)
        farthest = np.partition(weights * (1.0 - roughly + SLACK), agreeing - 1, axis=0)[agreeing - 1]
        return np.asarray(weights * (1.0 - roughly - SLACK) <= np.minimum(farthest, _FAR**2))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """One part of some real images, ready for products. views: (views * n, d), by their weights. edge: (n,).

    far: bits (n,) of products up to which a pair is no nearer than parts are called that do not agree.
    """

    views: Tensor
    edge: Singles
    far: Bits

    @classmethod
    def of(cls, views: Singles, weight: Floats, precision: Precision) -> "_Part":
        """Of views float32 (n, views, d)."""
        scaled = views * (precision.stretch * weight[:, None, None]).astype(np.float32)
        edge = (weight * (1.0 - precision.slack)).astype(np.float32)
        return cls(
            views=precision.rounded(scaled).transpose(0, 1).flatten(0, 1),
            edge=edge,
            far=precision.at_most(edge.astype(np.float64) - _FAR**2),
        )

    @property
    def each(self) -> int:
        """Bytes of an image's views."""
        return self.views.nbytes // len(self.edge)

    def near(self, points: Tensor, precision: Precision) -> tuple[Integers, Singles]:
        """Pairs with points (m, d) that may not be far, as places in a table (m, n): hardly one in a hundred.

        And of each at least the negative of the square of its distance, by weight: float32 (k,).
        """
        alike = self._alike(points, precision)
        place = np.flatnonzero(alike >= self.far)
        return place, precision.values(alike.ravel()[place]).numpy() - self.edge[place % len(self.edge)]

    def all(self, points: Tensor, precision: Precision) -> Singles:
        """Of all pairs, float32 (m, n): which is quicker where only one part has to be near."""
        return precision.values(self._alike(points, precision)).sub_(torch.from_numpy(self.edge)).numpy()

    def _alike(self, points: Tensor, precision: Precision) -> Bits:
        alike = precision.magnitudes(points, self.views)
        if len(self.views) > len(self.edge):
            alike = alike.reshape(len(points), -1, len(self.edge)).max(axis=1)
        return alike


@dataclass(frozen=True, kw_only=True, eq=False)
class _Together:
    """The nearest parts of pairs, so far: float32 (agreeing, m * n), the nearest first. shape: (m, n)."""

    best: Singles
    shape: tuple[int, int]

    @classmethod
    def of(cls, agreeing: int, shape: tuple[int, int]) -> "_Together":
        """Of pairs all of whose parts are far."""
        return cls(best=np.full((agreeing, shape[0] * shape[1]), -(_FAR**2), np.float32), shape=shape)

    def add(self, place: Integers, near: Singles) -> None:
        """One more part of some pairs."""
        for kept in self.best:  # what is farther goes on to the next
            held = kept[place]
            kept[place] = np.maximum(held, near)
            near = np.minimum(held, near)

    def add_all(self, near: Singles) -> None:
        """One more part of all pairs (m, n), where one part is enough."""
        np.maximum(self.best[0], near.ravel(), out=self.best[0])

    def mean(self) -> Singles:
        """The geometric mean of each pair's nearest parts, (m, n)."""
        squares = np.maximum(-self.best, np.float32(_CLOSEST**2))
        product = squares[0] if len(squares) == 1 else np.sqrt(squares[0] * squares[1])
        return np.asarray(product.reshape(self.shape))
