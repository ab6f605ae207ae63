"""The losses of the two players; one equation each."""

import torch
import torch.nn.functional as F
from torch import Tensor

from privgan.gan.warm_start import Moments


def discriminator_losses(scores: Tensor, targets: Tensor) -> Tensor:
    """Logistic loss of each image: log(1 + exp(-target x score)), targets +1 real and -1 fake (Goodfellow 2014)."""
    return F.softplus(-targets * scores)


def generator_loss(scores: Tensor) -> Tensor:
    """Non-saturating loss: -log sigmoid(D(G(z))), averaged over fakes."""
    return F.softplus(-scores).mean()


def anchor_loss(images: Tensor, basis: Tensor, z: Tensor, labels: Tensor, moments: Moments) -> Tensor:
    """Mean square distance, a pixel, of the fakes' low frequencies from what the released moments say for this z.

    High frequencies are free: the release knows nothing about them.
    """
    wanted = moments.coefficients(z, labels)
    found = images.flatten(1) @ basis.T
    # Clamping to the valid range moves coefficients of the release too; compare after it.
    clamped = (wanted @ basis).clamp(-1, 1) @ basis.T
    return (found - clamped).square().sum(1).mean() / basis.shape[1]


def fake_accuracy(scores: Tensor) -> float:
    """Share of fakes that the discriminator calls fake; it looks at no patient, so it costs nothing."""
    return float((scores < 0).float().mean())


def as_targets(real: int, fakes: int, device: torch.device) -> Tensor:
    """+1 for each real image, then -1 for each fake: float32 (real + fakes,)."""
    return torch.cat([torch.ones(real, device=device), -torch.ones(fakes, device=device)])
