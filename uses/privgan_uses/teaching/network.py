"""The classifier's network: a small residual one, whose every part can also be written down as an ONNX graph.

It looks at images averaged down: of sets with much noise finer pixels were worth nothing on patients, and cost time.

He et al. 2016, "Deep residual learning for image recognition", with groups of channels normalised image by image (Wu
and He 2018): batch norm would carry the grey values of synthetic images into what is made of patients' ones.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from privgan.arrays import Floats, Images, Singles
from privgan.gan.networks.layers import linear, unfilled
from privgan.images.geometry import pool
from privgan.images.pixels import planes
from privgan_audits.spaces.descent import Rectifier

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTHS = (32, 64, 128)  # channels of the stages, each of half the side of the one before
GROUPS = 4
INNER = 16  # pixels a side at most where the first stage works; what is larger is halved before
_BLOCK = 256


class Residual(nn.Module):
    """Two convolutions beside what they change; the first may halve the side."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = _convolution(before, after, 3, stride)
        self.first_norm = nn.GroupNorm(GROUPS, after)
        self.second = _convolution(after, after, 3, 1)
        self.second_norm = nn.GroupNorm(GROUPS, after)
        self.beside = None if before == after else _convolution(before, after, 1, stride)
        self.rectifier = Rectifier()

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (n, before, h, w) to (n, after, h / stride, w / stride)."""
        changed: Tensor = self.rectifier(self.first_norm(self.first(maps)))
        changed = self.second_norm(self.second(changed))
        kept: Tensor = maps if self.beside is None else self.beside(maps)
        return cast("Tensor", self.rectifier(changed + kept))


class Network(nn.Module):
    """What is `seen` of images, (n, c, s, s), to one number a class, (n, classes): the larger, the likelier."""

    def __init__(self, *, side: int, look: int, channels: int, classes: int, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        self.looks_at = min(look, side)
        stride = 1 if self.looks_at <= INNER else 2
        self.stem = _convolution(channels, widths[0], 3, stride)
        self.stem_norm = nn.GroupNorm(GROUPS, widths[0])
        self.rectifier = Rectifier()
        pairs = zip((widths[0], *widths), widths, strict=False)
        self.stages = nn.ModuleList(
            Residual(before, after, 1 if n == 0 else 2) for n, (before, after) in enumerate(pairs)
        )
        last = -(-self.looks_at // (stride * 2 ** (len(widths) - 1)))  # every place is looked at: where tells, too
        self.last = linear(widths[-1] * last**2, classes, None)

    def forward(self, images: Tensor) -> Tensor:
        """See the class."""
        maps = self.rectifier(self.stem_norm(self.stem(images)))
        for block in self.blocks:
            maps = block(maps)
        return cast("Tensor", self.last(maps.flatten(1)))

    @property
    def blocks(self) -> list[Residual]:
        """The stages, in order."""
        return [cast("Residual", block) for block in self.stages]

    def seen(self, images: Images) -> Singles:
        """Images uint8 (n, h, h, c) as they are looked at: float32 (n, s, s, c) in [-1, 1]."""
        return pool(images, self.looks_at) / np.float32(127.5) - np.float32(1)

    def logits(self, images: Images) -> Tensor:
        """Images uint8 (n, h, h, c), some at a time, to float64 (n, classes)."""
        with torch.inference_mode():
            blocks = [self(planes(self.seen(part))).double() for part in _parts(images)]
        return torch.cat(blocks)


def _convolution(before: int, after: int, pixels: int, stride: int) -> nn.Conv2d:
    """Without a bias, which the norm behind it would take away, and of no weights yet."""
    return unfilled(nn.Conv2d, before, after, pixels, stride=stride, padding=pixels // 2, bias=False)


def untrained(*, side: int, look: int, channels: int, classes: int, rng: torch.Generator) -> Network:
    """A network of random weights (He et al. 2015, "Delving deep into rectifiers")."""
    network = Network(side=side, look=look, channels=channels, classes=classes)
    for part in network.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu", generator=rng)
    nn.init.zeros_(network.last.bias)
    with torch.no_grad():
        network.last.weight.mul_(0.1)  # at first every class is about as likely as another
    return network


def softened(logits: Tensor, temperature: float) -> Floats:
    """Chances float64 (n, classes) of logits at a temperature."""
    chances: Floats = F.softmax(logits / temperature, dim=1).numpy()
    return chances


def _parts(images: Images) -> "Iterator[Images]":
    return (images[start : start + _BLOCK] for start in range(0, len(images), _BLOCK))
