"""What privgan itself writes into a synthetic set, computed again so that nothing has to be taken on trust.

Among thousands of patients somebody is called Price, Young or Page, and the dataset card uses such words.
A text is explained only when it is exactly what the manifest makes privgan write; everything else is searched.
UIDs are never explained: a copied one would look just like a random one.
"""

import contextlib
import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import numpy as np

from privgan.config import keys_of
from privgan.dp.spend import PrivacySpend
from privgan.errors import IntegrityError, UsageError
from privgan.records.dictionary import dictionary
from privgan.records.facts import RecordsFacts
from privgan.records.rows import HEAD, read_records
from privgan.records.schema import Schema
from privgan.run import PriorNamed
from privgan.synthetic import synthetic_set as layout
from privgan.synthetic.dataset_card import dataset_card
from privgan.synthetic.dicom.dates import dates_of
from privgan.synthetic.dicom.form import DicomForm
from privgan.synthetic.lessons.of_set import lesson_of, shown_patients, without_pictures
from privgan.synthetic.seed import Seed
from privgan.synthetic.synthetic_set import Manifest, read_manifest

_COUNTER = r"\d{6,9}"
_HEX = re.compile("[0-9a-f]{8,64}")
_TABLES = (layout.LABELS, layout.RECORDS, layout.DICTIONARY)
_FILES = (
    layout.CARD,
    layout.CONTACT_SHEET,
    layout.IMAGES,
    *_TABLES,
    layout.LESSON,
    layout.MARKER,
    *layout.STAY_BEHIND,
)
_ARRAYS = ("images", "labels", "classes", "images.npy", "labels.npy", "classes.npy")
_KEYS = ("schema_version", "kind", "privacy", "files", layout.KIND, "file", "patient", "label")
_NAME = re.compile(rf"{_COUNTER}(\.dcm)?|dicom(/{_COUNTER}){{0,2}}(\.dcm)?|{re.escape(layout.IMAGES)}\[\d+\]")


class OwnWriting:
    """What the manifest of a set explains; of a folder without one only file names are explained.

    listed: the digests that the manifest lists, by name.
    """

    def __init__(self, folder: Path) -> None:
        self.manifest: Manifest | None = None
        self.listed: Mapping[str, str] = {}
        with contextlib.suppress(IntegrityError):
            self.manifest, self.listed = read_manifest(folder)
        self._texts = frozenset(_manifest_texts(self.manifest)) if self.manifest else frozenset()
        run = re.escape(self.manifest.run_id[:8]) if self.manifest else "(?!)"
        self._patient = re.compile(rf"PG-{run}-{_COUNTER}|SYNTHETIC\^{_COUNTER}")

    def wrote(self, text: str) -> bool:
        """Whether the whole text is a field of the manifest or the ID or name of an invented patient."""
        return text in self._texts or bool(self._patient.fullmatch(text))

    def named(self, name: str) -> bool:
        """Whether the whole text is a file or folder name that privgan gives, or its path."""
        return name in _FILES or bool(_NAME.fullmatch(name))

    def wrote_file(self, name: str, content: bytes) -> bool:
        """Whether a text file is, to the byte, what the manifest makes privgan write."""
        if name == layout.NOT_RELEASED:
            return content == layout.NOT_RELEASED_TEXT.encode()
        if self.manifest is None:
            return False
        if name == layout.SEED:
            return _is_seed(content, self.manifest.seed_sha256)
        if self.manifest.records is not None and name in (layout.RECORDS, layout.DICTIONARY, layout.LESSON):
            return self._wrote_of_records(name, content, self.manifest, self.manifest.records)
        return name == layout.CARD and content == dataset_card(self.manifest).encode()

    def _wrote_of_records(self, name: str, content: bytes, manifest: Manifest, records: RecordsFacts) -> bool:
        if name == layout.RECORDS:
            return self._wrote_records(content, records.schema, manifest.count)
        if name == layout.DICTIONARY:
            return content == dictionary(records, manifest.language).encode()
        return bool(records.sequence) and _is_lesson(content, manifest, records)

    def _wrote_records(self, content: bytes, schema: Schema, count: int) -> bool:
        """Whether the table says of invented patients alone, and of them nothing that is not declared.

        A declared value may be somebody's name or number; that a row says it is the draw's, which T6 makes again.
        """
        try:
            read_records(content, schema, count)
        except IntegrityError:
            return False
        rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
        numbered = all(row[0] == str(number) for number, row in enumerate(rows[1:]))
        said = (cell for row in (rows[0], *(row[1 : len(HEAD)] for row in rows[1:])) for cell in row)
        return numbered and all(self.wrote(cell) or self.named(cell) for cell in said)


def _is_lesson(content: bytes, manifest: Manifest, records: RecordsFacts) -> bool:
    """But for its pictures, which are compared with the audited ones."""
    blank = np.zeros((manifest.dicom.visits * shown_patients(manifest), *manifest.form.shape), np.uint8)
    words = without_pictures(lesson_of(manifest, records, blank))
    return without_pictures(content.decode("utf-8", "replace")) == words


def _is_seed(content: bytes, sha256: str) -> bool:
    try:
        return Seed.of_text(content).sha256 == sha256
    except UsageError:
        return False


def _manifest_texts(manifest: Manifest) -> Iterator[str]:
    form = manifest.form
    yield from (*_KEYS, *_ARRAYS, *keys_of(Manifest), *keys_of(PrivacySpend))
    yield from (*keys_of(DicomForm), manifest.dicom.kind, *keys_of(PriorNamed))
    if (records := manifest.records) is not None:
        yield from (*HEAD, *keys_of(RecordsFacts), *records.columns, *records.columns.values(), records.where)
        for column in records.schema.columns:
            yield from column.values
    yield from (*form.classes, manifest.class_policy, form.modality, form.body_part)
    yield from (manifest.spend.unit, manifest.spend.adjacency, manifest.privgan_version)
    digests = (manifest.generator_sha256, manifest.config_sha256, manifest.seed_sha256)
    prior = manifest.prior.sha256 if manifest.prior else ""  # its words are a person's and are searched
    for text in (manifest.run_id, manifest.cohort_id, *digests, prior):
        if _HEX.fullmatch(text):
            yield text
    patients = manifest.count // manifest.dicom.visits if manifest.dicom.visits > 1 else 0
    for patient in range(1, 1 + patients):
        yield from dates_of(manifest.seed_sha256, patient=patient, visits=manifest.dicom.visits)
    try:
        yield date.fromisoformat(manifest.created).isoformat()
        yield manifest.created.replace("-", "")
    except ValueError:
        return
