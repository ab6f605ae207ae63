"""How real the synthetic pictures look, in numbers: the audit's own, on public pictures.

The features are those of the audit's embedding, learned anew from the same 3,000 real pictures of a data set for
every method that is measured on it. Real test pictures are what is compared with; as many real training pictures
are the reference, which says what each number is for pictures as good as real ones.
"""

from pathlib import Path

import numpy as np

from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.questions.utility.drawing import drawn, subset
from privgan_audits.questions.utility.measure import measure_fidelity
from privgan_audits.questions.utility.points import draw_points
from quality_steps.datasets import Dataset

COMPARED = 1_500  # patients on each side
NUMBERS = ("precision", "recall", "density", "coverage", "kernel_distance", "spectrum_distance")


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


def _some(sample: Sample) -> Sample:
    return subset(sample, drawn(sample, np.random.default_rng(0), patients=COMPARED, each=1))
