"""Gathers what an audit may look at, from a cohort or from bare files.

All images come out square, of the synthetic set's size, all grey or all in colour, and patients get numbers that mean
nothing outside. Whatever had to be assumed on the way is among the notes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from privgan.arrays import Floats, Images, Integers, Values
from privgan.data.cohort.cohort import MEMBER, NON_MEMBER, Cohort, open_cohort
from privgan.data.columns import NUMBER, Wanted
from privgan.data.recipe import PHOTO
from privgan.data.sources.opening import read_images
from privgan.dp.budget.ledger import Ledger
from privgan.errors import UsageError
from privgan.files import canonical_json, sha256_bytes, sha256_file
from privgan.folders import list_files
from privgan.images.form import ImageForm
from privgan.images.stored import with_channels
from privgan.progress import Progress, silent
from privgan.synthetic.synthetic_set import MARKER as SET_MARKER
from privgan.synthetic.synthetic_set import SyntheticSet, open_synthetic_set
from privgan_audits.evidence.bands import banded, quartiles
from privgan_audits.evidence.interface import Claim, Evidence, Origin, Sample

NO_EDGES: Mapping[str, Floats] = {}
ANYTHING = Wanted(anything=True)
UNCOUNTED = (
    "No cohort was named: if these are images of a cohort's patients, this look at them is not counted among the "
    "attempts on that cohort."
)
COUNTED = "Files were compared, not the cohort that was named; this look counts among the attempts on that cohort."
_ALONE = "counts as one patient"  # how a source's notes say that it names no patients


@dataclass(frozen=True, kw_only=True)
class _Form:
    """What images must be like. of_all: side and channels, None where free. colour: that of files is kept."""

    of_all: ImageForm | None = None
    colour: bool

    @classmethod
    def of(cls, images: Images) -> "_Form":
        """Like these."""
        form = ImageForm.of(images)
        return cls(of_all=form, colour=form.colour)


@dataclass(frozen=True, kw_only=True)
class _Loaded:
    """One of SYNTHETIC, X, Y in memory. keys: one per patient number, None when the source names no patients."""

    images: Images
    labels: Integers
    patients: Integers
    keys: frozenset[str] | None
    classes: tuple[str, ...]
    columns: Mapping[str, Values]
    sha256: str
    claim: Claim | None
    notes: tuple[str, ...]

    def sample(
        self, classes: tuple[str, ...], first_patient: int = 0, edges: Mapping[str, Floats] = NO_EDGES
    ) -> Sample:
        """The images with labels that count into `classes`, and patients numbered from `first_patient`.

        edges: of the columns that are numbers, between their quarters.
        """
        return Sample(
            images=self.images,
            labels=_relabelled(self.labels, self.classes, classes),
            patients=self.patients + first_patient,
            columns=banded(self.columns, edges),
        )


def load_cohort_evidence(
    synthetic: Path, cohort: Path, run: Path | None = None, progress: Progress = silent
) -> Evidence:
    """Evidence against a prepared cohort, whose members were trained on.

    Raises:
        UsageError: a path is missing, or the synthetic images are of another size than the cohort's.
        IntegrityError: an edited cohort or set, or a ledger that belongs to another cohort.
        BudgetError: the ledger's chain is broken.
    """
    if run is not None and not run.is_dir():
        raise UsageError(f"Expected a run folder, {run} is missing.")
    opened = open_cohort(cohort)
    ledger = Ledger.of_cohort(opened.ledger_path, cohort_sha256=opened.sha256)
    numbers = [name for name, kind in opened.facts.columns.items() if kind == NUMBER]
    edges = {name: quartiles(opened.columns[name].astype(np.float64), opened.patients) for name in numbers}
    wanted = Wanted(types=dict.fromkeys(numbers, NUMBER), anything=True)
    form = _Form.of(opened.images)
    loaded = _load(synthetic, "the synthetic set", form, progress, wanted)
    classes = _all_classes(loaded.classes, opened.facts.form.classes)
    return Evidence(
        members=_side(opened, MEMBER, classes, edges),
        non_members=_side(opened, NON_MEMBER, classes, edges) if opened.facts.non_members else None,
        synthetic=loaded.sample(classes, edges=edges),
        synthetic_folder=synthetic,
        synthetic_sha256=loaded.sha256,
        classes=classes,
        cohort=opened,
        ledger=ledger,
        claim=loaded.claim,
        run=run,
        notes=loaded.notes,
    )


def load_file_evidence(
    synthetic: Path,
    members: Path,
    non_members: Path | None,
    progress: Progress = silent,
    *,
    colour: bool = False,
    rehearses: Path | None = None,
) -> Evidence:
    """Evidence from files alone, for any generator; no claim of differential privacy can be checked.

    Images are compared in colour if that is asked for, or if the synthetic ones are a privgan set in colour; else
    colour becomes luminance. `rehearses` is the cohort whose patients the images are of: the look counts there.

    Raises:
        UsageError: a path is missing, or a patient is among members and non-members.
        InputRejectedError: nothing readable in one of them.
        IntegrityError: an edited privgan set or cohort.
    """
    rehearsed = open_cohort(rehearses) if rehearses else None
    loaded = _load(synthetic, "the synthetic images", _Form(colour=colour), progress)
    form = _Form.of(loaded.images)
    ours = _load(members, "members", form, progress)
    theirs = _load(non_members, "non-members", form, progress) if non_members else None
    shared = (ours.keys or frozenset()) & (theirs.keys or frozenset()) if theirs else frozenset()
    if shared:
        raise UsageError(
            f"Expected members and non-members to share no patient, {len(shared)} ids are in both. "
            "Remove them from one side, or give different people different ids."
        )
    classes = _all_classes(*(each.classes for each in (loaded, ours, theirs) if each))
    return Evidence(
        members=ours.sample(classes),
        non_members=theirs.sample(classes, int(ours.patients.max()) + 1) if theirs else None,
        synthetic=loaded.sample(classes),
        synthetic_folder=synthetic,
        synthetic_sha256=loaded.sha256,
        classes=classes,
        claim=loaded.claim,
        rehearses=rehearsed,
        notes=(*loaded.notes, *ours.notes, *(theirs.notes if theirs else ()), COUNTED if rehearses else UNCOUNTED),
    )


def _side(cohort: Cohort, side: int, classes: tuple[str, ...], edges: Mapping[str, Floats]) -> Sample:
    rows = cohort.rows(side)
    return Sample(
        images=cohort.images[rows],
        labels=_relabelled(cohort.labels[rows], cohort.facts.form.classes, classes),
        patients=cohort.patients[rows],
        columns={name: column[rows] for name, column in banded(cohort.columns, edges).items()},
    )


def _all_classes(*lists: tuple[str, ...]) -> tuple[str, ...]:
    """The names of all lists, the first one's first: one label must mean the same on every side."""
    return tuple(dict.fromkeys(name for names in lists for name in names))


