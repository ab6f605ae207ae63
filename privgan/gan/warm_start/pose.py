"""Where in its frame a thing lies, how large and how slanted it is, from the moments of brightness.

Objects that are drawn, worn or held come in every position; averaging them blurs. Brought into one pose first
(Hu 1962), their images are far closer to a Gaussian, and the pose is a handful of numbers that are released beside
them. Every image is brought into its own pose, so a patient still adds one vector of bounded norm.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

POSE = 5  # down, right, log height, slant, log width
_BLUR = 0.14  # of the frame: added to the extent, so that thin things are not stretched to fill it
_USUAL = 0.18  # of the frame: the extent that everything is brought to
# What a pose is worth in cosine coefficients at 28 pixels; coefficients grow with the side.
_WEIGHTS = (0.6, 0.6, 8.0, 8.0, 8.0)


def pose_of(images: Tensor) -> Tensor:
    """Poses (n, 5) of images (n, channels, h, w) in [-1, 1]; shifts are in 28ths of the frame."""
    bright = (images.mean(1) + 1).clamp_min(0.0)
    side = bright.shape[-1]
    at = (torch.arange(side, device=images.device) + 0.5) / side - 0.5
    total = bright.sum((1, 2)) + 1e-3 * side**2
    down, right = (bright.sum(2) * at).sum(1) / total, (bright.sum(1) * at).sum(1) / total
    tall = (bright.sum(2) * at**2).sum(1) / total - down**2
    wide = (bright.sum(1) * at**2).sum(1) / total - right**2
    both = torch.einsum("nij,i,j->n", bright, at, at) / total - down * right
    tall, wide = tall.clamp_min(0.0) + _extra(), wide.clamp_min(0.0) + _extra()
    slant = both / tall
    narrow = (wide - both.square() / tall).clamp_min(_extra() / 4)
    height, width = (tall.sqrt() / _USUAL).log(), (narrow.sqrt() / _USUAL).log()
    return torch.stack([28 * down, 28 * right, height, slant, width], dim=1)


def _extra() -> float:
    return (_BLUR / 2) ** 2


def posed(images: Tensor, pose: Tensor) -> Tensor:
    """The images in the usual pose, black where they do not reach."""
    down, right, height, slant, width = _parts(pose)
    rows = [width, slant * height, 2 * right, torch.zeros_like(height), height, 2 * down]
    return _warped(images, torch.stack(rows, 1))


def unposed(images: Tensor, pose: Tensor) -> Tensor:
    """The inverse of `posed`, up to interpolation and what left the frame."""
    down, right, height, slant, width = _parts(pose)
    shift = 2 * (slant * down - right) / width
    rows = [1 / width, -slant / width, shift, torch.zeros_like(height), 1 / height, -2 * down / height]
    return _warped(images, torch.stack(rows, 1))


def weighed(pose: Tensor, side: int) -> Tensor:
    """As coordinates that stand beside cosine coefficients of an image of `side` pixels."""
    return pose * _scale(pose, side)


def unweighed(coordinates: Tensor, side: int) -> Tensor:
    """The inverse of `weighed`, kept within what the frame can hold."""
    pose = coordinates / _scale(coordinates, side)
    limits = torch.tensor([14.0, 14.0, 1.0, 1.5, 1.0], device=pose.device)
    return torch.minimum(torch.maximum(pose, -limits), limits)


def _scale(like: Tensor, side: int) -> Tensor:
    return torch.tensor(_WEIGHTS, device=like.device) * (side / 28)


def _parts(pose: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    return pose[:, 0] / 28, pose[:, 1] / 28, pose[:, 2].exp(), pose[:, 3], pose[:, 4].exp()


def _warped(images: Tensor, rows: Tensor) -> Tensor:
    grid = F.affine_grid(rows.reshape(-1, 2, 3), list(images.shape), align_corners=False)
    return F.grid_sample(images + 1, grid, align_corners=False) - 1
