"""A suggested split of a set into training, validation and test images, and its table, splits.csv.

Every image was drawn by itself, so that any split is a fair one; this is the same for everybody who has the set.
"""

import csv
import io
from collections.abc import Sequence

import numpy as np

from privgan.arrays import Integers, Texts

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)
FILE = "splits.csv"
_CYCLE = (TRAIN, TRAIN, TRAIN, TEST, TRAIN, TRAIN, VALIDATION, TRAIN, TRAIN, TEST)  # of each class, seven in ten


def suggested(labels: Integers, files: Sequence[range] | None, visits: int = 1) -> Texts:
    """Of each class seven files in ten for training, one for validation, two for the test; frames stay together.

    So do all images of an invented patient.

    Args:
        labels: int64 (n,).
        files: which images each DICOM file holds; None where each image is a file of its own.
        visits: so many files, one after the other, are a patient's.

    Returns:
        One of SPLITS for each image, (n,).
    """
    held = files if files is not None else [range(number, number + 1) for number in range(len(labels))]
    seen: dict[int, int] = {}
    splits = np.full(len(labels), TRAIN, dtype=f"<U{len(VALIDATION)}")
    for first in range(0, len(held), visits):
        images = range(held[first].start, held[min(first + visits, len(held)) - 1].stop)
        label = int(labels[images.start])
        splits[images.start : images.stop] = _CYCLE[seen.get(label, 0) % len(_CYCLE)]
        seen[label] = seen.get(label, 0) + 1
    return splits


def splits_csv(names: Sequence[str], labels: Sequence[str], splits: Sequence[str]) -> str:
    """The text of splits.csv: of each image its row in images.npz, its file, its class and its split."""
    text = io.StringIO(newline="")
    rows = (
        (number, name, label, split)
        for number, (name, label, split) in enumerate(zip(names, labels, splits, strict=True))
    )
    csv.writer(text, lineterminator="\n").writerows([("image", "file", "label", "split"), *rows])
    return text.getvalue()
