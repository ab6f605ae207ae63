"""Smooth distortions: small movements with long waves, as hands, cloth and soft tissue make them.

Gaussians of pixels vary by fading one picture into another; things vary by moving. Movements are found in images
(`alignment`), and random ones (Simard, Steinkraus and Platt 2003) are added to what is drawn: nobody has to be asked
about those, their size is public knowledge of what is pictured.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from privgan.gan.warm_start.cosines import cosine_basis, cosine_frequencies

_ORDER = 6
_WAVE = 2.2  # cosine order at which displacements fall off: a correlation length of a seventh of the frame
_UNDOING = 6  # rounds; a smooth displacement changes little on its own length
WAVES = cosine_frequencies(_ORDER, _ORDER)
BENDS = 2 * len(WAVES)  # numbers that make a displacement, half of them to the right, half of them down


def waves(size: int) -> Tensor:
    """(BENDS / 2, size x size): times standard normal numbers, a displacement of root mean square 1."""
    height = torch.tensor([u * u + v * v for u, v in WAVES])
    weights = torch.exp(-height / (2 * _WAVE**2))
    scaled: Tensor = cosine_basis(size, _ORDER) * (size * weights / weights.norm())[:, None]
    return scaled


def bent(images: Tensor, z: Tensor, field: Tensor, bend: float) -> Tensor:
    """Images (n, channels, size, size) displaced by z (n, BENDS), standard normal; edges go on beyond the frame.

    field: `waves(size)`. bend: root mean square displacement each way, in 28ths of the frame.
    """
    return _displaced(images, _displacements(z, field, bend))


def unbent(images: Tensor, z: Tensor, field: Tensor, bend: float) -> Tensor:
    """The inverse of `bent`, up to interpolation and what left the frame."""
    away = _displacements(z, field, bend)
    back = -away
    for _ in range(_UNDOING):
        back = -_displaced(away, back)
    return _displaced(images, back)


def _displacements(z: Tensor, field: Tensor, bend: float) -> Tensor:
    """(n, 2, size, size), to the right and down, in half frames."""
    size = round(field.shape[1] ** 0.5)
    return (z.reshape(len(z), 2, -1) @ field).reshape(-1, 2, size, size) * (2 * bend / 28)


def _displaced(images: Tensor, by: Tensor) -> Tensor:
    """Every pixel from where it is displaced to."""
    n, _, size, _ = images.shape
    still = F.affine_grid(torch.eye(2, 3, device=by.device).expand(n, 2, 3), [n, 1, size, size], align_corners=False)
    return F.grid_sample(images, still + by.permute(0, 2, 3, 1), padding_mode="border", align_corners=False)
