"""A set as its run and its seed make it: what `generate` writes, and what an audit draws again.

Everything is a function of the run's generator, of what was asked for, and of the seed; and each image of its own
position alone, so that any of them can be drawn without the others.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from privgan import __version__
from privgan.arrays import Flags, Floats, Images, Integers
from privgan.errors import IntegrityError, UsageError
from privgan.files import read_json
from privgan.images.blocks import at_once
from privgan.kinds import RUN, require_kind
from privgan.language import AS_WRITTEN, tr
from privgan.progress import Progress, silent
from privgan.records.rows import Records
from privgan.run import MODEL_CONFIG, ModelDigests, RunFacts, read_run
from privgan.synthetic.class_shares import MEASURED, canonical_policy, class_labels, unmeasured
from privgan.synthetic.dicom.form import DicomForm, neighbours
from privgan.synthetic.records_drawing import ANY, Wanted, drawn_records
from privgan.synthetic.seed import Seed
from privgan.synthetic.synthetic_set import Manifest

if TYPE_CHECKING:
    from privgan.gan.networks import GeneratorConfig, LoadedGenerator
    from privgan.gan.ranks.ranks import Ranks

# A stored level is the nearest whole one. Every constant is the same on every machine; what is left is the order in
# which libraries add in double precision, and 1e-12 of a level was seen of that. What lies farther than FARTHEST is
# another image. Nearer, a level between two may be stored as either; but a machine errs by SEEN at most, so that of n
# pixels about 2 SEEN n are on the other side.
FARTHEST = 0.5 + 1e-8
SEEN = 1e-11
_BY_CHANCE = 1e-6
_TOGETHER = 16  # images that are drawn at once: nearly half the time


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a set shall be.

    classes: see `class_labels`. dicom: the files' form. created: the day, YYYY-MM-DD. language: the card's.
    wanted: of the records.
    """

    count: int
    classes: str
    dicom: DicomForm
    created: str
    language: str = AS_WRITTEN
    wanted: Wanted = ANY

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """What was asked for when this set was made."""
        return cls(
            count=manifest.count,
            classes=manifest.class_policy,
            dicom=manifest.dicom,
            created=manifest.created,
            language=manifest.language,
            wanted=ANY if (told := manifest.records) is None else Wanted(where=told.where, sequence=told.sequence),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Redrawn:
    """A set beside what its seed draws.

    images: uint8, as drawn here; where that is the set, its own. others: how many of the set are other images.
    between: pixels of the rest that are the second nearest level, of one that lies between the two. open: pixels that
    could be.
    """

    images: Images
    others: int
    between: int
    open: int

    @property
    def explained(self) -> bool:
        """Whether another machine's rounding may have made the set."""
        return self.others == 0 and self.between <= rounded_otherwise(self.images.size)

    @property
    def exact(self) -> bool:
        """Whether it is what was drawn here, to the last bit."""
        return self.others == self.between == 0


def rounded_otherwise(pixels: int) -> int:
    """The most pixels of so many that another machine rounds the other way, but for one set in a million.

    Such pixels are rare and apart, so their number is Poisson's; P(X > k) is at most mean^(k+1) / (k+1)!.

    >>> [rounded_otherwise(pixels) for pixels in (6 * 28**2, 3000 * 64**2, 100_000 * 256**2)]
    [0, 1, 4]
    """
    mean = 2 * SEEN * pixels
    most, tail = 0, mean
    while tail > _BY_CHANCE:
        most += 1
        tail *= mean / (most + 1)
    return most


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawing:
    """manifest: of the set. labels: int64 (count,), in the set's order; records likewise. generator: draws its images
    from the seed.
    """

    manifest: Manifest
    labels: Integers
    records: Records
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
        classes = facts.form.classes
        policy = canonical_policy(asked.classes, classes)
        if policy == MEASURED and read_json(run / MODEL_CONFIG).get("class_balance") is None:
            raise unmeasured()
        generator = _load(run, facts)
        balance = generator.class_balance
        visits, shares = asked.dicom.visits, None if balance is None else balance.shares
        labels = np.repeat(class_labels(policy, classes, asked.count // visits, seed, shares), visits)
        labels = neighbours(labels, asked.dicom.frames, seed)
        records, told = drawn_records(generator.records, labels, classes, asked.dicom, asked.wanted, seed)
        counts = np.bincount(labels, minlength=len(classes))
        manifest = Manifest(
            run_id=facts.run_id,
            cohort_id=facts.cohort_of_sets,
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
            federation=facts.federation,
            language=asked.language,
            records=told,
            smooth_as=generator.smooth_as,
        )
        return cls(manifest=manifest, labels=labels, records=records, generator=generator, seed=seed)

    def levels(self, position: int) -> Floats:
        """Grey levels of one image before they are rounded: (size, size), or (size, size, 3) in colour."""
        return self.generator.levels(self._latents(position), self._told[position])

    def _latents(self, position: int) -> Floats:
        """(latent,): those of an invented patient are the same in all their images."""
        return self.seed.normal("image", position // self.manifest.dicom.visits, self.generator.latent)

    @cached_property
    def _told(self) -> Integers:
        """What the generator is told of each image: its class (n,), or its record (n, 1 + columns)."""
        return np.column_stack([self.labels, self.records.codes]) if self.records.codes.size else self.labels

    def images(self, progress: Progress = silent, ranks: "Ranks | None" = None) -> Images:
        """All of them, each as it is drawn alone: uint8 (count, size, size), or (.., 3) in colour. Ranks share."""
        from privgan.gan.ranks.rows import in_shares

        return in_shares(self.manifest.count, ranks, lambda some: [self._drawn(some, progress)])[0]

    def _drawn(self, rows: range, progress: Progress) -> Images:
        images = np.empty((len(rows), *self.manifest.form.shape), np.uint8)
        for some in self._together(rows):
            levels, first = self._levels(some), some.start - rows.start
            images[first : first + len(some)] = _nearest(levels)
            sure = _flat(np.abs(_between(levels)) > FARTHEST - 0.5).all(axis=1)  # what is no number is not
            for place in np.flatnonzero(~sure):
                images[first + place] = _nearest(self.levels(some.start + int(place)))
            progress(tr("sampling images"), first + len(some), len(images))
        return images

    def again(self, images: Images, progress: Progress = silent) -> Redrawn:
        """Draw all of them and compare.

        Args:
            images: the set's uint8, in its order, as many and of such a shape as `images` gives.
            progress: told of every image.
        """
        count, others, between, open_ = self.manifest.count, 0, 0, 0
        drawn = images  # no second copy of a set that is what it says
        for some in self._together(range(count)):
            levels, held = self._levels(some), images[some]
            other = ~_flat(np.abs(levels - held) <= FARTHEST).all(axis=1)  # nor is what is no number
            open_ += int((np.abs(_between(levels)) <= FARTHEST - 0.5).sum())
            made = _nearest(levels)
            for place in np.flatnonzero(_flat(made != held).any(axis=1)):
                made[place] = _nearest(self.levels(some.start + int(place)))  # alone, as they were made
            unlike = _flat(made != held).sum(axis=1)
            if unlike.any():
                drawn = images.copy() if drawn is images else drawn
                drawn[some] = made
            others, between = others + int(other.sum()), between + int(unlike[~other].sum())
            progress(tr("drawing images again"), some.stop, count)
        return Redrawn(images=drawn, others=others, between=between, open=open_)

    def _together(self, rows: range) -> Iterator[range]:
        """Positions, those that are drawn at once in one range."""
        few = at_once(_TOGETHER, self.manifest.form.side)
        return (range(start, min(start + few, rows.stop)) for start in range(rows.start, rows.stop, few))

    def _levels(self, some: range) -> Floats:
        """Of several images at once, which a library adds in another order than those of one alone."""
        z = np.stack([self._latents(position) for position in some])
        return self.generator.levels_together(z, self._told[some])


def _nearest(levels: Floats) -> Images:
    """The nearest whole levels; any for what is no number."""
    return np.rint(np.nan_to_num(levels)).astype(np.uint8)


def _between(levels: Floats) -> Floats:
    """How far each is from the middle between two whole levels."""
    return levels - np.floor(levels) - 0.5


def _flat(pixels: Flags) -> Flags:
    return pixels.reshape(len(pixels), -1)


def finished(run: Path) -> RunFacts:
    """The facts of a run that can be drawn from.

    Raises:
        UsageError: it is missing or not finished.
        IntegrityError: it was edited.
    """
    require_kind(RUN, run)
    facts = read_run(run)
    if facts.state != "finished" and facts.federation:
        raise UsageError("Expected a finished run, this one waits for answers. Finish it with 'privgan answer'.")
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
    _require_named(generator.network.config, facts)
    return generator


def _require_named(config: "GeneratorConfig", facts: RunFacts) -> None:
    """run.json is a file that nobody vouches for; the generator's constants are those that the ledger closed with."""
    named = facts.prior.sha256 if facts.prior and facts.prior.used else ""
    if config.prior != named or bool(config.finish) > bool(named):
        raise IntegrityError(
            "Expected run.json to name the public prior that the generator was made with: edited, or of a version "
            "that did not note it. Train again."
        )


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise UsageError("Expected the day on which a set is made as YYYY-MM-DD.") from None
