"""Detail that a public network added, made as strong as patients' noisy answers say that theirs is."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from privgan.gan.warm_start.strength import GRID, DetailBands, split

_MOST = 4.0  # times that detail becomes stronger, or weaker: beyond, something else is wrong


class Strengths(nn.Module):
    """(images (n, channels, side, side), labels (n,)) -> the same with detail stronger or weaker, not bounded.

    gains: (classes, bands, GRID, GRID), how many times as strong, at the middles of the frame's parts; 1 at first,
    which changes nothing. Lower frequencies stay. Nothing in it is learned.
    """

    columns: Tensor
    masks: Tensor
    gains: Tensor

    def __init__(self, bands: DetailBands, classes: int) -> None:
        super().__init__()
        self.bands = bands
        self.register_buffer("columns", bands.columns, persistent=False)
        self.register_buffer("masks", bands.masks, persistent=False)
        self.register_buffer("gains", torch.ones(classes, bands.count, GRID, GRID))

    def fill(self, wanted: Tensor, drawn: Tensor) -> None:
        """From logarithms of power (classes, numbers), those wanted and those that images have without any gain."""
        gains = ((wanted - drawn) / 2).exp().clamp(1 / _MOST, _MOST)
        self.gains.copy_(gains.reshape(self.gains.shape))

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """See the class."""
        found = images
        more = F.interpolate(self.gains[labels] - 1, size=images.shape[-2:], mode="bilinear", align_corners=False)
        for number, part in enumerate(split(images, self.columns, self.masks)):
            found = found + part * more[:, number, None]
        return found
