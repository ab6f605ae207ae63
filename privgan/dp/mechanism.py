"""One noisy gradient of the discriminator: the only code that turns patients into a parameter update.

    draw patients -> mean gradient each -> clip at C -> sum -> + N(0, (sigma C)^2) once -> / public constant

Fakes go through the same forward passes, a constant number of them, each clipped like a patient: they carry
no information about patients beyond the discriminator, so they change the sensitivity of the sum by nothing.
The divisor is fixed in advance: one that depends on the draw leaks (Opacus issues 571 and 819).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from privgan.checks import positive
from privgan.dp.clipping.patient_gradients import PatientGradients
from privgan.dp.noise import noised


@dataclass(frozen=True, kw_only=True)
class MechanismSettings:
    """What the guarantee of one step depends on.

    clipping_norm: C. noise_multiplier: sigma. normaliser: the public constant that the noisy sum is divided by.
    """

    clipping_norm: float
    noise_multiplier: float
    normaliser: float

    def __post_init__(self) -> None:
        positive(
            clipping_norm=self.clipping_norm,
            noise_multiplier=self.noise_multiplier,
            normaliser=self.normaliser,
        )


@dataclass(frozen=True, kw_only=True)
class Contributions:
    """Images of drawn patients and fakes, in one list. Sensitive: it lives for one step.

    images: float32 (n, 1, h, w); labels: int64 (n,); targets: float32 (n,), +1 real and -1 fake;
    owners: int64 (n,), ascending: drawn patients first, then every fake as an owner of its own.
    """

    images: Tensor
    labels: Tensor
    targets: Tensor
    owners: Tensor


ImageLosses = Callable[[Tensor, Tensor], Tensor]  # (scores (n,), targets (n,)) -> losses (n,)


def noisy_gradient(
    model: PatientGradients,
    batch: Contributions,
    losses: ImageLosses,
    settings: MechanismSettings,
    *,
    rng: np.random.Generator,
    microbatch: int,
) -> None:
    """Set `.grad` of every parameter to one release of the Gaussian mechanism.

    Micro-batches bound the memory and change nothing: sums are float64 and noise is added once, also when
    nobody was drawn.

    Args:
        model: its output for (images, labels) is a score (n,).
        batch: see `Contributions`.
        losses: per-image losses; no image may influence another's.
        settings: see `MechanismSettings`.
        rng: a cryptographic generator.
        microbatch: about how many images go through at once.
    """

    def image_losses(rows: Tensor) -> Tensor:
        images, labels, targets = (_taken(part, rows) for part in (batch.images, batch.labels, batch.targets))
        return losses(model.model(images, labels), targets)

    totals = [torch.zeros(p.shape, dtype=torch.float64, device=p.device) for p in model.trainable]
    for rows in _microbatches(batch.owners, microbatch):
        for total, part in zip(totals, model.clipped_sums(image_losses, rows, settings.clipping_norm), strict=True):
            total.add_(part)
    for parameter, total in zip(model.trainable, totals, strict=True):
        scale = settings.noise_multiplier * settings.clipping_norm
        noisy = noised(total, scale=scale, rng=rng)
        parameter.grad = noisy.div_(settings.normaliser).to(parameter.dtype)


def _microbatches(owners: Tensor, microbatch: int) -> Iterator[Tensor]:
    """Rows (patients, images) of owners with equally many images, about `microbatch` rows at a time.

    owners: int64 (n,), ascending.
    """
    counts = torch.bincount(owners)
    for images in torch.unique(counts[counts > 0]).tolist():
        rows = torch.nonzero(counts[owners] == images).reshape(-1, images)
        yield from torch.split(rows, max(1, microbatch // images))


def _taken(values: Tensor, rows: Tensor) -> Tensor:
    """values[rows] for ascending rows, without a copy where they follow one another."""
    first, last = int(rows[0]), int(rows[-1])
    return values[first : last + 1] if last - first + 1 == len(rows) else values[rows]
