"""A set as its run and its seed make it: what `generate` writes, and what an audit draws again.

Everything is a function of the run's generator, of what was asked for, and of the seed; and each image of its own
position alone, so that any of them can be drawn without the others.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from privgan import __version__
from privgan.arrays import Floats, Images, Integers
from privgan.errors import IntegrityError, UsageError
from privgan.progress import Progress, silent
from privgan.run import ModelDigests, RunFacts, read_run
from privgan.synthetic.class_shares import MEASURED, canonical_policy, class_labels
from privgan.synthetic.dicom.form import DicomForm, neighbours
from privgan.synthetic.seed import Seed
from privgan.synthetic.synthetic_set import Manifest

if TYPE_CHECKING:
    from privgan.gan.networks import LoadedGenerator

# A stored level is the nearest whole one. Beside it lies what another machine may compute differently: with other
# instructions and threads 1e-12 of a level was seen, and a last digit of the constants may move one by 0.0001.
FARTHEST = 0.5 + 0.001
_PROGRESS_EVERY = 64
_TOGETHER = 16  # images that are drawn again at once: nearly half the time, and rounded within what FARTHEST allows


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a set shall be. classes: see `class_labels`. dicom: the files' form. created: the day, YYYY-MM-DD."""

    count: int
    classes: str
    dicom: DicomForm
    created: str

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """What was asked for when this set was made."""
        return cls(
            count=manifest.count, classes=manifest.class_policy, dicom=manifest.dicom, created=manifest.created
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawing:
    """manifest: of the set. labels: int64 (count,), in the set's order. generator: draws its images from the seed."""

    manifest: Manifest
    labels: Integers
    generator: "LoadedGenerator"
    seed: Seed

    @classmethod
    def of(cls, run: Path, asked: Asked, seed: Seed) -> Self:
        """Prepare to draw; no image is drawn yet.

        Raises:
            UsageError: the run is missing or not finished or measured no class shares, a class is unknown, or the
                day is none.
            IntegrityError: the run or its generator was edited.
        """
        facts = finished(run)
        generator, classes = _load(run, facts), facts.form.classes
        balance, policy = generator.class_balance, canonical_policy(asked.classes, classes)
        labels = class_labels(policy, classes, asked.count, seed, None if balance is None else balance.shares)
        labels = neighbours(labels, asked.dicom.frames, seed)
        counts = np.bincount(labels, minlength=len(classes))
        manifest = Manifest(
            run_id=facts.run_id,
            cohort_id=facts.cohort_id,
            privgan_version=__version__,
            created=_day(asked.created),
            count=asked.count,
            class_policy=policy,
            class_counts={name: int(count) for name, count in zip(classes, counts, strict=True)},
            generator_sha256=facts.generator_sha256,
            not_private=facts.not_private,
            class_margin=balance.margin if balance is not None and policy == MEASURED else None,
            dicom=asked.dicom,
            form=facts.form,
            spend=facts.spend,
            seed_sha256=seed.sha256,
            config_sha256=facts.config_sha256,
            prior=facts.prior,
        )
        return cls(manifest=manifest, labels=labels, generator=generator, seed=seed)

    def levels(self, position: int) -> Floats:
        """Grey levels of one image before they are rounded: (size, size), or (size, size, 3) in colour."""
        z = self.seed.normal("image", position, self.generator.latent)
        return self.generator.levels(z, int(self.labels[position]))

    def images(self, progress: Progress = silent) -> Images:
        """All of them: uint8 (count, size, size) or (count, size, size, 3)."""
        count = self.manifest.count
        images = np.empty((count, *self.manifest.form.shape), np.uint8)
        for position in range(count):
            images[position] = np.rint(self.levels(position))
            if (position + 1) % _PROGRESS_EVERY == 0 or position + 1 == count:
                progress("sampling images", position + 1, count)
        return images

    def differing(self, images: Images, progress: Progress = silent) -> int:
        """How many of these images, in the set's order, are not those that the seed draws.

        Args:
            images: uint8, as many and of such a shape as `images` gives.
            progress: told of every image.
        """
        count, others = self.manifest.count, 0
        for start in range(0, count, _TOGETHER):
            some = range(start, min(start + _TOGETHER, count))
            z = np.stack([self.seed.normal("image", position, self.generator.latent) for position in some])
            apart = np.abs(self.generator.levels_together(z, self.labels[some]) - images[some])
            others += int((~(apart <= FARTHEST)).reshape(len(some), -1).any(axis=1).sum())  # nor is what is no number
            progress("drawing images again", some.stop, count)
        return others


def finished(run: Path) -> RunFacts:
    """The facts of a run that can be drawn from.

    Raises:
        UsageError: it is missing or not finished.
        IntegrityError: it was edited.
    """
    if not run.is_dir():
        raise UsageError(f"Expected a run folder, {run} is missing.")
    facts = read_run(run)
    if facts.state != "finished":
        raise UsageError(
            f"Expected a finished run, this one is at step {facts.finished_steps} of {facts.planned_steps}. "
            "Finish it with 'privgan train ... --resume'."
        )
    return facts


def _load(run: Path, facts: RunFacts) -> "LoadedGenerator":
    """Check the digests before a parser sees the files."""
    if ModelDigests.of(run) != facts.model:
        raise IntegrityError(
            "Expected the generator that the run finished with, its weights or its config.json were edited (or the "
            "run is of a version that kept no digest of the latter: train again)."
        )
    from privgan.gan.networks import load_generator

    generator = load_generator(run)
    if generator.form != facts.form.bare:
        raise IntegrityError("Expected a generator of the run's classes, image size and channels, not an edited one.")
    return generator


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise UsageError("Expected the day on which a set is made as YYYY-MM-DD.") from None
