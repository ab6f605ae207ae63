"""The head start: learned from pictures of nobody, close to the warm start, its latents like a generator's."""

import numpy as np
import pytest
import torch

from privgan.gan.networks import Generator, GeneratorConfig
from privgan.gan.networks.autoencoder import START, Encoder, fit_as_decoder, lowest_basis, smooth
from privgan.gan.networks.dead_leaves import dead_leaves
from tests.gan.small import FORM, LATENT, ORDER, SIZE, small_mixture

CONFIG = GeneratorConfig(
    form=FORM,
    latent=LATENT,
    width=16,
    order=ORDER,
    align=False,
    bend=0.0,
    network="autoencoder",
)


def _generator(torch_rng: torch.Generator) -> Generator:
    generator = Generator(CONFIG, torch_rng)
    generator.warm_start(small_mixture())
    return generator


@pytest.fixture(scope="module")
def fitted() -> tuple[Generator, Encoder]:
    torch_rng = torch.Generator().manual_seed(0)
    generator = _generator(torch_rng)
    return generator, fit_as_decoder(generator, 150, torch_rng)


def test_its_images_are_still_close_to_the_warm_starts(fitted: tuple[Generator, Encoder]) -> None:
    """Something is added, about as little as was meant; the released moments are as they were."""
    generator, mixture = fitted[0], small_mixture()
    z, labels = torch.randn(200, generator.config.mixture.latent), torch.arange(200) % 2
    with torch.no_grad():
        added = generator(z, labels) - generator.start(z, labels)
    assert 0.2 * START < float(added.square().mean().sqrt()) < 1.5 * START
    assert torch.equal(generator.start.means, mixture.means)
    assert torch.equal(generator.start.loadings, mixture.loadings)


def test_it_has_learned_how_edges_look(fitted: tuple[Generator, Encoder]) -> None:
    """On pictures it has not seen, what it adds to low frequencies points to what they lack; without fitting it
    does not. Its size was turned down, so only the direction counts.
    """
    pictures = torch.from_numpy(dead_leaves(200, SIZE, 1, np.random.default_rng(1)))
    torch_rng = torch.Generator().manual_seed(1)
    fresh = _generator(torch_rng)
    torch.nn.init.normal_(fresh.last.weight, std=0.02, generator=torch_rng)
    found = []
    for generator in (fitted[0], fresh):
        low = smooth(pictures, lowest_basis(generator))
        with torch.no_grad():
            mean, _ = fitted[1](pictures)
            added = generator.detail(mean, low)
        found.append(float(torch.cosine_similarity(added.flatten(1), (pictures - low).flatten(1)).mean()))
    assert found[0] > 0.35
    assert abs(found[1]) < 0.15


def test_latents_of_pictures_are_about_standard_normal(fitted: tuple[Generator, Encoder]) -> None:
    """Mean 0, variance 1 and little correlation: a decoder of such latents can be asked for random ones."""
    pictures = torch.from_numpy(dead_leaves(500, SIZE, 1, np.random.default_rng(2)))
    with torch.no_grad():
        mean, log_variance = fitted[1](pictures)
        z = mean + (log_variance / 2).exp() * torch.randn(mean.shape, generator=torch.Generator().manual_seed(0))
    assert float(z.mean(0).abs().max()) < 0.4
    variances, correlations = z.T.cov().diagonal(), z.T.corrcoef() - torch.eye(LATENT)
    assert 0.5 < float(variances.min()) <= float(variances.max()) < 2
    assert float(correlations.abs().max()) < 0.5
    assert float(mean.std(0).max()) > 0.3  # and they do say something about the picture


@pytest.mark.parametrize("channels", [1, 3])
def test_leaves_lie_on_each_other(channels: int) -> None:
    """In range, different from each other, flat in most places and with edges, the same for the same generator."""
    pictures = dead_leaves(30, 32, channels, np.random.default_rng(0))
    assert pictures.shape == (30, channels, 32, 32)
    assert pictures.dtype == np.float32
    assert np.abs(pictures).max() <= 1
    steps = np.abs(np.diff(pictures, axis=3))
    assert np.median(steps) < 0.1 < np.quantile(steps, 0.97)
    assert pictures.reshape(30, -1).std(0).min() > 0.3
    assert np.array_equal(pictures, dead_leaves(30, 32, channels, np.random.default_rng(0)))
