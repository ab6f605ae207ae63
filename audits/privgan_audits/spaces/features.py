"""What a network that has learned sees of images, in fewer steps than it learned in: equal up to rounding.

Batch norm is a fixed scale by then and goes into the convolution before it. The first convolution, of one channel
and every second place, is one of four channels and every place. It sees an image once, with kernels that are turned
in the image's place; the maps are then turned back, sixteen numbers at a time, and go on together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from privgan.gan.networks.layers import unfilled

_BLOCK = 32  # images whose maps in all turns a processor's cache holds
_TURNS = 8  # and flips


@dataclass(frozen=True, kw_only=True, eq=False)
class Sight:
    """Layers with batch norm in evaluation, ready to look.

    first: of four channels, to the maps of every turn. further: as they were.
    """

    first: nn.Conv2d
    further: Sequence[nn.Conv2d]

    @classmethod
    def of(cls, layers: nn.Sequential) -> "Sight":
        """Of layer norm without weights, then convolutions that halve the side, batch norms and ReLUs in turn."""
        pairs = zip(layers, list(layers)[1:], strict=False)
        fused = [
            fuse_conv_bn_eval(one, other)
            for one, other in pairs
            if isinstance(one, nn.Conv2d) and isinstance(other, nn.BatchNorm2d)
        ]
        first, *others = [each.requires_grad_(False) for each in fused]
        for each in others:
            each.weight.data = each.weight.data.contiguous(memory_format=torch.channels_last)
        return cls(first=_in_every_turn(first), further=others)

    def turned(self, images: Tensor) -> Tensor:
        """Features (n, f) averaged over all flips and right-angle turns of images (n, 1, s, s), s even."""
        parts = [self._turned(F.layer_norm(block, block.shape[1:])) for block in torch.split(images, _BLOCK)]
        return torch.cat(parts)

    def _turned(self, block: Tensor) -> Tensor:
        x: Tensor = self.first(F.pixel_unshuffle(block, 2).contiguous(memory_format=torch.channels_last)).relu_()
        count, side, channels = len(block), x.shape[2], x.shape[1] // _TURNS
        numbers = x.permute(0, 2, 3, 1).reshape(-1, channels)
        turned = numbers.index_select(0, _places(side)[: len(numbers)])
        x = turned.view(-1, side, side, channels).permute(0, 3, 1, 2)
        for convolution in self.further:
            x = convolution(x).relu_()
        seen = x.permute(0, 2, 3, 1).reshape(count, _TURNS, *x.shape[2:], -1).mean(1)
        return seen.permute(0, 3, 1, 2).reshape(count, -1)


def _in_every_turn(plain: nn.Conv2d) -> nn.Conv2d:
    """A convolution of one channel, 5 x 5 at every second place, of images whose 2 x 2 pixels are channels.

    Its maps are those of the turned images, each turned back.
    """
    kernel = F.pad(plain.weight, (0, 1, 0, 1))
    kernels = [F.pixel_unshuffle(_turned_back(kernel, turn), 2) for turn in range(_TURNS)]
    found = unfilled(nn.Conv2d, 4, _TURNS * plain.out_channels, 3, padding=1)
    found.weight.data = torch.cat(kernels).contiguous(memory_format=torch.channels_last)
    found.bias = None if plain.bias is None else nn.Parameter(plain.bias.repeat(_TURNS))
    return found.requires_grad_(False)


@cache
def _places(side: int) -> Tensor:
    """Of a block's maps in every turn (block, side, side, turns), where those of each turn stand, as it sees them."""
    place = torch.arange(side**2).view(side, side)
    turned = [_TURNS * _turned(place, turn).flatten() + turn for turn in range(_TURNS)]
    return (torch.arange(_BLOCK)[:, None] * _TURNS * side**2 + torch.cat(turned)).flatten()


def _turned(squares: Tensor, turn: int) -> Tensor:
    """Squares (..., s, s) in one of the turns: by right angles, the odd ones flipped then."""
    square = torch.rot90(squares, turn // 2, (-2, -1))
    return square.flip(-1) if turn % 2 else square


def _turned_back(squares: Tensor, turn: int) -> Tensor:
    return torch.rot90(squares.flip(-1) if turn % 2 else squares, -(turn // 2), (-2, -1))
