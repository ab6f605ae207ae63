"""How strong detail is, by frequency and place: the one thing that patients are asked of what public images add.

A network that learned detail elsewhere makes it as strong as it is there: adults' bones are sharper than children's,
another detector has another grain, and what is too strong is seen first. So every patient says the logarithm of the
power of their image in bands of frequency above those that the warm start draws, in sixteen parts of the frame. That
is a radial spectrum (Durall, Keuper and Keuper 2020) at places, and one Gaussian query; what it teaches is a gain.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from privgan.gan.patients import DescribedQuery, Everybody, ask
from privgan.gan.warm_start.constants import cosine_columns
from privgan.gan.warm_start.shrinkage import shrunk

GRID = 4  # parts of the frame a side
_FIRST = 0.8  # of the order of what the warm start draws: the last of its frequencies are as good as detail
_WIDTH = math.sqrt(2)  # of a band: from a frequency to so many times as much
_LAST = 0.95  # of the side: no band begins beyond
_FAINT = 1e-5  # power that rounding to whole grey levels leaves anyway
_RADIUS = 1.0  # root mean square distance from the public images' average, in logarithms of power, before clipping


@dataclass(frozen=True, kw_only=True)
class DetailBands:
    """Which frequencies are told apart. side: of images; order: what a warm start draws lies below."""

    side: int
    order: int

    @cached_property
    def masks(self) -> Tensor:
        """(bands, side, side), 1 where a cosine is of a band and 0 elsewhere; no cosine is of two."""
        along = np.arange(self.side)
        radius = torch.from_numpy(np.hypot(along[:, None], along))
        starts = [_FIRST * self.order]
        while starts[-1] * _WIDTH < _LAST * self.side:
            starts.append(starts[-1] * _WIDTH)
        ends = [*starts[1:], math.inf]
        return torch.stack(
            [(radius >= start) & (radius < end) for start, end in zip(starts, ends, strict=True)]
        ).float()

    @cached_property
    def columns(self) -> Tensor:
        """Orthonormal cosines (side, side), the same on every machine."""
        return torch.from_numpy(cosine_columns(self.side)).float()

    @property
    def count(self) -> int:
        """How many bands there are."""
        return len(self.masks)

    @property
    def numbers(self) -> Tensor:
        """(bands x GRID^2,): the band of each number that an image has."""
        return torch.arange(self.count).repeat_interleave(GRID**2)

    def powers(self, images: Tensor) -> Tensor:
        """Logarithms (n, bands x GRID^2) of the power of the light of images (n, channels, side, side)."""
        parts = split(images.mean(1, keepdim=True), self.columns.to(images), self.masks.to(images))
        found = [F.adaptive_avg_pool2d(part.square(), GRID).flatten(1) for part in parts]
        return (torch.cat(found, 1) + _FAINT).log()


def split(images: Tensor, columns: Tensor, masks: Tensor) -> Iterator[Tensor]:
    """What of images (n, channels, side, side) lies in each band, of the same shape, band after band."""
    cosines = columns.T @ images @ columns
    for mask in masks:
        yield columns @ (cosines * mask) @ columns.T


def measure_powers(
    patients: Everybody, bands: DetailBands, public: Tensor, counts: Tensor, noise: float, rng: np.random.Generator
) -> Tensor:
    """Mean `DetailBands.powers` of each class (classes, numbers), as far as they are more than noise.

    Args:
        patients: who are asked.
        bands: about which.
        public: (numbers,), the average of public images: what is not known of patients is as it is there.
        counts: (classes,), noisy patients, as the warm start released them.
        noise: the query's noise multiplier, as charged.
        rng: of the noise.
    """
    radius = _RADIUS * math.sqrt(len(public))

    def describe(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        return (bands.powers(images) - public) / radius, labels

    query = DescribedQuery(describe=describe, cells=len(counts), dimensions=len(public))
    scale = radius / counts.double().clamp_min(1.0)
    away = ask(patients, query, noise=noise, rng=rng) * scale[:, None]
    return public + shrunk(away, counts.double(), noise * scale, bands.numbers).float()
