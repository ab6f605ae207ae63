"""A generative adversarial network with no privacy, trained far too long on too few patients: a leak as it happens.

Planted copies show that the audit finds copies; this shows that it finds what it was built for. Nothing here
remembers an image on purpose: the generator sees only noise and the discriminator's gradient (Goodfellow et al.
2014), and the discriminator learns the few images by heart. With 256 patients that takes some thousand steps.
"""

import copy
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from privgan.gan.warm_start import cosine_basis

LATENT = 32
_BATCH = 32
_RATE, _BETAS = 2e-3, (0.5, 0.99)
_PENALTY, _PENALTY_EVERY = 0.5, 4
_AVERAGING = 0.995


def overfitted_gan(
    images: NDArray[np.uint8], seed: int, *, steps: int = 4000, order: int = 12, count: int = 800, width: int = 512
) -> NDArray[np.uint8]:
    """Train on all images and return `count` generated ones: uint8 (n, size, size, 1) -> (count, size, size, 1).

    The same seed gives the same images on one machine. At 32 pixels 4,000 steps take half a minute of one core.

    Args:
        images: uint8 (n, size, size, 1), two at least and not all alike.
        seed: of the first weights, the batches and the noise.
        steps: of the discriminator and the generator each.
        order: cosine frequencies that the networks work in; finer detail is left out. A fixed basis, so that
            whatever leaks was learned by the networks.
        count: how many images to draw.
        width: of the hidden layers; half as many units learn half as many patients by heart in a fifth of the time.
    """
    frame = _Frame.of(images, order)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator = _trained(frame.inside(images), steps, width)
        with torch.no_grad():
            return frame.outside(generator(torch.randn(count, LATENT)))


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """Images as cosine coefficients: basis (m, pixels), mean (m,), scale in grey levels."""

    size: int
    basis: Tensor
    mean: Tensor
    scale: Tensor

    @classmethod
    def of(cls, images: NDArray[np.uint8], order: int) -> "_Frame":
        basis = cosine_basis(images.shape[1], order)
        values = torch.from_numpy(images).flatten(1).float() @ basis.T
        mean = values.mean(0)
        scale = (values - mean).square().sum(1).mean().sqrt() / images.shape[1]
        return cls(size=images.shape[1], basis=basis, mean=mean, scale=scale)

    def inside(self, images: NDArray[np.uint8]) -> Tensor:
        """uint8 (n, size, size, 1) -> float32 (n, m)."""
        return (torch.from_numpy(images).flatten(1).float() @ self.basis.T - self.mean) / self.scale

    def outside(self, points: Tensor) -> NDArray[np.uint8]:
        """Back again, rounded to grey levels."""
        grey = ((points * self.scale + self.mean) @ self.basis).clamp(0, 255).round().to(torch.uint8)
        levels: NDArray[np.uint8] = grey.reshape(-1, self.size, self.size, 1).numpy()
        return levels


def _trained(real: Tensor, steps: int, width: int) -> nn.Module:
    """The generator's moving average after training against real points (n, m)."""
    generator = _layers(LATENT, width, real.shape[1])
    discriminator = _layers(real.shape[1], width, 1)
    average = copy.deepcopy(generator)
    ours = torch.optim.Adam(generator.parameters(), lr=_RATE, betas=_BETAS, fused=True)
    theirs = torch.optim.Adam(discriminator.parameters(), lr=_RATE, betas=_BETAS, fused=True)
    for step in range(steps):
        batch = real[torch.randint(len(real), (_BATCH,))]
        with torch.no_grad():
            fakes = generator(torch.randn(_BATCH, LATENT))
        loss = F.softplus(discriminator(fakes)).mean() + F.softplus(-discriminator(batch)).mean()
        if step % _PENALTY_EVERY == 0:
            loss = loss + _PENALTY_EVERY * _PENALTY / 2 * _steepness(discriminator, batch)
        _descend(theirs, loss)
        _descend(ours, F.softplus(-discriminator(generator(torch.randn(_BATCH, LATENT)))).mean())
        with torch.no_grad():
            for kept, new in zip(average.parameters(), generator.parameters(), strict=True):
                kept.lerp_(new, 1 - _AVERAGING)
    return average


def _layers(inputs: int, width: int, outputs: int) -> nn.Sequential:
    hidden = (nn.Linear(inputs, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2))
    return nn.Sequential(*hidden, nn.Linear(width, outputs))


def _steepness(discriminator: nn.Module, batch: Tensor) -> Tensor:
    """R1 of Mescheder, Geiger and Nowozin (2018), which keeps a winning discriminator from stalling the generator."""
    points = batch.clone().requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(points).sum(), points, create_graph=True)
    return slope.square().sum(1).mean()


def _descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
