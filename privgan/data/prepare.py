"""From a source to a cohort: read everything once, decide who is who, write what training and audits will read."""

import hmac
import json
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import compress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from privgan import __version__
from privgan.checks import within
from privgan.data.cohort import MEMBER, NON_MEMBER, CohortFacts, digested_files, write_facts
from privgan.data.collect import Collected, People, collect, decide_people
from privgan.data.columns import FILE as COLUMNS
from privgan.data.columns import check_names, columns_of, write_columns
from privgan.data.identifiers import IdentifierDigests
from privgan.data.lookup import write_sides
from privgan.data.preprocess import LARGEST, SMALLEST, Recipe
from privgan.data.source import Source, Wishes
from privgan.data.sources import class_names, open_source, refusal_of, watched
from privgan.data.split import KEY_BYTES, assign_sides, read_withdrawn
from privgan.errors import InputRejectedError, UsageError
from privgan.files import PRIVATE_FILE, PRIVATE_FOLDER, require_space, sha256_file, write_bytes
from privgan.progress import Progress, silent

SMALLEST_CLASS = 10  # patients; a class name found in data must not point at one of them
ACCEPT_BURNED_IN = "accept-burned-in"
_COPIED_ROWS = 4096

Meet = Callable[[Sequence[frozenset[str]]], None]


@dataclass(frozen=True, kw_only=True)
class PrepareOptions:
    """Everything `prepare` and `scan` can be told; all of it public.

    size: side of the images. preset, window, roi: see `preprocess.Recipe`; preset None is chosen by the first
    readable file. non_members: fraction of patients held back for the audit. csv: label table. exclude: file of
    withdrawn patients' keys. classes: declared names. columns: further columns to keep, as text categories.
    max_images: read only the first files or rows.
    """

    size: int = 64
    preset: str | None = None
    window: tuple[float, float] | None = None
    roi: tuple[float, float, float, float] | None = None
    non_members: float = 0.333
    csv: Path | None = None
    exclude: Path | None = None
    classes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    max_images: int | None = None
    accept_burned_in: bool = False

    def __post_init__(self) -> None:
        within(SMALLEST, LARGEST, size=self.size)
        if not 0 <= self.non_members < 1:
            raise UsageError(f"Expected 0 <= non_members < 1, got {self.non_members}.")
        if len(set(self.classes)) != len(self.classes) or not all(self.classes):
            raise UsageError("Expected different, non-empty class names.")
        check_names(self.columns)
        preset = self.preset or ("custom" if self.window else "cxr")
        Recipe(preset=preset, size=self.size, window=self.window, roi=self.roi)  # checks them together

    @property
    def wishes(self) -> Wishes:
        """The part that concerns reading; a window without a preset means `custom`."""
        return Wishes(
            size=self.size,
            preset="custom" if self.window and not self.preset else self.preset,
            window=self.window,
            roi=self.roi,
            csv=self.csv,
            classes=self.classes,
            columns=self.columns,
            max_images=self.max_images,
            accept_burned_in=self.accept_burned_in,
        )


@dataclass(frozen=True, kw_only=True)
class ScanReport:
    """What a source holds: files or rows looked at, readable images, refusals by code, and patients."""

    files: int
    readable: int
    refused: dict[str, int]
    patients: int
    preset: str
    notes: tuple[str, ...]


def scan(source: Path, options: PrepareOptions, progress: Progress = silent) -> ScanReport:
    """Read everything exactly as `prepare` would, and write nothing.

    Raises:
        UsageError, InputRejectedError: the source is missing, empty or no source; nothing readable is a result.
    """
    origin = open_source(source, options.wishes)
    refused: Counter[str] = Counter()
    patients = set()
    for entry in watched(origin, progress):
        code = refusal_of(entry, origin.declared)
        if code:
            refused[code] += 1
        else:
            patients.add(entry.patient)
    return ScanReport(
        files=origin.total,
        readable=origin.total - refused.total(),
        refused=dict(sorted(refused.items())),
        patients=len(patients),
        preset=origin.recipe.preset,
        notes=origin.notes(),
    )


def nobody(_: Sequence[frozenset[str]]) -> None:
    """Nobody outside the cohort remembers its members."""


def prepare(
    source: Path, folder: Path, options: PrepareOptions, progress: Progress = silent, meet: Meet = nobody
) -> CohortFacts:
    """Write a cohort, but for its ledger, into an existing empty folder.

    Args:
        source: a folder or an .npz file.
        folder: where to write.
        options: everything that was told.
        progress: told of every file.
        meet: told the numbers of every member patient, one set a person. Sensitive: it may keep digests only.

    Raises:
        UsageError: the source or a table is missing, options do not fit it, or the disk is too full.
        InputRejectedError: nothing readable, fewer than two patients, or a found class of fewer than ten patients.
    """
    origin = open_source(source, options.wishes)
    withdrawn = read_withdrawn(options.exclude)
    # Twice the pixels: rows as they come, then the rows that stay; and some hundred bytes a row for the rest.
    require_space(folder, origin.total * (2 * options.size**2 + 4096))
    key = secrets.token_bytes(KEY_BYTES)
    private = folder / "private"
    private.mkdir(mode=PRIVATE_FOLDER)
    write_bytes(private / "hmac.key", key)
    rows = private / "rows.partial"
    found = collect(origin, rows, IdentifierDigests(key), progress)
    people = decide_people(found, withdrawn)
    labels = list(compress(found.labels, people.kept))
    classes = class_names(labels, origin.declared)
    if not origin.declared:
        _check_classes(labels, people.persons)
    sides = assign_sides(key, people.keys, options.non_members)
    _check_people(people, sides)
    _write_images(rows, folder / "images.npy", people.kept, options.size)
    _write_patients(folder / "patients.npz", people, labels, classes, sides)
    if options.columns:
        write_columns(folder / COLUMNS, columns_of(options.columns, list(compress(found.columns, people.kept))))
    _write_refused(folder / "refused.jsonl", found.refused, key)
    found.digests.discard(_public_words(origin, classes))
    found.digests.write(private / "identifiers")
    write_sides(folder, key, people.spellings, sides.tolist())
    meet([people.spellings[person] for person in np.flatnonzero(sides == MEMBER)])
    facts = _facts(folder, options, origin, found, people, classes, sides)
    write_facts(folder, facts)
    return facts


