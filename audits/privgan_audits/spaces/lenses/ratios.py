"""How far real images are from others through a lens: by a bound, for all pairs, and exactly, for some."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from privgan.arrays import Floats, Integers, Singles
from privgan_audits.spaces.lenses.references import PAIRS, alike
from privgan_audits.spaces.lenses.views import LensViews
from privgan_audits.spaces.search.screening import Precision, fastest

_CLOSEST = 1e-6  # ratio below which nothing is closer
_FAR = 1.2  # in units of the reference: parts that do not agree
_AT_ONCE = 512  # real images in one block of products
_TILE = 1 << 18  # products at once, which a processor's cache holds


@dataclass(frozen=True, kw_only=True, eq=False)
class LensRatios:
    """The geometric mean of those parts of two images that agree best, in units of the real image's references.

    weights: of each part (n,), by which a squared distance is divided by the reference's square.
    """

    views: LensViews
    weights: Sequence[Floats]

    @classmethod
    def of(cls, views: LensViews, references: Sequence[Floats]) -> "LensRatios":
        """By the references of each part (n,)."""
        return cls(views=views, weights=[2.0 / each**2 for each in references])

    def exact(self, real: Integers, others: Sequence[Singles], other: Integers) -> Floats:
        """In float64, of pairs of images, rows of the real and of the others (k,): (k,).

        others: their every part, float32 (m, d).
        """
        step = max(1, PAIRS // (self.views.changes * sum(part.shape[1] for part in others)))
        parts = [slice(start, start + step) for start in range(0, len(real), step)]
        return np.concatenate([np.zeros(0), *(self._measured(real[part], others, other[part]) for part in parts)])

    def least_squares(self, others: Sequence[Singles]) -> Singles:
        """Never more than a ratio's square, but for single precision: float32 (m, n), others first."""
        precision, count, images = fastest(), len(others[0]), len(self.weights[0])
        rounded, least = [precision.rounded(part) for part in others], np.empty((count, images), np.float32)
        for first in range(0, images, _AT_ONCE):
            rows = slice(first, first + _AT_ONCE)
            parts = [
                _Part.of(views, weight[rows], precision)
                for views, weight in zip(self.views.some(first, first + _AT_ONCE), self.weights, strict=True)
            ]
            tile = max(1, _TILE // len(parts[0].views))
            for start in range(0, count, tile):
                columns = slice(start, start + tile)
                pairs = zip(parts, rounded, strict=True)
                near = (part.nearness(points[columns], precision) for part, points in pairs)
                least[columns, rows] = _together(near, self.views.lens.agreeing)
        return least

    def _measured(self, real: Integers, others: Sequence[Singles], other: Integers) -> Floats:
        best = [np.full(len(real), _FAR**2) for _ in range(self.views.lens.agreeing)]
        for weight, views, points in zip(self.weights, self.views.at(real), others, strict=True):
            squared = weight[real] * (1.0 - alike(views, points[other]))
            for kept in best:  # the smallest so far, in order; what is larger goes on to the next
                larger = np.maximum(kept, squared)
                np.minimum(kept, squared, out=kept)
                squared = larger
        product = np.prod([np.maximum(kept, _CLOSEST**2) for kept in best], axis=0)
        return np.asarray(product ** (0.5 / len(best)))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """One part of some real images, ready for products. views: (views * n, d), by their weights. edge: (n,)."""

    views: Tensor
    edge: Tensor

    @classmethod
    def of(cls, views: Singles, weight: Floats, precision: Precision) -> "_Part":
        """Of views float32 (n, views, d)."""
        scaled = views * (precision.stretch * weight[:, None, None]).astype(np.float32)
        edge = torch.from_numpy((weight * (1.0 - precision.slack)).astype(np.float32))
        return cls(views=precision.rounded(scaled).transpose(0, 1).flatten(0, 1), edge=edge)

    def nearness(self, points: Tensor, precision: Precision) -> Tensor:
        """At least the negative of the square of each distance to points (m, d), by weight: float32 (m, n)."""
        alike = precision.magnitudes(points, self.views)
        if len(self.views) > len(self.edge):
            alike = alike.reshape(len(points), -1, len(self.edge)).max(axis=1)
        return precision.values(alike).sub_(self.edge)


def _together(parts: Iterable[Tensor], agreeing: int) -> Singles:
    """The geometric mean of the `agreeing` nearest parts, of which each is given by its `nearness` (m, n)."""
    best: list[Tensor] = []
    for part in parts:
        near = part
        best = best or [torch.full_like(near, -(_FAR**2)) for _ in range(agreeing)]
        for number, kept in enumerate(best):  # the nearest so far, in order; what is farther goes on to the next
            farther = torch.minimum(kept, near) if number + 1 < agreeing else near
            torch.maximum(kept, near, out=kept)
            near = farther
    product = torch.stack([kept.neg_().clamp_min_(_CLOSEST**2) for kept in best]).prod(0)
    return np.asarray((product ** (1 / agreeing)).numpy())
