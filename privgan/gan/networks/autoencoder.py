"""A head start for the detail part: how edges sit on smooth images, learned from procedural pictures alone.

The generator's detail part is fitted as the decoder of a variational autoencoder (Kingma and Welling 2014), whose
latents are close to standard normal as the generator's are. A picture's lowest frequencies take the place of the warm
start; the decoder adds what they lack. No patient is involved: this costs nothing but time.
"""

import numpy as np
import torch
from torch import Tensor, nn

from privgan.gan.networks.dead_leaves import dead_leaves
from privgan.gan.networks.descent import Adam
from privgan.gan.networks.discriminators import convolutions
from privgan.gan.networks.generators import Generator, fakes_at_once
from privgan.gan.networks.layers import linear
from privgan.gan.warm_start import cosine_basis
from privgan.language import to_tr, tr
from privgan.progress import Progress, silent

TASK = to_tr("fitting the autoencoder")
START = 0.02  # root mean square of what is added to the warm start's images at first, of values in [-1, 1]
_PICTURES = 512
_RATE = 2e-3
_PIXEL_NOISE = 0.2  # of the decoder's Gaussian: how much a pixel may be missed; twice as much, and z is not used
# With all the frequencies of the linear part given, what is left can hardly be learned; a warm start varies in the
# lowest ones anyway.
_GIVEN = 3  # one part in so many of the orders


def fit_as_decoder(
    generator: Generator, steps: int, torch_rng: torch.Generator, progress: Progress = silent
) -> "Encoder":
    """Fit the detail part, then turn it down until it hardly changes the images that the linear part draws.

    Returns:
        The other half of the autoencoder, of no further use in training.
    """
    config, device = generator.config, generator.basis.device
    pictures = dead_leaves(_PICTURES, config.form.side, config.form.channels, np.random.default_rng(0))
    encoder, lowest = Encoder(generator, torch_rng).to(device), lowest_basis(generator).to(device)
    parts = (generator.lift, generator.blocks, generator.last, encoder)
    nn.init.normal_(generator.last.weight, std=0.02, generator=torch_rng)
    optimiser = Adam([p for part in parts for p in part.parameters()], rate=_RATE)
    for step in range(steps):
        rows = torch.randint(len(pictures), (fakes_at_once(config.form.side),), generator=torch_rng)
        images = torch.from_numpy(pictures[rows.numpy()]).to(device)
        optimiser.zero_grad()
        torch.autograd.backward(_evidence_bound(generator, encoder, images, lowest, torch_rng))
        optimiser.step()
        progress(tr(TASK), step + 1, steps)
    generator.zero_grad(set_to_none=True)
    _turn_down(generator, torch_rng)
    return encoder


class Encoder(nn.Module):
    """Pictures (n, channels, size, size) -> means and log-variances of their latents, (n, latent) each."""

    def __init__(self, generator: Generator, torch_rng: torch.Generator) -> None:
        super().__init__()
        config = generator.config
        self.features, found = convolutions(config.form.side, config.form.channels, config.width // 2, torch_rng)
        self.latents = linear(found, 2 * config.latent, torch_rng)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        mean, log_variance = self.latents(self.features(images).flatten(1)).chunk(2, dim=1)
        return mean, log_variance.clamp(-10, 10)


def lowest_basis(generator: Generator) -> Tensor:
    """The cosines (m, size x size) that stand for a warm start."""
    return cosine_basis(generator.config.form.side, max(1, generator.config.order // _GIVEN))


def smooth(images: Tensor, basis: Tensor) -> Tensor:
    """What a basis (m, h x w) says of images (n, channels, h, w)."""
    return (images.flatten(2) @ basis.T @ basis).reshape(images.shape)


def _evidence_bound(
    generator: Generator, encoder: Encoder, images: Tensor, lowest: Tensor, torch_rng: torch.Generator
) -> Tensor:
    """-ELBO: |x - G(z)|^2 / (2 s^2) + KL(N(mean, variance) | N(0, 1)), averaged over the pictures."""
    mean, log_variance = encoder(images)
    away = torch.randn(mean.shape, generator=torch_rng).to(mean.device)
    z = mean + (log_variance / 2).exp() * away
    low = smooth(images, lowest)
    missed = (images - low - generator.detail(z, low)).square().sum((1, 2, 3)) / (2 * _PIXEL_NOISE**2)
    divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum(1) / 2
    bound: Tensor = (missed + divergence).mean()
    return bound


def _turn_down(generator: Generator, torch_rng: torch.Generator) -> None:
    with torch.no_grad():
        z = torch.randn(fakes_at_once(generator.config.form.side), generator.config.latents, generator=torch_rng)
        z = z.to(generator.basis.device)
        labels = torch.arange(len(z), device=z.device) % len(generator.config.form.classes)
        added = generator.detail(z, generator.begun(z, labels))
        gain = START / added.square().mean().sqrt().clamp_min(START)
        for weights in generator.last.parameters():
            weights.mul_(gain)