def _check_classes(labels: list[str], persons: NDArray[np.int64]) -> None:
    """A class list found in the data is data; it may be public only when many share each class."""
    owners: dict[str, set[int]] = {}
    for label, person in zip(labels, persons.tolist(), strict=True):
        owners.setdefault(label, set()).add(person)
    small = sum(1 for label, people in owners.items() if label and len(people) < SMALLEST_CLASS)
    if small:
        raise InputRejectedError(
            f"Expected at least {SMALLEST_CLASS} patients in every class that was found in the data, {small} of "
            f"{len(owners)} classes have fewer. Declare the class list with --classes, or drop those labels."
        )


def _check_people(people: People, sides: NDArray[np.uint8]) -> None:
    count = len(people.keys)
    if count < 2 or not (sides == MEMBER).any():
        raise InputRejectedError(f"Expected at least two patients and one member, got {count} patients.")


def _write_images(rows: Path, target: Path, kept: NDArray[np.bool_], size: int) -> None:
    """Copy the rows that stay, some thousand at a time, and remove the rest."""
    source = np.memmap(rows, dtype=np.uint8, mode="r", shape=(len(kept), size, size))
    images = np.lib.format.open_memmap(target, mode="w+", dtype=np.uint8, shape=(int(kept.sum()), size, size))
    wanted = np.flatnonzero(kept)
    for start in range(0, len(wanted), _COPIED_ROWS):
        chosen = wanted[start : start + _COPIED_ROWS]
        images[start : start + len(chosen)] = source[chosen]
    images.flush()
    del source, images
    target.chmod(PRIVATE_FILE)
    rows.unlink()


def _write_patients(
    target: Path, people: People, labels: list[str], classes: tuple[str, ...], sides: NDArray[np.uint8]
) -> None:
    numbers = {name: number for number, name in enumerate(classes)}
    with target.open("xb") as stream:
        np.savez(
            stream,
            patient=people.persons,
            label=np.array([numbers.get(label, 0) for label in labels], dtype=np.int64),
            split=sides[people.persons],
        )
    target.chmod(PRIVATE_FILE)


def _write_refused(target: Path, refused: list[tuple[str, str]], key: bytes) -> None:
    def line(code: str, where: str) -> str:
        mark = hmac.new(key, b"refused:" + where.encode("utf-8", "surrogatepass"), "sha256").hexdigest()
        return json.dumps({"code": code, "where": mark}) + "\n"

    write_bytes(target, "".join(line(code, where) for code, where in refused).encode())


def _public_words(origin: Source, classes: tuple[str, ...]) -> tuple[str, ...]:
    """Words that outputs carry by design, today's date among them."""
    rule, today = origin.recipe.rule, datetime.now(UTC).astimezone()
    dates = {
        moment.strftime(form) for moment in (today, datetime.now(UTC)) for form in ("%Y%m%d", "%d%m%Y", "%m%d%Y")
    }
    return (*classes, *dates, rule.name, rule.modality, rule.body_part)


def _notes(origin: Source, people: People) -> tuple[str, ...]:
    texts = (
        (people.along, f"{people.along} patients were left out because they share an image with a withdrawn one."),
        (people.unmatched, f"{people.unmatched} keys of withdrawn patients match nobody who was read."),
    )
    return (*origin.notes(), *(text for count, text in texts if count))


def _facts(
    folder: Path,
    options: PrepareOptions,
    origin: Source,
    found: Collected,
    people: People,
    classes: tuple[str, ...],
    sides: NDArray[np.uint8],
) -> CohortFacts:
    rule, (low, high) = origin.recipe.rule, origin.recipe.limits
    return CohortFacts(
        cohort_id=secrets.token_hex(8),
        privgan_version=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        preset=rule.name,
        window_low=low,
        window_high=high,
        image_size=options.size,
        modality=rule.modality,
        body_part=rule.body_part,
        classes=classes,
        patients=len(people.keys),
        members=int((sides == MEMBER).sum()),
        non_members=int((sides == NON_MEMBER).sum()),
        images=int(people.kept.sum()),
        non_member_fraction=options.non_members,
        merged_patients=people.merged,
        excluded_patients=people.withdrawn,
        refused=found.refused_by_code(),
        overrides=(ACCEPT_BURNED_IN,) if options.accept_burned_in else (),
        notes=_notes(origin, people),
        digests={name: sha256_file(folder / name) for name in digested_files(options.columns)},
        columns=options.columns,
    )
