"""Where the members' images lie, and how they are read: whole patients at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from privgan.arrays import Integers
from privgan.dp.sampling import PatientIndex
from privgan.images.pixels import from_uint8

_PATIENTS = 512
_PIXELS = 1 << 22  # about so many values of images at once


@dataclass(frozen=True, kw_only=True)
class Members:
    """Sensitive: read only by the queries before the first step and by the discriminator's draws.

    images: uint8 memory map, grey (n, h, w) or colour (n, h, w, 3); labels: int64 (n,); index: rows by patient.
    """

    images: NDArray[np.uint8]
    labels: Integers
    index: PatientIndex
    classes: int

    def batches(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """All images of some patients: pixels (n, channels, h, w) in [-1, 1], labels (n,), owners (n,) from 0."""
        index, size = self.index, int(np.prod(self.images.shape[1:]))
        start = 0
        while start < index.count:
            fits = np.searchsorted(index.starts, index.starts[start] + _PIXELS // size, side="right") - 1
            stop = int(min(max(fits, start + 1), start + _PATIENTS, index.count))
            bounds = index.starts[start : stop + 1]
            rows = index.rows[bounds[0] : bounds[-1]]
            owners = torch.from_numpy(np.repeat(np.arange(stop - start), np.diff(bounds)))
            yield from_uint8(self.images[rows]), torch.from_numpy(self.labels[rows]), owners
            start = stop
