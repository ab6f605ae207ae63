"""One of the sets that an audit compares, in memory: a privgan set, or images of whatever files there are.

All images come out square, of the wanted size, all grey or all in colour, and patients get numbers that mean nothing
outside. Whatever had to be assumed on the way is among the notes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from privgan.arrays import Flags, Images, Integers, Values
from privgan.data.columns import Wanted
from privgan.data.recipe import PHOTO
from privgan.data.selection import Selection
from privgan.data.sources.opening import Hear, nobody, read_images
from privgan.data.sources.wishes import Wishes
from privgan.errors import UsageError
from privgan.files import canonical_json, sha256_bytes, sha256_file
from privgan.folders import list_files
from privgan.images.form import ImageForm
from privgan.images.stored import with_channels
from privgan.language import kept, to_tr
from privgan.progress import Progress
from privgan.records.rows import Records
from privgan.synthetic.synthetic_set import MARKER as SET_MARKER
from privgan.synthetic.synthetic_set import SyntheticSet, open_synthetic_set
from privgan_audits.evidence.bands import Banding, banded
from privgan_audits.evidence.interface import Claim, Origin, Sample

NO_NUMBERS: Banding = {}
ANYTHING = Wanted(anything=True)
SYNTHETIC_SET, SYNTHETIC_IMAGES = to_tr(("the synthetic set", "the synthetic images"))
MEMBERS, NON_MEMBERS = to_tr(("members", "non-members"))
_NOTED = to_tr(
    {
        SYNTHETIC_SET: "The synthetic set: {note}",
        SYNTHETIC_IMAGES: "The synthetic images: {note}",
        MEMBERS: "Members: {note}",
        NON_MEMBERS: "Non-members: {note}",
    }
)


@dataclass(frozen=True, kw_only=True)
class Form:
    """What images must be like. of_all: side and channels, None where free. colour: that of files is kept."""

    of_all: ImageForm | None = None
    colour: bool

    @classmethod
    def of(cls, images: Images) -> Self:
        """Like these."""
        form = ImageForm.of(images)
        return cls(of_all=form, colour=form.colour)


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """One of SYNTHETIC, X, Y; sensitive, so its repr shows a count only.

    keys: by patient number, of a source that names patients or not; empty in a privgan set. numbered: whether the
    keys are numbers of patients.
    """

    images: Images
    labels: Integers
    patients: Integers
    keys: tuple[str, ...]
    numbered: bool
    classes: tuple[str, ...]
    columns: Mapping[str, Values]
    sha256: str
    claim: Claim | None
    notes: tuple[str, ...]
    records: Records | None = None

    def __repr__(self) -> str:
        return f"Loaded({len(self.images)} images)"

    def sample(self, classes: tuple[str, ...], first_patient: int = 0, numbers: Banding = NO_NUMBERS) -> Sample:
        """The images with labels that count into `classes`, and patients numbered from `first_patient`.

        numbers: how the columns that are numbers are put into bands.
        """
        return Sample(
            images=self.images,
            labels=relabelled(self.labels, self.classes, classes),
            patients=self.patients + first_patient,
            columns=banded(self.columns, numbers),
            records=self.records,
        )

    def only(self, rows: Flags) -> Self:
        """Some of the images (n,)."""
        return replace(
            self,
            images=self.images[rows],
            labels=self.labels[rows],
            patients=self.patients[rows],
            columns={name: column[rows] for name, column in self.columns.items()},
        )

    def noting(self, *notes: str) -> Self:
        """With these notes as well."""
        return replace(self, notes=(*self.notes, *notes))


def relabelled(labels: Integers, old: tuple[str, ...], new: tuple[str, ...]) -> Integers:
    """Labels that count into `old` as labels that count into `new`, which has all of its names."""
    return np.array([new.index(name) for name in old], np.int64)[labels]


def load(
    path: Path, what: str, form: Form, progress: Progress, *, wanted: Wanted = ANYTHING, hear: Hear = nobody
) -> Loaded:
    """Read a set.

    Args:
        path: a privgan set, a folder of images or an .npz file.
        what: what it is, for messages and notes: SYNTHETIC_SET, SYNTHETIC_IMAGES, MEMBERS or NON_MEMBERS.
        form: what its images must be like.
        progress: told after every file.
        wanted: further columns.
        hear: told what bare files say beside their images.

    Raises:
        UsageError: the path is missing, or the images are of another form.
        InputRejectedError: nothing readable.
        IntegrityError: an edited privgan set.
    """
    if (path / SET_MARKER).is_file():
        return of_set(open_synthetic_set(path, progress), what, form)
    return _of_form(_from_files(path, what, form, wanted, progress, hear), what, form)


def of_set(opened: SyntheticSet, what: str, form: Form) -> Loaded:
    """A privgan set that was opened already; arguments and errors are those of `load`."""
    manifest = opened.manifest
    loaded = Loaded(
        images=with_channels(opened.images),
        labels=opened.labels,
        patients=np.arange(len(opened.images), dtype=np.int64),
        keys=(),
        numbered=False,
        classes=manifest.form.classes,
        columns={} if manifest.records is None else opened.records.columns(manifest.records.schema.names),
        sha256=opened.sha256,
        claim=Claim(
            run_id=manifest.run_id,
            cohort_id=manifest.cohort_id,
            spend=manifest.spend,
            generator_sha256=manifest.generator_sha256,
            config_sha256=manifest.config_sha256,
            not_private=manifest.not_private,
            origin=Origin(manifest=manifest, seed=opened.seed) if opened.seed else None,
            prior=manifest.prior,
            federation=manifest.federation,
        ),
        notes=(),
        records=opened.records,
    )
    return _of_form(loaded, what, form)


def _of_form(loaded: Loaded, what: str, form: Form) -> Loaded:
    kind, wanted = ImageForm.of(loaded.images), form.of_all
    if wanted not in (None, kind):
        raise UsageError(f"Expected {what} of {wanted}, got {kind}.")
    return loaded


def _from_files(path: Path, what: str, form: Form, wanted: Wanted, progress: Progress, hear: Hear) -> Loaded:
    wishes = Wishes(
        size=form.of_all.side if form.of_all else None,
        preset=PHOTO if form.colour else None,
        columns=wanted,
        selection=Selection(trusted=True),
    )
    read = read_images(path, wishes, hear=hear, progress=progress)
    refused = sum(read.refused.values())
    lost = (kept("{count} files could not be read and were left out.", count=refused),) if refused else ()
    return Loaded(
        images=read.images,
        labels=read.labels,
        patients=read.patients,
        keys=read.patient_keys,
        numbered=read.numbered,
        classes=read.classes,
        columns=read.columns,
        sha256=_digest(path),
        claim=None,
        notes=tuple(kept(_NOTED[what], note=note) for note in (*read.notes, *lost)),
    )


def _digest(path: Path) -> str:
    """Of a file, or of the sorted listing of a folder's files with their digests."""
    if path.is_file():
        return sha256_file(path)
    listing = {file.relative_to(path).as_posix(): sha256_file(file) for file in list_files(path)}
    return sha256_bytes(canonical_json(listing))
