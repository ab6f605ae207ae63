"""What making detail as strong as patients' changes: a set beside the one that its latents give without gains."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from privgan.images.stored import with_channels
from privgan.synthetic.drawing import Asked, Drawing
from privgan.synthetic.synthetic_set import open_synthetic_set
from privgan_audits.evidence.interface import Sample
from privgan_audits.questions.utility.drawing import subset
from quality_steps.datasets import Dataset
from quality_steps.likeness import NUMBERS, likeness

FEW = 2000  # the first pictures of the set; likeness looks at fewer


def with_and_without_gains(dataset: Dataset, run: Path, folder: Path) -> dict[str, dict[str, float | None]]:
    """`with_gains` and `without_gains`: each of `NUMBERS`, null of too few pictures.

    Args:
        dataset: what the set is compared with.
        run: a run with a prior.
        folder: its synthetic set, seed included.
    """
    opened = open_synthetic_set(folder)
    few = Sample(
        images=with_channels(opened.images), labels=opened.labels, patients=-1 - np.arange(len(opened.images))
    )
    few = subset(few, np.arange(min(FEW, len(opened.images))))
    sets = {"with_gains": few, "without_gains": _without(run, folder, few)}
    found = {name: likeness(dataset, each, folder).get("synthetic", {}) for name, each in sets.items()}
    return {name: {number: of.get(number) for number in NUMBERS} for name, of in found.items()}


def _without(run: Path, folder: Path, few: Sample) -> Sample:
    """The same pictures of the run's generator, whose detail stays as strong as the public network makes it."""
    opened = open_synthetic_set(folder)
    if opened.seed is None:
        raise SystemExit(f"Expected the seed of the set in {folder}, it was taken away.")
    drawing = Drawing.of(run, Asked.of(opened.manifest), opened.seed)
    strengths = drawing.generator.network.strengths
    if strengths is None:
        raise SystemExit("Expected a run with a prior, others have no gains.")
    strengths.gains.fill_(1.0)
    first = replace(drawing, manifest=replace(drawing.manifest, count=len(few.images)))
    return Sample(images=with_channels(first.images()), labels=few.labels, patients=few.patients)
