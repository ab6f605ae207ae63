"""The generator's convolutions on a processor in fewer steps: the same functions and gradients, up to rounding.

A block doubles a map and convolves it with 3 x 3 weights. Each value then stands there four times and is multiplied
36 times; the adjoint of a convolution with a stride of 2 makes the same of the small map with 16 products (Dumoulin
and Visin 2016, "A guide to convolution arithmetic for deep learning"). A last layer of one output has too few of them
for what libraries are built for: all products of a place with its nine weights at once, then nine sums.

Both know that nobody asks for the gradient of the image beside a map, which torch would compute and throw away.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.grad import conv2d_weight

_REACH = 3  # pixels a side


def beside(x: Tensor, image: Tensor) -> Tensor:
    """Maps (n, c, h, h) and behind them the image, resized; where maps have their channels last, all do."""
    parts = [x, _resized(image, x.shape[-1])]
    if x.is_contiguous() or not x.is_contiguous(memory_format=torch.channels_last):
        return torch.cat(parts, dim=1)
    # Otherwise they would be turned for it, and turned back by the convolution that follows.
    return torch.cat([part.permute(0, 2, 3, 1) for part in parts], dim=3).permute(0, 3, 1, 2)


def _resized(image: Tensor, side: int) -> Tensor:
    if side == image.shape[-1]:
        return image
    return F.adaptive_avg_pool2d(image, side) if side <= image.shape[-1] else F.interpolate(image, size=(side, side))


def doubled(x: Tensor, image: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
    """Maps (n, c, h, h) beside an image, doubled and convolved: (n, outputs, 2h, 2h).

    kernel: (outputs, c + channels of the image, 3, 3). bias: (outputs,).
    """
    found: Tensor = _Doubled.apply(x, _resized(image, x.shape[-1]), kernel, bias)  # type: ignore[no-untyped-call]
    return found


def one_output(x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
    """Maps (n, c, h, w) convolved with (1, c, 3, 3): (n, 1, h, w). bias: (1,)."""
    found: Tensor = _OneOutput.apply(x, kernel, bias)  # type: ignore[no-untyped-call]
    return found


class _Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, image: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
        joined, wide = beside(x, image), _widened(kernel)
        if kernel.is_contiguous(memory_format=torch.channels_last):
            wide = wide.contiguous(memory_format=torch.channels_last)  # decides how the result lies in memory
        ctx.save_for_backward(joined, wide)
        ctx.channels = x.shape[1]
        return F.conv_transpose2d(joined, wide, bias, stride=2, padding=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        joined, wide = ctx.saved_tensors
        asked_x, asked_image, asked_kernel, asked_bias = ctx.needs_input_grad
        of_x = of_image = of_kernel = None
        if asked_x or asked_image:
            asked = wide if asked_image else wide[: ctx.channels]
            found = F.conv2d(gradient, asked, stride=2, padding=1)
            of_x, of_image = found[:, : ctx.channels], found[:, ctx.channels :] if asked_image else None
        if asked_kernel:
            of_wide = conv2d_weight(gradient, wide.shape, joined, stride=2, padding=1)  # type: ignore[no-untyped-call]
            of_kernel = _narrowed(of_wide)
        return of_x, of_image, of_kernel, gradient.sum((0, 2, 3)) if asked_bias else None


def _widened(kernel: Tensor) -> Tensor:
    """(inputs, outputs, 4, 4) of the adjoint, of weights (outputs, inputs, 3, 3) after a doubling."""
    wide = kernel.flip(2, 3)
    wide = F.pad(wide, (0, 1, 0, 0)) + F.pad(wide, (1, 0, 0, 0))
    return (F.pad(wide, (0, 0, 0, 1)) + F.pad(wide, (0, 0, 1, 0))).transpose(0, 1)


def _narrowed(wide: Tensor) -> Tensor:
    """The adjoint of `_widened`."""
    rows = wide.transpose(0, 1)
    rows = rows[:, :, 1:] + rows[:, :, :-1]
    return (rows[..., 1:] + rows[..., :-1]).flip(2, 3)


class _OneOutput(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
        count, inputs, height, width = x.shape
        places = x.permute(0, 2, 3, 1).reshape(-1, inputs)
        weights = kernel.permute(2, 3, 0, 1).reshape(-1, inputs)
        ctx.save_for_backward(places, weights)
        ctx.shape = x.shape
        products = (weights @ places.T).reshape(-1, count, height, width)
        found = x.new_zeros(count, height + 2, width + 2)
        if bias is not None:
            found += bias
        for part, (down, right) in zip(products, _lags(), strict=True):
            found[:, down : down + height, right : right + width] += part
        return found[:, None, 1:-1, 1:-1].contiguous()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        places, weights = ctx.saved_tensors
        count, inputs, height, width = ctx.shape
        wide = F.pad(gradient[:, 0], (1, 1, 1, 1))
        parts = [wide[:, down : down + height, right : right + width] for down, right in _lags()]
        each = torch.stack(parts).reshape(len(parts), -1)
        asked_x, asked_kernel, asked_bias = ctx.needs_input_grad
        of_x = of_kernel = None
        if asked_x:
            of_x = (each.T @ weights).reshape(count, height, width, inputs).permute(0, 3, 1, 2)
        if asked_kernel:
            of_kernel = (each @ places).reshape(_REACH, _REACH, 1, inputs).permute(2, 3, 0, 1)
        return of_x, of_kernel, gradient.sum((0, 2, 3)) if asked_bias else None


def _lags() -> list[tuple[int, int]]:
    """From which place of the padded map on the products with each weight are added."""
    return [(_REACH - 1 - down, _REACH - 1 - right) for down in range(_REACH) for right in range(_REACH)]
