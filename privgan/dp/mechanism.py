"""One noisy gradient of the discriminator: the only code that turns patients into a parameter update.

    draw patients -> mean gradient each -> clip at C -> sum -> + N(0, (sigma C)^2) once -> / public constant

Fakes go through the same forward passes, a constant number of them, each clipped like a patient: they carry
no information about patients beyond the discriminator, so they change the sensitivity of the sum by nothing.
The divisor is fixed in advance: one that depends on the draw leaks (Opacus issues 571 and 819).
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from privgan.checks import positive
from privgan.dp.clipping import ExampleGradients, clipped_sums
from privgan.dp.noise import gaussian_like


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
    model: ExampleGradients,
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
        model: wrapped by `with_example_gradients`; its output for (images, labels) is a score (n,).
        batch: see `Contributions`.
        losses: per-image losses; no image may influence another's.
        settings: see `MechanismSettings`.
        rng: a cryptographic generator.
        microbatch: about how many images go through at once.
    """
    parameters = list(model.parameters())
    totals = [torch.zeros(p.shape, dtype=torch.float64, device=p.device) for p in parameters]
    for start, stop in _owner_aligned(batch.owners, microbatch):
        part = slice(start, stop)
        scores = model(batch.images[part], batch.labels[part])
        _backward(losses(scores, batch.targets[part]).sum())
        owners = batch.owners[part] - batch.owners[start]
        sums = clipped_sums(model, owners, int(owners[-1]) + 1, settings.clipping_norm)
        totals = [total + part_sum for total, part_sum in zip(totals, sums, strict=True)]
    for parameter, total in zip(parameters, totals, strict=True):
        scale = settings.noise_multiplier * settings.clipping_norm
        noisy = total + gaussian_like(total, scale=scale, rng=rng)
        parameter.grad = (noisy / settings.normaliser).to(parameter.dtype)


def _backward(total: Tensor) -> None:
    with warnings.catch_warnings():
        # The first layer's input wants no gradient; its hook says so at every step.
        warnings.filterwarnings("ignore", message="Full backward hook is firing")
        torch.autograd.backward(total)


def _owner_aligned(owners: Tensor, microbatch: int) -> list[tuple[int, int]]:
    """Cut (n,) ascending owners into pieces of about `microbatch` that never split an owner."""
    ends = [*(torch.nonzero(owners[1:] != owners[:-1]).flatten() + 1).tolist(), len(owners)]
    pieces: list[tuple[int, int]] = []
    start, previous = 0, 0
    for end in ends:
        if end - start > microbatch and previous > start:
            pieces.append((start, previous))
            start = previous
        previous = end
    return [*pieces, (start, len(owners))] if len(owners) else []
