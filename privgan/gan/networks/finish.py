"""The public detail network: from what a warm start can draw to what a public image of that kind looks like.

Edges, vessels, ribs and grain are alike in every image of a kind. What patients' noisy sums say of them is nothing,
and what public images say costs no privacy. This network has seen public images alone (`gan.prior`), is handed what
the warm start draws, and adds what public images have and such drawings lack, as coarse-to-fine generators do (Denton
et al. 2015; the shape is that of Ronneberger, Fischer and Brox 2015). It is not told the class, for the reason that
`generators` gives, and it does not learn from patients either: it is a fixed function of the released answers. How
strong its detail may be is asked of them once (`warm_start.strength`).
"""

import itertools
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from privgan.gan.networks.layers import convolution

_SMALLEST, _NOISY = 8, 32  # pixels a side: of the smallest map, and of the largest map that is given noise
_FOLD = 2  # pixels a side that are channels of one place of the largest map: a quarter of the work
_MOST = 3  # widths are this many times the first one at most


@dataclass(frozen=True, kw_only=True)
class FinishShape:
    """side: of the images; channels; width: of the largest maps, a multiple of 8.

    stirred: noise is put beside the maps, so that one image can be finished in many ways. Whoever restores an image
    wants one answer, and none.
    """

    side: int
    channels: int
    width: int
    stirred: bool = True

    @property
    def sides(self) -> list[int]:
        """Of the maps, from the largest down."""
        side = math.ceil(self.side / _FOLD)
        found = [side]
        while found[-1] > _SMALLEST:
            found.append(math.ceil(found[-1] / 2))
        return found

    @property
    def widths(self) -> list[int]:
        """Channels of the maps."""
        return [min(self.width * (level + 1), self.width * _MOST) for level in range(len(self.sides))]

    @property
    def noisy(self) -> list[int]:
        """Channels of noise that are put beside each map."""
        most = 2 * self.stirred
        return [0 if side > _NOISY else min(1, most) if 2 * side > _NOISY else most for side in self.sides]

    @property
    def latent(self) -> int:
        """Standard normal numbers that an image takes."""
        return sum(count * side**2 for count, side in zip(self.noisy, self.sides, strict=True))


class Finish(nn.Module):
    """(images (n, channels, side, side) in [-1, 1], z (n, latent)) -> finished images of that shape, not bounded.

    torch_rng: of its first weights, of which the last are zero: at first it changes nothing. Without it all are.
    """

    def __init__(self, shape: FinishShape, torch_rng: torch.Generator | None) -> None:
        super().__init__()
        self.shape = shape
        folded, widths, noisy = shape.channels * _FOLD**2, shape.widths, shape.noisy
        before = [folded, *widths[:-1]]
        self.down = nn.ModuleList(
            _Block(inputs + noise, width, torch_rng)
            for inputs, noise, width in zip(before, noisy, widths, strict=True)
        )
        self.up = nn.ModuleList(
            _Block(small + large, large, torch_rng) for large, small in itertools.pairwise(widths)
        )
        self.last = convolution(widths[0], folded, 3, torch_rng)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]  # Optional in the stubs, present by default

    def forward(self, images: Tensor, z: Tensor) -> Tensor:
        """See the class."""
        odd = -images.shape[-1] % _FOLD
        x = F.pixel_unshuffle(F.pad(images, (0, odd, 0, odd), mode="replicate") if odd else images, _FOLD)
        maps: list[Tensor] = []
        for block, noise, side in zip(self.down, self._noise(z), self.shape.sides, strict=True):
            x = x if x.shape[-1] == side else F.avg_pool2d(x, 2, ceil_mode=True)
            x = block(torch.cat([x, noise], dim=1))
            maps.append(x)
        for block, beside in zip(reversed(self.up), reversed(maps[:-1]), strict=True):
            x = block(torch.cat([F.interpolate(x, size=beside.shape[-2:]), beside], dim=1))
        added: Tensor = F.pixel_shuffle(self.last(x), _FOLD)
        return images + added[..., : images.shape[-2], : images.shape[-1]]

    def _noise(self, z: Tensor) -> list[Tensor]:
        counts, sides = self.shape.noisy, self.shape.sides
        parts = torch.split(z, [count * side**2 for count, side in zip(counts, sides, strict=True)], dim=1)
        places = zip(parts, counts, sides, strict=True)
        return [part.reshape(len(z), count, side, side) for part, count, side in places]


class _Block(nn.Module):
    """Two convolutions beside a shorter way, normalised image by image."""

    def __init__(self, inputs: int, outputs: int, torch_rng: torch.Generator | None) -> None:
        super().__init__()
        self.first = convolution(inputs, outputs, 3, torch_rng)
        self.second = convolution(outputs, outputs, 3, torch_rng)
        self.normal = nn.GroupNorm(8, outputs)
        self.short = convolution(inputs, outputs, 1, torch_rng)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (n, inputs, h, w) to maps (n, outputs, h, w)."""
        found: Tensor = F.silu(self.normal(self.second(F.silu(self.first(x))))) + self.short(x)
        return found
