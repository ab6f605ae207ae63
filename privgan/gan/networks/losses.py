"""The losses of the two players; one equation each.

The discriminator's are per image, because its gradients are clipped per patient: nothing may depend on a batch.
In all of them a score above zero means real.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from privgan.gan.names import HINGE, NON_SATURATING, WASSERSTEIN
from privgan.gan.warm_start import analysed

_DRIFT = 0.05


def discriminator_losses(scores: Tensor, targets: Tensor) -> Tensor:
    """Logistic loss of each image: log(1 + exp(-target x score)), targets +1 real and -1 fake (Goodfellow 2014)."""
    return F.softplus(-targets * scores)


def hinge_losses(scores: Tensor, targets: Tensor) -> Tensor:
    """Hinge loss of each image: max(0, 1 - target x score) (Lim and Ye 2017)."""
    return F.relu(1 - targets * scores)


def critic_losses(scores: Tensor, targets: Tensor) -> Tensor:
    """Wasserstein loss of each image, -target x score (Arjovsky, Chintala and Bottou 2017), plus drift x score^2.

    There is no gradient penalty: it would need second derivatives for every patient, and its points between a real
    image and a fake would tie each patient's gradient to the fakes. What a step may change is bounded all the same,
    by the clipping norm. The critic would be free up to a constant; the drift term (Karras, Aila, Laine and Lehtinen
    2018) pins it, one image at a time: the best score is (p - q) / (p + q) / (2 drift) for densities p of the real
    and q of the fakes, so that zero again is where both are equally likely.
    """
    return _DRIFT * scores.square() - targets * scores


def generator_loss(scores: Tensor) -> Tensor:
    """Non-saturating loss: -log sigmoid(D(G(z))), averaged over fakes (Goodfellow 2014)."""
    return F.softplus(-scores).mean()


def linear_generator_loss(scores: Tensor) -> Tensor:
    """-D(G(z)), averaged over fakes; of the hinge and of the Wasserstein game."""
    return -scores.mean()


@dataclass(frozen=True, kw_only=True)
class Loss:
    """One game. discriminator: (scores (n,), targets (n,)) -> losses (n,); generator: scores of fakes (n,) -> ()."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


LOSSES: Mapping[str, Loss] = {
    NON_SATURATING: Loss(discriminator=discriminator_losses, generator=generator_loss),
    HINGE: Loss(discriminator=hinge_losses, generator=linear_generator_loss),
    WASSERSTEIN: Loss(discriminator=critic_losses, generator=linear_generator_loss),
}


def anchor_loss(images: Tensor, start: Tensor, basis: Tensor) -> Tensor:
    """Mean square distance, a pixel, of the fakes' low frequencies from those that the warm start drew.

    High frequencies are free: the release knows nothing about them. Both are (n, channels, h, w).
    """
    return analysed(images - start, basis).square().sum(1).mean() / images[0].numel()


def fake_accuracy(scores: Tensor) -> float:
    """Share of fakes that the discriminator calls fake; it looks at no patient, so it costs nothing."""
    return float((scores < 0).float().mean())


def as_targets(real: int, fakes: int, device: torch.device) -> Tensor:
    """+1 for each real image, then -1 for each fake: float32 (real + fakes,)."""
    return torch.cat([torch.ones(real, device=device), -torch.ones(fakes, device=device)])
