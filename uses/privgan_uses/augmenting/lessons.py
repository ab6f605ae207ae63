"""The images that an arm learns from, and how often each is drawn."""

import numpy as np

from privgan.arrays import Floats, Images, Integers, Singles
from privgan.images.augmentation import AugmentationSettings, Changes
from privgan.images.geometry import pool
from privgan_audits.evidence.interface import Sample
from privgan_audits.questions.utility.classifier import Lessons
from privgan_audits.questions.utility.drawing import subset
from privgan_audits.questions.utility.teaching import evenly
from privgan_audits.spaces.pixels import FINE
from privgan_uses.augmenting.arms import Arm

FRESH = 4_096  # changed images to a training; each is drawn a few times
# Parts of which the left and the right one look like each other's mirror image; elsewhere sides mean something.
_PAIRED = frozenset(
    ("ANKLE", "BREAST", "ELBOW", "EYE", "FOOT", "HAND", "HIP", "KNEE", "SHOULDER", "SKIN", "WRIST"),
)


def usual_changes(body_part: str) -> AugmentationSettings:
    """The classical changes: ten degrees, a tenth in size, a twentieth of the side; mirrored where a part may be.

    >>> usual_changes("CHEST").flip, usual_changes("KNEE").flip
    (0.0, 0.5)
    """
    return AugmentationSettings(flip=0.5 * (body_part in _PAIRED), rotation_degrees=10, scale=0.1, shift=0.05)


def as_seen(sample: Sample) -> Sample:
    """A sample with `small` images."""
    return Sample(images=small(sample.images), labels=sample.labels, patients=sample.patients)


def small(images: Images) -> Images:
    """Images (n, h, h, c) averaged down to what the network looks at, so that nothing here grows with their size."""
    return _rounded(pool(images, min(FINE, images.shape[1])))


def few(own: Sample, size: int, rng: np.random.Generator) -> Sample:
    """All images of so many random patients of each class, of that class."""
    kept = [
        np.flatnonzero((own.labels == label) & np.isin(own.patients, rng.permutation(patients_of(own, label))[:size]))
        for label in np.unique(own.labels).tolist()
    ]
    return subset(own, np.sort(np.concatenate(kept)))


def patients_of(sample: Sample, label: int) -> Integers:
    """The patients who have an image of a class."""
    return np.unique(sample.patients[sample.labels == label])


def added(arm: Arm, own: Sample, given: Sample, rng: np.random.Generator) -> Sample:
    """The synthetic images of an arm: all, or of each class as many as the arm's ratio says, at least one."""
    if arm.whole:
        return given
    rows = []
    for label, images in zip(*np.unique(own.labels, return_counts=True), strict=True):
        count = max(1, round(arm.ratio * int(images)))
        rows.append(rng.permutation(np.flatnonzero(given.labels == label))[:count])
    return subset(given, np.concatenate(rows))


def lessons_of(
    arm: Arm, own: Sample, given: Sample, changes: AugmentationSettings, rng: np.random.Generator
) -> Lessons:
    """What one training draws from.

    Args:
        arm: which.
        own: the hospital's few images, `as_seen`, labels 0..classes-1.
        given: the released set likewise.
        changes: how far images may be changed.
        rng: of which synthetic images, and of the changes.
    """
    parts = list[tuple[Sample, Floats]]()
    if arm.synthetic < 1:
        _, person, shown = np.unique(own.patients, return_inverse=True, return_counts=True)
        parts.append((own, (1 - arm.synthetic) * evenly(own.labels, 1 / shown[person])))
    if arm.synthetic:
        others = added(arm, own, given, rng)
        parts.append((others, arm.synthetic * evenly(others.labels, np.ones(len(others.labels)))))
    images = np.concatenate([sample.images for sample, _ in parts])
    labels = np.concatenate([sample.labels for sample, _ in parts])
    weights = np.concatenate([share for _, share in parts])
    if not arm.changed:
        return Lessons(images=images, labels=labels, weights=weights)
    rows = rng.choice(len(images), size=FRESH, p=weights)
    changed = _changed(images[rows], changes, rng)
    return Lessons(images=changed, labels=labels[rows], weights=np.full(FRESH, 1 / FRESH))


def _changed(images: Images, changes: AugmentationSettings, rng: np.random.Generator) -> Images:
    drawn = Changes.drawn(len(images), rng, changes)
    moved = drawn.of(images.astype(np.float32) / 127.5 - 1, np.arange(len(images)))
    return _rounded((moved + 1) * 127.5)


def _rounded(levels: Singles) -> Images:
    return np.asarray(np.clip(np.rint(levels), 0, 255).astype(np.uint8))
