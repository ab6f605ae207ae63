"""Of a noisy covariance, the directions that are more than noise."""

import torch
from torch import Tensor

_OWN_SHARE = 0.9  # a group keeps its own covariance if it explains this much of what pooling explains


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
