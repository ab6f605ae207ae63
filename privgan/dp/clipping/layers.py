"""Which way each kind of layer gives its patients' gradients; what is not here falls back to Opacus' samplers."""

import torch
import torch.nn.functional as F
from opacus import GradSampleModule
from opacus.grad_sample.functorch import ft_compute_per_sample_gradient, prepare_layer
from torch import Tensor, nn

from privgan.dp.clipping.convolutions import convolution, is_plain
from privgan.dp.clipping.shares import Pass, Share, gram, gram_share, kept, wanted


def layer_shares(done: Pass) -> list[Share]:
    """The shares of all parameters of one layer that learn."""
    layer = done.layer
    # A subclass may compute something else.
    if type(layer) is nn.Conv2d and is_plain(layer):
        return convolution(done, layer)
    if type(layer) is nn.Linear:
        return _linear(done, layer)
    if type(layer) is nn.GroupNorm:
        return _group_norm(done, layer)
    return _sampled(done, layer)


def _linear(done: Pass, layer: nn.Linear) -> list[Share]:
    """Inputs (n, features), or (n, positions, features)."""
    a, b = (t.reshape(done.patients, -1, t.shape[-1]) for t in (done.inputs[0], done.gradient))
    shares = [kept(layer.bias, b.sum(1))] if wanted(layer.bias) else []
    if not wanted(layer.weight):
        return shares
    if done.gram_is_cheaper(a.shape[1] ** 2 * (a.shape[2] + b.shape[2]), layer.weight.numel()):

        def weighted(factors: Tensor) -> Tensor:
            return (b * factors[:, None, None]).flatten(0, 1).T @ a.flatten(0, 1)

        return [*shares, gram_share(layer.weight, [(gram(a), gram(b))], weighted)]
    return [*shares, kept(layer.weight, torch.bmm(b.transpose(1, 2), a))]


def _group_norm(done: Pass, layer: nn.GroupNorm) -> list[Share]:
    """Inputs (n, channels, ...)."""
    (x,), g, shares = done.inputs, done.gradient, []
    if wanted(layer.weight):
        normal = F.group_norm(x, layer.num_groups, eps=layer.eps)
        shares.append(kept(layer.weight, done.by_patient((g * normal).flatten(2).sum(2))))
    if wanted(layer.bias):
        shares.append(kept(layer.bias, done.by_patient(g.flatten(2).sum(2))))
    return shares


def _sampled(done: Pass, layer: nn.Module) -> list[Share]:
    sampler = GradSampleModule.GRAD_SAMPLERS.get(type(layer))
    if sampler is None:
        prepare_layer(layer)
        sampler = ft_compute_per_sample_gradient
    inputs = [t.contiguous() for t in done.inputs]  # its convolutions are wrong on channels-last tensors
    by_image: dict[Tensor, Tensor] = sampler(layer, inputs, done.gradient.contiguous())
    return [kept(parameter, done.by_patient(g)) for parameter, g in by_image.items() if wanted(parameter)]
