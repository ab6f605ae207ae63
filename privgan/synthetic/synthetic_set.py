"""The synthetic set on disk: what `generate` wrote, and proof that nothing was changed since.

SYNTHETIC/ (0700)  dicom/000001/000001.dcm ...   one invented patient each (optional)
                   images.npz                    images uint8 (n, h, w[, 3]), labels int64 (n,), classes; always there
                   contact-sheet.png             a glance at up to 100 images (optional)
                   labels.csv                    file,patient,label
                   README.md                     the dataset card
                   manifest.json                 the claim, and the SHA-256 of every file above
                   NOT_RELEASED                  a mark that stays behind when a release copies the rest

The mark is a file of its own so that a released set is, byte for byte, the set that was audited.
"""

import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Integers
from privgan.data.preprocess import image_shape
from privgan.errors import IntegrityError, UsageError
from privgan.files import PRIVATE_FILE, SHAREABLE_FILE, open_regular, read_json, sha256_file, write_json, write_text
from privgan.folders import list_files, require_exact_files
from privgan.progress import Progress, silent
from privgan.synthetic.dicom.form import DicomForm

SCHEMA_VERSION = 1
KIND = "synthetic"
MARKER = "manifest.json"
NOT_RELEASED = "NOT_RELEASED"
IMAGES = "images.npz"
LABELS = "labels.csv"
CARD = "README.md"
CONTACT_SHEET = "contact-sheet.png"
_PLAIN = DicomForm()
NOT_RELEASED_TEXT = (
    "This synthetic set is NOT RELEASED.\n"
    "It must not leave the hospital until 'privgan audit' has passed it and 'privgan release' has signed it.\n"
)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The content of manifest.json but for the file digests; real images reached it through charged noise only.

    created: the day, YYYY-MM-DD. class_policy: what the user asked for. class_counts: images of each class.
    class_margin: of class shares measured with noise, how far that may have moved them (two standard errors).
    dicom: the form of the DICOM files. window: Hounsfield units of black and white, None where values have no unit.
    channels: 1 for grey, 3 for red, green and blue.
    epsilon, delta, unit, adjacency: the run's claim. not_private: a test run; audit and release refuse it.
    """

    run_id: str
    cohort_id: str
    privgan_version: str
    created: str
    count: int
    image_size: int
    classes: tuple[str, ...]
    class_policy: str
    class_counts: dict[str, int]
    modality: str
    body_part: str
    epsilon: float
    delta: float
    unit: str
    adjacency: str
    generator_sha256: str
    not_private: bool
    class_margin: float | None = None
    dicom: DicomForm = _PLAIN
    window: tuple[float, float] | None = None
    channels: int = 1

    @property
    def noise_drowned_classes(self) -> bool:
        """Whether noise left nothing of measured class shares, so that equal ones were taken."""
        return self.class_margin == 1

    def to_json(self, files: dict[str, str]) -> dict[str, Any]:
        """The JSON object of manifest.json."""
        table = asdict(self)
        privacy = {name: table.pop(name) for name in _PRIVACY}
        return {"schema_version": SCHEMA_VERSION, "kind": KIND, **table, "privacy": privacy, "files": files}


_PRIVACY = ("epsilon", "delta", "unit", "adjacency")


@dataclass(frozen=True, kw_only=True)
class SyntheticSet:
    """A set whose every file was checked. sha256: of manifest.json, which stands for all the others.

    images: uint8 (n, h, w) or (n, h, w, 3). labels: int64 (n,), indices into `classes`.
    """

    folder: Path
    manifest: Manifest
    files: dict[str, str] = field(repr=False)
    sha256: str
    images: NDArray[np.uint8] = field(repr=False)
    labels: Integers = field(repr=False)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the labels."""
        return self.manifest.classes

    @property
    def run_id(self) -> str:
        """The run whose generator made the set."""
        return self.manifest.run_id

    @property
    def cohort_id(self) -> str:
        """The cohort that the run was trained on."""
        return self.manifest.cohort_id

    @property
    def epsilon(self) -> float:
        """The claimed epsilon."""
        return self.manifest.epsilon

    @property
    def delta(self) -> float:
        """The claimed delta."""
        return self.manifest.delta

    @property
    def unit(self) -> str:
        """Whom the claim protects: "patient"."""
        return self.manifest.unit

    @property
    def adjacency(self) -> str:
        """The adjacency of the claim: "zero-out"."""
        return self.manifest.adjacency

    @property
    def generator_sha256(self) -> str:
        """Digest of the generator's weights."""
        return self.manifest.generator_sha256

    @property
    def not_private(self) -> bool:
        """Whether the run was a seeded test run without any guarantee."""
        return self.manifest.not_private


def patient_id(run_id: str, number: int) -> str:
    """The invented patient's ID: the run and a counter.

    >>> patient_id("0123abcd4567", 1)
    'PG-0123abcd-000001'
    """
    return f"PG-{run_id[:8]}-{number:06d}"


