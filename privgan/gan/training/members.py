"""The patients' side of a training: the only place where the members' images and classes are read.

What leaves it are sums (`gan.patients`): of described images, and of the clipped gradients of one draw. Draws,
augmentation and clipping stay here; noise is added by whoever asks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from privgan.arrays import Integers
from privgan.data.cohort.cohort import MEMBER, Cohort
from privgan.dp.mechanism import clipped_sums
from privgan.dp.query import Described, bounded_products, bounded_sums
from privgan.dp.sampling import PatientIndex, poisson_draw
from privgan.gan.networks.losses import as_targets
from privgan.gan.patients import Describe, DescribedQuery, GradientQuery
from privgan.gan.training.settings import TrainSettings
from privgan.images.augmentation import augment
from privgan.images.pixels import from_uint8, planes, unit_range

_PATIENTS = 512
_PIXELS = 1 << 22  # about so many values of images at once


@dataclass(frozen=True, kw_only=True, eq=False)
class Members:
    """One holder of patients, as `gan.patients.Patients` has it. Sensitive.

    images: uint8 memory map (n, h, w, c); labels: int64 (n,); index: rows by patient.
    settings: how many of a drawn patient's images are read, how they are changed, how many go through at once.
    device: where gradients are computed. rng: of draws and augmentation, cryptographic.
    """

    images: NDArray[np.uint8]
    labels: Integers
    index: PatientIndex
    settings: TrainSettings
    device: torch.device
    rng: np.random.Generator

    @classmethod
    def of(cls, cohort: Cohort, settings: TrainSettings, device: torch.device, rng: np.random.Generator) -> Self:
        """The part of a cohort that training may read; non-members stay behind for the audit."""
        return cls(
            images=cohort.images,
            labels=cohort.labels,
            index=PatientIndex.of(cohort.patients, np.asarray(cohort.rows(MEMBER))),
            settings=settings,
            device=device,
            rng=rng,
        )

    def described_sums(self, query: DescribedQuery) -> Tensor:
        """See `Patients`; everybody's images are read, so many at once as fit into little memory."""
        add_up = bounded_products if query.products else bounded_sums
        return add_up(self._described(query.describe), cells=query.cells, dimensions=query.dimensions)

    def clipped_gradients(self, query: GradientQuery) -> list[Tensor]:
        """See `Patients`; of a patient who is drawn a few images are read."""
        batch = self._drawn(query)

        def losses(rows: Tensor) -> Tensor:
            images, labels, targets = (taken(part, rows) for part in (batch.images, batch.labels, batch.targets))
            return query.losses(query.critic.model(images, labels), targets)

        microbatch = self.settings.speed.microbatch
        return clipped_sums(
            query.critic, losses, batch.owners, clipping_norm=query.clipping_norm, microbatch=microbatch
        )

    def _described(self, describe: Describe) -> Iterator[Described]:
        """All images of some patients, then of the next."""
        index, size = self.index, int(np.prod(self.images.shape[1:]))
        start = 0
        while start < index.count:
            fits = np.searchsorted(index.starts, index.starts[start] + _PIXELS // size, side="right") - 1
            stop = int(min(max(fits, start + 1), start + _PATIENTS, index.count))
            bounds = index.starts[start : stop + 1]
            rows = index.rows[bounds[0] : bounds[-1]]
            vectors, cells = describe(from_uint8(self.images[rows]), torch.from_numpy(self.labels[rows]))
            owners = torch.from_numpy(np.repeat(np.arange(stop - start), np.diff(bounds)))
            yield Described(vectors=vectors, cells=cells, owners=owners)
            start = stop

    def _drawn(self, query: GradientQuery) -> "_Batch":
        """One Poisson draw of patients, and the fakes."""
        images = self.settings.privacy.images_per_patient
        draw = poisson_draw(self.index, rate=query.rate, images=images, rng=self.rng)
        values = unit_range(self.images[draw.rows])
        real = planes(augment(values, self.rng, self.settings.augmentation)).to(self.device)
        owners = np.concatenate([draw.owners, draw.patients + np.arange(len(query.fakes))])
        return _Batch(
            images=torch.cat([real, query.fakes]),
            labels=torch.cat([torch.from_numpy(self.labels[draw.rows]).to(self.device), query.labels]),
            targets=as_targets(len(real), len(query.fakes), self.device),
            owners=torch.from_numpy(owners).to(self.device),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Batch:
    """Images of drawn patients and fakes, in one list: it lives for one question.

    images: float32 (n, channels, h, w); labels: int64 (n,); targets: float32 (n,), +1 real and -1 fake;
    owners: int64 (n,), ascending: drawn patients first, then every fake as an owner of its own.
    """

    images: Tensor
    labels: Tensor
    targets: Tensor
    owners: Tensor


def taken(values: Tensor, rows: Tensor) -> Tensor:
    """values[rows] for ascending rows, without a copy where they follow one another."""
    first, last = int(rows[0]), int(rows[-1])
    return values[first : last + 1] if last - first + 1 == len(rows) else values[rows]
