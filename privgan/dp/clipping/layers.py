"""Which way each kind of layer gives its patients' gradients; what is not here is differentiated image by image."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

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
    return _by_image(done, layer)


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
        shares.append(kept(layer.weight, done.by_patient(_by_channel(g * normal))))
    if wanted(layer.bias):
        shares.append(kept(layer.bias, done.by_patient(_by_channel(g))))
    return shares


def _by_channel(values: Tensor) -> Tensor:
    """(n, channels, ...) -> (n, channels): the sum over positions, of which there may be one."""
    return values.reshape(*values.shape[:2], -1).sum(2)


def _by_image(done: Pass, layer: nn.Module) -> list[Share]:
    """Image by image through torch's own gradients of the layer, vectorised."""
    names = [name for name, p in layer.named_parameters() if p.requires_grad]
    bare, parameters = _Bare(layer), {f"layer.{name}": layer.get_parameter(name).detach() for name in names}

    def weighted(parameters: dict[str, Tensor], gradient: Tensor, *row: Tensor) -> Tensor:
        output: Tensor = functional_call(bare, parameters, tuple(value[None] for value in row))
        return (output * gradient[None]).sum()

    in_dims = (None, *(0 for _ in (done.gradient, *done.inputs)))
    gradients = vmap(grad(weighted), in_dims)(parameters, done.gradient, *done.inputs)
    return [kept(layer.get_parameter(name), done.by_patient(gradients[f"layer.{name}"])) for name in names]


class _Bare(nn.Module):
    """A layer without its hooks: what those did to its inputs is done."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, *inputs: Tensor) -> Tensor:
        """What the layer makes of them."""
        output: Tensor = self.layer.forward(*inputs)
        return output
