"""What making detail as strong as patients' changes: a set beside the one that its latents give without gains."""

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
_TOGETHER = 16


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
    levels = []
    for start in range(0, len(few.images), _TOGETHER):
        some = range(start, min(start + _TOGETHER, len(few.images)))
        z = np.stack([drawing.seed.normal("image", position, drawing.generator.latent) for position in some])
        levels.append(drawing.generator.levels_together(z, drawing.labels[some]))
    images = with_channels(np.rint(np.concatenate(levels)).astype(np.uint8))
    return Sample(images=images, labels=few.labels, patients=few.patients)
