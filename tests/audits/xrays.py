"""The chest X-rays of Kermany et al. as samples of patients, for studies on real images."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from privgan.images.geometry import pool
from privgan.images.stored import with_channels
from privgan_audits.evidence.interface import Sample


@dataclass(frozen=True, kw_only=True)
class XRays:
    """images: uint8 (n, size, size, 1). labels, patients: int64 (n,); patients count from 0."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    patients: NDArray[np.int64]

    @classmethod
    def read(cls, shared_data: Path, size: int = 64) -> "XRays":
        """All of them, averaged down to `size`; an image that is there twice is left out the second time."""
        file = next(shared_data.rglob("kermany_cxr_64.npz"))
        with np.load(file, allow_pickle=False) as stored:
            kept = np.sort(np.unique(stored["images"], axis=0, return_index=True)[1])
            images, numbers, labels = (stored[key][kept] for key in ("images", "patient_id", "labels"))
        images = with_channels(images)
        fine = images if size == images.shape[1] else np.rint(pool(images, size)).astype(np.uint8)
        return cls(
            images=fine,
            labels=np.unique(labels, return_inverse=True)[1].astype(np.int64),
            patients=np.unique(numbers, return_inverse=True)[1].astype(np.int64),
        )

    def split(self, rng: np.random.Generator, *counts: int) -> list[Sample]:
        """Disjoint samples of so many random patients each, with all their images."""
        drawn = rng.permutation(self.patients.max() + 1)
        edges = np.cumsum([0, *counts])
        return [self.of(drawn[low:high]) for low, high in pairwise(edges)]

    def of(self, patients: NDArray[np.int64]) -> Sample:
        """All images of some patients."""
        rows = np.isin(self.patients, patients)
        return Sample(images=self.images[rows], labels=self.labels[rows], patients=self.patients[rows])
