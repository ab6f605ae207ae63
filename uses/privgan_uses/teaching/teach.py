"""From bundles to a classifier: verify, learn, calibrate, look at synthetic images once, and write it all down."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from privgan import __version__
from privgan.arrays import Integers
from privgan.folders import staged_folder
from privgan.progress import Progress, silent
from privgan.synthetic.splits import TEST, TRAIN, VALIDATION
from privgan_audits.questions.utility.examination import Examination
from privgan_uses.released import open_released as opened
from privgan_uses.teaching.calibration import temperature_of, threshold_of
from privgan_uses.teaching.card import card_of
from privgan_uses.teaching.classifier import MARKER, Classifier, ClassifierFacts, KnownRange, write_classifier
from privgan_uses.teaching.graph import graph_of, require_writer
from privgan_uses.teaching.learning import Pictures, learn
from privgan_uses.teaching.lesson import Lesson, lesson_of
from privgan_uses.teaching.network import Network, softened
from privgan_uses.teaching.settings import TeachSettings


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What bundles are verified with. public: of the hospital, or of each of several. today: in UTC."""

    public: Sequence[Path]
    today: date


def teach(
    bundles: Sequence[Path],
    model: Path,
    keys: Keys,
    settings: TeachSettings | None = None,
    *,
    force: bool = False,
    progress: Progress = silent,
) -> ClassifierFacts:
    """Make a classifier of released sets alone; no patient is looked at, and no privacy is spent.

    Raises:
        UsageError: a path is no bundle, sets are of different forms, show one class or too few images of one; the
            folder exists; or onnx is not installed.
        IntegrityError: a signature, a file or a permission does not hold.
    """
    require_writer()
    asked = settings or TeachSettings()
    with staged_folder(model, marker=MARKER, force=force) as folder:
        found = opened(bundles, keys.public, today=keys.today, progress=progress)
        lesson = lesson_of(found, bundles, asked.column)
        classifier = taught(lesson, asked, keys.today, progress)
        write_classifier(folder, classifier, graph_of(classifier), card_of(classifier.facts))
    return classifier.facts


def taught(lesson: Lesson, settings: TeachSettings, today: date, progress: Progress = silent) -> Classifier:
    """The classifier that a lesson makes: the same for the same lesson, settings and threads."""
    classes, parts = len(lesson.classes), lesson.parts
    network, steps = learn(parts[TRAIN], classes, settings, progress)
    logits, weights = network.logits(parts[VALIDATION].images), parts[VALIDATION].weights(classes)
    temperature = temperature_of(logits, parts[VALIDATION].labels, weights)
    chances = softened(logits, temperature)
    facts = ClassifierFacts(
        form=lesson.form,
        classes=lesson.classes,
        column=lesson.column,
        declaration=lesson.declaration,
        origins=lesson.origins,
        created=today.isoformat(),
        privgan_version=__version__,
        steps=steps,
        seed=settings.seed,
        look=settings.look,
        temperature=temperature,
        thresholds=tuple(
            threshold_of(chances[:, label], parts[VALIDATION].labels == label) for label in range(classes)
        ),
        known=KnownRange.of(parts[TRAIN].images),
        images={split: len(part.labels) for split, part in parts.items()},
        on_synthetic=_on_synthetic(network, temperature, parts[TEST], classes),
    )
    return Classifier(facts=facts, network=network)


def _on_synthetic(network: Network, temperature: float, test: Pictures, classes: int) -> dict[str, dict[str, float]]:
    """Accuracy, balanced accuracy and AUC on images that show nobody, each of them for itself."""
    each: Integers = np.arange(len(test.labels))
    exam = Examination.of(test.labels, each, classes, np.random.default_rng(0))
    curves = exam.curves(softened(network.logits(test.images), temperature))
    return {name: curve.to_json() for name, curve in curves.items()}
