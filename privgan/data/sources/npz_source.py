"""Rows of an .npz file as entries."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from privgan.data.declared import Declared
from privgan.data.identifiers import IDENTIFIER
from privgan.data.lettering import IMAGES, Lettering, one_in, told
from privgan.data.preprocess import Pixels, prepare_image, prepare_shown
from privgan.data.recipe import GIVEN, LARGEST, PICTURE, SMALLEST, STORED_RANGE, Recipe
from privgan.data.refusals import RefusedError
from privgan.data.sources.npz_reader import NpzContents, open_npz, stream_images
from privgan.data.sources.source import ALIKE, CHOSEN, Entry, Seen, alike_labels, fingerprint_of
from privgan.data.sources.wishes import Wishes
from privgan.errors import InputRejectedError, UsageError
from privgan.language import kept, to_tr

_UNUSED = to_tr("Not used: {columns} of the .npz. If it says whose each image is, call it patient_id.")
_DEEP = to_tr(
    "All images: 16 bits became 8, and the value 65,535 became white; fewer bits stored in 16 come out dark."
)


class NpzSource:
    """See `source.Source`."""

    def __init__(self, path: Path, wishes: Wishes) -> None:
        if wishes.csv or wishes.csv_columns:
            raise UsageError("Expected labels inside the .npz, got a label table: --csv is for folders.")
        self._contents = open_npz(path, wishes.columns)
        count, height, width = self._contents.shape[:3]
        self._side = max(height, width)
        self.total = min(count, wishes.max_images or count)
        self.declared = wishes.classes or self._contents.classes or ()
        self.columns = {name: wishes.columns.type_of(name) for name in self._contents.columns}
        self.records = Declared.of(self.columns)
        self.recipe = wishes.recipe(PICTURE, min(max(height, width, SMALLEST), LARGEST))
        if len(self._contents.shape) == 4 and self.recipe.channels == 1:
            raise InputRejectedError("Expected grey images (n, h, w) in the .npz, got colour; --colour keeps it.")
        _check_window(self._contents, self.recipe)
        self._look_at_one_in = one_in(self.total, every=wishes.look_at_all)
        self._trusted = wishes.selection.trusted
        self.numbered = self._contents.patients is not None
        self.chosen = wishes.named_preset is None

    def entries(self, start: int = 0) -> Iterator[Entry]:
        """One entry a row."""
        kind = self._contents.dtype
        limits = np.iinfo(kind) if kind.kind in "iu" else None
        low, high = (int(limits.min), int(limits.max)) if limits else (0, 1)
        rows = zip(stream_images(self._contents), range(self.total), strict=False)
        for values, row in islice(rows, start, None):
            entry, pixels = self._describe(row), Pixels(values=values, low=low, high=high)
            lettering = Lettering(entry.where.encode(), self._look_at_one_in)
            try:
                if self._trusted:
                    image = prepare_image(pixels, self.recipe)
                else:
                    image = prepare_shown(pixels, self.recipe, lettering)
            except RefusedError as refusal:
                yield replace(entry, code=refusal.code)
            else:
                yield entry if entry.code else replace(entry, image=image, remarks=lettering.remarks)

    def fingerprint(self) -> str:
        """See `source.Source`."""
        return fingerprint_of(self._contents.path.parent, [self._contents.path])

    def notes(self, seen: Seen) -> tuple[str, ...]:
        """See `source.Source`."""
        grey = len(self._contents.shape) == 3 and self.recipe.channels == 3
        deep = self._contents.dtype == np.uint16 and self.recipe.rule.scaling == STORED_RANGE
        alike = alike_labels(self._classes())
        rare = ", ".join(self._contents.unused)
        return tuple(
            text
            for applies, text in (
                (alike > 0, kept(ALIKE, count=alike)),
                (bool(rare), kept(_UNUSED, columns=rare)),
                (not self.numbered, to_tr("The .npz has no patient_id: each image counts as one patient.")),
                (self.chosen, kept(CHOSEN, preset=PICTURE)),
                (grey, to_tr("All images are grey: red, green and blue became what grey was.")),
                (deep, _DEEP),
                *((True, text) for text in told(seen.remarks, IMAGES)),
            )
            if applies
        )

    def _describe(self, row: int) -> Entry:
        """Everything but the image."""
        where, label = f"row {row}", self._label(row)
        code = "missing_label" if self._contents.labels is not None and not label else ""
        columns = tuple(str(column[row]) for column in self._contents.columns.values())
        patients, filenames = self._contents.patients, self._contents.filenames
        name = PurePosixPath(str(filenames[row]) if filenames is not None else "")
        names = (name.stem, *name.parent.parts)
        if patients is None:
            return Entry(
                code=code, where=where, patient=where, label=label, columns=columns, names=names, side=self._side
            )
        patient = str(patients[row])
        return Entry(
            code=code if patient else "missing_patient_id",
            where=where,
            patient=patient,
            label=label,
            columns=columns,
            names=names,
            identifiers=((IDENTIFIER, patient),),
            side=self._side,
        )

    def _classes(self) -> tuple[str, ...]:
        """Every class name that is there."""
        labels = self._contents.labels
        return () if labels is None else tuple(map(self._name, np.unique(labels[: self.total])))

    def _label(self, row: int) -> str:
        """A class name, empty where there are no labels."""
        return "" if self._contents.labels is None else self._name(self._contents.labels[row])

    def _name(self, label: Any) -> str:
        """The name of a class; a number that is none counts into the declared names."""
        text = label.decode("utf-8", "replace") if isinstance(label, bytes) else str(label)
        number = int(label) if isinstance(label, np.integer | np.bool_) else -1
        if text not in self.declared and 0 <= number < len(self.declared):
            return self.declared[number]
        return text


def _check_window(contents: NpzContents, recipe: Recipe) -> None:
    """Stored ranges are only known for 8 and 16 bit; Hounsfield units are never 8 bit."""
    unsigned = contents.dtype.kind == "u" and contents.dtype.itemsize <= 2
    if recipe.rule.scaling == STORED_RANGE and not unsigned:
        raise UsageError(
            f"Expected --preset custom with --window LOW,HIGH (or a ct or mr preset) for {contents.dtype} images."
        )
    if recipe.rule.scaling == GIVEN and recipe.window is None and contents.dtype == np.uint8:
        raise UsageError(
            "Expected Hounsfield units for a ct preset, 8-bit images cannot hold them. Use --preset picture."
        )
