"""Where the parts of a thing lie: the smooth movement that leads the average onto it.

Averages of things whose parts lie a little differently are blurred, and a Gaussian of their pixels fades parts in and
out instead of moving them. An active appearance model (Cootes, Edwards and Taylor 2001) describes a thing by where
its parts lie and, apart from that, by how they look. Here the average is what an earlier query released, and
everybody is moved onto it alone, so that a patient still adds one vector of bounded norm.
"""

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from privgan.gan.warm_start.bending import BENDS, bent, waves

REACH = 1.0  # of movements, root mean square, in 28ths of the frame: what a movement of size 1 in every number makes
_LARGEST = 3.0  # of such a number
_SIDE = 32  # pixels a side, at most, that movements are looked for at: they are smooth
_ROUNDS = 3
# How far a pixel of range [-1, 1] may be off, as a standard deviation, before a movement is worth its improbability.
_ROUGH = 0.5


def movements(images: Tensor, template: Tensor) -> Tensor:
    """The numbers z (n, BENDS) for which the template, `bent` by them, is closest to the images.

    The most probable ones, when each is N(0, 1) and pixels differ by `_ROUGH` besides; by steps of Gauss and Newton.

    Args:
        images: (n, channels, size, size) in [-1, 1]; brightness alone is looked at.
        template: (channels, size, size), the average that they are compared with.
    """
    wanted = _small(images)
    still = _small(template[None]).expand_as(wanted)
    side = still.shape[-1]
    field, pairs, of_pair = _waves(side)
    z = torch.zeros(len(images), BENDS)
    for _ in range(_ROUNDS):
        moved = bent(still, z, field, REACH)
        away = (wanted - moved).flatten(1) / _ROUGH
        right, down = (slope * (REACH * side / 28 / _ROUGH) for slope in _slopes(moved))
        # The normal equations, through products of waves that are the same for all images.
        rows = [torch.cat([((a * b) @ pairs.T)[:, of_pair] for b in (right, down)], 2) for a in (right, down)]
        pull = torch.cat([(slope * away) @ field.T for slope in (right, down)], 1)
        step = torch.linalg.solve(torch.cat(rows, 1) + torch.eye(BENDS), pull - z)
        z = (z + step).clamp(-_LARGEST, _LARGEST)
    return z


def _small(images: Tensor) -> Tensor:
    """Brightness (n, 1, side, side), at most _SIDE pixels a side."""
    grey = images.mean(1, keepdim=True)
    return F.adaptive_avg_pool2d(grey, min(_SIDE, grey.shape[-1]))


def _slopes(images: Tensor) -> tuple[Tensor, Tensor]:
    """Change from pixel to pixel, to the right and downwards: (n, size x size) each."""
    wide = F.pad(images, (1, 1, 1, 1), mode="replicate")
    right = (wide[..., 1:-1, 2:] - wide[..., 1:-1, :-2]) / 2
    down = (wide[..., 2:, 1:-1] - wide[..., :-2, 1:-1]) / 2
    return right.flatten(1), down.flatten(1)


@cache
def _waves(side: int) -> tuple[Tensor, Tensor, Tensor]:
    """The waves (k, side x side), products of two each (pairs, side x side), and which of these (k, k) is whose."""
    field = waves(side)
    first, second = torch.triu_indices(len(field), len(field))
    of_pair = torch.zeros(len(field), len(field), dtype=torch.int64)
    of_pair[first, second] = of_pair[second, first] = torch.arange(len(first))
    return field, field[first] * field[second], of_pair
