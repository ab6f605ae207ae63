"""What a network that has learned sees of images, in fewer steps than it learned in: equal up to rounding.

Batch norm is a fixed scale by then and goes into the convolution before it. The first convolution, of one channel
and every second place, is one of four channels and every place: twice as fast, and its maps need no turning.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from privgan.gan.networks.layers import unfilled

_BLOCK = 64  # images whose maps a processor's cache holds


@dataclass(frozen=True, kw_only=True, eq=False)
class Sight:
    """Layers with batch norm in evaluation, ready to look. convolutions: of four channels, then as they were."""

    convolutions: Sequence[nn.Conv2d]

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
        return cls(convolutions=(_of_four_channels(first), *others))

    def turned(self, images: Tensor) -> Tensor:
        """Features (n, f) averaged over all flips and right-angle turns of images (n, 1, s, s), s even."""
        parts = [self._turned(F.layer_norm(block, block.shape[1:])) for block in torch.split(images, _BLOCK)]
        return torch.cat(parts)

    def _turned(self, block: Tensor) -> Tensor:
        turned = [torch.rot90(block, turns, (2, 3)) for turns in range(4)]
        return torch.stack([self._seen(view) + self._seen(view.flip(3)) for view in turned]).mean(0) / 2

    def _seen(self, images: Tensor) -> Tensor:
        x = F.pixel_unshuffle(images, 2).contiguous(memory_format=torch.channels_last)
        for convolution in self.convolutions:
            x = convolution(x).relu_()
        return x.flatten(1)


def _of_four_channels(plain: nn.Conv2d) -> nn.Conv2d:
    """A convolution of one channel, 5 x 5 at every second place, of images whose 2 x 2 pixels are channels."""
    kernel = F.pixel_unshuffle(F.pad(plain.weight, (0, 1, 0, 1)), 2)
    found = unfilled(nn.Conv2d, 4, plain.out_channels, 3, padding=1)
    found.weight.data = kernel.contiguous(memory_format=torch.channels_last)
    found.bias = plain.bias
    return found.requires_grad_(False)