def _relabelled(labels: Integers, old: tuple[str, ...], new: tuple[str, ...]) -> Integers:
    """Labels that count into `old` as labels that count into `new`, which has all of its names."""
    return np.array([new.index(name) for name in old], np.int64)[labels]


def _load(path: Path, what: str, form: _Form, progress: Progress, wanted: Wanted = ANYTHING) -> _Loaded:
    if (path / SET_MARKER).is_file():
        loaded = _from_set(open_synthetic_set(path, progress))
    else:
        loaded = _from_files(path, what, form, progress, wanted)
    found = ImageForm.of(loaded.images)
    if form.of_all not in (None, found):
        raise UsageError(f"Expected {what} of {form.of_all}, got {found}.")
    return loaded


def _from_set(opened: SyntheticSet) -> _Loaded:
    manifest = opened.manifest
    return _Loaded(
        images=with_channels(opened.images),
        labels=opened.labels,
        patients=np.arange(len(opened.images), dtype=np.int64),
        keys=None,
        classes=manifest.form.classes,
        columns={},
        sha256=opened.sha256,
        claim=Claim(
            run_id=manifest.run_id,
            cohort_id=manifest.cohort_id,
            spend=manifest.spend,
            generator_sha256=manifest.generator_sha256,
            config_sha256=manifest.config_sha256,
            not_private=manifest.not_private,
            origin=Origin(manifest=manifest, seed=opened.seed) if opened.seed else None,
        ),
        notes=(),
    )


def _from_files(path: Path, what: str, form: _Form, progress: Progress, wanted: Wanted) -> _Loaded:
    size, preset = form.of_all.side if form.of_all else None, PHOTO if form.colour else None
    read = read_images(path, size=size, preset=preset, columns=wanted, trusted=True, progress=progress)
    alone = any(_ALONE in note for note in read.notes)
    refused = sum(read.refused.values())
    lost = (f"{refused} files could not be read and were left out.",) if refused else ()
    return _Loaded(
        images=read.images,
        labels=read.labels,
        patients=read.patients,
        keys=None if alone else frozenset(read.patient_keys),
        classes=read.classes,
        columns=read.columns,
        sha256=_digest(path),
        claim=None,
        notes=tuple(f"{what.capitalize()}: {note}" for note in (*read.notes, *lost)),
    )


def _digest(path: Path) -> str:
    """Of a file, or of the sorted listing of a folder's files with their digests."""
    if path.is_file():
        return sha256_file(path)
    listing = {file.relative_to(path).as_posix(): sha256_file(file) for file in list_files(path)}
    return sha256_bytes(canonical_json(listing))
