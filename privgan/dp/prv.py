"""Privacy losses as random variables on a mesh, composed by Fourier transforms, with a proven error.

Gopi, Lee and Wutschitz 2021, "Numerical composition of differential privacy" (arXiv 2106.02848): the loss of each
query is cut to a domain, rounded to the mesh and moved by a constant that restores its mean, so that roundings
cancel; sums of losses are convolutions on a ring. Adding a patient and removing one are composed apart, since what is
worse once need not be worse in a composition (Lebeda, Regehr, Kamath and Steinke 2024, "Avoiding pitfalls for privacy
accounting of subsampled mechanisms under composition").
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import scipy  # its parts are imported when they are used: who reads a ledger needs none of them

from privgan.arrays import Floats
from privgan.dp.divergence import epsilon_rdp
from privgan.dp.gaussian import GaussianQueries, log_ratio, outcomes_at

_TAIL = 12.0  # standard deviations; beyond them lies 1e-33
_ROUNDING = 1e-16  # of delta, a step; up to a third of it was seen, with 10,000 steps as with a million
_LEAST_POINTS = 4096  # of the trapezoids of a mean


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """Where losses of a composition are computed: at `points` multiples of `width` around 0.

    The epsilon that is found is off by at most `epsilon_error`, and its delta by at most `delta_error`.
    """

    width: float
    points: int
    epsilon_error: float
    delta_error: float

    @classmethod
    def of(cls, queries: Sequence[GaussianQueries], *, epsilon_error: float, delta_error: float) -> Self:
        """The mesh of theorem 5.5, on the domain of remark 5.6; for an epsilon_error of at most 1.

        Of delta_error, a sixth is for losses outside the domain, a sixth for roundings that sum to more than
        epsilon_error (Hoeffding), and a third for sums that leave the ring.
        """
        steps = sum(query.steps for query in queries)
        singles = [epsilon_rdp([replace(query, steps=1)], delta_error / (8 * steps)) for query in queries]
        half = max(epsilon_rdp(queries, delta_error / 4), *singles) + 3.0
        width = epsilon_error / math.sqrt(steps / 2 * math.log(12 / delta_error))
        points = scipy.fft.next_fast_len(math.ceil(2 * half / width) + 1, real=True)
        return cls(width=width, points=points, epsilon_error=epsilon_error, delta_error=delta_error)

    def coarser(self, times: float) -> Self:
        """The same domain with so many times fewer points, and errors in epsilon."""
        points = scipy.fft.next_fast_len(math.ceil(self.points / times) + 1, real=True)
        return replace(self, width=self.width * times, points=points, epsilon_error=self.epsilon_error * times)

    def losses(self, drift: float = 0.0) -> Floats:
        """Those on the mesh, moved by `drift` but still around 0: (points,)."""
        places = np.arange(self.points, dtype=np.float64) - self.points // 2 - round(drift / self.width)
        return drift + self.width * places


def epsilon_prv(queries: Sequence[GaussianQueries], delta: float, mesh: Mesh) -> float:
    """Upper bound: what the mesh finds at delta less its error, and its error in epsilon on top."""
    sides = [_composed(queries, mesh, adding) for adding in (False, True)]
    left = delta - mesh.delta_error - _ROUNDING * sum(query.steps for query in queries)
    found = [_epsilon_at(*side, left, least=-mesh.epsilon_error) for side in sides]
    return max(found) + mesh.epsilon_error


def _composed(queries: Sequence[GaussianQueries], mesh: Mesh, adding: bool) -> tuple[Floats, Floats]:
    """Losses of all queries together, ascending, and their probabilities: (points,) each; algorithm 1."""
    drift, spectrum = 0.0, np.ones(mesh.points // 2 + 1, np.complex128)
    for query in queries:
        probabilities, moved = _discretised(query, mesh, adding)
        spectrum *= scipy.fft.rfft(scipy.fft.ifftshift(probabilities)) ** query.steps
        drift += moved * query.steps
    around = mesh.points // 2 + round(drift / mesh.width)
    return mesh.losses(drift), np.roll(scipy.fft.irfft(spectrum, mesh.points), around)


def _discretised(query: GaussianQueries, mesh: Mesh, adding: bool) -> tuple[Floats, float]:
    """Probabilities of one query's loss on the mesh, and how far the mesh moves for the mean: algorithm 2."""
    losses = mesh.losses()
    edges = np.append(losses, losses[-1] + mesh.width) - mesh.width / 2
    below = _below(query, edges, adding)
    probabilities = np.diff(below) / (below[-1] - below[0])
    return probabilities, _mean(query, edges[0], edges[-1], adding) - float(losses @ probabilities)


def _below(query: GaussianQueries, losses: Floats, adding: bool) -> Floats:
    """The probability that one query's loss is at most each of these: (n,).

    When a patient is removed, the loss is `log_ratio` of what was released with them; when one is added, it is the
    negative of it of what was released without them.
    """
    s, q = query.noise_multiplier, query.sample_rate
    if adding:
        return np.asarray(scipy.special.ndtr(-outcomes_at(s, q, -losses) / s))
    z = outcomes_at(s, q, losses)
    return np.asarray((1 - q) * scipy.special.ndtr(z / s) + q * scipy.special.ndtr((z - 1) / s))


def _mean(query: GaussianQueries, least: float, most: float, adding: bool) -> float:
    """The mean of one query's loss between two losses, by trapezoids over what may be released."""
    s, q = query.noise_multiplier, query.sample_rate
    ends = outcomes_at(s, q, np.array([-most, -least] if adding else [least, most]))
    low, high = np.clip(ends, -_TAIL * s, 1 + _TAIL * s)
    z = np.linspace(low, high, max(_LEAST_POINTS, math.ceil(3 * (high - low) / s**2)))
    ratio = log_ratio(s, q, z)
    density = np.exp(-z * z / (2 * s * s) + (0.0 if adding else ratio))
    return float(np.trapezoid(density * (-ratio if adding else ratio)) / np.trapezoid(density))


def _epsilon_at(losses: Floats, probabilities: Floats, delta: float, *, least: float) -> float:
    """The smallest epsilon, not below `least`, at which the mean of (1 - exp(epsilon - loss))+ is at most delta."""
    first = int(np.searchsorted(losses, least))
    losses, probabilities = losses[first:], probabilities[first:]
    above = probabilities[::-1].cumsum()[::-1]
    weighed = (probabilities * np.exp(-losses))[::-1].cumsum()[::-1]
    enough = np.flatnonzero(above - np.exp(losses) * weighed <= delta)
    if not len(enough):
        return math.inf
    cell = int(enough[0])  # the epsilon lies before its loss and after the one before
    left = float(above[cell]) - delta
    return max(least, math.log(left / float(weighed[cell]))) if left > 0 else least