def file_name(number: int) -> str:
    """Where an image lies in the set: one folder for each invented patient."""
    return f"dicom/{number:06d}/{number:06d}.dcm"


def seal(folder: Path, manifest: Manifest) -> None:
    """Write manifest.json over everything that lies in the folder, then the mark NOT_RELEASED."""
    files = {path.relative_to(folder).as_posix(): sha256_file(path) for path in list_files(folder)}
    write_json(folder / MARKER, manifest.to_json(files), SHAREABLE_FILE)
    write_text(folder / NOT_RELEASED, NOT_RELEASED_TEXT, PRIVATE_FILE)


def open_synthetic_set(folder: Path, progress: Progress = silent) -> SyntheticSet:
    """Open a set, its mark present or (in a bundle) not, and check every byte.

    Raises:
        UsageError: there is no such folder.
        IntegrityError: it is no synthetic set, or a file is extra, missing, edited or not regular.
    """
    if not folder.is_dir():
        raise UsageError(f"Expected a synthetic set, {folder} is missing or not a folder.")
    digest = sha256_file(folder / MARKER)
    manifest, files = read_manifest(folder)
    expected = {**files, MARKER: digest}
    if (folder / NOT_RELEASED).exists():
        _require_mark(folder)
        expected[NOT_RELEASED] = sha256_file(folder / NOT_RELEASED)
    require_exact_files(folder, expected, progress)
    images, labels = _read_arrays(folder / IMAGES, manifest)
    return SyntheticSet(folder=folder, manifest=manifest, files=files, sha256=digest, images=images, labels=labels)


def read_manifest(folder: Path) -> tuple[Manifest, dict[str, str]]:
    """The manifest and the digests by relative path; the files themselves are not looked at.

    Raises:
        IntegrityError: not the manifest of a synthetic set of this schema version.
    """
    table = read_json(folder / MARKER)
    version, kind = table.pop("schema_version", None), table.pop("kind", None)
    if (version, kind) != (SCHEMA_VERSION, KIND):
        raise IntegrityError(f"Expected a synthetic set of schema version {SCHEMA_VERSION} in {folder}.")
    try:
        files = {str(name): str(digest) for name, digest in table.pop("files").items()}
        privacy, classes = table.pop("privacy"), tuple(map(str, table.pop("classes")))
        form, window = DicomForm(**table.pop("dicom", {})), _window_of(table.pop("window", None))
        manifest = Manifest(**table, **privacy, classes=classes, dicom=form, window=window)
    except (TypeError, KeyError, AttributeError, ValueError, UsageError):
        raise IntegrityError(f"Expected the fields of a synthetic set in {folder / MARKER}.") from None
    numbers = (manifest.epsilon, manifest.delta, manifest.count, manifest.image_size)
    if (
        not all(type(n) in (int, float) and 0 < n < math.inf for n in numbers)
        or type(manifest.not_private) is not bool
    ):
        raise IntegrityError(f"Expected positive finite numbers in {folder / MARKER}.")
    if manifest.channels not in (1, 3):
        raise IntegrityError(f"Expected 1 or 3 channels in {folder / MARKER}.")
    margin = manifest.class_margin
    if margin is not None and not (type(margin) in (int, float) and 0 <= margin <= 1):
        raise IntegrityError(f"Expected a class margin between 0 and 1 in {folder / MARKER}.")
    if IMAGES not in files:
        raise IntegrityError(f"Expected {IMAGES} among the files of the synthetic set.")
    return manifest, files


def _window_of(value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    low, high = map(float, value)
    if not -math.inf < low < high < math.inf:
        raise ValueError
    return low, high


def _require_mark(folder: Path) -> None:
    with open_regular(folder / NOT_RELEASED) as stream:
        if stream.read(len(NOT_RELEASED_TEXT) + 1) != NOT_RELEASED_TEXT.encode():
            raise IntegrityError(f"Expected {NOT_RELEASED} as it was written, it was edited.")


def _read_arrays(path: Path, manifest: Manifest) -> tuple[NDArray[np.uint8], Integers]:
    try:
        with open_regular(path) as stream, np.load(stream, allow_pickle=False) as arrays:
            images, labels, classes = arrays["images"], arrays["labels"], arrays["classes"]
    except (ValueError, KeyError, OSError, EOFError):
        raise IntegrityError(f"Expected arrays images, labels and classes in {path.name}.") from None
    size, count = manifest.image_size, manifest.count
    if images.shape != (count, *image_shape(size, manifest.channels)) or images.dtype != np.uint8:
        kind = "grey" if manifest.channels == 1 else "colour"
        raise IntegrityError(f"Expected {count} {kind} images of {size} x {size} in {path.name}, got {images.shape}.")
    in_range = labels.dtype == np.int64 and bool(np.isin(labels, np.arange(len(manifest.classes))).all())
    if labels.shape != (count,) or not in_range or tuple(map(str, classes)) != manifest.classes:
        raise IntegrityError(f"Expected {count} labels of the manifest's classes in {path.name}.")
    return images, labels
