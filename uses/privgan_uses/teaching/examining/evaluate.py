"""From a classifier and a cohort to a page: nothing is learned, nothing is spent, and nothing of it may leave."""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from privgan import __version__
from privgan.data.cohort.cohort import open_cohort
from privgan.files import sha256_file, write_json, write_text
from privgan.folders import staged_folder
from privgan.kinds import EXAMINED
from privgan.progress import Progress, silent
from privgan_uses.released import require_permitted
from privgan_uses.teaching.classifier import MARKER, Classifier, open_classifier
from privgan_uses.teaching.examining.measures import measured
from privgan_uses.teaching.examining.page import evaluation_page
from privgan_uses.teaching.examining.patients import Examined, examined
from privgan_uses.teaching.examining.pictures import pictures_of

SCHEMA_VERSION = 1
PAGE = "evaluation.html"
_SEED = 0  # of the resamples: the same question has the same answer


def evaluate(
    model: Path,
    cohort: Path,
    report: Path,
    whom: str | None = None,
    *,
    today: date,
    force: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Examine a classifier on real patients, and write a page and evaluation.json, both private.

    Args:
        model: a folder that `teach` made.
        cohort: of the hospital that made the set, or of another one.
        report: the folder to make.
        whom: `held-back` or `all`; None for all who may be asked.
        today: the day on which the model must be permitted, UTC.
        force: replace a report that exists.
        progress: told of every picture.

    Returns:
        What evaluation.json holds.

    Raises:
        UsageError: a folder is missing or another one; the model does not know such images or classes; members were
            asked for; its permission ended.
        InputRejectedError: too few patients.
        IntegrityError: model or cohort was edited.
    """
    with staged_folder(report, marker=EXAMINED.marker, force=force) as folder:
        classifier, opened = open_classifier(model), open_cohort(cohort)
        require_permitted(classifier.facts.origins, today)
        patients = examined(opened, classifier.facts, whom)
        chances = classifier.chances(patients.images)
        record = {
            "schema_version": SCHEMA_VERSION,
            "kind": "evaluation",
            "date": today.isoformat(),
            "privgan_version": __version__,
            "model": {"sha256": sha256_file(model / MARKER), **_origins(classifier)},
            "cohort_id": opened.facts.cohort_id,
            **_whom(patients),
            **measured(classifier, chances, patients, np.random.default_rng(_SEED)),
        }
        pictures = pictures_of(classifier, chances, patients, progress)
        write_text(folder / PAGE, evaluation_page(record, pictures))
        write_json(folder / EXAMINED.marker, record)
    return record


def _origins(classifier: Classifier) -> dict[str, Any]:
    facts = classifier.facts
    return {
        "column": facts.column,
        "images": facts.images,
        "temperature": facts.temperature,
        "on_synthetic": facts.on_synthetic,
        "origins": [asdict(origin) for origin in facts.origins],
        "created": facts.created,
    }


def _whom(patients: Examined) -> dict[str, Any]:
    return {
        "whom": patients.whom,
        "own_cohort": patients.own,
        "images_without_value": patients.unknown,
        "notes": list(patients.notes),
    }
