"""The synthetic set on disk: what `generate` wrote, and proof that nothing was changed since.

SYNTHETIC/ (0700)  dicom/000001/000001.dcm ...   a folder for each series (optional)
                   images.npz                    images uint8 (n, h, w[, 3]), labels int64 (n,), classes; always there
                   contact-sheet.png             a glance at up to 100 images (optional)
                   labels.csv                    file,patient,label
                   records.csv                   an invented record for each image (of a run with declared columns)
                   data-dictionary.json          what its columns are (likewise)
                   lesson.html                   a page to learn stages from (of a set with a sequence)
                   README.md                     the dataset card
                   manifest.json                 the claim, and the SHA-256 of every file above
                   NOT_RELEASED                  a mark, and
                   SEED                          what every image was drawn from: both stay behind at a release

These two are files of their own so that a released set is, byte for byte, the set that was audited.
"""

import math
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Integers
from privgan.config import from_table, inline, to_table
from privgan.dp.spend import PrivacySpend
from privgan.errors import IntegrityError, UsageError
from privgan.files import (
    PRIVATE_FILE,
    SHAREABLE_FILE,
    open_regular,
    read_marker,
    readable_json,
    sha256_file,
    write_bytes,
    write_text,
)
from privgan.folders import list_files, require_exact_files
from privgan.images.form import ImageForm
from privgan.kinds import SET, require_kind
from privgan.language import AS_WRITTEN, require_language
from privgan.progress import Progress, silent
from privgan.records.facts import RecordsFacts
from privgan.records.rows import Records, read_records
from privgan.run import FederationNamed, PriorNamed
from privgan.synthetic.dicom.form import DicomForm
from privgan.synthetic.seed import Seed

