"""Of noisy means and covariances, the part that is more than noise.

What is left of it in one class and not in another would be taken for a sign of the class by whoever learns from the
synthetic images.
"""

import torch
from torch import Tensor

_OWN_SHARE = 0.9  # a group keeps its own covariance if it explains this much of what pooling explains


def shrunk(means: Tensor, counts: Tensor, noise: Tensor, bands: Tensor) -> Tensor:
    """Class means drawn towards their average, band by band, as far as noise explains their differences.

    Within a band a class's distances d_i from the average have the mean square s^2 + noise^2; the best guess of a
    true distance is then (1 - noise^2 / mean d^2) d (James and Stein 1961).

    Args:
        means: (classes, m).
        counts: (classes,).
        noise: (classes,), standard deviation of a coordinate.
        bands: (m,), from 0; coordinates of one band are thought alike.
    """
    average = (means * counts[:, None]).sum(0) / counts.sum()
    away = means - average
    size = torch.bincount(bands).double()
    power = torch.zeros(len(means), len(size), dtype=means.dtype).index_add_(1, bands, away.square().to(means.dtype))
    true = (1 - noise[:, None] ** 2 / (power / size).clamp_min(1e-12)).clamp_min(0.0)
    return average + away * true[:, bands]


def grain(left: Tensor, noise: float, counts: Tensor, bands: Tensor) -> Tensor:
    """Standard deviations (m,) of what the kept directions leave, of all classes together and alike within a band.

    Args:
        left: (classes, m), variances that may be noise.
        noise: of a diagonal entry of the sums that the variances come from.
        counts: (classes,), what those were divided by.
        bands: as in `shrunk`.
    """
    pooled = (left * counts[:, None]).sum(0) / counts.sum()
    size = torch.bincount(bands).double()
    average = torch.zeros_like(size).index_add_(0, bands, pooled.double()) / size
    unsure = noise * len(left) ** 0.5 / float(counts.sum()) / size.sqrt()
    deviations: Tensor = (average - unsure).clamp_min(0.0).sqrt()
    return deviations[bands]


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
    """Kept directions of each group's covariance, or of the pooled one where a group's own is too noisy.

    Args:
        sums: (groups, m, m), noisy sums of products.
        noise: of a diagonal entry of `sums`.
        counts: (groups,), what to divide by.
        most: directions at most.

    Returns:
        (groups, m, most), zeros where fewer are kept.
    """
    pooled = kept(sums.sum(0) / counts.sum(), noise * len(sums) ** 0.5 / float(counts.sum()), most)
    found = torch.zeros((len(sums), sums.shape[1], most), dtype=sums.dtype)
    for group, (total, count) in enumerate(zip(sums, counts.tolist(), strict=True)):
        own = kept(total / count, noise / count, most)
        best = own if own.square().sum() >= _OWN_SHARE * pooled.square().sum() else pooled
        found[group, :, : best.shape[1]] = best
    return found
