"""What the examining network of the audit finds in an image before and after: does a finding appear, or vanish?

PSNR does not see a small opacity that a restorer smoothed away. A network that learned the hospital's own classes
from members' good images is asked about held-back patients' good, damaged and restored ones: how well it tells the
classes (AUC), and how often its answer differs from the one about the good image.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from privgan.arrays import Flags, Floats, Images
from privgan.language import to_tr, tr
from privgan.progress import Progress, silent
from privgan_audits.evidence.interface import Sample
from privgan_audits.questions.utility.classifier import Lessons, train_classifier
from privgan_audits.questions.utility.examination import Examination

_TASK = to_tr("learning to examine")
FEWEST = 5  # patients of a class on either side, below which nothing is said of it


def examined(
    members: Sample,
    held_back: Sample,
    arms: Mapping[str, Images],
    classes: tuple[str, ...],
    rng: np.random.Generator,
    progress: Progress = silent,
) -> dict[str, Any] | None:
    """AUC and changed answers for each arm, with intervals; None where there are no two classes to tell.

    Args:
        members: what the network learns from.
        held_back: good images, and the classes of their patients.
        arms: other versions of the images of `held_back`, by name.
        classes: their names.
        rng: of draws and resamples.
        progress: told of every step of learning.
    """
    labels = [
        label
        for label in np.intersect1d(members.labels, held_back.labels)
        if min(_patients(members, label), _patients(held_back, label)) >= FEWEST
    ]
    if len(labels) < 2:
        return None
    names = tuple(classes[label] if 0 <= label < len(classes) else str(label) for label in labels)
    learned, asked = np.isin(members.labels, labels), np.isin(held_back.labels, labels)
    lessons = _lessons(members, learned, labels)
    network = train_classifier(lessons, len(labels), rng, tr(_TASK), progress)
    truth = np.searchsorted(labels, held_back.labels[asked])
    exam = Examination.of(truth, held_back.patients[asked], len(labels), rng)
    good = network.probabilities(held_back.images[asked])
    found = {"good": {"auc": exam.curves(good)["auc"].to_json()}}
    for name, images in arms.items():
        seen = network.probabilities(images[asked])
        found[name] = {"auc": exam.curves(seen)["auc"].to_json(), **_changed(exam, good, seen, names)}
    return {"classes": list(names), "patients": exam.patients(np.ones_like(asked[asked])), "arms": found}


def _changed(exam: Examination, good: Floats, seen: Floats, names: tuple[str, ...]) -> dict[str, Any]:
    """How often the answer about an image is another one than about the good image; a patient counts as one."""
    before, after = good.argmax(axis=1), seen.argmax(axis=1)
    everybody = np.ones_like(before == after)
    turned = {
        f"{one} -> {other}": exam.rate((before == here) & (after == there), everybody).to_json()
        for here, one in enumerate(names)
        for there, other in enumerate(names)
        if here != there
    }
    return {
        "hallucinated": exam.rate(before != after, everybody).to_json(),
        "turned": turned if len(names) == 2 else {},
    }


def _patients(sample: Sample, label: int) -> int:
    return len(np.unique(sample.patients[sample.labels == label]))


def _lessons(sample: Sample, rows: Flags, labels: list[int]) -> Lessons:
    """Each patient of a class as often as any other, and every class as often."""
    own = np.searchsorted(labels, sample.labels[rows])
    _, person, images = np.unique(sample.patients[rows], return_inverse=True, return_counts=True)
    weights = 1 / images[person]
    even = weights / np.bincount(own, weights)[own]
    return Lessons(images=sample.images[rows], labels=own, weights=even / even.sum())
