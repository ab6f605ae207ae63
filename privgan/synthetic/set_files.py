"""Every file of a set but its manifest, written from nothing but the arrays and the manifest: one way, to the byte.

`generate` writes a set with it, the audit compares every file with it, and a release writes the set anew: what was
not audited has no place in any of them.
"""

from collections.abc import Collection, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from privgan.arrays import Images, Integers, Texts
from privgan.files import SHAREABLE_FILE, open_new
from privgan.images.containers import Piece, npz_pieces, png_bytes
from privgan.language import tr
from privgan.progress import Progress, silent
from privgan.records.dictionary import dictionary
from privgan.records.facts import RecordsFacts
from privgan.records.rows import Records, records_csv
from privgan.synthetic.dataset_card import dataset_card
from privgan.synthetic.dicom.dates import dated
from privgan.synthetic.dicom.form import Place, files_of, places_of
from privgan.synthetic.dicom.said import keywords_of, said_of
from privgan.synthetic.labels_table import label_rows, labels_csv
from privgan.synthetic.splits import suggested
from privgan.synthetic.synthetic_set import CARD, CONTACT_SHEET, DICTIONARY, IMAGES, LABELS, LESSON, RECORDS, Manifest

if TYPE_CHECKING:
    from privgan.synthetic.dicom.writer import DicomWriter

DICOM, NPZ, PNG = "dicom", "npz", "png"
FORMATS = (DICOM, NPZ, PNG)
_PROGRESS_EVERY = 50


class SetFiles:
    """The files of one set, by their names below its folder. names: of all of them; dicom: of the DICOM files."""

    def __init__(
        self,
        manifest: Manifest,
        images: Images,
        labels: Integers,
        formats: Collection[str],
        records: Records | None = None,
    ) -> None:
        """Nothing is encoded yet.

        Args:
            manifest: of the set.
            images: uint8 (n, h, w) or (n, h, w, 3).
            labels: int64 (n,), indices into the manifest's classes.
            formats: any of FORMATS; the arrays are always among the files.
            records: of each image; None of a set that has none.
        """
        self._manifest, self._images, self._labels = manifest, images, labels
        self._records = Records.none(len(labels)) if records is None else records
        self._held = files_of(labels, manifest.dicom.frames) if DICOM in formats else None
        self._rows = label_rows(manifest.run_id, manifest.form.classes, labels, self._held, manifest.dicom)
        self._places = {place.name: place for place in places_of(labels, self._held or (), manifest.dicom)}
        self.dicom = tuple(self._places)
        facts = manifest.records
        told = () if facts is None else (RECORDS, DICTIONARY, *([LESSON] if facts.sequence else []))
        self._columns = () if facts is None else facts.schema.names
        self._keywords = keywords_of(facts, manifest.dicom.kind)
        self.names = (*self.dicom, IMAGES, LABELS, *told, CARD, *([CONTACT_SHEET] if PNG in formats else []))

    @property
    def splits(self) -> Texts:
        """The suggested split of each image, (n,); see `splits.suggested`."""
        return suggested(self._labels, self._held, self._manifest.dicom.visits)

    @property
    def homes(self) -> list[str]:
        """In which file of labels.csv each image is."""
        held = self._held or [range(number, number + 1) for number in range(len(self._labels))]
        return [row[0] for row, images in zip(self._rows, held, strict=True) for _ in images]

    def pieces(self, name: str) -> Iterable[Piece]:
        """The content of one file, in pieces.

        Raises:
            KeyError: a set has no such file.
        """
        if name == IMAGES:
            classes = np.array(self._manifest.form.classes)
            return npz_pieces({"images": self._images, "labels": self._labels, "classes": classes})
        return [self._small(name)]

    def write(self, folder: Path, progress: Progress = silent) -> None:
        """Write all of them into an empty folder.

        Raises:
            PrivganError: a DICOM file would not conform to the standard.
        """
        for done, name in enumerate(self.names, start=1):
            if name in self._places:
                images, label, patient, place, said = self._dicom(name)
                self._writer.write(folder, images, label, patient_id=patient, place=place, said=said)
            else:
                with open_new(folder / name, SHAREABLE_FILE) as stream:
                    stream.writelines(self.pieces(name))
            if done % _PROGRESS_EVERY == 0 or done == len(self.names):
                progress(tr("writing the set"), done, len(self.names))

    def _small(self, name: str) -> bytes:
        if name in self._places:
            images, label, patient, place, said = self._dicom(name)
            return self._writer.content(images, label, patient_id=patient, place=place, said=said)
        if name == CONTACT_SHEET:
            from privgan.images.contact_sheet import COLUMNS, contact_sheet

            visits = self._manifest.dicom.visits
            columns = visits if visits > 1 else COLUMNS
            return png_bytes(contact_sheet(self._images, self._labels, self._manifest.form.classes, columns))
        texts = {LABELS: lambda: labels_csv(self._rows), CARD: lambda: dataset_card(self._manifest)}
        if (facts := self._manifest.records) is not None:
            texts |= {
                RECORDS: self._told,
                DICTIONARY: lambda: dictionary(facts, self._manifest.language),
                LESSON: lambda: self._lesson(facts),
            }
        return texts[name]().encode()

    def _lesson(self, facts: RecordsFacts) -> str:
        from privgan.synthetic.lessons.of_set import lesson_of

        return lesson_of(self._manifest, facts, self._images)

    def _told(self) -> str:
        held = self._held or [range(number, number + 1) for number in range(len(self._labels))]
        homes = [row for row, images in zip(self._rows, held, strict=True) for _ in images]
        return records_csv(homes, self._records, self._columns)

    def _dicom(self, name: str) -> tuple[Images, str, str, Place, dict[str, str]]:
        """Frames, label, patient's ID and place of a DICOM file, and what record and visit say in its header."""
        place = self._places[name]
        held, (_, patient, label) = (self._held or [])[place.number - 1], self._rows[place.number - 1]
        rows = self._records.cells[held.start : held.stop].tolist()
        visits, seed = self._manifest.dicom.visits, self._manifest.seed_sha256
        seen = dated(seed, patient=place.patient, visit=(place.number - 1) % visits, visits=visits)
        said = {**said_of(self._keywords, self._columns, rows), **seen}
        return self._images[held.start : held.stop], label, patient, place, said

    @cached_property
    def _writer(self) -> "DicomWriter":
        from privgan.synthetic.dicom.look import DicomLook
        from privgan.synthetic.dicom.writer import DicomWriter

        return DicomWriter(DicomLook.of(self._manifest))


def formats_of(names: Collection[str]) -> set[str]:
    """The formats of a set that has these files."""
    dicom = any(name.startswith(f"{DICOM}/") for name in names)
    return {NPZ, *([DICOM] if dicom else []), *([PNG] if CONTACT_SHEET in names else [])}
