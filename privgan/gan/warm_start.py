"""A one-shot start for the generator: what two noisy averages tell about the images, before any adversary.

Every image is described by its low spatial frequencies, a few cosine coefficients (the two-dimensional DCT). Two
Gaussian queries are asked of every member: the class means of the coefficients (with a constant coordinate for
the counts), then the class second moments around those noisy means. They are a mean embedding under a kernel of
degree two, in the family of DP-MERF (Harder, Adamczewski and Park 2021), on coordinates that anatomy lives in.
Of a noisy covariance only the directions that rise above its noise are kept, shrunk as random matrix theory says
(Benaych-Georges and Nadakuditi 2011), so that noise does not become texture. The generator then learns the implied
Gaussian images for as long as one likes at no further cost, and stays anchored to them during refinement.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import idct
from torch import Tensor

from privgan.checks import positive, strictly_within
from privgan.dp.query import noisy_sum
from privgan.dp.sampling import PatientIndex
from privgan.gan.pixels import from_uint8

_BATCH = 64
Describe = Callable[[Tensor, Tensor], Tensor]  # (coefficients (n, m), labels (n,)) -> vectors (n, d), norm <= 1
_CLASS_SHARE = 0.9  # a class keeps its own covariance if it explains this much of what pooling explains


@dataclass(frozen=True, kw_only=True)
class MomentSettings:
    """Public constants of the two queries.

    share: of the target epsilon, spent on them. order: cosine frequencies u + v < order are used.
    mean_radius, spread_radius: coefficients are clipped to these norms, in units of one pixel of range [-1, 1]
    (root mean square over the image), around grey and around the class mean. count_share: the constant
    coordinate's part of the first vector. mean_noise: noise of the first query relative to the second.
    """

    share: float = 0.6
    order: int = 15
    mean_radius: float = 0.6
    spread_radius: float = 0.3
    count_share: float = 0.3
    mean_noise: float = 2.0

    def __post_init__(self) -> None:
        positive(order=self.order, mean_radius=self.mean_radius, spread_radius=self.spread_radius)
        strictly_within(0.0, 1.0, share=self.share, count_share=self.count_share)


@dataclass(frozen=True, kw_only=True)
class Members:
    """Where the members' images lie. Sensitive: read only by the two queries here and the discriminator's draws.

    images: uint8 memory map (n, h, w); labels: int64 (n,); index: rows by patient.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    index: PatientIndex
    classes: int


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Class means (classes, m), loadings (classes, m, latent) of the kept directions, noisy counts; all DP."""

    means: Tensor
    loadings: Tensor
    counts: Tensor

    def coefficients(self, z: Tensor, labels: Tensor) -> Tensor:
        """The Gaussian image of a latent: (n, latent) -> cosine coefficients (n, m)."""
        return gaussian_coefficients(self.means, self.loadings, z, labels)


def gaussian_coefficients(means: Tensor, loadings: Tensor, z: Tensor, labels: Tensor) -> Tensor:
    """mean_c + L_c z: (n, m) for standard normal z (n, latent) and labels (n,)."""
    spread: Tensor = torch.einsum("nmr,nr->nm", loadings[labels], z)
    return means[labels] + spread


def cosine_basis(size: int, order: int) -> Tensor:
    """Orthonormal low-frequency cosines: float32 (m, size x size), m = order (order + 1) / 2 at most."""
    columns = idct(np.eye(size), axis=0, norm="ortho")
    pairs = [(u, v) for u in range(min(order, size)) for v in range(min(order, size)) if u + v < order]
    return torch.from_numpy(np.stack([np.outer(columns[:, u], columns[:, v]).ravel() for u, v in pairs])).float()


def measure_moments(
    members: Members,
    settings: MomentSettings,
    noise: tuple[float, float],
    *,
    latent: int,
    rng: np.random.Generator,
) -> Moments:
    """Ask the two queries; `noise` are their noise multipliers, as charged.

    Returns:
        Moments with at most `latent` kept directions a class.
    """
    size = members.images.shape[1]
    basis = cosine_basis(size, settings.order)
    m, classes = len(basis), members.classes
    first = noisy_sum(_mean_vectors(members, basis, settings), classes * (m + 1), noise=noise[0], rng=rng).reshape(
        classes, m + 1
    )
    counts = (first[:, 0] / settings.count_share).clamp_min(1.0)
    radius, weight = settings.mean_radius * size, (1 - settings.count_share**2) ** 0.5
    means = first[:, 1:] * radius / (weight * counts[:, None])

    spread = settings.spread_radius * size
    second = noisy_sum(
        _spread_vectors(members, basis, means.float(), spread), classes * m * (m + 1) // 2, noise=noise[1], rng=rng
    ).reshape(classes, -1)
    covariances = _symmetric(second * spread**2 / counts[:, None], m)
    loadings = _loadings(covariances, noise[1] * spread**2, counts, latent)
    return Moments(means=means.float(), loadings=loadings.float(), counts=counts.float())


def _mean_vectors(members: Members, basis: Tensor, settings: MomentSettings) -> Iterator[Tensor]:
    radius = settings.mean_radius * members.images.shape[1]

    def describe(coefficients: Tensor, _: Tensor) -> Tensor:
        clipped = _clip(coefficients / radius) * (1 - settings.count_share**2) ** 0.5
        return torch.cat([torch.full((len(clipped), 1), settings.count_share), clipped], dim=1)

    return _patient_vectors(members, basis, describe)


def _spread_vectors(members: Members, basis: Tensor, means: Tensor, radius: float) -> Iterator[Tensor]:
    rows, columns = torch.triu_indices(len(basis), len(basis))
    # Off-diagonal entries stand for two: the vector then has the norm of the matrix.
    weights = torch.where(rows == columns, 1.0, 2.0**0.5)

    def describe(coefficients: Tensor, labels: Tensor) -> Tensor:
        w = _clip((coefficients - means[labels]) / radius)
        return w[:, rows] * w[:, columns] * weights

    return _patient_vectors(members, basis, describe)


def _patient_vectors(members: Members, basis: Tensor, describe: Describe) -> Iterator[Tensor]:
    """One vector a patient: the mean over their images of (class indicator) x (description), norm at most 1."""
    index, classes = members.index, members.classes
    for start in range(0, index.count, _BATCH):
        bounds = index.starts[start : start + _BATCH + 1]
        patients = len(bounds) - 1
        rows = index.rows[bounds[0] : bounds[-1]]
        owners = torch.from_numpy(np.repeat(np.arange(patients), np.diff(bounds)))
        labels = torch.from_numpy(members.labels[rows])
        real = from_uint8(members.images[rows])
        described = describe(real.flatten(1) @ basis.T, labels)
        sums = torch.zeros((patients * classes, described.shape[1]))
        sums.index_add_(0, owners * classes + labels, described)
        del real, described  # sensitive: only the sum over patients leaves, with noise
        yield sums.reshape(patients, -1) / torch.bincount(owners, minlength=patients)[:, None]


def _clip(vectors: Tensor) -> Tensor:
    return vectors.div(vectors.norm(dim=1, keepdim=True).clamp_min(1.0))


def _symmetric(upper: Tensor, m: int) -> Tensor:
    rows, columns = torch.triu_indices(m, m)
    matrices = torch.zeros((len(upper), m, m), dtype=upper.dtype)
    values = torch.where(rows == columns, 1.0, 2.0**-0.5) * upper
    matrices[:, rows, columns] = values
    matrices[:, columns, rows] = values
    return matrices


def _loadings(covariances: Tensor, noise: float, counts: Tensor, latent: int) -> Tensor:
    """Kept directions scaled by their standard deviations, padded with zeros to (classes, m, latent)."""
    classes, m, _ = covariances.shape
    shares = (counts / counts.sum())[:, None, None]
    pooled = _kept((covariances * shares).sum(0), noise * classes**0.5 / float(counts.sum()), latent)
    loadings = torch.zeros((classes, m, latent), dtype=covariances.dtype)
    for c in range(classes):
        own = _kept(covariances[c], noise / float(counts[c]), latent)
        best = own if own.square().sum() >= _CLASS_SHARE * pooled.square().sum() else pooled
        loadings[c, :, : best.shape[1]] = best
    return loadings


def _kept(covariance: Tensor, noise: float, most: int) -> Tensor:
    """Eigenvectors above the noise edge, times the root of their shrunk eigenvalues: (m, kept).

    The noise matrix has variance noise^2 on the diagonal and half of it elsewhere; its largest eigenvalue tends to
    edge = noise sqrt(2 m). A signal eigenvalue t is seen at t + edge^2 / (4 t), its vector at an angle with
    cos^2 = 1 - edge^2 / (4 t^2).
    """
    edge = noise * (2.0 * len(covariance)) ** 0.5
    seen, vectors = torch.linalg.eigh(covariance)
    above = torch.nonzero(seen > edge).flatten().flip(0)[:most]
    t = (seen[above] + (seen[above].square() - edge**2).sqrt()) / 2
    scales = (t * (1 - edge**2 / (4 * t.square()))).clamp_min(0.0).sqrt()
    return torch.mul(vectors[:, above], scales)
