"""Files of a folder as entries, all of one format, each read in an isolated worker."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from privgan.data.declared import Declared
from privgan.data.formats.isolation import CRASHED, TIMED_OUT, Job, run_isolated
from privgan.data.formats.known import format_of
from privgan.data.formats.reading import PRESENTATION, Reading, Request
from privgan.data.formats.worker import configuration_of, decode
from privgan.data.identifiers import IDENTIFIER
from privgan.data.lettering import FILES, one_in, told
from privgan.data.recipe import GIVEN, LARGEST, SMALLEST, STORED_RANGE, Recipe, preset_for
from privgan.data.selection import FIRST, Selection
from privgan.data.sources.file_list import FileList
from privgan.data.sources.labels import FILE_NAME, loosened
from privgan.data.sources.source import CHOSEN, Entry, Seen, fingerprint_of
from privgan.data.sources.tables import Tables
from privgan.data.sources.wishes import DEFAULT_SIZE, Wishes
from privgan.data.terms import body_part_term, modality_term
from privgan.errors import UsageError
from privgan.files import canonical_json, sha256_bytes
from privgan.language import kept, to_tr

HANDLER = "privgan.data.formats.worker:handler"
LOST = {CRASHED: "decoder_crashed", TIMED_OUT: "decoder_timeout"}
DARK, _EIGHTH = "dark", 32
_TOLD = to_tr(  # what the notes say of as many files as were remarked upon
    {
        "grey": "{count} grey files: red, green and blue became what grey was.",
        "colour": "{count} colour files were converted to grey.",
        "blank": "{count} blank frames or slices of files that show something were left out.",
        PRESENTATION: (
            "{count} files' Presentation LUT Shape contradicts their Photometric Interpretation; the latter was "
            "followed."
        ),
        DARK: "{count} files use less than an eighth of the range that they announce and come out dark, or white: "
        "look at them, and name --window LOW,HIGH or --window file.",
        "deep": "{count} pictures: 16 bits became 8, and the value 65,535 became white; fewer bits stored in 16 come "
        "out dark.",
        "unstated": "{count} files do not say in what unit: it was taken to be the preset's.",
    }
)
_BY_HEADERS = to_tr("What the columns {columns} say was taken from the files' headers: no table has them.")
_BY_MODALITY = to_tr("Preset {preset} was chosen by the files' modality.")
PROBED = 500  # files among which the first readable one is looked for


class FileSource:
    """See `source.Source`."""

    def __init__(self, folder: Path, files: FileList, wishes: Wishes, missing: int = 0) -> None:
        """Look at the first readable file where preset or size are left open; see `opening.disagreement`.

        Args:
            folder: the source folder.
            files: its files; a labels.csv at the top is the label table, unless wishes name another.
            wishes: what the user asked for.
            missing: how many more a DICOMDIR lists that are not there.
        """
        own = folder.resolve() / FILE_NAME
        found = [own] if os.path.lexists(own) and not own.is_dir() else []
        deeper = 0 if wishes.csv or wishes.selection.trusted else files.below(FILE_NAME)
        if deeper:
            raise UsageError(
                f"Expected {FILE_NAME} at the top of the source folder alone, {deeper} lie in folders below it and "
                "would not be read, as if nobody knew whose the images are. Name the folder that holds the table as "
                "the source, or every table with --csv."
            )
        tables = [table.resolve() for table in wishes.csv] or found
        self._folder = folder
        self._files = files.without(tables)[: wishes.max_images]
        self._format = format_of(self._files)
        self.names_patients, self.has_units = self._format.names_patients, self._format.has_units
        self._tables = Tables(tables, wishes.columns, dict(wishes.csv_columns), self._format.tells)
        allowed = {"file", "patient"} if self._tables.name_patients else {"file"}
        if not self._format.names_patients and not self._tables.keys <= allowed:
            raise UsageError(
                "Expected a column `file` in the label table of files that name no patient, it has none."
            )
        self._notes = [kept("{count} files that the DICOMDIR lists are missing.", count=missing)] if missing else []
        self._workers = wishes.workers
        self.total = len(self._files)
        self.chosen = wishes.named_preset is None
        self.declared = wishes.classes
        self.columns = self._tables.columns
        self.records = Declared.of(self.columns)
        self.numbered = self._format.names_patients or self._tables.name_patients
        self.recipe = self._recipe(wishes)
        self._request = replace(
            self._asked(self.recipe, wishes.selection),
            look_at_one_in=one_in(self.total, every=wishes.look_at_all),
        )
        called = [_last(name) for name in self._files.names] if "file" in self._tables.keys else []
        counts = Counter(called)
        self._alike = Counter(loosened(name)[-1] for name in called)
        self._unique = frozenset(name for name, count in counts.items() if count == 1)

    def entries(self, start: int = 0) -> Iterator[Entry]:
        """One entry a file, or one a frame of a file of many."""
        files = self._files[start:]
        for where, reading in zip(files.names, _read(files, self._request, self._workers), strict=True):
            yield from _frames(self._entry(where, reading), reading)

    def fingerprint(self) -> str:
        """See `source.Source`; the tables count with their content."""
        return sha256_bytes(canonical_json([fingerprint_of(self._folder, self._files), *self._tables.digests]))

    def notes(self, seen: Seen) -> tuple[str, ...]:
        """See `source.Source`."""
        found, counts = list(self._notes), seen.remarks
        if not self.numbered:
            found.append(to_tr("There is no labels.csv with patients: each file counts as one patient."))
        if self._format.names_patients and self._tables.name_patients:
            found.append(to_tr("The label table says who the patients are; PatientID was not used."))
        if self._tables.elsewhere:
            found.append(kept(_BY_HEADERS, columns=", ".join(self._tables.elsewhere)))
        found += [kept(text, count=counts[remark]) for remark, text in _TOLD.items() if counts[remark]]
        return (*found, *told(counts, FILES), *self._tables.notes(seen))

    def _recipe(self, wishes: Wishes) -> Recipe:
        first = Reading(side=DEFAULT_SIZE)
        if wishes.named_preset is None or wishes.size is None:
            first = self._first_readable(wishes) or first
        recipe = wishes.recipe(preset_for(first.modality), min(max(first.side, SMALLEST), LARGEST))
        if wishes.named_preset is None and first.unstated and not first.modality:
            raise UsageError(
                "Expected a preset such as mr or ct-soft, or --window LOW,HIGH: the files do not say what they show."
            )
        if wishes.named_preset is None:
            why = _BY_MODALITY if first.modality else CHOSEN
            self._notes.append(kept(why, preset=recipe.preset))
        if not self._format.has_units and recipe.rule.scaling == GIVEN and recipe.window is None:
            raise UsageError("Expected DICOM or .npz for a ct preset: pictures hold none of its units. Use picture.")
        return recipe

    def _asked(self, recipe: Recipe, selection: Selection) -> Request:
        return Request(
            kind=self._format.__name__,
            recipe=recipe,
            selection=selection,
            patient_from_table=self._tables.name_patients,
            columns=self._tables.elsewhere,
        )

    def _first_readable(self, wishes: Wishes) -> Reading | None:
        anything = Recipe(preset="custom", window=(0.0, 1.0), size=SMALLEST)
        probe = replace(self._asked(anything, replace(wishes.selection, frames=FIRST)), probing=True)
        readings = _read(self._files[:PROBED], probe, workers=1)
        return next((reading for reading in readings if not reading.code), None)

    def _entry(self, where: str, reading: Reading) -> Entry:
        name = _last(where)
        names = {
            "file": (where, *((name,) if name in self._unique else ())),
            "instance": (reading.instance,),
            "study": (reading.study,),
        }
        loosely = where if self._alike and self._alike[loosened(where)[-1]] == 1 else ""
        told = self._tables.ask(names, reading.patient, loosely=loosely)
        code = reading.code or told.code
        return Entry(
            code=code,
            patient=(told.patient if self._tables.name_patients else reading.patient) or where,
            groups=tuple(uid for uid in (reading.study, reading.series) if uid),
            person=reading.person,
            label=told.label,
            columns=self._cells(told.columns, reading.columns),
            said=(modality_term(reading.modality), body_part_term(reading.body_part)),
            where=where,
            names=(_stem(name.removesuffix(".gz")), *where.split("/")[:-1]),
            identifiers=(*reading.identifiers, *(((IDENTIFIER, told.patient),) if told.patient else ())),
            remarks=(*_remarks(reading, self.recipe), *told.remarks),
            rows=told.rows,
            side=reading.side,
        )

    def _cells(self, told: tuple[str, ...], own: tuple[str, ...]) -> tuple[str, ...]:
        """One value of each column: what tables say, and of columns that none has what the file itself does."""
        found = dict(zip(self._tables.elsewhere, own, strict=False))  # of a refused file nothing is known
        return tuple(found.get(name, cell) for name, cell in zip(self.columns, told, strict=True))


def _last(where: str) -> str:
    """A file's name."""
    return where.rpartition("/")[2]


