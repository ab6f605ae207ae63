"""labels.csv: which file and which invented patient the images of a set are.

Written by `generate` and computed again by the audit, so that the two can never mean different things.
"""

import csv
import io
from collections.abc import Sequence

from privgan.arrays import Integers
from privgan.synthetic.dicom.form import DicomForm, places_of
from privgan.synthetic.synthetic_set import IMAGES, patient_id

Row = tuple[str, str, str]


def label_rows(
    run_id: str, classes: tuple[str, ...], labels: Integers, files: Sequence[range] | None, form: DicomForm
) -> list[Row]:
    """One (file, invented patient, label) for each file; without DICOM a file is a row of images.npz.

    Args:
        run_id: the run that made the set.
        classes: class names.
        labels: int64 (n,), indices into `classes`.
        files: which images each DICOM file holds; None when there are none.
        form: of the DICOM files.
    """
    if files is None:
        return [
            (f"{IMAGES}[{number}]", patient_id(run_id, 1 + number // form.visits), classes[label])
            for number, label in enumerate(labels)
        ]
    return [
        (place.name, patient_id(run_id, place.patient), classes[labels[images.start]])
        for place, images in zip(places_of(labels, files, form), files, strict=True)
    ]


def labels_csv(rows: list[Row]) -> str:
    """The text of labels.csv."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([("file", "patient", "label"), *rows])
    return text.getvalue()