SCHEMA_VERSION = 1
KIND = "synthetic"
MARKER = SET.marker
NOT_RELEASED, SEED = "NOT_RELEASED", "SEED"
STAY_BEHIND = (NOT_RELEASED, SEED)
IMAGES = "images.npz"
LABELS = "labels.csv"
RECORDS, DICTIONARY, LESSON = "records.csv", "data-dictionary.json", "lesson.html"
CARD = "README.md"
CONTACT_SHEET = "contact-sheet.png"
_PLAIN = DicomForm()
_LONGEST_SEED = 100  # bytes read of a seed's file
_ORDER = (  # of the keys, as it has always been; what is new follows
    *("run_id", "cohort_id", "privgan_version", "created", "count", "image_size", "classes"),
    *("class_policy", "class_counts", "modality", "body_part"),
    *("generator_sha256", "not_private", "class_margin", "dicom", "window"),
)
NOT_RELEASED_TEXT = (
    "This synthetic set is NOT RELEASED.\n"
    "It must not leave the hospital until 'privgan audit' has passed it and 'privgan release' has signed it.\n"
)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The content of manifest.json but for the file digests; real images reached it through charged noise only.

    created: the day, YYYY-MM-DD. class_policy: what the user asked for. class_counts: images of each class.
    class_margin: of class shares measured with noise, how far that may have moved them (two standard errors).
    dicom: the form of the DICOM files. form: of the images, as the cohort's. spend: the run's claim. not_private: a
    test run; audit and release refuse it. seed_sha256: of the seed that labels, images and UIDs follow from; empty in
    sets of versions that kept none. config_sha256: of the constants beside the generator's weights, likewise.
    prior: the public images that shaped the generator besides, None without any. federation: of the hospitals whose
    members shaped it, None of one alone. language: of the card. records: what its records are, None without any.
    smooth_as: its images are as smooth as such of so many pixels a side that were enlarged; 0 where they are finer.
    """

    run_id: str
    cohort_id: str
    privgan_version: str
    created: str
    count: int
    class_policy: str
    class_counts: dict[str, int]
    generator_sha256: str
    not_private: bool
    class_margin: float | None = None
    dicom: DicomForm = _PLAIN
    form: ImageForm = field(metadata=inline(side="image_size"))
    spend: PrivacySpend
    seed_sha256: str = ""
    config_sha256: str = ""
    prior: PriorNamed | None = None
    federation: FederationNamed | None = None
    language: str = AS_WRITTEN
    records: RecordsFacts | None = None
    smooth_as: int = 0

    def __post_init__(self) -> None:
        require_language(self.language)

    @property
    def noise_drowned_classes(self) -> bool:
        """Whether noise left nothing of measured class shares, so that equal ones were taken."""
        return self.class_margin == 1

    def to_json(self, files: dict[str, str]) -> dict[str, Any]:
        """The JSON object of manifest.json."""
        table = to_table(self, _ORDER)
        privacy, listed = table.pop("spend"), dict(sorted(files.items()))
        if self.prior is None:  # a set without one is, to the byte, what it was before there were any
            del table["prior"]
        if self.federation is None:  # likewise
            del table["federation"]
        if self.records is None:  # likewise
            del table["records"]
        if not self.smooth_as:  # likewise
            del table["smooth_as"]
        if not self.dicom.one_study:
            del table["dicom"]["one_study"]
        if self.dicom.visits == 1:
            del table["dicom"]["visits"]
        if self.language == AS_WRITTEN:  # likewise
            del table["language"]
        return {"schema_version": SCHEMA_VERSION, "kind": KIND, **table, "privacy": privacy, "files": listed}


@dataclass(frozen=True, kw_only=True)
class SyntheticSet:
    """A set whose every file was checked. sha256: of manifest.json, which stands for all the others.

    images: uint8 (n, h, w) or (n, h, w, 3). labels: int64 (n,), indices into the form's classes. records:
    of each image, without columns where the run had none. seed: None where it
    stayed behind.
    """

    folder: Path
    manifest: Manifest
    files: dict[str, str] = field(repr=False)
    sha256: str
    images: NDArray[np.uint8] = field(repr=False)
    labels: Integers = field(repr=False)
    records: Records = field(repr=False)
    seed: Seed | None


def patient_id(run_id: str, number: int) -> str:
    """The invented patient's ID: the run and a counter.

    >>> patient_id("0123abcd4567", 1)
    'PG-0123abcd-000001'
    """
    return f"PG-{run_id[:8]}-{number:06d}"


def seal(folder: Path, manifest: Manifest, seed: Seed) -> None:
    """Write manifest.json over everything that lies in the folder, then what stays behind."""
    write_manifest(folder, manifest)
    write_text(folder / SEED, seed.text, PRIVATE_FILE)
    write_text(folder / NOT_RELEASED, NOT_RELEASED_TEXT, PRIVATE_FILE)


def write_manifest(folder: Path, manifest: Manifest) -> dict[str, str]:
    """Write manifest.json over all files of a folder but those that stay behind.

    Returns:
        The digests of these files and of manifest.json itself, by name.
    """
    names = {path.relative_to(folder).as_posix() for path in list_files(folder)} - {MARKER, *STAY_BEHIND}
    files = {name: sha256_file(folder / name) for name in sorted(names)}
    write_bytes(folder / MARKER, readable_json(manifest.to_json(files)), SHAREABLE_FILE)
    return {**files, MARKER: sha256_file(folder / MARKER)}


def open_synthetic_set(folder: Path, progress: Progress = silent) -> SyntheticSet:
    """Open a set, its mark and its seed present or (in a bundle) not, and check every byte.

    Raises:
        UsageError: there is no such folder, or it is no synthetic set.
        IntegrityError: a file is extra, missing, edited or not regular.
    """
    require_kind(SET, folder)
    digest = sha256_file(folder / MARKER)
    manifest, files = read_manifest(folder)
    expected = {**files, MARKER: digest}
    seed = _seed_of(folder, manifest)
    if (folder / NOT_RELEASED).exists():
        _require_mark(folder)
    expected |= {name: sha256_file(folder / name) for name in STAY_BEHIND if (folder / name).exists()}
    require_exact_files(folder, expected, progress)
    images, labels = _read_arrays(folder / IMAGES, manifest)
    return SyntheticSet(
        folder=folder,
        manifest=manifest,
        files=files,
        sha256=digest,
        images=images,
        labels=labels,
        records=_read_records(folder / RECORDS, manifest),
        seed=seed,
    )


def read_manifest(folder: Path) -> tuple[Manifest, dict[str, str]]:
    """The manifest and the digests by relative path; the files themselves are not looked at.

    Raises:
        IntegrityError: not the manifest of a synthetic set of this schema version.
    """
    table = read_marker(folder / MARKER, KIND, SCHEMA_VERSION)
    try:
        files = {str(name): str(digest) for name, digest in table.pop("files").items()}
        table["spend"] = table.pop("privacy")
        manifest = from_table(Manifest, table)
    except (TypeError, KeyError, AttributeError, ValueError, UsageError):
        raise IntegrityError(f"Expected the fields of a synthetic set in {folder / MARKER}.") from None
    if not (0 < manifest.spend.epsilon < math.inf and manifest.count > 0):
        raise IntegrityError(f"Expected positive finite numbers in {folder / MARKER}.")
    if manifest.class_margin is not None and not 0 <= manifest.class_margin <= 1:
        raise IntegrityError(f"Expected a class margin between 0 and 1 in {folder / MARKER}.")
    if not {IMAGES, *([] if manifest.records is None else [RECORDS])} <= files.keys() or not files.keys().isdisjoint(
        (MARKER, *STAY_BEHIND)
    ):
        raise IntegrityError(
            f"Expected {IMAGES} among the files of the synthetic set, {RECORDS} where it has records, and nothing "
            "that stays behind."
        )
    return manifest, files


def _seed_of(folder: Path, manifest: Manifest) -> Seed | None:
    if not (folder / SEED).exists():
        return None
    with open_regular(folder / SEED) as stream:
        content = stream.read(_LONGEST_SEED)
    try:
        seed = Seed.of_text(content)
    except UsageError:
        seed = None
    if seed is None or seed.sha256 != manifest.seed_sha256:
        raise IntegrityError(f"Expected {SEED} as it was written, it was edited or is another set's.")
    return seed


def _require_mark(folder: Path) -> None:
    with open_regular(folder / NOT_RELEASED) as stream:
        if stream.read(len(NOT_RELEASED_TEXT) + 1) != NOT_RELEASED_TEXT.encode():
            raise IntegrityError(f"Expected {NOT_RELEASED} as it was written, it was edited.")


def _read_arrays(path: Path, manifest: Manifest) -> tuple[NDArray[np.uint8], Integers]:
    try:
        with open_regular(path) as stream, np.load(stream, allow_pickle=False) as arrays:
            images, labels, classes = arrays["images"], arrays["labels"], arrays["classes"]
    except (ValueError, KeyError, OSError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error):
        raise IntegrityError(f"Expected arrays images, labels and classes in {path.name}.") from None
    form, count = manifest.form, manifest.count
    if images.shape != (count, *form.shape) or images.dtype != np.uint8:
        raise IntegrityError(f"Expected {count} images of {form} in {path.name}, got {images.shape}.")
    in_range = labels.dtype == np.int64 and bool(np.isin(labels, np.arange(len(form.classes))).all())
    if labels.shape != (count,) or not in_range or tuple(map(str, classes)) != form.classes:
        raise IntegrityError(f"Expected {count} labels of the manifest's classes in {path.name}.")
    return images, labels


def _read_records(path: Path, manifest: Manifest) -> Records:
    if manifest.records is None:
        return Records.none(manifest.count)
    with open_regular(path) as stream:
        return read_records(stream.read(), manifest.records.schema, manifest.count)
