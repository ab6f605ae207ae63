"""Of noisy means and covariances, the part that is more than noise.

What is left of it in one class and not in another would be taken for a sign of the class by whoever learns from the
synthetic images.
"""

import torch
from torch import Tensor


def by_band(values: Tensor, bands: Tensor) -> Tensor:
    """Sums (n, bands) of values (n, m) over the coordinates of each band; bands: (m,), from 0."""
    total = torch.zeros(len(values), len(torch.bincount(bands)), dtype=values.dtype)
    return total.index_add_(1, bands, values)


def shrunk(means: Tensor, counts: Tensor, noise: Tensor, bands: Tensor) -> Tensor:
    """Class means drawn towards their average, and that towards 0, band by band, as far as noise explains them.

    Within a band a class's distances d_i from the average have the mean square s^2 + noise^2; the best guess of a
    true distance is then (1 - noise^2 / mean d^2) d (James and Stein 1961).

    Args:
        means: (classes, m).
        counts: (classes,).
        noise: (classes,), standard deviation of a coordinate.
        bands: (m,), from 0; coordinates of one band are thought alike.
    """
    average = (means * counts[:, None]).sum(0, keepdim=True) / counts.sum()
    unsure = (noise * counts).norm(dim=0, keepdim=True) / counts.sum()
    return _more_than_noise(average, unsure, bands) + _more_than_noise(means - average, noise, bands)


def _more_than_noise(values: Tensor, noise: Tensor, bands: Tensor) -> Tensor:
    power = by_band(values.square(), bands) / torch.bincount(bands)
    true = (1 - noise[:, None] ** 2 / power.clamp_min(1e-12)).clamp_min(0.0)
    return values * true[:, bands]


def grain(left: Tensor, noise: Tensor, counts: Tensor, bands: Tensor) -> Tensor:
    """Standard deviations (groups, m) of what the kept directions leave, alike within a band.

    A group's own variance in a band is drawn towards that of all groups as far as noise explains their difference
    (empirical Bayes, as in `shrunk`, each group heard as clearly as its noise lets it speak).

    Args:
        left: (groups, m), variances that may be noise.
        noise: (groups,), standard deviation of each of them.
        counts: (groups,), patients.
        bands: as in `shrunk`.
    """
    size = torch.bincount(bands)
    own = by_band(left, bands) / size
    average = (own * counts[:, None]).sum(0) / counts.sum()
    away, unsure = own - average, noise[:, None].square() / size
    true = ((away.square() / unsure - 1).sum(0) / (1 / unsure).sum(0)).clamp_min(0.0)
    drawn = average + away * true / (true + unsure)
    return drawn.clamp_min(0.0).sqrt()[:, bands]


def kept(covariance: Tensor, noise: float, most: int) -> Tensor:
    """Eigenvectors above the noise edge, times the root of their shrunk eigenvalues: (m, kept).

    The noise matrix has variance noise^2 on the diagonal and half of it elsewhere; its largest eigenvalue tends to
    edge = noise sqrt(2 m). A signal eigenvalue t is seen at t + edge^2 / (4 t), its vector at an angle with
    cos^2 = 1 - edge^2 / (4 t^2) (Benaych-Georges and Nadakuditi 2011).
    """
    edge = noise * (2.0 * len(covariance)) ** 0.5
    seen, vectors = torch.linalg.eigh(covariance)
    above = torch.nonzero(seen > edge).flatten().flip(0)[:most]
    t = (seen[above] + (seen[above].square() - edge**2).sqrt()) / 2
    scales = (t * (1 - edge**2 / (4 * t.square()))).clamp_min(0.0).sqrt()
    return torch.mul(vectors[:, above], scales)


def loadings(sums: Tensor, noise: float, counts: Tensor, most: int) -> Tensor:
    """Kept directions of each group's covariance.

    They are looked for among all directions, and among the fewer that stand out of all groups together, where the
    noise is less; the search that explains more of the group is taken.

    Args:
        sums: (groups, m, m), noisy sums of products.
        noise: of a diagonal entry of `sums`.
        counts: (groups,), what to divide by.
        most: directions at most.

    Returns:
        (groups, m, most), zeros where fewer are kept.
    """
    pooled = kept(sums.sum(0) / counts.sum(), noise * len(sums) ** 0.5 / float(counts.sum()), most)
    shared = pooled / pooled.norm(dim=0).clamp_min(1e-12)
    found = torch.zeros((len(sums), sums.shape[1], most), dtype=sums.dtype)
    for group, (total, count) in enumerate(zip(sums, counts.tolist(), strict=True)):
        own = kept(total / count, noise / count, most)
        among = shared @ kept(shared.T @ total @ shared / count, noise / count, most)
        best = max(own, among, key=lambda directions: float(directions.square().sum()))
        found[group, :, : best.shape[1]] = best
    return found
