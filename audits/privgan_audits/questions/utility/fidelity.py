"""How alike two sets of points are: the numbers of the field, each after its paper.

Points are rows in some feature space, real ones X (n, d) of mean 0 and variance 1 (over all directions together),
and generated ones Y (m, d). The numbers depend on n and m: they mean something beside those of as many real points.
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from privgan.arrays import Flags, Floats, Integers, Singles
from privgan_audits.spaces.search.neighbours import nearest

NEIGHBOURS = 5  # k of the manifold estimates
_BLOCK = 512
_ROUNDING = 1e-12  # of a squared distance in float64: a point lies inside its equal's ball of radius 0


@dataclass(frozen=True, kw_only=True)
class Manifolds:
    """Precision and recall (Kynkaanniemi et al. 2019), density and coverage (Naeem et al. 2020)."""

    precision: float
    recall: float
    density: float
    coverage: float


def manifolds(X: Singles, Y: Singles, k: int = NEIGHBOURS) -> Manifolds:
    """Whether points lie in each other's balls, which reach to the k-th nearest point of their own set; n, m > k.

    precision: share of Y in a ball of X; recall: share of X in a ball of Y (Kynkaanniemi et al. 2019, equation 1).
    density: balls of X that hold a point of Y, over k, averaged; it may exceed one. coverage: share of the balls of X
    that hold a point of Y (Naeem et al. 2020, equations 3 and 4).
    """
    held_by_real, real_holds = _held(X, _radii(X, k), Y)
    held_by_generated, _ = _held(Y, _radii(Y, k), X)
    return Manifolds(
        precision=float((held_by_real > 0).mean()),
        recall=float((held_by_generated > 0).mean()),
        density=float(held_by_real.mean() / k),
        coverage=float(real_holds.mean()),
    )


def nearest_other(X: Singles) -> Floats:
    """Distance of each point (n, d) to the nearest other one (n,)."""
    return _radii(X, 1)


def frechet_distance(X: Singles, Y: Singles) -> float:
    """|mu_X - mu_Y|^2 + tr(S_X + S_Y - 2 (S_X S_Y)^(1/2)) of the two samples (Heusel et al. 2017, section 3).

    With S = R'R the last trace is the sum of the singular values of R_X R_Y', which needs no square root of a matrix.
    """
    centres = [points.mean(axis=0, dtype=np.float64) for points in (X, Y)]
    roots = [_root(points - centre) for points, centre in zip((X, Y), centres, strict=True)]
    apart = float(np.square(centres[0] - centres[1]).sum())
    spread = sum(float(np.square(root).sum()) for root in roots)
    return apart + spread - 2 * float(scipy.linalg.svdvals(roots[0] @ roots[1].T).sum())


def kernel_distance(X: Singles, Y: Singles) -> float:
    """Unbiased squared maximum mean discrepancy, k(x, y) = (x'y / d + 1)^3 (Binkowski et al. 2018, section 4).

    Points are first stretched by sqrt(d), so that real x'x / d is about 1, as the kernel expects. May be negative.
    """
    within = [(_kernel_sum(points, points) - _kernel_diagonal(points)) / _pairs(len(points)) for points in (X, Y)]
    return within[0] + within[1] - 2 * _kernel_sum(X, Y) / (len(X) * len(Y))


def vendi_score(X: Singles, bandwidth: float) -> float:
    """The effective number of different points (Friedman and Dieng 2023, "The Vendi score", definition 3.1).

    exp of the entropy of the eigenvalues of K / n, K_ij = exp(-|x_i - x_j|^2 / (2 bandwidth^2)): n where all points
    are many bandwidths apart, 1 where all are the same. Costs n^3.
    """
    squares = np.maximum(_squares(X.astype(np.float64), X.astype(np.float64)), 0.0)
    eigenvalues = scipy.linalg.eigvalsh(np.exp(-squares / (2 * bandwidth**2)) / len(X))
    positive = eigenvalues[eigenvalues > 0]
    return float(np.exp(-(positive * np.log(positive)).sum()))


def _radii(X: Singles, k: int) -> Floats:
    """Distance of each point to the k-th nearest other one (n,)."""
    numbers = np.arange(len(X))
    return nearest(X, X, k=k, turns=_upright, apart=(numbers, numbers)).distances[:, -1]


def _held(centres: Singles, radii: Floats, points: Singles) -> tuple[Integers, Flags]:
    """In how many balls each point lies (m,), and which balls hold any (n,)."""
    limits, values = np.square(radii)[:, None] + _ROUNDING, points.astype(np.float64)
    times, holds = np.zeros(len(points), np.int64), np.zeros(len(centres), np.bool_)
    for start in range(0, len(centres), _BLOCK):
        part = slice(start, start + _BLOCK)
        inside = _squares(centres[part].astype(np.float64), values) <= limits[part]
        times += inside.sum(axis=0)
        holds[part] = inside.any(axis=1)
    return times, holds


def _squares(a: Floats, b: Floats) -> Floats:
    """Squared distances (n, m)."""
    norms = np.square(a).sum(axis=1)[:, None] + np.square(b).sum(axis=1)
    return np.asarray(norms - 2 * a @ b.T)


def _root(centred: Floats) -> Floats:
    """R with R'R the unbiased covariance of the rows."""
    upper = np.linalg.qr(centred, mode="r")
    return np.asarray(upper / np.sqrt(len(centred) - 1))


def _kernel(products: Floats) -> Floats:
    return np.asarray((products + 1.0) ** 3)


def _kernel_sum(X: Singles, Y: Singles) -> float:
    other = Y.astype(np.float64).T
    blocks = (X[start : start + _BLOCK].astype(np.float64) for start in range(0, len(X), _BLOCK))
    return sum(float(_kernel(block @ other).sum()) for block in blocks)


def _kernel_diagonal(X: Singles) -> float:
    return float(_kernel(np.square(X.astype(np.float64)).sum(axis=1)).sum())


def _pairs(count: int) -> int:
    return count * (count - 1)


def _upright(points: Singles) -> list[Singles]:
    return [points]
