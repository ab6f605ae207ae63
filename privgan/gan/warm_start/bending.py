"""Small smooth distortions of what is drawn, as every hand, cloth or soft tissue makes them.

Gaussians of pixels vary by fading one picture into another; things vary by moving. A random displacement with long
waves (Simard, Steinkraus and Platt 2003) adds movement that nobody has to be asked about: its size is public
knowledge of what is pictured, and costs no privacy.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from privgan.gan.warm_start.cosines import cosine_basis

_ORDER = 6
_WAVE = 2.2  # cosine order at which displacements fall off: a correlation length of a seventh of the frame
BENDS = _ORDER * (
    _ORDER + 1
)  # standard normal numbers that make a displacement, half of them down, half of them right


def waves(size: int) -> Tensor:
    """(BENDS / 2, size x size): times standard normal numbers, a displacement of root mean square 1."""
    height = torch.tensor([u * u + v * v for u in range(_ORDER) for v in range(_ORDER) if u + v < _ORDER])
    weights = torch.exp(-height / (2 * _WAVE**2))
    scaled: Tensor = cosine_basis(size, _ORDER) * (size * weights / weights.norm())[:, None]
    return scaled


def bent(images: Tensor, z: Tensor, field: Tensor, bend: float) -> Tensor:
    """Images (n, channels, size, size) displaced by z (n, BENDS), standard normal; edges go on beyond the frame.

    field: `waves(size)`. bend: root mean square displacement each way, in 28ths of the frame.
    """
    n, _, size, _ = images.shape
    moved = (z.reshape(n, 2, -1) @ field).reshape(n, 2, size, size) * (2 * bend / 28)
    still = F.affine_grid(torch.eye(2, 3, device=z.device).expand(n, 2, 3), list(images.shape), align_corners=False)
    return F.grid_sample(images, still + moved.permute(0, 2, 3, 1), padding_mode="border", align_corners=False)
