"""The records' part of what a set is good for."""

from dataclasses import replace
from typing import Any

import numpy as np

from privgan.language import to_tr
from privgan.progress import Progress, silent
from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.questions.utility.drawing import class_names
from privgan_audits.questions.utility.records.likeness import likeness
from privgan_audits.questions.utility.records.showing import showing
from privgan_audits.questions.utility.teaching import chosen
from privgan_audits.telling.facts import CLASS

MOST = 8  # columns that networks learn, the first by name: each costs two trainings
_NONE = to_tr("the set carries no columns beside the class")


def measure_records(
    evidence: Evidence, others: Sample, rng: np.random.Generator, progress: Progress = silent
) -> dict[str, Any]:
    """Every column that the set carries.

    Returns:
        `likeness` and, by column, `showing`; or `reason` alone where the set carries none.
    """
    made = evidence.synthetic
    names = made.carried
    if not names:
        return {"reason": _NONE}
    members, held_back, synthetic = (
        _with_class(side, evidence.classes, names) for side in (evidence.members, others, made)
    )
    sides = chosen(replace(evidence, members=members, synthetic=synthetic), held_back, rng)
    return {
        "likeness": likeness(members, held_back, synthetic, (CLASS, *names)),
        "showing": {name: showing(sides, name, rng, progress) for name in names[:MOST]},
    }


def _with_class(side: Sample, classes: tuple[str, ...], names: tuple[str, ...]) -> Sample:
    """These columns, empty where a side has none, and the class among them."""
    columns = {name: side.column(name) for name in names}
    return replace(side, columns={CLASS: class_names(side, classes), **columns})
