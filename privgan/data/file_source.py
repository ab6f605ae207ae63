"""Files of a folder as entries, each read in an isolated worker: DICOM, or PNG and JPEG."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from privgan.data.dicom.identifying import ISSUER_MARK
from privgan.data.identifiers import IDENTIFIER
from privgan.data.image_reader import SUFFIXES
from privgan.data.isolation import CRASHED, TIMED_OUT, Job, run_isolated
from privgan.data.labels import FILE_NAME, Row, read_labels
from privgan.data.preprocess import GIVEN, LARGEST, SMALLEST, Recipe, preset_for
from privgan.data.reading import DICOM, PICTURE, Reading, Request
from privgan.data.refusals import RefusedError, read_regular
from privgan.data.selection import FIRST
from privgan.data.source import DEEP, Entry, Wishes
from privgan.data.worker import configuration_of, decode
from privgan.errors import UsageError

HANDLER = "privgan.data.worker:handler"
LOST = {CRASHED: "decoder_crashed", TIMED_OUT: "decoder_timeout"}
PROBED = 500  # files among which the first readable one is looked for
DEFAULT_SIZE = 64


class FileSource:
    """See `source.Source`."""

    def __init__(self, folder: Path, files: list[Path], wishes: Wishes, missing: int = 0) -> None:
        """Look at the first readable file where preset or size are left open.

        Args:
            folder: the source folder.
            files: its files, sorted; a labels.csv at the top is the label table, unless wishes name another.
            wishes: what the user asked for.
            missing: how many more a DICOMDIR lists that are not there.
        """
        table = (
            wishes.csv.resolve() if wishes.csv else next((file for file in files if file == folder / FILE_NAME), None)
        )
        self._table = read_labels(table, wishes.columns) if table is not None else None
        if wishes.columns and self._table is None:
            raise UsageError("Expected a label table that has the further columns, there is none. --csv names it.")
        self._folder = folder
        self._files = [file for file in files if table is None or not _same(file, table)][: wishes.max_images]
        self._kind = _kind(self._files)
        if self._table and self._kind == PICTURE and self._table.key != "file":
            raise UsageError("Expected a column `file` in the label table of PNG or JPEG files, it has none.")
        self._notes = [f"{missing} files that the DICOMDIR lists are missing."] if missing else []
        self._workers = wishes.workers
        self._colour = self._deep = 0
        self.total = len(self._files)
        self.declared = wishes.classes
        self.columns = self._table.columns if self._table else ()
        self.recipe = self._recipe(wishes)
        self._request = Request(
            kind=self._kind,
            recipe=self.recipe,
            selection=wishes.selection,
            accept_burned_in=wishes.accept_burned_in,
            trusted=wishes.trusted,
        )
        counts = Counter(file.name for file in self._files)
        self._unique = frozenset(name for name, count in counts.items() if count == 1)

    def entries(self) -> Iterator[Entry]:
        """One entry a file, or one a frame of a file of many."""
        readings = _read(self._files, self._request, self._workers)
        for file, reading in zip(self._files, readings, strict=True):
            self._colour += reading.colour
            self._deep += reading.deep
            yield from _frames(self._entry(file, reading), reading.images)

    def notes(self) -> tuple[str, ...]:
        """See `source.Source`."""
        found = list(self._notes)
        if self._kind == PICTURE and not self._named:
            found.append("There is no labels.csv with patients: each file counts as one patient.")
        if self._colour:
            found.append(f"{self._colour} colour files were converted to grey.")
        if self._deep:
            found.append(f"{self._deep} pictures: {DEEP}")
        return (*found, *(self._table.notes() if self._table else ()))

    @property
    def _named(self) -> bool:
        """Whether the label table says whose pictures these are."""
        return self._table is not None and self._table.has_patients

    def _recipe(self, wishes: Wishes) -> Recipe:
        preset, size = wishes.preset, wishes.size
        if preset is None or size is None:
            first = self._first_readable(wishes)
            size = size or min(max(first.side, SMALLEST), LARGEST)
        if preset is None:
            preset = preset_for(first.modality)
            self._notes.append(f"Preset {preset} was chosen by the first readable file.")
        recipe = Recipe(preset=preset, size=size, window=wishes.window, roi=wishes.roi)
        if self._kind == PICTURE and recipe.rule.scaling == GIVEN and recipe.window is None:
            raise UsageError("Expected DICOM or .npz for a ct preset: pictures hold no Hounsfield units. Use cxr.")
        return recipe

    def _first_readable(self, wishes: Wishes) -> Reading:
        probe = Request(
            kind=self._kind,
            recipe=Recipe(preset="custom", window=(0.0, 1.0), size=SMALLEST),
            selection=replace(wishes.selection, frames=FIRST),
            accept_burned_in=wishes.accept_burned_in,
            trusted=wishes.trusted,
        )
        readings = _read(self._files[:PROBED], probe, workers=1)
        return next((reading for reading in readings if not reading.code), Reading(side=DEFAULT_SIZE))

    def _entry(self, file: Path, reading: Reading) -> Entry:
        where = file.relative_to(self._folder).as_posix()
        row = self._row(where, file.name, reading)
        patient = row.patient if row and self._kind == PICTURE else reading.patient
        code = reading.code
        if not code and self._table and (row is None or (self._table.has_labels and not row.label)):
            code = "missing_label"
        if not code and self._named and self._kind == PICTURE and not patient:
            code = "missing_patient_id"
        named_by_table = ((IDENTIFIER, row.patient),) if row and row.patient else ()
        return Entry(
            code=code,
            patient=patient or where,
            label=row.label if row else "",
            columns=row.columns if row else (),
            where=where,
            names=(file.stem, *Path(where).parent.parts),
            identifiers=(*reading.identifiers, *named_by_table),
        )

    def _row(self, where: str, name: str, reading: Reading) -> Row | None:
        if self._table is None:
            return None
        match self._table.key:
            case "file":
                return self._table.find(where, *((name,) if name in self._unique else ()))
            case "instance":
                return self._table.find(reading.instance)
            case "study":
                return self._table.find(reading.study)
            case _:
                return self._table.find(reading.patient, reading.patient.partition(ISSUER_MARK)[0])


def _frames(entry: Entry, images: NDArray[np.uint8] | None) -> Iterator[Entry]:
    """The entry of a file once for each of its images, or as the refusal that it is."""
    if entry.code or images is None:
        yield entry
        return
    yield replace(entry, image=images[0])
    for number, image in enumerate(images[1:], start=1):
        yield replace(entry, image=image, frame=number, identifiers=())


def _read(files: list[Path], request: Request, workers: int | None) -> Iterator[Reading]:
    job = Job(target=HANDLER, configuration=configuration_of(request))
    for answer in run_isolated(job, [os.fsencode(file) for file in files], workers):
        try:
            yield Reading(code=LOST[answer]) if answer in LOST else decode(answer, request.recipe.size)
        except (ValueError, TypeError, KeyError):  # the worker did not survive what it read
            yield Reading(code="decoder_crashed")


def _same(file: Path, table: Path) -> bool:
    return file.name == table.name and file.resolve() == table.resolve()


def _kind(files: list[Path]) -> str:
    """A folder holds pictures when it has PNG or JPEG files and nothing that looks like DICOM."""
    pictures = [file for file in files if file.suffix.lower() in SUFFIXES]
    others = (file for file in files if file.suffix.lower() not in SUFFIXES)
    return PICTURE if pictures and not any(_looks_like_dicom(file) for file in others) else DICOM


def _looks_like_dicom(file: Path) -> bool:
    if file.suffix.lower() in (".dcm", ".dicom"):
        return True
    try:
        return read_regular(file, head=132)[128:] == b"DICM"
    except RefusedError:
        return False
