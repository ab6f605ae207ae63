"""The contribution of one patient, bounded: mean gradient of their images, clipped once.

Per-image gradients come from Opacus' hooks; averaging them by patient before the norm gives user-level
privacy at the price of example-level code. Everything that could carry one patient's influence past the
bound ends here: several images, several parameters, infinities.
"""

from collections.abc import Iterator
from typing import TypeAlias

import torch
from opacus import GradSampleModule
from torch import Tensor, nn

ExampleGradients: TypeAlias = GradSampleModule
"""A wrapped model: one gradient an image after each backward pass."""


def with_example_gradients(model: nn.Module) -> ExampleGradients:
    """Wrap a model so that a backward pass of a sum of losses leaves one gradient an image.

    Raises:
        opacus' UnsupportedModuleError: a layer mixes images (BatchNorm) or has no per-image gradient.
    """
    return GradSampleModule(model, batch_first=True, loss_reduction="sum", strict=True)


def clipped_sums(model: ExampleGradients, owners: Tensor, patients: int, clipping_norm: float) -> list[Tensor]:
    """Sum over patients of min(1, C / |g_p|) g_p, where g_p is the mean gradient of patient p's images.

    Args:
        model: after the backward pass of the sum of the per-image losses; its per-image gradients are consumed.
        owners: int64 (n,), which of the `patients` each image belongs to.
        patients: how many patients take part; one without a finite gradient contributes zero.
        clipping_norm: C, over all parameters together.

    Returns:
        One float64 tensor a parameter, in the order of `model.parameters()`.
    """
    images = torch.bincount(owners, minlength=patients)
    gradients = [_mean_by_owner(g, owners, images) for g in _take_example_gradients(model)]
    squares = torch.stack([g.flatten(1).square().sum(1) for g in gradients]).sum(0)
    norms = squares.sqrt()
    # A norm that overflowed hides gradients that are finite; they are dropped with the infinite ones.
    factors = torch.where(torch.isfinite(norms), (clipping_norm / norms.clamp_min(1e-12)).clamp_max(1.0), 0.0)
    return [
        torch.tensordot(factors, torch.nan_to_num(g, nan=0.0, posinf=0.0, neginf=0.0), dims=1).double()
        for g in gradients
    ]


def _mean_by_owner(gradients: Tensor, owners: Tensor, images: Tensor) -> Tensor:
    if len(owners) == len(images) and bool((images == 1).all()):
        return gradients[torch.argsort(owners)]
    sums = torch.zeros((len(images), *gradients.shape[1:]), device=gradients.device)
    sums.index_add_(0, owners, gradients)
    return sums / images.clamp_min(1).reshape(-1, *[1] * (gradients.dim() - 1))


def _take_example_gradients(model: ExampleGradients) -> Iterator[Tensor]:
    for parameter in model.parameters():
        yield parameter.grad_sample
        parameter.grad_sample = None
        parameter.grad = None
