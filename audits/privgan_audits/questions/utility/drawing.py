"""Which images stand for a sample, so that the cost of an answer does not grow with the cohort."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from privgan.arrays import Flags, Images, Integers, Singles, Texts
from privgan.images.blocks import at_once
from privgan.images.stored import joined
from privgan_audits.evidence.interface import Sample

_BLOCK = 512  # images that are looked up at once


@dataclass(frozen=True, kw_only=True, eq=False)
class Gathered:
    """Images of one array or more by their numbers, looked up when they are looked at: no copy lies in memory.

    sources: uint8 (m, h, h, c) each, numbered as if one lay after the other. rows: int64 (n,).
    """

    sources: tuple[Images, ...]
    rows: Integers

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, which: slice | Integers | Flags) -> Images:
        """Some of the images as an array (k, h, h, c)."""
        rows, first = self.rows[which], 0
        found = np.empty((len(rows), *self.sources[0].shape[1:]), self.sources[0].dtype)
        for source in self.sources:
            here = (rows >= first) & (rows < first + len(source))
            found[here] = source[rows[here] - first]
            first += len(source)
        return found

    def some(self, which: Integers | Flags) -> "Gathered":
        """Some of them."""
        return Gathered(sources=self.sources, rows=self.rows[which])

    def followed_by(self, others: "Gathered") -> "Gathered":
        """With those of other arrays."""
        before = sum(map(len, self.sources))
        return Gathered(sources=self.sources + others.sources, rows=np.append(self.rows, others.rows + before))


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """Some images of a `Sample`, to learn from or to be examined on; the rest as there."""

    images: Gathered
    labels: Integers
    patients: Integers
    columns: Mapping[str, Texts]

    @classmethod
    def of(cls, sample: Sample, rows: Integers) -> "Shown":
        """These rows of a sample."""
        return cls(
            images=Gathered(sources=(sample.images,), rows=rows),
            labels=sample.labels[rows],
            patients=sample.patients[rows],
            columns={name: values[rows] for name, values in sample.columns.items()},
        )

    def some(self, which: Integers | Flags) -> "Shown":
        """Some of them."""
        return Shown(
            images=self.images.some(which),
            labels=self.labels[which],
            patients=self.patients[which],
            columns={name: values[which] for name, values in self.columns.items()},
        )

    @property
    def patient_count(self) -> int:
        """How many different patients are among them."""
        return len(np.unique(self.patients))


def drawn(sample: Sample, rng: np.random.Generator, *, patients: int, each: int) -> Integers:
    """Rows of at most so many random patients with at most `each` random images, ascending."""
    owner = np.unique(sample.patients, return_inverse=True)[1]
    lot = rng.permutation(owner.max() + 1)
    shuffled = rng.permutation(len(owner))
    of_patient = shuffled[np.argsort(owner[shuffled], kind="stable")]
    rank = np.empty_like(owner)
    rank[of_patient] = np.arange(len(owner)) - np.searchsorted(owner[of_patient], owner[of_patient])
    return np.flatnonzero((rank < each) & (lot[owner] < patients))


def subset(sample: Sample, rows: Integers | Flags) -> Sample:
    """Some images of a sample."""
    return Sample(
        images=sample.images[rows],
        labels=sample.labels[rows],
        patients=sample.patients[rows],
        columns={name: values[rows] for name, values in sample.columns.items()},
    )


def together(first: Sample, second: Sample) -> Sample:
    """Two samples that share no patient as one, without their columns; no copy of images that lie in one array."""
    return Sample(
        images=joined(first.images, second.images),
        labels=np.concatenate([first.labels, second.labels]),
        patients=np.concatenate([first.patients, second.patients]),
    )


def seen_by(look: Callable[[Images], Singles], images: Images, rows: Integers) -> Singles:
    """What a look makes of images uint8 (n, h, h, c) by their rows (k,), some at a time: (k, ...)."""
    size = at_once(_BLOCK, images.shape[1])
    return np.concatenate([look(images[rows[start : start + size]]) for start in range(0, max(1, len(rows)), size)])


def class_name(classes: tuple[str, ...], label: int) -> str:
    """As the hospital calls a class, or its number."""
    return classes[label] if 0 <= label < len(classes) else str(label)


def class_names(sample: Sample, classes: tuple[str, ...]) -> Texts:
    """What each image's class is called, str (n,)."""
    labels, place = np.unique(sample.labels, return_inverse=True)
    return np.array([class_name(classes, int(label)) for label in labels])[place]
