"""What labels, their counts and the order of a set say by themselves: for information, nothing of it gates.

A generator may write its images in the order of the patients whom it learned from, label each with something of one
patient, or draw exactly as many of each class as there were. None of that needs an image that looks like anybody.
"""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from privgan.arrays import Images, Integers, Singles
from privgan.language import to_tr
from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.spaces.pixels import normalise
from privgan_audits.spaces.search.neighbours import nearest, upright

OF_IMAGES, OF_PATIENTS = to_tr(("the members' images", "the members"))
_PERMUTATIONS = 999
_SIDE = 16  # pixels: enough to recognise a copy, and cheap
_AT_ONCE = 64  # images that become numbers at their full size
_ROUNDING = 1e-9  # of correlations; equal ones must count as equal


def arrangement(evidence: Evidence, rng: np.random.Generator) -> dict[str, Any]:
    """See the module.

    Returns:
        `class_shares_of` (of what the set has exactly the class shares, empty with one class), `labels` (different
        ones in the set), `labels_of_one_member` (of these, those that one member alone has), `order_correlation` and
        `order_p` (see `order`).
    """
    members, synthetic = evidence.members, evidence.synthetic
    rows = _nearest_rows(synthetic.images, members.images)
    correlation, p = order(rows, synthetic.labels, rng)
    used = np.unique(synthetic.labels)
    return {
        "class_shares_of": _same_shares(members, synthetic),
        "labels": len(used),
        "labels_of_one_member": int((_patients_of(members, int(used.max()) + 1)[used] == 1).sum()),
        "order_correlation": correlation,
        "order_p": p,
    }


def order(rows: Integers, labels: Integers, rng: np.random.Generator) -> tuple[float | None, float | None]:
    """Whether later images of a set are nearest to later members.

    Within each class alone, because both sides may be sorted by class; there all orders are equally likely when an
    image does not know its place. So the p-value is exact, whatever the images are (Pitman 1937).

    Args:
        rows: of each image of the set (n,), in its order, the row of its nearest member.
        labels: of each image (n,).
        rng: for the permutations.

    Returns:
        The correlation of the two, and how often chance gives one so far from 0; None where every order is the same.
    """
    here, there = _centred(np.arange(len(rows)), labels), _centred(rows, labels)
    scale = float(np.sqrt((here @ here) * (there @ there)))
    if scale == 0:
        return None, None
    groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    seen = float(here @ there) / scale
    by_chance = [
        sum(float(here[group] @ rng.permutation(there[group])) for group in groups) / scale
        for _ in range(_PERMUTATIONS)
    ]
    as_far = int((np.abs(by_chance) >= abs(seen) - _ROUNDING).sum())
    return seen, (1 + as_far) / (1 + _PERMUTATIONS)


def _centred(values: Integers, labels: Integers) -> np.ndarray[Any, np.dtype[np.float64]]:
    _, group, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return np.asarray(values - (np.bincount(group, values) / counts)[group], dtype=np.float64)


def _nearest_rows(images: Images, members: Images) -> Integers:
    found = nearest(_small(images), _small(members), k=1, turns=upright)
    return found.rows[:, 0]


def _small(images: Images) -> Singles:
    """Grey, without brightness and contrast (n, at most 16 x 16)."""
    side = min(_SIDE, images.shape[1])
    small = np.empty((len(images), side, side, 1), np.float32)
    for start in range(0, len(images), _AT_ONCE):
        grey = torch.from_numpy(images[start : start + _AT_ONCE].mean(axis=3, dtype=np.float32))
        small[start : start + _AT_ONCE, ..., 0] = F.adaptive_avg_pool2d(grey[:, None], side)[:, 0].numpy()
    return normalise(small).reshape(len(images), -1)


def _same_shares(members: Sample, synthetic: Sample) -> list[str]:
    classes = int(max(members.labels.max(), synthetic.labels.max())) + 1
    made = np.bincount(synthetic.labels, minlength=classes)
    known = {OF_IMAGES: np.bincount(members.labels, minlength=classes), OF_PATIENTS: _patients_of(members, classes)}
    if np.count_nonzero(made) < 2:
        return []
    return [name for name, counts in known.items() if (made * counts.sum() == counts * made.sum()).all()]


def _patients_of(sample: Sample, classes: int) -> Integers:
    """How many patients have each label (classes,)."""
    pairs = np.unique(np.stack([sample.labels, sample.patients]), axis=1)
    return np.bincount(pairs[0], minlength=classes).astype(np.int64)
