"""The Gaussians that a warm start released of its patients, and public images in the same coordinates."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from privgan.gan.finishing.drawings import Described
from privgan.gan.warm_start import MixtureImages
from privgan.progress import Progress, silent


def described_alike(
    images: NDArray[np.uint8], start: MixtureImages, counts: Tensor, progress: Progress = silent
) -> Described:
    """Public images, uint8 (n, h, h, c), described as patients were: moved onto the average image of all of those.

    counts: (classes,), patients as released.
    """
    shape = start.shape
    average = counts / counts.sum() @ means_of(start)
    template = shape.coordinates.template(torch.cat([average, start.fine]))
    return Described.of(images, shape, progress, template=template)


def means_of(start: MixtureImages) -> Tensor:
    """(classes, m), over the components."""
    return (start.shares[..., None] * start.means).sum(1)


def covariance_of(start: MixtureImages, label: int) -> Tensor:
    """Of a class's coordinates, float64 (m, m): within its components, and between them."""
    shares, means = start.shares[label].double(), start.means[label].double()
    away = means - shares @ means
    loadings, grain = start.loadings[label].double(), start.grain[label].double()
    within = torch.einsum("k,kmr,knr->mn", shares, loadings, loadings) + (shares @ grain.square()).diag()
    return within + torch.einsum("k,km,kn->mn", shares, away, away)


def power(matrix: Tensor, exponent: float) -> Tensor:
    """A symmetric matrix without negative variances, to a power."""
    variances, directions = torch.linalg.eigh(matrix)
    found: Tensor = (directions * variances.clamp_min(1e-9) ** exponent) @ directions.T
    return found
