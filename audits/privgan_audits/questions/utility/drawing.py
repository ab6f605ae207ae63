"""Which images stand for a sample, so that the cost of an answer does not grow with the cohort."""

import numpy as np

from privgan.arrays import Flags, Integers, Texts
from privgan_audits.evidence.interface import Sample


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
    """Two samples that share no patient as one, without their columns."""
    return Sample(
        images=np.concatenate([first.images, second.images]),
        labels=np.concatenate([first.labels, second.labels]),
        patients=np.concatenate([first.patients, second.patients]),
    )


def class_name(classes: tuple[str, ...], label: int) -> str:
    """As the hospital calls a class, or its number."""
    return classes[label] if 0 <= label < len(classes) else str(label)


def class_names(sample: Sample, classes: tuple[str, ...]) -> Texts:
    """What each image's class is called, str (n,)."""
    labels, place = np.unique(sample.labels, return_inverse=True)
    return np.array([class_name(classes, int(label)) for label in labels])[place]
