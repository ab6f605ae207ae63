"""One noisy gradient: the only code that turns patients into a parameter update.

    clipped_sums      mean gradient of each owner -> clip at C -> sum            where the images are
    noisy_gradient    + N(0, (sigma C)^2) once -> / public constant              where the model learns

Nothing but sums passes between the two, as whole numbers of a public grid: pieces of a batch may be summed anywhere.
The first takes losses of rows: which images those are, what is compared and what lies beside them is the business of
whoever owns the batch. Images of nobody may: a constant number of them, each an owner of its own and clipped like a
patient, so that they change the sensitivity of the sum by nothing.
The divisor is fixed in advance: one that depends on the draw leaks (Opacus issues 571 and 819).
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from privgan.dp.clipping.patient_gradients import PatientGradients, RowLosses
from privgan.dp.noise import as_whole, released
from privgan.dp.plan import MechanismSettings


def clipped_sums(
    model: PatientGradients,
    losses: RowLosses,
    owners: Tensor,
    pieces: Tensor,
    *,
    clipping_norm: float,
    microbatch: int,
) -> Tensor:
    """The sum over owners of their clipped mean gradients, before the noise. Sensitive.

    Sums within a piece are float64 and then whole numbers, so that pieces add up alike in any order, wherever each
    is computed. Micro-batches bound the memory.

    Args:
        model: whose gradients are clipped.
        losses: runs the model on rows and gives the loss of each; no row may influence another's.
        owners: int64 (n,), ascending: whose each row is.
        pieces: int64 (n,): in which piece each row is; all of an owner's are in one.
        clipping_norm: C, over all parameters together.
        microbatch: about how many rows go through at once.

    Returns:
        int64 of `noise.as_whole`, over all trainable parameters; zeros when there is nobody.
    """
    device = model.trainable[0].device
    whole = torch.zeros(sum(p.numel() for p in model.trainable), dtype=torch.int64, device=device)
    for piece in torch.unique(pieces).tolist():
        totals = [torch.zeros(p.shape, dtype=torch.float64, device=device) for p in model.trainable]
        mine = torch.nonzero(pieces == piece).flatten()
        for rows in _microbatches(owners[mine], microbatch):
            for total, part in zip(totals, model.clipped_sums(losses, mine[rows], clipping_norm), strict=True):
                total.add_(part)
        whole += as_whole(totals, bound=clipping_norm)
    return whole


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
