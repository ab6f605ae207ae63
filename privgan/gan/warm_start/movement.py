"""Smooth movements: small ones with long waves, as hands, cloth and soft tissue make them, made, undone and found.

Averages of things whose parts lie a little differently are blurred, and a Gaussian of their pixels fades parts in and
out instead of moving them. An active appearance model (Cootes, Edwards and Taylor 2001) describes a thing by where
its parts lie and, apart from that, by how they look. Here the average is what an earlier query released, and
everybody is moved onto it alone, so that a patient still adds one vector of bounded norm.

Random movements (Simard, Steinkraus and Platt 2003) are added to what is drawn: nobody has to be asked about those,
their size is public knowledge of what is pictured.
"""

import math
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from privgan.gan.warm_start.constants import exponential
from privgan.gan.warm_start.cosines import cosine_basis, cosine_frequencies

_ORDER = 6
_WAVE = 2.2  # cosine order at which displacements fall off: a correlation length of a seventh of the frame
_UNDOING = 6  # rounds; a smooth displacement changes little on its own length
WAVES = cosine_frequencies(_ORDER, _ORDER)
BENDS = 2 * len(WAVES)  # numbers that make a displacement, half of them to the right, half of them down
REACH = 1.0  # of movements, root mean square, in 28ths of the frame: what a movement of size 1 in every number makes
_LARGEST = 3.0  # of such a number
_SIDE = 32  # pixels a side, at most, that movements are looked for at: they are smooth
_ROUNDS = 3
# How far a pixel of range [-1, 1] may be off, as a standard deviation, before a movement is worth its improbability.
_ROUGH = 0.5


def waves(size: int) -> Tensor:
    """(BENDS / 2, size x size): times standard normal numbers, a displacement of root mean square 1.

    The same on every machine: single precision, one operation after the other.
    """
    heights = np.array([u * u + v * v for u, v in WAVES], np.float32) / np.float32(2 * _WAVE**2)
    weights = np.array([exponential(-height) for height in heights.tolist()], np.float32)
    norm = np.float32(math.sqrt(math.fsum(weight * weight for weight in weights.tolist())))
    return cosine_basis(size, _ORDER) * torch.from_numpy(size * weights / norm)[:, None]


def bent(images: Tensor, z: Tensor, field: Tensor, bend: float) -> Tensor:
    """Images (n, channels, size, size) displaced by z (n, BENDS), standard normal; edges go on beyond the frame.

    field: `waves(size)`. bend: root mean square displacement each way, in 28ths of the frame.
    """
    return _displaced(images, _displacements(z, field, bend))


def unbent(images: Tensor, z: Tensor, field: Tensor, bend: float) -> Tensor:
    """The inverse of `bent`, up to interpolation and what left the frame."""
    return _displaced(images, _undone(_displacements(z, field, bend)))


def carried(images: Tensor, before: Tensor, after: Tensor, field: Tensor, bend: float) -> Tensor:
    """What lies on images displaced by `before` (n, BENDS), where it would lie had `after` displaced them.

    As `bent` of `unbent`, but for interpolating once, which is one loss of sharpness less.
    """
    back, there = _undone(_displacements(before, field, bend)), _displacements(after, field, bend)
    return _displaced(images, there + _displaced(back, there))


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


def _displacements(z: Tensor, field: Tensor, bend: float) -> Tensor:
    """(n, 2, size, size), to the right and down, in half frames."""
    size = round(field.shape[1] ** 0.5)
    return (z.reshape(len(z), 2, -1) @ field).reshape(-1, 2, size, size) * (2 * bend / 28)


def _undone(away: Tensor) -> Tensor:
    """The displacements that lead back."""
    back = -away
    for _ in range(_UNDOING):
        back = -_displaced(away, back)
    return back


def _displaced(images: Tensor, by: Tensor) -> Tensor:
    """Every pixel from where it is displaced to."""
    size = images.shape[-1]
    same = torch.eye(2, 3, device=by.device, dtype=by.dtype)
    still = F.affine_grid(same[None], [1, 1, size, size], align_corners=False)  # one for all: torch would make n
    # Added plane by plane, as displacements lie; torch samples as fast so, and adds faster than pair by pair.
    places = still.permute(0, 3, 1, 2).contiguous() + by
    return F.grid_sample(images, places.permute(0, 2, 3, 1), padding_mode="border", align_corners=False)


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
