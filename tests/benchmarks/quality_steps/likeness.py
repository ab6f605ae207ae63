"""How real the synthetic pictures look, in numbers: the audit's own, on public pictures.

The features are those of the audit's embedding, learned anew from the same 3,000 real pictures of a data set for
every method that is measured on it. Real test pictures are what is compared with; as many real training pictures
are the reference, which says what each number is for pictures as good as real ones.

Realism is how often a network tells synthetic pictures from real training ones (half: never), with every detail and
by shapes alone; of training pictures there are more than of test ones. Its reference tells two lots of them apart.
"""

from pathlib import Path
from typing import Any

import numpy as np

from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.questions.utility.drawing import drawn, subset
from privgan_audits.questions.utility.measure import measure_fidelity
from privgan_audits.questions.utility.points import draw_points
from privgan_audits.questions.utility.realism import measure_realism
from quality_steps.datasets import Dataset

COMPARED = 1_500  # patients on each side
NUMBERS = ("precision", "recall", "density", "coverage", "kernel_distance", "spectrum_distance")
REALISM = ("realism", "realism_low", "realism_high", "realism_shapes")


def likeness(dataset: Dataset, synthetic: Sample, folder: Path) -> dict[str, dict[str, float]]:
    """`synthetic` and `reference`: each of `NUMBERS`, beside real test pictures; {} where there are too few pictures.

    All chance is seeded alike: what differs between two synthetic sets is their pictures alone.
    """
    evidence = Evidence(
        members=_some(dataset.test),
        non_members=_some(dataset.train),
        synthetic=synthetic,
        synthetic_folder=folder,
        synthetic_sha256="0" * 64,
        classes=dataset.classes,
    )
    assert evidence.non_members is not None
    points = draw_points(evidence, evidence.non_members, np.random.default_rng(0))
    found = measure_fidelity(points, dataset.classes)
    if "all" not in found:
        return {}
    return {side: {name: found["all"][name][side] for name in NUMBERS} for side in ("synthetic", "reference")}


def realism(dataset: Dataset, synthetic: Sample) -> dict[str, dict[str, float]]:
    """`synthetic` and `reference`: `realism`, its interval `realism_low` and `realism_high`, `realism_shapes`."""
    found = measure_realism(dataset.train, synthetic, dataset.classes, np.random.default_rng(0))
    if "all" not in found:
        return {}
    return {side: _accuracies(found, side) for side in ("synthetic", "reference")}


def _accuracies(found: dict[str, Any], side: str) -> dict[str, float]:
    whole, shapes = found["all"][side], found["shapes"][side]
    return dict(zip(REALISM, (whole["value"], whole["low"], whole["high"], shapes["value"]), strict=True))


def _some(sample: Sample) -> Sample:
    return subset(sample, drawn(sample, np.random.default_rng(0), patients=COMPARED, each=1))
