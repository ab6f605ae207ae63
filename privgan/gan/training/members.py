"""The patients' side of a training: the only place where the members' images and classes are read.

What leaves it are sums (`gan.patients`): of described images, and of the clipped gradients of one draw. Draws,
augmentation and clipping stay here; noise is added by whoever asks.
"""

import zlib
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
from privgan.dp.noise import as_whole, from_whole
from privgan.dp.query import Described, bounded_products, bounded_sums
from privgan.dp.sampling import Draw, PatientIndex, poisson_draw
from privgan.gan.networks.losses import as_targets
from privgan.gan.patients import DescribedQuery, GradientQuery
from privgan.gan.ranks.ranks import ALONE, Ranks, shared_out
from privgan.gan.training.settings import TrainSettings
from privgan.images.augmentation import Changes
from privgan.images.pixels import from_uint8, planes, unit_range

_PATIENTS = 512
_PIXELS = 1 << 20  # about so many values of images at once


@dataclass(frozen=True, kw_only=True, eq=False)
class Members:
    """One holder of patients, as `gan.patients.Patients` has it. Sensitive.

    images: uint8 memory map (n, h, w, c); labels: int64 (n,); index: rows by patient. codes: int64 (n, columns), of
    the declared columns.
    settings: how many of a drawn patient's images are read, how they are changed, how many go through at once.
    device: where gradients are computed. rng: of draws and augmentation, cryptographic. ranks: who computes; the
    answers are the same to the last bit, whoever does.
    """

    images: NDArray[np.uint8]
    labels: Integers
    index: PatientIndex
    settings: TrainSettings
    device: torch.device
    rng: np.random.Generator
    ranks: Ranks = ALONE
    codes: Integers | None = None

    @classmethod
    def of(
        cls,
        cohort: Cohort,
        settings: TrainSettings,
        device: torch.device,
        rng: np.random.Generator,
        ranks: Ranks = ALONE,
    ) -> Self:
        """The part of a cohort that training may read; non-members stay behind for the audit."""
        return cls(
            images=cohort.images,
            labels=cohort.labels,
            index=PatientIndex.of(cohort.patients, np.asarray(cohort.rows(MEMBER))),
            settings=settings,
            device=device,
            rng=rng,
            ranks=ranks,
            codes=cohort.codes,
        )

    def described_sums(self, query: DescribedQuery) -> Tensor:
        """See `Patients`; everybody's images are read, so many at once as fit into little memory."""
        add_up, shape = bounded_products if query.products else bounded_sums, torch.Size(query.shape)
        whole = torch.zeros(shape.numel(), dtype=torch.int64)
        for number, (start, stop) in enumerate(self._batches(query)):
            if number % self.ranks.size == self.ranks.rank:
                batch = self._described(query, start, stop)
                part = add_up([batch], cells=query.cells, dimensions=query.dimensions)
                whole += as_whole([part], bound=1.0)
        total = self.ranks.total(whole, asked=_number(self.index.starts, *shape))
        return from_whole(total, [shape], bound=1.0)[0]

    def clipped_gradients(self, query: GradientQuery) -> list[Tensor]:
        """See `Patients`; of a patient who is drawn a few images are read."""
        draw = self._drawn(query.rate)
        batch = self._batch(query, draw)

        def losses(rows: Tensor) -> Tensor:
            images, told, targets = (taken(part, rows) for part in (batch.images, batch.told, batch.targets))
            return query.losses(query.critic.model(images, told), targets)

        part = clipped_sums(
            query.critic,
            losses,
            batch.owners,
            batch.pieces,
            clipping_norm=query.clipping_norm,
            microbatch=self.settings.speed.microbatch,
        )
        total = self.ranks.total(part, asked=_number(draw.rows, len(query.fakes)))
        return from_whole(total, [p.shape for p in query.critic.trainable], bound=query.clipping_norm)

    def _batches(self, query: DescribedQuery) -> Iterator[tuple[int, int]]:
        """All images of some patients, from the first to before the last, then of the next."""
        index, size = self.index, int(np.prod(self.images.shape[1:]))
        size = max(size, query.dimensions) if query.records else size  # what records do is longer than an image
        start = 0
        while start < index.count:
            fits = np.searchsorted(index.starts, index.starts[start] + _PIXELS // size, side="right") - 1
            stop = int(min(max(fits, start + 1), start + _PATIENTS, index.count))
            yield start, stop
            start = stop

    def _described(self, query: DescribedQuery, start: int, stop: int) -> Described:
        bounds = self.index.starts[start : stop + 1]
        rows = self.index.rows[bounds[0] : bounds[-1]]
        told = self._told(rows, records=query.records)
        vectors, cells = query.describe(from_uint8(self.images[rows]), told)
        owners = torch.from_numpy(np.repeat(np.arange(stop - start), np.diff(bounds)))
        return Described(vectors=vectors, cells=cells, owners=owners)

    def _told(self, rows: Integers, *, records: bool) -> Tensor:
        """What is said of images (n,): labels (n,), or records (n, 1 + columns)."""
        labels = self.labels[rows]
        if not records:
            return torch.from_numpy(labels)
        codes = np.empty((len(rows), 0), dtype=np.int64) if self.codes is None else self.codes[rows]
        return torch.from_numpy(np.column_stack([labels, codes]))

    def _drawn(self, rate: float) -> Draw:
        """One Poisson draw of all patients, whichever rank computes."""
        images = self.settings.privacy.images_per_patient
        return poisson_draw(self.index, rate=rate, images=images, rng=self.rng)

    def _batch(self, query: GradientQuery, draw: Draw) -> "_Batch":
        """What of a draw, and of the fakes, this rank computes; often little, sometimes nothing."""
        changes = Changes.drawn(len(draw.rows), self.rng, self.settings.augmentation)
        pieces = draw.pieces(query.rate * self.index.count, self._piece)[draw.owners]
        fakes = np.arange(len(query.fakes)) // self._piece + (pieces.max() + 1 if len(pieces) else 0)
        mine = shared_out(np.bincount(np.concatenate([pieces, fakes])).tolist(), self.ranks)
        real, invented = (np.flatnonzero(np.isin(numbers, mine)) for numbers in (pieces, fakes))
        rows = draw.rows[real]
        images = planes(changes.of(unit_range(self.images[rows]), real)).to(self.device)
        told = self._told(rows, records=query.told.dim() > 1).to(self.device)
        owners = np.concatenate([draw.owners[real], draw.patients + invented])
        numbers = np.concatenate([pieces[real], fakes[invented]])
        others = torch.from_numpy(invented).to(self.device)
        return _Batch(
            images=_beside(images, query.fakes[others]),
            told=torch.cat([told, query.told[others]]),
            targets=as_targets(len(real), len(invented), self.device),
            owners=torch.from_numpy(owners).to(self.device),
            pieces=torch.from_numpy(numbers).to(self.device),
        )

    @property
    def _piece(self) -> int:
        """Images a piece, on average: at most half of what goes through at once, so that hardly ever one is larger
        than that (decision 12).
        """
        return max(1, self.settings.speed.microbatch // 2)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Batch:
    """Images of drawn patients and fakes, in one list: it lives for one question.

    images: float32 (n, channels, h, w); told: int64, labels (n,) or records (n, 1 + columns);
    targets: float32 (n,), +1 real and -1 fake;
    owners: int64 (n,), ascending: drawn patients first, then every fake as an owner of its own;
    pieces: int64 (n,), which are added up together.
    """

    images: Tensor
    told: Tensor
    targets: Tensor
    owners: Tensor
    pieces: Tensor


def _beside(first: Tensor, then: Tensor) -> Tensor:
    """Both, one row after the other in memory: how a convolution rounds must not depend on which is empty."""
    both = torch.empty((len(first) + len(then), *then.shape[1:]), device=then.device)
    both[: len(first)], both[len(first) :] = first, then
    return both


def _number(values: Integers, *more: int) -> int:
    """A number below 2^24 that other values would hardly have."""
    return zlib.crc32(values.tobytes() + repr(more).encode()) & 0xFFFFFF


def taken(values: Tensor, rows: Tensor) -> Tensor:
    """values[rows] for ascending rows, without a copy where they follow one another."""
    first, last = int(rows[0]), int(rows[-1])
    return values[first : last + 1] if last - first + 1 == len(rows) else values[rows]
