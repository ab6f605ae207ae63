"""Patients' gradients of a convolution, exactly, at close to the cost of the batch's.

A convolution whose kernel is a multiple of its stride is a smaller one over blocks of stride x stride pixels. The
Gram matrix of its windows is then a sum of a few shifted copies of the Gram matrix of the blocks, which is several
times smaller than that of the unfolded windows and needs no unfolding.
"""

import math
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from privgan.dp.clipping.shares import Pass, Share, gram, gram_share, kept, wanted

_VECTOR = 16  # channels that a processor's grouped convolutions take at once; others they take one by one
_ROW = 8  # channels from which on windows are copied fastest with the channels last


def is_plain(layer: nn.Conv2d) -> bool:
    """Whether a layer is a convolution that this file knows: no groups, no dilation, padded with zeros."""
    return (
        layer.groups == 1 and layer.dilation == (1, 1) and layer.padding_mode == "zeros" and layer.padding != "same"
    )


def convolution(done: Pass, layer: nn.Conv2d) -> list[Share]:
    """The shares of bias and weight; inputs (n, channels, h, w)."""
    (x,), g = done.inputs, done.gradient
    shares = []
    if layer.bias is not None and wanted(layer.bias):
        shares.append(kept(layer.bias, done.by_patient(g.flatten(2).sum(2))))
    if not wanted(layer.weight):
        return shares
    if _blocks(layer) and done.gram_is_cheaper(_gram_products(done, layer), layer.weight.numel()):
        shares.append(_gram_share(done, layer))
        return shares
    vectors = layer.in_channels % _VECTOR == 0 and layer.out_channels % _VECTOR == 0
    grouped = x.device.type == "cpu" and vectors
    if not grouped and x.device.type == "cpu" and layer.in_channels >= _ROW:
        return [*shares, _of_rows(done, layer)]
    make = _grouped_gradients if grouped else _window_gradients
    shares.append(kept(layer.weight, *(make(piece, layer) for piece in done.pieces())))
    return shares


def _of_rows(done: Pass, layer: nn.Conv2d) -> Share:
    """As `_window_gradients`, of windows whose channels lie last."""

    def made(piece: Pass) -> Tensor:
        seen = _seen(piece, layer).permute(0, 2, 3, 1).contiguous()
        (s, t), (n, y, z, c), positions = layer.stride, seen.shape, piece.gradient.shape[2:]
        places = (n, *positions, *layer.kernel_size, c)
        windows = seen.as_strided(places, (y * z * c, s * z * c, t * c, z * c, c, 1))
        columns = windows.reshape(piece.patients, piece.images * positions.numel(), -1)
        return torch.bmm(_rows(piece, piece.gradient).transpose(1, 2), columns)

    share = kept(layer.weight, *(made(piece) for piece in done.pieces()))
    shape = (layer.out_channels, *layer.kernel_size, layer.in_channels)
    return replace(share, weighted=lambda factors: share.weighted(factors).reshape(shape).permute(0, 3, 1, 2))


def _window_gradients(done: Pass, layer: nn.Conv2d) -> Tensor:
    """Products of output gradients and the windows that each weight sees."""
    seen = _seen(done, layer).contiguous()
    (s, t), (n, c, y, z), positions = layer.stride, seen.shape, done.gradient.shape[2:]
    windows = seen.as_strided((n, c, *layer.kernel_size, *positions), (c * y * z, y * z, z, 1, s * z, t))
    columns = windows.reshape(n, -1, positions.numel())
    return done.by_patient(torch.bmm(done.gradient.flatten(2), columns.transpose(1, 2)))


def _grouped_gradients(done: Pass, layer: nn.Conv2d) -> Tensor:
    """One grouped convolution: a patient is a group, their images are its batch."""
    x, g = (done.grouped(t).transpose(0, 1).flatten(1, 2) for t in (done.inputs[0], done.gradient))
    shape = (done.patients * layer.out_channels, layer.in_channels, *layer.kernel_size)
    gradients = _weight_gradient(layer, x, g, x.new_empty(1).expand(shape), done.patients)
    return gradients.reshape(done.patients, -1)


def _weight_gradient(layer: nn.Conv2d, x: Tensor, g: Tensor, weight: Tensor, groups: int) -> Tensor:
    gradients: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.convolution_backward(
        g, x, weight, None, layer.stride, _padding(layer), (1, 1), False, (0, 0), groups, (False, True, False)
    )
    return gradients[1]


def _gram_share(done: Pass, layer: nn.Conv2d) -> Share:
    def weighted(factors: Tensor) -> Tensor:
        by_image = factors.repeat_interleave(done.images)[:, None, None, None]
        return _weight_gradient(layer, done.inputs[0], done.gradient * by_image, layer.weight, 1)

    grams = ((_window_gram(piece, layer), gram(_rows(piece, piece.gradient))) for piece in done.pieces())
    return gram_share(layer.weight, grams, weighted)


def _gram_products(done: Pass, layer: nn.Conv2d) -> int:
    (rows, columns), (height, width) = _blocks(layer), done.gradient.shape[2:]
    seen = done.images * (height + rows - 1) * (width + columns - 1)
    block = layer.in_channels * layer.stride[0] * layer.stride[1]
    return int(seen**2 * block + (done.images * height * width) ** 2 * layer.out_channels)


def _window_gram(done: Pass, layer: nn.Conv2d) -> Tensor:
    """Inner products of all windows of each patient: (patients, positions, positions)."""
    (rows, columns), (height, width) = _blocks(layer), done.gradient.shape[2:]
    size, seen = layer.stride[0], _seen(done, layer).permute(0, 2, 3, 1)
    n, y, z, channels = seen.shape
    blocks = seen.reshape(n, y // size, size, z // size, size, channels).transpose(2, 3)
    side = (done.images, y // size, z // size)
    pixels = gram(blocks.reshape(done.patients, math.prod(side), -1)).reshape(done.patients, *side, *side)
    shifts = [(slice(i, i + height), slice(j, j + width)) for i in range(rows) for j in range(columns)]
    shifted = [pixels[:, :, down, right, :, down, right] for down, right in shifts]
    total = sum(shifted[1:], start=shifted[0])
    positions = done.images * height * width
    return total.reshape(done.patients, positions, positions)


def _rows(done: Pass, values: Tensor) -> Tensor:
    """(n, channels, h, w) -> (patients, images x h x w, channels)."""
    return values.permute(0, 2, 3, 1).reshape(done.patients, -1, values.shape[1])


def _blocks(layer: nn.Conv2d) -> tuple[int, ...]:
    """Blocks of stride x stride pixels a kernel has down and across; empty when it is not made of such."""
    (k, w), (s, t) = layer.kernel_size, layer.stride
    return (k // s, w // t) if s == t and k % s == 0 and w % t == 0 else ()


def _padding(layer: nn.Conv2d) -> tuple[int, int]:
    return (0, 0) if isinstance(layer.padding, str) else (layer.padding[0], layer.padding[1])


def _seen(done: Pass, layer: nn.Conv2d) -> Tensor:
    """The padded input, cut to what the kernel's windows touch."""
    (k, w), (s, t), (p, q) = layer.kernel_size, layer.stride, _padding(layer)
    height, width = done.gradient.shape[2:]
    return F.pad(done.inputs[0], (q, q, p, p))[:, :, : (height - 1) * s + k, : (width - 1) * t + w]
