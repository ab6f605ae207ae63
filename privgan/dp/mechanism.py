"""One noisy gradient: the only code that turns patients into a parameter update.

    clipped_sums      mean gradient of each owner -> clip at C -> sum            where the images are
    noisy_gradient    + N(0, (sigma C)^2) once -> / public constant              where the model learns

Nothing but sums passes between the two. The first takes losses of rows: which images those are, what is compared and
what lies beside them is the business of whoever owns the batch. Images of nobody may: a constant number of them, each
an owner of its own and clipped like a patient, so that they change the sensitivity of the sum by nothing.
The divisor is fixed in advance: one that depends on the draw leaks (Opacus issues 571 and 819).
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from privgan.dp.clipping.patient_gradients import PatientGradients, RowLosses
from privgan.dp.noise import released
from privgan.dp.plan import MechanismSettings


def clipped_sums(
    model: PatientGradients, losses: RowLosses, owners: Tensor, *, clipping_norm: float, microbatch: int
) -> list[Tensor]:
    """The sum over owners of their clipped mean gradients, before the noise. Sensitive.

    Micro-batches bound the memory and change nothing: sums are float64.

    Args:
        model: whose gradients are clipped.
        losses: runs the model on rows and gives the loss of each; no row may influence another's.
        owners: int64 (n,), ascending: whose each row is.
        clipping_norm: C, over all parameters together.
        microbatch: about how many rows go through at once.

    Returns:
        One float64 tensor a trainable parameter, zeros when there is nobody.
    """
    totals = [torch.zeros(p.shape, dtype=torch.float64, device=p.device) for p in model.trainable]
    for rows in _microbatches(owners, microbatch):
        for total, part in zip(totals, model.clipped_sums(losses, rows, clipping_norm), strict=True):
            total.add_(part)
    return totals


def noisy_gradient(
    model: PatientGradients, sums: Sequence[Tensor], settings: MechanismSettings, *, rng: np.random.Generator
) -> None:
    """Set `.grad` of every parameter to one release of the Gaussian mechanism, also when nobody was drawn.

    Args:
        model: that is to learn.
        sums: one a trainable parameter; together one patient moves them by at most the clipping norm.
        settings: see `MechanismSettings`.
        rng: a cryptographic generator.
    """
    noisy = released(sums, bound=settings.clipping_norm, noise=settings.noise_multiplier, rng=rng)
    for parameter, total in zip(model.trainable, noisy, strict=True):
        parameter.grad = total.div_(settings.normaliser).to(parameter.dtype)


def _microbatches(owners: Tensor, microbatch: int) -> Iterator[Tensor]:
    """Rows (owners, rows of each) of owners with equally many, about `microbatch` rows at a time.

    owners: int64 (n,), ascending.
    """
    counts = torch.bincount(owners)
    for each in torch.unique(counts[counts > 0]).tolist():
        rows = torch.nonzero(counts[owners] == each).reshape(-1, each)
        yield from torch.split(rows, max(1, microbatch // each))
