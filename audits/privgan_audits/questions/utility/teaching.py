"""Does the synthetic set teach? Train on it, test on patients that nobody trained on.

One network learns the hospital's own label three times: from members, from the synthetic set, and from both, and is
examined on the held-back patients (train on synthetic, test on real: Esteban et al. 2017, "Real-valued (medical)
time series generation with recurrent conditional GANs").

Classes are drawn evenly in training, all three times: the shares of classes in a synthetic set are the user's
choice and not what its images teach. So the balanced accuracy is the number to read. Among real images each patient
of a class is drawn as often as any other; "both" takes half of each class from either side, however many
synthetic images there are.

A part of the synthetic images is held back as well. Whoever learned from the others and does much better on it than
on real patients has learned marks: what synthetic images give their class away by, and real ones do not have.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from privgan.arrays import Floats, Integers, Texts
from privgan.language import kept, to_tr, tr
from privgan.progress import Progress, silent
from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.questions.utility.classifier import Classifier, Lessons, train_classifier
from privgan_audits.questions.utility.drawing import Shown, class_name, drawn
from privgan_audits.questions.utility.examination import Curve, Examination, differences

FEWEST = 10  # patients, below which a rate of them says too little
LEARNED = 10_000  # patients, or synthetic images, to learn from at most: there are 32,000 draws
EXAMINED = 2_500  # patients: an interval of at most 2 % either way
EACH = 4  # images of a patient
HELD_BACK = 0.2  # of the synthetic images
UNKNOWN = "not known"
_TASKS = to_tr(
    {
        "real": "learning from real images",
        "synthetic": "learning from synthetic images",
        "both": "learning from both images",
    }
)


Sides = tuple[Shown, Shown, Shown]
"""Members, held-back patients and the synthetic set."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """The label to learn: the numbers of its classes, their names, and the samples that show it.

    synthetic: images to learn from. spared: further synthetic ones, to be examined on.
    """

    labels: Integers
    names: tuple[str, ...]
    members: Shown
    held_back: Shown
    synthetic: Shown
    spared: Shown

    def numbered(self, sample: Shown) -> Integers:
        """Labels from 0."""
        return np.searchsorted(self.labels, sample.labels)


def measure_teaching(
    evidence: Evidence, others: Sample, rng: np.random.Generator, progress: Progress = silent
) -> dict[str, Any]:
    """Three trainings and their examination on the non-members, `others`.

    Returns:
        `training` by source with values and 95 % intervals, `guessing`, `subgroups` by column, `classes`,
        `held_back` patients and images, `marks`; or `reason` alone where the question does not arise.
    """
    task = _task(evidence, others, rng)
    if isinstance(task, str):
        return {"reason": task}
    held = task.held_back
    exam = Examination.of(task.numbered(held), held.patients, len(task.names), rng)
    found, networks = {}, {}
    for source, lessons in _lessons(task).items():
        networks[source] = train_classifier(lessons, len(task.names), rng, tr(_TASKS[source]), progress)
        found[source] = networks[source].probabilities(held.images)
    return {
        "classes": list(task.names),
        "held_back": {"patients": held.patient_count, "images": len(held.images)},
        "guessing": _guessing(exam),
        "training": _training(exam, found, task.names),
        "subgroups": {name: _subgroups(exam, found, column) for name, column in sorted(held.columns.items())},
        "marks": _marks(task, exam.curves(found["synthetic"]), networks["synthetic"], rng),
    }


def _task(evidence: Evidence, others: Sample, rng: np.random.Generator) -> Task | str:
    """The classes, or why nothing can be learned of them."""
    if evidence.cohort is not None and evidence.cohort.facts.form.classes != evidence.classes:
        return to_tr("the synthetic set has other classes than the cohort")
    return task_of(chosen(evidence, others, rng), lambda label: class_name(evidence.classes, label), rng)


def chosen(evidence: Evidence, others: Sample, rng: np.random.Generator) -> Sides:
    """Some images of members, of held-back patients and of the synthetic set, so many as learning can use."""
    sizes = ((evidence.members, LEARNED), (others, EXAMINED), (evidence.synthetic, LEARNED))
    members, held_back, synthetic = (
        Shown.of(side, drawn(side, rng, patients=patients, each=EACH)) for side, patients in sizes
    )
    return members, held_back, synthetic


def task_of(sides: Sides, name: Callable[[int], str], rng: np.random.Generator) -> Task | str:
    """What can be learned of the labels that members and held-back patients show, or why nothing can."""
    labels = np.intersect1d(sides[0].labels, sides[1].labels)
    if len(labels) < 2:
        return to_tr("the real images do not show two classes on both sides of the split")
    if len(np.intersect1d(labels, sides[2].labels)) < 2:
        return to_tr("the synthetic set does not show two of the real images' classes")
    members, held_back, synthetic = (side.some(np.isin(side.labels, labels)) for side in sides)
    if held_back.patient_count < FEWEST:
        return kept("there are fewer than {least} held-back patients to test on", least=FEWEST)
    spared = rng.permutation(len(synthetic.images)) < HELD_BACK * len(synthetic.images)
    return Task(
        labels=labels,
        names=tuple(name(int(label)) for label in labels),
        members=members,
        held_back=held_back,
        synthetic=synthetic.some(~spared),
        spared=synthetic.some(spared),
    )


def _lessons(task: Task) -> dict[str, Lessons]:
    real, synthetic = (lesson(task, sample) for sample in (task.members, task.synthetic))
    both = Lessons(
        images=task.members.images.followed_by(task.synthetic.images),
        labels=np.concatenate([real.labels, synthetic.labels]),
        weights=evenly(np.concatenate([real.labels, synthetic.labels]), np.append(real.weights, synthetic.weights)),
    )
    return {"real": real, "synthetic": synthetic, "both": both}


def lesson(task: Task, sample: Shown) -> Lessons:
    """A sample to learn from: each patient of a class as often as any other, and every class as often."""
    labels = task.numbered(sample)
    _, person, images = np.unique(sample.patients, return_inverse=True, return_counts=True)
    return Lessons(images=sample.images, labels=labels, weights=evenly(labels, 1 / images[person]))


def evenly(labels: Integers, weights: Floats) -> Floats:
    """Weights (n,) that give every class which is there the same sum, and one together."""
    even = weights / np.bincount(labels, weights)[labels]
    return np.asarray(even / even.sum())


def _guessing(exam: Examination) -> dict[str, float]:
    """What is reached without a look at the images: always the most frequent class, or a chance order."""
    shares = np.bincount(exam.labels, exam.weights)
    return {"accuracy": float(shares.max() / shares.sum()), "balanced_accuracy": 1 / exam.classes, "auc": 0.5}


def _marks(
    task: Task, real: Mapping[str, Curve], network: Classifier, rng: np.random.Generator
) -> dict[str, dict[str, float]]:
    """Balanced accuracy of the network that learned from synthetic images, on such images and on real ones."""
    spared = task.spared
    exam = Examination.of(task.numbered(spared), spared.patients, len(task.names), rng)
    own, name = exam.curves(network.probabilities(spared.images)), "balanced_accuracy"
    curves = {"synthetic": own[name], "real": real[name], "gap": own[name].minus(real[name])}
    return {side: curve.to_json() for side, curve in curves.items()}


def _training(exam: Examination, found: Mapping[str, Floats], names: tuple[str, ...]) -> dict[str, Any]:
    curves = {source: exam.curves(probabilities) for source, probabilities in found.items()}
    result: dict[str, Any] = {}
    for source, of_source in curves.items():
        by_class = exam.sensitivities(found[source])
        result[source] = {name: curve.to_json() for name, curve in of_source.items()}
        result[source]["sensitivity"] = {
            name: curve.to_json() | {"patients": curve.patients} for name, curve in zip(names, by_class, strict=True)
        }
        if source != "real":
            result[source]["difference"] = differences(of_source, curves["real"])
    return result


def _subgroups(exam: Examination, found: Mapping[str, Floats], column: Texts) -> dict[str, Any]:
    """Accuracy by what a column says of the patient; groups of fewer than `FEWEST` patients are counted together."""
    known = np.where(column == "", UNKNOWN, column)
    groups = {str(value): exam.patients(known == value) for value in np.unique(known)}
    shown = [value for value, patients in groups.items() if patients >= FEWEST]
    rest = ~np.isin(known, shown)
    right = {source: probabilities.argmax(axis=1) == exam.labels for source, probabilities in found.items()}

    def curve(source: str, value: str) -> Curve:
        return exam.rate(right[source], known == value)

    return {
        "groups": {
            value: {
                "patients": groups[value],
                "accuracy": {source: curve(source, value).to_json() for source in found},
                "difference": curve("synthetic", value).minus(curve("real", value)).to_json(),
            }
            for value in shown
        },
        "too_few": {"groups": len(groups) - len(shown), "patients": exam.patients(rest)},
    }
