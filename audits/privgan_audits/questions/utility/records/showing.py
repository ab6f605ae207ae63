"""Whether images show what their records say: a column at a time, by the network that learns classes elsewhere.

One that learned from members is asked about held-back patients and about synthetic images: how much worse it does on
those is what the set lost of the bond between image and record. Likeness does not see that: records dealt out anew
look as real. One that learned from synthetic images is asked about held-back patients.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from privgan.arrays import Texts
from privgan.language import to_tr, tr
from privgan.progress import Progress, silent
from privgan_audits.questions.utility.classifier import Classifier, train_classifier
from privgan_audits.questions.utility.drawing import Shown
from privgan_audits.questions.utility.examination import Curve, Examination
from privgan_audits.questions.utility.teaching import Sides, Task, lesson, task_of

_TASK = to_tr("learning {column} from {source} images")


def showing(sides: Sides, name: str, rng: np.random.Generator, progress: Progress = silent) -> dict[str, Any]:
    """Two trainings of one column, whose unknown cells are left out.

    Returns:
        macro AUC with intervals over patients: `real` and `synthetic`, whatever learned from these, on held-back
        patients; `shown`, what learned from members on synthetic images; `difference` and `bond`, both minus `real`;
        `values`. Or `reason` alone where the question does not arise.
    """
    values = np.unique(np.concatenate([side.columns[name] for side in sides[:2]]))
    values = values[values != ""]
    members, held_back, made = (_labelled(side, name, values) for side in sides)
    task = task_of((members, held_back, made), lambda label: str(values[label]), rng)
    if isinstance(task, str):
        return {"reason": task}
    learned = {
        source: train_classifier(
            lesson(task, sample), len(task.names), rng, tr(_TASK, column=name, source=source), progress
        )
        for source, sample in (("real", task.members), ("synthetic", task.synthetic))
    }
    real, synthetic = (_area(task, task.held_back, network, rng) for network in learned.values())
    shown = _area(task, task.spared, learned["real"], rng)
    return {
        "values": len(task.names),
        "real": real.to_json(),
        "synthetic": synthetic.to_json(),
        "difference": synthetic.minus(real).to_json(),
        "shown": shown.to_json(),
        "bond": shown.minus(real).to_json(),
    }


def _labelled(side: Shown, name: str, values: Texts) -> Shown:
    """The images of which the column is known, with its values as their labels."""
    column = side.columns[name]
    known = np.isin(column, values)
    return replace(side.some(known), labels=np.searchsorted(values, column[known]))


def _area(task: Task, sample: Shown, network: Classifier, rng: np.random.Generator) -> Curve:
    exam = Examination.of(task.numbered(sample), sample.patients, len(task.names), rng)
    return exam.curves(network.probabilities(sample.images))["auc"]
