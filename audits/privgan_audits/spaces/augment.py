"""The disguises under which a copy must still be recognised, as random changes of the images that one learns from."""

import math
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

_DARKEST = 1e-4  # grey values from here on, so that a power of them is finite


@dataclass(frozen=True, kw_only=True)
class Strength:
    """How far a disguise may go; each value is drawn evenly up to it, in both directions where there are two.

    degrees: of rotation. zoom: of the logarithm of the scale. shift: share of the side. gamma: of the logarithm of
    gamma. noise: standard deviation, share of the full range of grey. other: share of another image mixed in.
    """

    degrees: float = 6.0
    zoom: float = 0.06
    shift: float = 0.045
    gamma: float = 0.15
    noise: float = 0.02
    other: float = 0.22

    def times(self, factor: float) -> "Strength":
        """All of it weaker or stronger."""
        return Strength(**{name: factor * value for name, value in asdict(self).items()})


@dataclass(frozen=True, kw_only=True)
class Move:
    """A small change of place: degrees of rotation, scale of the section shown, shifts as shares of the side."""

    degrees: float = 0.0
    scale: float = 1.0
    down: float = 0.0
    right: float = 0.0

    def of(self, images: Tensor) -> Tensor:
        """Images float32 (n, 1, s, s), all moved alike; what comes in from outside repeats the border."""
        angle = math.radians(self.degrees)
        cosine, sine = self.scale * math.cos(angle), self.scale * math.sin(angle)
        rows = torch.tensor([[cosine, -sine, 2 * self.right], [sine, cosine, 2 * self.down]])
        return _resampled(images, rows[None])


def disguised(images: Tensor, strength: Strength, generator: torch.Generator) -> Tensor:
    """One random disguise of each image.

    Args:
        images: float32 (n, 1, s, s), grey values in [0, 1].
        strength: how far it may go.
        generator: all chance comes from here.

    Returns:
        float32 (n, 1, s, s).
    """
    count = len(images)
    share = strength.other * torch.rand(count, 1, 1, 1, generator=generator)
    mixed = torch.lerp(images, images[torch.randperm(count, generator=generator)], share)
    moved = _moved(mixed, strength, generator).clamp_min(_DARKEST)
    graded = moved ** torch.exp(strength.gamma * _even(generator, count, 1, 1, 1))
    spread = strength.noise * torch.rand(count, 1, 1, 1, generator=generator)
    return graded + spread * torch.randn(images.shape, generator=generator)


def _even(generator: torch.Generator, *shape: int) -> Tensor:
    """Uniform in [-1, 1]."""
    return 2 * torch.rand(shape, generator=generator) - 1


def _moved(images: Tensor, strength: Strength, generator: torch.Generator) -> Tensor:
    """A random flip and right-angle turn, a small rotation, zoom and shift of each image, in one resampling."""
    count = len(images)
    quarters = torch.randint(4, (count,), generator=generator)
    angle = math.pi / 2 * quarters + math.radians(strength.degrees) * _even(generator, count)
    scale = torch.exp(strength.zoom * _even(generator, count))
    mirror = 1.0 - 2.0 * torch.randint(2, (count,), generator=generator)
    shift = 2 * strength.shift * _even(generator, count, 2)  # affine_grid calls the side 2
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    row = torch.stack([mirror * cosine, -sine, shift[:, 0]], dim=1)
    column = torch.stack([mirror * sine, cosine, shift[:, 1]], dim=1)
    return _resampled(images, torch.stack([row, column], dim=1))


def _resampled(images: Tensor, places: Tensor) -> Tensor:
    """Each image at its own affine places (n, 2, 3), or all at the same (1, 2, 3), where the side of an image is 2.

    The places are those of `affine_grid`, to the bit, which makes them as n products of small matrices.
    """
    side = images.shape[3]
    pixel = torch.linspace(-1.0, 1.0, side) * (side - 1) / side
    across, down, shift = (places[:, :, part, None, None] for part in range(3))
    grid = (across * pixel + down * pixel[:, None]).add_(shift).permute(0, 2, 3, 1)
    return F.grid_sample(images, grid.expand(len(images), -1, -1, -1), padding_mode="border", align_corners=False)
