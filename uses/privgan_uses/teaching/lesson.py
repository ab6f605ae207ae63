"""What a released set teaches: its images with the label that is to be learned, in the parts that it suggests."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from privgan.arrays import Integers, Texts
from privgan.config import from_table
from privgan.errors import IntegrityError, UsageError
from privgan.files import open_regular, sha256_bytes
from privgan.images.form import ImageForm
from privgan.records.facts import RecordsFacts
from privgan.records.rows import read_records
from privgan.records.schema import MISSING, NUMBER, Column
from privgan.synthetic.splits import SPLITS, TEST, TRAIN, VALIDATION
from privgan.synthetic.synthetic_set import RECORDS
from privgan_audits.release import bundle as layout
from privgan_uses.released import Origin, Released
from privgan_uses.teaching.learning import Pictures

LEAST = {TRAIN: 30, VALIDATION: 4, TEST: 8}  # images of each class


@dataclass(frozen=True, kw_only=True, eq=False)
class Lesson:
    """Pictures by split. classes: names, in the order of the labels. column, declaration: see `ClassifierFacts`."""

    parts: dict[str, Pictures]
    classes: tuple[str, ...]
    form: ImageForm
    origins: tuple[Origin, ...]
    column: str = ""
    declaration: str = ""

    def __post_init__(self) -> None:
        counts = {split: np.bincount(part.labels, minlength=len(self.classes)) for split, part in self.parts.items()}
        shown = [name for label, name in enumerate(self.classes) if any(each[label] for each in counts.values())]
        if len(shown) < 2:
            raise UsageError(f"Expected images of two classes or more to tell apart, the set shows {len(shown)}.")
        for split, least in LEAST.items():
            for name, count in zip(self.classes, counts[split].tolist(), strict=True):
                if count < least:
                    raise UsageError(
                        f"Expected at least {least} images of each class in the split {split!r}, of {name!r} there "
                        f"are {count}. Ask the hospital for a larger set."
                    )


def lesson_of(released: Released, bundles: Sequence[Path], column: str) -> Lesson:
    """What is to be learned.

    Args:
        released: of the bundles, as they were just verified.
        bundles: in the same order.
        column: a declared column of their records; empty for the images' class.

    Raises:
        UsageError: one class only, too few images of one, no such column, or one of numbers.
        IntegrityError: records are others than those that were verified.
    """
    labels, classes, declaration = released.labels, released.form.classes, ""
    if column:
        told = [_told(bundle, origin, column) for bundle, origin in zip(bundles, released.origins, strict=True)]
        declared = {declared.text for declared, _ in told}
        if len(declared) > 1:
            raise UsageError(f"Expected sets that declare the column {column!r} alike, they do not.")
        labels, classes = np.concatenate([codes for _, codes in told]) - 1, told[0][0].values
        declaration = told[0][0].text
    here = labels != MISSING - 1 if column else np.ones(len(labels), dtype=np.bool_)
    return Lesson(
        parts={
            split: Pictures(images=released.images[rows], labels=labels[rows])
            for split in SPLITS
            for rows in (np.flatnonzero(here & (released.splits == split)),)
        },
        classes=classes,
        form=released.form,
        origins=released.origins,
        column=column,
        declaration=declaration,
    )


def _told(bundle: Path, origin: Origin, name: str) -> tuple[Column, Integers]:
    """The column as a set declares it, and its codes (n,), 0 where nothing is known."""
    content = _exactly(bundle / layout.MANIFEST, origin.set_sha256)
    manifest = json.loads(content)
    if manifest.get("records") is None:
        raise UsageError("Expected --column of a set with records, this one has none.")
    facts = from_table(RecordsFacts, manifest["records"])
    column = next((each for each in facts.schema.columns if each.name == name), None)
    if column is None or column.kind == NUMBER:
        named = ", ".join(each.name for each in facts.schema.columns if each.kind != NUMBER)
        raise UsageError(f"Expected a column of categories or of an order: {named}. Got {name!r}.")
    table = _exactly(bundle / layout.DATASET / RECORDS, manifest["files"][RECORDS])
    records = read_records(table, facts.schema, origin.images)
    return column, records.codes[:, facts.schema.names.index(name)]


def _exactly(path: Path, sha256: str) -> bytes:
    with open_regular(path) as stream:
        content: bytes = stream.read()
    if sha256_bytes(content) != sha256:
        raise IntegrityError(f"Expected {path.name} as it was verified, it was edited meanwhile.")
    return content


def known_labels(cells: Texts, column: Column) -> Integers:
    """Of a cohort's cells (n,) the labels, int64 (n,); -1 where nothing is known."""
    return np.maximum(column.codes(cells), MISSING) - 1
