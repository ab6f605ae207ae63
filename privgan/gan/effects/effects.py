"""What a record does to an image, of one noisy sum: every value of every column moves a class's average.

A table was asked for before and says how common records are. The sum asks what goes along with them: for every value
of every column the mean of what images differ from their class's average by, in the warm start's coordinates. Asked
together with what the table says of the same values (their means and products), such a sum is a linear regression of
coordinates on records; means alone would not say whose image goes with whose record (DP-TabImage, 2026).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from privgan.gan.effects.odds import Odds, shortened
from privgan.records.schema import CATEGORY, ORDINAL

_LEAST = 0.1  # of the mean variance: no direction is thought to vary less
_CUT = 1.3  # of the root mean square length of a weighed offset: longer ones are cut to that
_WIDER = 1.4  # groups of directions grow by so much
_ROUNDS = 60  # of the search for variances
_RARE = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Effects:
    """values: (K, m), what each value of a record adds to the coordinates of an image, around the average record."""

    odds: Odds
    values: Tensor

    def of(self, records: Tensor) -> Tensor:
        """(n, m), what records (n, 1 + columns) add."""
        return self.odds.centred(records) @ self.values


@dataclass(frozen=True, kw_only=True, eq=False)
class Directions:
    """In what the coordinates of images differ from their class's average, as was released before.

    axes: float64 (m, m), orthonormal columns; sizes: (m,), standard deviations along them, falling. A record moves an
    image along a direction by so much of its size, so that all directions are heard alike by those who are asked:
    each weighed by its size to the power of -1/2, noise does least harm to effects that are a part of what they are
    among.
    """

    axes: Tensor
    sizes: Tensor

    @classmethod
    def of(cls, covariance: Tensor) -> Self:
        """Of a covariance, float64 (m, m)."""
        variances, axes = torch.linalg.eigh(covariance)
        least = _LEAST * float(variances.mean().clamp_min(_RARE))
        return cls(axes=axes.flip(1), sizes=variances.flip(0).clamp_min(least).sqrt())

    def bounded(self, offsets: Tensor) -> Tensor:
        """Offsets (n, m) along the directions, weighed, of length 1 at most."""
        return shortened(offsets @ (self.axes * self._weights).float())

    def offsets(self, effects: Tensor) -> Tensor:
        """In coordinates (K, m), of effects in units of the directions' sizes."""
        return (effects * self.sizes) @ self.axes.T

    @property
    def units(self) -> Tensor:
        """(m,), of what `bounded` gives, in sizes."""
        return 1 / (self._weights * self.sizes)

    @property
    def groups(self) -> list[slice]:
        """Directions next to each other, the more the smaller they are."""
        ends = [1]
        while ends[-1] < len(self.sizes):
            ends.append(min(max(ends[-1] + 1, round(_WIDER * ends[-1])), len(self.sizes)))
        return [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]

    @cached_property
    def _weights(self) -> Tensor:
        weights: Tensor = self.sizes**-0.5 / (_CUT * self.sizes.sum().sqrt())
        return weights


def effects(sums: Tensor, odds: Odds, shares: Tensor, noise: float, directions: Directions) -> Tensor:
    """What each value adds to the coordinates of an image, as far as it is more than noise.

    The sum says moments x effects + noise. Along directions of about one size effects are thought to be a part of
    that size, one part for each column, and of columns in order one for what is steady and one for the rest. How
    large the parts are the sum itself tells (empirical Bayes, by the steps of Zhou et al. 2019, "MM algorithms for
    variance components models"); the best guess is then the mean of what effects can be.

    Args:
        sums: float64 (K, m), a patient, of what `Directions.bounded` gives.
        odds: of the records.
        shares: (classes,), of the patients.
        noise: standard deviation of each number of `sums`.
        directions: released before.

    Returns:
        (K, m), of coordinates. Those of an ordinal go one way where they differ most.
    """
    shares = shares.double()
    moments, kernels = odds.moments(shares), _kernels(odds)
    heard, unsure = sums * directions.units, noise * directions.units
    found = torch.zeros_like(heard)
    for group in directions.groups:
        found[:, group] = _posterior(heard[:, group], moments, kernels, float(unsure[group].square().mean().sqrt()))
    levels = list(odds.levels)
    weights = torch.split(shares @ odds.expected.double(), levels)
    parts = zip(torch.split(found, levels), weights, odds.kinds, strict=True)
    ordered = [_in_order(part, weight) if kind == ORDINAL else part for part, weight, kind in parts]
    return directions.offsets(torch.cat(ordered))


