"""A prepared cohort: the only form in which real images are read after `prepare`.

COHORT/cohort.json    public facts and digests
       images.npy     uint8 (n, h, w) or, in colour, (n, h, w, 3), rows in source order; opened as a memory map
       patients.npz   patient int64, label int64, split uint8 (0 member, 1 non-member), one value a row
       columns.npz    further columns by name, one text or number a row; only where some were asked for
       refused.jsonl  one line a refused file: a reason code and a keyed hash of where it was
       private/       key, digests of identifiers and of patients, ledger.jsonl
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Integers, Values
from privgan.config import from_table, inline, to_table
from privgan.data.columns import FILE as COLUMNS
from privgan.data.columns import read_columns
from privgan.data.recipe import GIVEN, PRESETS
from privgan.errors import IntegrityError, UsageError
from privgan.files import read_marker, sha256_file, write_json
from privgan.images.form import ImageForm
from privgan.images.stored import with_channels
from privgan.kinds import COHORT, require_kind
from privgan.records.schema import CATEGORY, Schema

SCHEMA_VERSION = 1
MARKER = COHORT.marker
MEMBER, NON_MEMBER = 0, 1
DIGESTED_FILES = (
    "images.npy",
    "patients.npz",
    "refused.jsonl",
    "private/hmac.key",
    "private/identifiers",
    "private/patients",
)
_ORDER = (  # of the keys, as it has always been; what is new follows
    *("cohort_id", "privgan_version", "created", "preset", "window_low", "window_high"),
    *("image_size", "modality", "body_part", "classes"),
)
_IN_UNITS = frozenset(name for name, preset in PRESETS.items() if preset.scaling == GIVEN)


@dataclass(frozen=True, kw_only=True)
class CohortFacts:
    """The content of cohort.json: configuration, public counts and digests.

    `form` and the window, what became black and white, are configuration, never computed from images. `members` and
    `non_members` count patients and are public by the zero-out adjacency. `overrides` are the red flags the user
    raised. `notes` are sentences about how the source was read, with counts only. `officer_key` is the line of the
    public key without whose approval nothing of this cohort is released; empty where one person may release.
    `columns` are the further columns' types by name, of declared ones all that they may hold. `title` and `contact`
    are the project's, for every page.
    """

    cohort_id: str
    privgan_version: str
    created: str
    preset: str
    window_low: float
    window_high: float
    patients: int
    members: int
    non_members: int
    images: int
    non_member_fraction: float
    merged_patients: int
    excluded_patients: int
    refused: dict[str, int]
    overrides: tuple[str, ...]
    digests: dict[str, str]
    notes: tuple[str, ...] = ()
    officer_key: str = ""
    title: str = ""
    contact: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    form: ImageForm = field(metadata=inline(side="image_size"))


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """A cohort whose files were all checked against cohort.json. Its repr shows counts only.

    images: uint8 memory map (n, h, w, c). columns: further ones by name: str (n,), empty where nothing is known, or
    float64 (n,), NaN there.
    """

    folder: Path
    facts: CohortFacts
    images: NDArray[np.uint8]
    patients: Integers
    labels: Integers
    split: NDArray[np.uint8]
    columns: Mapping[str, Values] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Cohort({self.facts.members} members, {self.facts.non_members} non-members)"

    @property
    def ledger_path(self) -> Path:
        """Where the cohort's privacy ledger lies."""
        return self.folder / "private" / "ledger.jsonl"

    @property
    def schema(self) -> Schema:
        """The declared columns, which may leave as those of invented records."""
        return Schema.of(self.facts.columns)

    @property
    def codes(self) -> Integers:
        """Of the declared columns: int64 (n, columns)."""
        return self.schema.codes(self.columns, len(self.labels))

    @property
    def sha256(self) -> str:
        """Digest of cohort.json, which digests everything else; the ledger's opening entry repeats it."""
        return sha256_file(self.folder / MARKER)

    def rows(self, side: int) -> Integers:
        """Row numbers of all images of MEMBER or NON_MEMBER patients, ascending."""
        return np.flatnonzero(self.split == side)


def digested_files(columns: Collection[str]) -> tuple[str, ...]:
    """The files whose digests cohort.json holds, for a cohort with these further columns."""
    return (*DIGESTED_FILES, COLUMNS) if columns else DIGESTED_FILES


def hounsfield(preset: str, modality: str, window: tuple[float, float]) -> tuple[float, float] | None:
    """The window if it is one of Hounsfield units.

    Pictures may be called CT by `--modality`, but a window that is the range of their bits is none of units.
    """
    return window if modality == "CT" and preset in _IN_UNITS else None


def write_facts(folder: Path, facts: CohortFacts) -> None:
    """Write cohort.json atomically."""
    table = to_table(facts, _ORDER)
    del table["window"]  # preset, modality and what became black and white say it
    write_json(folder / MARKER, {"schema_version": SCHEMA_VERSION, "kind": "cohort", **table})


def open_cohort(folder: Path) -> Cohort:
    """Open a cohort and check every byte that training or an audit will rely on.

    Raises:
        UsageError: there is no such folder, or it is no cohort.
        IntegrityError: a file is missing, edited or inconsistent.
    """
    require_kind(COHORT, folder)
    facts = read_facts(folder)
    for name in digested_files(facts.columns):
        if sha256_file(folder / name) != facts.digests.get(name):
            raise IntegrityError(f"Expected {name} as prepare wrote it, it was edited. Prepare the cohort again.")
    images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
    with np.load(folder / "patients.npz", allow_pickle=False) as columns:
        patients, labels, split = columns["patient"], columns["label"], columns["split"]
    shape = (facts.images, *facts.form.shape)
    if images.shape != shape or not len(patients) == len(labels) == len(split) == facts.images:
        raise IntegrityError("Expected as many rows in images.npy and patients.npz as cohort.json says.")
    return Cohort(
        folder=folder,
        facts=facts,
        images=with_channels(images),
        patients=patients,
        labels=labels,
        split=split,
        columns=read_columns(folder / COLUMNS, facts.columns, facts.images) if facts.columns else {},
    )


def read_facts(folder: Path) -> CohortFacts:
    """Read cohort.json; none of the files that it digests is looked at.

    Raises:
        IntegrityError: it is missing, of another version, or has other fields.
    """
    table = read_marker(folder / MARKER, "cohort", SCHEMA_VERSION)
    try:
        columns = table.get("columns", ())  # older cohorts have none, or a list of categories
        types = columns if isinstance(columns, dict) else dict.fromkeys(columns, CATEGORY)
        Schema.of(types)
        units = hounsfield(table["preset"], table["modality"], (table["window_low"], table["window_high"]))
        return from_table(CohortFacts, {**table, "columns": types, "window": units})
    except (TypeError, KeyError, UsageError):
        raise IntegrityError(f"Expected the fields of a privgan cohort in {folder / MARKER}.") from None
