"""A generator in double precision for whoever only draws from it: the same function in fewer steps, up to rounding.

Training keeps the plain form, in which a map is doubled first and then convolved. That makes every value four times
and adds up copies of it; a convolution of the small map that makes all four at once says the same (Shi et al. 2016,
"Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural network"). In
double precision, for which torch has slow convolutions, that is six times as fast.
"""

import copy
import itertools
from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from privgan.gan.networks.convolving import beside
from privgan.gan.networks.generators import Generator
from privgan.gan.networks.layers import unfilled

# Of three places of the large map which of two of the small one they lie on: around the first, and around the second,
# of the two values that one becomes.
_LIES_ON = (((1.0, 0.0, 0.0), (0.0, 1.0, 1.0)), ((1.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
_FEW = 4  # as many times fewer outputs than inputs: products of all places at once are then the shorter way


def for_drawing(network: Generator) -> Generator:
    """A copy in double precision that draws the same and cannot be trained; its maps have their channels first."""
    drawing = copy.deepcopy(network).requires_grad_(False).eval()
    drawing.to("cpu", torch.float64, memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    drawing.blocks = nn.ModuleList(map(_shorter, drawing.blocks))
    if isinstance(drawing.last, nn.Conv2d):
        drawing.add_module("last", _few_outputs(drawing.last))
    return drawing


def _shorter(block: nn.Module) -> nn.Module:
    match list(block.children()):
        case [nn.Upsample(), nn.Conv2d() as convolution, *rest]:
            return _Doubling(convolution, rest)
        case _:
            return block


class _Doubling(nn.Module):
    """(maps (n, c, h, h), image) -> maps (n, outputs, 2h, 2h): as a block that doubles, convolves and goes on."""

    def __init__(self, plain: nn.Conv2d, rest: Iterable[nn.Module]) -> None:
        super().__init__()
        self.kernel = nn.Parameter(doubling_kernel(plain.weight), requires_grad=False)
        self.bias = None if plain.bias is None else nn.Parameter(plain.bias.repeat_interleave(4), requires_grad=False)
        self.rest = nn.Sequential(*rest)

    def forward(self, x: Tensor, image: Tensor) -> Tensor:
        """See the class."""
        found: Tensor = self.rest(shuffled(F.conv2d(beside(x, image), self.kernel, self.bias, padding=1)))
        return found


def doubling_kernel(kernel: Tensor) -> Tensor:
    """(4 x outputs, inputs, 2, 2), before `shuffled`, of a kernel (outputs, inputs, 3, 3) after a doubling."""
    on = torch.tensor(_LIES_ON, dtype=kernel.dtype, device=kernel.device)
    return torch.einsum("ayr,bxs,oirs->oabiyx", on, on, kernel).flatten(0, 2)


def shuffled(maps: Tensor) -> Tensor:
    """(n, 4 x outputs, h + 1, w + 1) to (n, outputs, 2h, 2w): as `pixel_shuffle`, but that the second value, of a row
    or of a column, comes from one place further on.
    """
    count, channels, high, wide = maps.shape
    height, width = high - 1, wide - 1
    found = maps.new_empty(count, channels // 4, height, 2, width, 2)
    parts = maps.reshape(count, channels // 4, 2, 2, high, wide)
    for down, right in itertools.product(range(2), range(2)):
        part = parts[:, :, down, right, down : down + height, right : right + width]
        found[:, :, :, down, :, right] = part
    return found.reshape(count, channels // 4, 2 * height, 2 * width)


def _few_outputs(plain: nn.Conv2d) -> nn.Conv2d | nn.ConvTranspose2d:
    """The same convolution, by the adjoint of its mirror image where that has much less to gather."""
    outputs, inputs = plain.weight.shape[:2]
    if _FEW * outputs > inputs:
        return plain
    found = unfilled(nn.ConvTranspose2d, inputs, outputs, 3, padding=1, dtype=plain.weight.dtype)
    found.requires_grad_(False)
    found.weight.copy_(plain.weight.flip(2, 3).transpose(0, 1))
    if found.bias is not None and plain.bias is not None:
        found.bias.copy_(plain.bias)
    return found
