"""How far public images lie from patients, by what was released of these: nearer than pictures of no kind, or not.

A network that learned from heads draws skulls into chests, and images are worse for it than without any. Two
Gaussians lie apart by the root of |m - n|^2 + tr(A + B - 2 (A^1/2 B A^1/2)^1/2) (Dowson and Landau 1982, Gelbrich
1990). By that adults' X-rays lie twice as far from children's as these spread, and yet help: what is lighter, of more
contrast or elsewhere is `brought`. So both are thought around one mean and with one spread, and what is left to
compare is which parts of a picture vary together.

The measure is a picture of no kind: in every frequency as strong as the public images, and alike everywhere, so that
no two frequencies go together. Public images that lie no nearer than that say nothing of the patients' kind, but of
pictures in general. Nobody is asked anything: it is a function of released sums and public images.
"""

import math
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from privgan.gan.finishing.gaussians import covariance_of, described_alike, means_of, power
from privgan.gan.networks.public_prior import Prior
from privgan.gan.ranks.ranks import Ranks
from privgan.gan.warm_start import Mixture, MixtureImages, MixtureShape
from privgan.gan.warm_start.shrinkage import by_band
from privgan.progress import Progress, silent
from privgan.run import PriorNamed

FARTHEST = 1.0  # as far as pictures of no kind
_MOST = 2000  # public images that are looked at
# Of the most that patients could differ by, and of what they do: where noise hides ways of differing that large, it
# hides their kind. `train` spends on the first only if told to (`training.outlook`).
_HOPELESS, _DROWNED = 0.12, 0.25
_FAINT = 1e-4  # of the strongest direction: what is weaker is rounding

Noise = tuple[float, float]
"""As `warm_start.measure.noise_of_products` has it."""


def judged(
    prior: Prior, released: Mixture, shape: MixtureShape, noise: Noise, ranks: Ranks, progress: Progress = silent
) -> PriorNamed:
    """What a run says of its prior once patients were asked: how far it lies, and whether it is used.

    The ranks decide as one: at the limit the last bit of a machine could part them. Arguments as `distance`.
    """
    found = distance(prior.images, released, shape, noise, progress)
    found = None if found is None else round(found, 2)  # judged as it is said
    far = ranks.highest(int(found is not None and found >= FARTHEST))
    return replace(prior.named, used=not far, distance=found)


def distance(
    images: NDArray[np.uint8], released: Mixture, shape: MixtureShape, noise: Noise, progress: Progress = silent
) -> float | None:
    """How far public images, uint8 (n, h, h, c), lie, as a multiple of pictures of no kind; None if noise hides it.

    Args:
        images: at least two.
        released: of the patients.
        shape: of that.
        noise: of the sums that say in what patients differ.
        progress: listener.
    """
    start = MixtureImages(shape)
    start.fill(released)
    patients = _covariance(start, released.counts)
    spread, most = noise
    edge = spread * math.sqrt(2 * len(patients)) / float(released.counts.mean())  # as in `shrinkage.kept`
    # Noise of the averages counts as a difference, too, and the more the less else is heard: hence the first limit.
    if edge > _HOPELESS * most or edge > _DROWNED * float(patients.trace()) or not start.loadings.any():
        return None
    rows = np.linspace(0, len(images) - 1, min(len(images), _MOST)).round().astype(np.int64)
    public = torch.cov(described_alike(images[rows], start, released.counts, progress).own.double().T)
    bands = shape.coordinates.bands[: shape.coordinates.count]
    return multiple(patients, public, _kept(start), bands)


def multiple(patients: Tensor, public: Tensor, kept: Tensor, bands: Tensor) -> float:
    """Of covariances (m, m), float64: how far the public one lies as a multiple of one that no two numbers share.

    Both are seen as the patients' was released: in the `kept` directions, orthonormal (m, k), all of it, of the rest
    how strong each band is. Compared whole, what noise hid of the patients would count as a distance.
    """

    def seen(covariance: Tensor) -> Tensor:
        clear = kept @ (kept.mT @ covariance @ kept) @ kept.mT
        return clear + _level(covariance - clear, bands)

    return _apart(patients, seen(public)) / _apart(patients, seen(public.diagonal().diag()))


def _covariance(start: MixtureImages, counts: Tensor) -> Tensor:
    """(m, m), float64: of all patients together, whatever their class."""
    shares, means = (counts / counts.sum()).double(), means_of(start).double()
    away = means - shares @ means
    within = torch.stack([covariance_of(start, label) for label in range(len(shares))])
    return torch.einsum("c,cmn->mn", shares, within) + torch.einsum("c,cm,cn->mn", shares, away, away)


def _kept(start: MixtureImages) -> Tensor:
    """An orthonormal basis (m, k), float64, of the directions in which patients are known to vary, or classes to."""
    away = (start.means - means_of(start).mean(0)).permute(2, 0, 1).flatten(1)
    directions = torch.cat([start.loadings.permute(2, 0, 1, 3).flatten(1), away], dim=1).double()
    found, strengths, _ = torch.linalg.svd(directions, full_matrices=False)
    basis: Tensor = found[:, strengths > _FAINT * strengths[0]]
    return basis


def _level(covariance: Tensor, bands: Tensor) -> Tensor:
    """As strong in each band, and alike everywhere."""
    power_of = by_band(covariance.diagonal()[None], bands)[0] / torch.bincount(bands)
    return power_of.clamp_min(0.0)[bands].diag()


def _apart(first: Tensor, second: Tensor) -> float:
    """Gelbrich's distance of two covariances, each of a spread of 1."""
    root = power(first / first.trace(), 0.5)
    common = torch.linalg.eigvalsh(root @ (second / second.trace()) @ root).clamp_min(0.0).sqrt().sum()
    return float((2 - 2 * common).clamp_min(1e-12).sqrt())