def _stem(name: str) -> str:
    """A name without its suffix, as `Path.stem` has it."""
    place = name.rfind(".")
    return name[:place] if 0 < place < len(name) - 1 else name


def _remarks(reading: Reading, recipe: Recipe) -> Iterator[str]:
    """What was done to a file beyond preparing it."""
    if recipe.channels == 1 and reading.colour:
        yield "colour"
    if recipe.channels == 3 and not (reading.colour or reading.code):
        yield "grey"
    yield from ("blank",) * reading.blank
    yield from reading.remarks
    if recipe.rule.scaling == STORED_RANGE and reading.images is not None and _is_narrow(reading.images):
        yield DARK
    if reading.deep:
        yield "deep"
    if reading.unstated and not reading.code and recipe.rule.scaling == GIVEN and recipe.window is None:
        yield "unstated"


def _is_narrow(images: NDArray[np.uint8]) -> bool:
    """Whether all grey values lie in the darkest or the brightest eighth."""
    return bool(images.max() < _EIGHTH or images.min() > 255 - _EIGHTH)


def _frames(entry: Entry, reading: Reading) -> Iterator[Entry]:
    """The entry of a file once for each of its images, or as the refusal that it is."""
    images = reading.images
    if entry.code or images is None:
        yield entry
        return
    numbers = reading.frames or (0,) * len(images)
    yield replace(entry, image=images[0], frame=numbers[0])
    for image, number in zip(images[1:], numbers[1:], strict=True):
        yield replace(entry, image=image, frame=number, identifiers=(), names=(), remarks=(), rows=())


def _read(files: FileList, request: Request, workers: int | None) -> Iterator[Reading]:
    job = Job(target=HANDLER, configuration=configuration_of(request))
    for answer in run_isolated(job, files.encoded(), workers):
        try:
            yield Reading(code=LOST[answer]) if answer in LOST else decode(answer, request.recipe.shape)
        except (ValueError, TypeError, KeyError):  # the worker did not survive what it read
            yield Reading(code="decoder_crashed")
