"""How many steps fit into the minutes that a user has, measured on random images before anything is charged."""

import time
from collections.abc import Callable

import numpy as np
import torch

from privgan.dp.clipping import with_example_gradients
from privgan.dp.mechanism import Contributions, MechanismSettings, noisy_gradient
from privgan.dp.noise import secure_generator
from privgan.gan.losses import as_targets, discriminator_losses, generator_loss
from privgan.gan.networks import Discriminator, Generator, GeneratorConfig
from privgan.gan.settings import TrainSettings

_REPEATS = 3
_RESERVE = 0.8  # machines slow down, checkpoints take time


def affordable_steps(
    settings: TrainSettings, minutes: float, *, size: int, classes: int, device: torch.device
) -> int:
    """At least 1; the number of discriminator steps, with their share of generator steps, that fill the minutes."""
    latent, fakes = settings.model.latent, settings.refinement.fakes
    config = GeneratorConfig(
        image_size=size, classes=tuple(map(str, range(classes))), latent=latent, width=settings.model.generator_width
    )
    generator = Generator(config).to(device)
    plain = Discriminator(image_size=size, classes=classes, width=settings.model.discriminator_width).to(device)
    critic = with_example_gradients(plain)
    rng, real = secure_generator(), settings.privacy.batch * settings.privacy.images_per_patient
    labels = torch.zeros(real + fakes, dtype=torch.int64, device=device)
    owners = np.concatenate([np.repeat(np.arange(settings.privacy.batch), settings.privacy.images_per_patient)])
    mechanism = MechanismSettings(clipping_norm=1.0, noise_multiplier=1.0, normaliser=1.0)

    def once() -> None:
        z = torch.randn(fakes, latent, device=device)
        images = torch.cat([torch.rand(real, 1, size, size, device=device), generator(z, labels[:fakes]).detach()])
        batch = Contributions(
            images=images,
            labels=labels,
            targets=as_targets(real, fakes, device),
            owners=torch.from_numpy(np.concatenate([owners, settings.privacy.batch + np.arange(fakes)])).to(device),
        )
        micro = settings.speed.microbatch
        noisy_gradient(critic, batch, discriminator_losses, mechanism, rng=rng, microbatch=micro)

    def generator_step() -> None:
        critic.disable_hooks()
        fake = generator(torch.randn(fakes, latent, device=device), labels[:fakes])
        torch.autograd.backward(generator_loss(plain(fake, labels[:fakes])))
        critic.enable_hooks()

    each = _median_seconds(once) + _median_seconds(generator_step) / settings.ladder.first
    return max(1, int(minutes * 60 * _RESERVE / each))


def _median_seconds(work: Callable[[], None]) -> float:
    work()
    seconds = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))
