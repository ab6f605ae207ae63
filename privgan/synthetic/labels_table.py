"""labels.csv: which file and which invented patient the images of a set are.

Written by `generate` and computed again by the audit, so that the two can never mean different things.
"""

import csv
import io
from collections.abc import Sequence

from privgan.arrays import Integers
from privgan.synthetic.synthetic_set import IMAGES, file_name, patient_id

Row = tuple[str, str, str]


def label_rows(run_id: str, classes: tuple[str, ...], labels: Integers, files: Sequence[range] | None) -> list[Row]:
    """One (file, invented patient, label) for each file; without DICOM a file is a row of images.npz.

    Args:
        run_id: the run that made the set.
        classes: class names.
        labels: int64 (n,), indices into `classes`.
        files: which images each DICOM file holds; None when there are none.
    """
    dicom = files is not None
    held = files if files is not None else [range(number, number + 1) for number in range(len(labels))]
    return [
        (
            file_name(number) if dicom else f"{IMAGES}[{number - 1}]",
            patient_id(run_id, number),
            classes[labels[images.start]],
        )
        for number, images in enumerate(held, start=1)
    ]


def labels_csv(rows: list[Row]) -> str:
    """The text of labels.csv."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([("file", "patient", "label"), *rows])
    return text.getvalue()
