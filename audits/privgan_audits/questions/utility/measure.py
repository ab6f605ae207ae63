"""Utility beside privacy: does the synthetic set teach, look real, vary? Measured, and never part of the verdict."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from privgan.arrays import Singles
from privgan.language import kept, to_tr
from privgan.memory import hand_back_freed_memory
from privgan.progress import Progress, silent
from privgan_audits.evidence.interface import NO_NON_MEMBERS, Evidence, Measured, NotRun, Outcome
from privgan_audits.questions.utility.diversity import measure_diversity
from privgan_audits.questions.utility.drawing import class_name, together
from privgan_audits.questions.utility.fidelity import NEIGHBOURS, frechet_distance, kernel_distance, manifolds
from privgan_audits.questions.utility.points import Points, draw_points
from privgan_audits.questions.utility.realism import measure_realism
from privgan_audits.questions.utility.records.measure import measure_records
from privgan_audits.questions.utility.spectrum import spectrum_distance
from privgan_audits.questions.utility.teaching import measure_teaching
from privgan_audits.questions.utility.use import judge_use

NOT_COMPARABLE = to_tr("not comparable with published FID, which is measured in another network's features")


def measure(evidence: Evidence, rng: np.random.Generator, progress: Progress = silent) -> Outcome:
    """Train, compare, count: `teaching`, `fidelity`, `diversity`, `realism`, `records`, `use`; each says how."""
    others = evidence.non_members
    if others is None:
        return NotRun(reason=NO_NON_MEMBERS)
    teaching, looking, telling, reading = rng.spawn(4)
    points = draw_points(evidence, others, looking, progress)
    people = together(evidence.members, others)
    asked: dict[str, Callable[[], dict[str, Any]]] = {
        "teaching": lambda: measure_teaching(evidence, others, teaching, progress),
        "fidelity": lambda: measure_fidelity(points, evidence.classes),
        "diversity": lambda: measure_diversity(points),
        "realism": lambda: measure_realism(people, evidence.synthetic, evidence.classes, telling, progress),
        "records": lambda: measure_records(evidence, others, reading, progress),
    }
    findings = {}
    for name, answer in asked.items():
        hand_back_freed_memory()
        findings[name] = answer()
    return Measured(findings=findings | {"use": judge_use(findings)})


def measure_fidelity(points: Points, classes: tuple[str, ...]) -> dict[str, Any]:
    """Likeness of the synthetic set and of the reference to the members, altogether and by class.

    Returns:
        `space` and a `note` on it, `images`, `all` and by name `classes`: each number with `synthetic` and
        `reference`; or `reason` where there are too few images.
    """
    if min(len(points.X), len(points.synthetic), len(points.reference)) <= NEIGHBOURS:
        return {"reason": kept("there are no more than {most} images on one of the sides", most=NEIGHBOURS)}
    of_class = {int(label): points.of_class(int(label)) for label in np.unique(points.labels["X"])}
    return {
        "space": points.space,
        "note": NOT_COMPARABLE,
        "images": _counts(points),
        "all": _compared(points),
        "classes": {
            class_name(classes, label): _compared(some) | {"images": _counts(some)}
            for label, some in of_class.items()
            if some is not None and len(of_class) > 1
        },
    }


def _compared(points: Points) -> dict[str, Any]:
    """Each number, of the synthetic set and of the reference."""
    sides = {"synthetic": points.synthetic, "reference": points.reference}
    found = {side: _numbers(points.X, Y) | _spectral(points, side) for side, Y in sides.items()}
    return {name: {side: found[side][name] for side in sides} for name in found["synthetic"]}


def _numbers(X: Singles, Y: Singles) -> dict[str, float]:
    return asdict(manifolds(X, Y)) | {
        "frechet_distance": frechet_distance(X, Y),
        "kernel_distance": kernel_distance(X, Y),
    }


def _spectral(points: Points, side: str) -> dict[str, float]:
    return {"spectrum_distance": spectrum_distance(points.spectra["X"], points.spectra[side])}


def _counts(points: Points) -> dict[str, int]:
    return {"members": len(points.X), "reference": len(points.reference), "synthetic": len(points.synthetic)}