def _kernels(odds: Odds) -> Tensor:
    """(parts, K, K): how much alike the effects of two values of a column are thought to be.

    Those of values in order do not jump: they walk from one to the next, and may go straight on.
    """
    found, start = [], 0
    for count, kind in zip(odds.levels, odds.kinds, strict=True):
        place = torch.linspace(-1, 1, count - 1, dtype=torch.float64)
        alike, steady = torch.eye(count, dtype=torch.float64), torch.zeros(count, count, dtype=torch.float64)
        if kind != CATEGORY:
            alike[1:, 1:] = 1 - (place[:, None] - place).abs() / 2
            steady[1:, 1:] = place[:, None] * place
        for part in (alike, steady)[: 1 + (kind != CATEGORY)]:
            whole = torch.zeros(odds.values, odds.values, dtype=torch.float64)
            whole[start : start + count, start : start + count] = part
            found.append(whole)
        start += count
    return torch.stack(found)


def _posterior(sums: Tensor, moments: Tensor, kernels: Tensor, noise: float) -> Tensor:
    """(K, b): the mean of effects, given sums (K, b)."""
    seen = moments @ kernels @ moments.T  # (parts, K, K), of effects of size 1
    told = seen.diagonal(dim1=1, dim2=2).sum(1).clamp_min(_RARE)
    sizes = sums.square().mean(1).sum() / (told * len(kernels))
    noises = (noise**2 + _RARE) * torch.eye(len(moments), dtype=torch.float64)
    for _ in range(_ROUNDS):
        inverse = torch.linalg.inv(torch.einsum("j,jkl->kl", sizes, seen) + noises)
        heard = inverse @ sums
        explained = torch.einsum("kb,jkl,lb->j", heard, seen, heard) / sums.shape[1]
        sizes = sizes * (explained / torch.einsum("kl,jlk->j", inverse, seen).clamp_min(_RARE)).sqrt()
    heard = torch.linalg.solve(torch.einsum("j,jkl->kl", sizes, seen) + noises, sums)
    best: Tensor = torch.einsum("j,jkl->kl", sizes, kernels) @ moments.T @ heard
    return best


def _in_order(values: Tensor, weights: Tensor) -> Tensor:
    """Effects (levels, m) of an ordinal, whose first says that nothing is known.

    Where they differ most, no value lies behind the one before: the nearest such places, each value as heavy as it is
    common (pool adjacent violators).
    """
    known, heavy = values[1:], weights[1:].clamp_min(_RARE)
    away = known - (heavy @ known) / heavy.sum()
    direction = torch.linalg.svd(away * heavy.sqrt()[:, None], full_matrices=False).Vh[0]
    places = away @ direction
    tries = [sign * _isotonic(sign * places, heavy) for sign in (1.0, -1.0)]
    best = min(tries, key=lambda tried: float((heavy * (tried - places).square()).sum()))
    return torch.cat([values[:1], known + (best - places)[:, None] * direction])


def _isotonic(values: Tensor, weights: Tensor) -> Tensor:
    """The nearest ascending values (n,)."""
    blocks: list[tuple[float, float, int]] = []  # mean, weight, how many
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        mean, heavy, count = value, weight, 1
        while blocks and blocks[-1][0] > mean:
            before, more, others = blocks.pop()
            mean, heavy, count = (mean * heavy + before * more) / (heavy + more), heavy + more, count + others
        blocks.append((mean, heavy, count))
    means, counts = torch.tensor([b[0] for b in blocks], dtype=values.dtype), torch.tensor([b[2] for b in blocks])
    return torch.repeat_interleave(means, counts)
