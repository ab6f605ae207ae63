"""In which form a set's images are written as DICOM: the kind of object, the bits of a value, the frames of a file.

Facts alone, for options, manifests and documents; nothing here knows the DICOM library.

>>> resolved("match", modality="CT", bits=None, frames=1)
DicomForm(kind='ct', bits=12, frames=1, one_study=False, visits=1)
>>> resolved("secondary-capture", modality="CT", bits=None, frames=1).bits
8
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from privgan.arrays import Integers
from privgan.checks import one_of
from privgan.errors import UsageError
from privgan.synthetic.seed import Seed

SECONDARY_CAPTURE, MATCH = "secondary-capture", "match"
SOP_CLASSES = (SECONDARY_CAPTURE, MATCH)
BITS = (8, 12, 16)
MOST_FRAMES = 1024
MATCHED = {"CT": "ct", "MR": "mr", "CR": "cr", "DX": "dx"}
KINDS = (SECONDARY_CAPTURE, *MATCHED.values())
_WORDS_ONLY = ("ct", "mr")  # their definitions demand 16 allocated bits (PS3.3 C.8.2.1.1.4, C.8.3.1.1.5)


@dataclass(frozen=True, kw_only=True)
class DicomForm:
    """kind: one of KINDS. bits: stored bits of a value. frames: at most so many images of one class in a file.

    one_study: all images are of one invented patient and study, in one series a class. visits: so many images, one
    after the other, are of one invented patient and study, in a series each.
    """

    kind: str = SECONDARY_CAPTURE
    bits: int = 8
    frames: int = 1
    one_study: bool = False
    visits: int = 1

    def __post_init__(self) -> None:
        one_of(KINDS, sop_class=self.kind)
        if self.bits not in BITS:
            raise UsageError(f"Expected 8, 12 or 16 bits, got {self.bits}.")
        if self.bits == 8 and self.kind in _WORDS_ONLY:
            raise UsageError("Expected 12 or 16 bits for CT and MR objects, whose definition knows no 8.")
        if not 1 <= self.frames <= MOST_FRAMES:
            raise UsageError(f"Expected 1 to {MOST_FRAMES} frames a file, got {self.frames}.")
        if self.frames > 1 and self.kind != SECONDARY_CAPTURE:
            raise UsageError(
                "Expected --sop-class secondary-capture with --frames: the others hold one image a file."
            )
        if self.one_study and self.kind in _WORDS_ONLY:
            raise UsageError(
                "Expected --one-study without CT or MR objects: readers stack their series as a volume, and these "
                "slices are of none. Take secondary-capture."
            )
        if self.visits > 1 and (self.one_study or self.frames > 1):
            raise UsageError("Expected --sequence without --one-study and --frames: each patient is a study.")
        if self.one_study and self.frames > 1:
            raise UsageError("Expected --one-study or --frames: a series of many files, or files of many frames.")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a file stands among the others of its set; all numbers from 1.

    number: of the file. patient: and of the study, which is a patient's. series: of the set. instance: in its series.
    """

    number: int
    patient: int
    series: int
    instance: int

    @classmethod
    def alone(cls, number: int) -> Self:
        """Of a file that is an invented patient, a study and a series of its own."""
        return cls(number=number, patient=number, series=number, instance=1)

    @property
    def name(self) -> str:
        """The file below the set: a folder for each series."""
        return f"dicom/{self.series:06d}/{self.number:06d}.dcm"


def places_of(labels: Integers, files: Sequence[range], form: DicomForm) -> list[Place]:
    """Where each file stands: by itself, with its patient's others, or in one study with one series a class.

    Args:
        labels: int64 (n,), the number of each image's class.
        files: which images each file holds; see `files_of`.
        form: of the files.
    """
    if not form.one_study:
        return [
            Place(number=number, patient=1 + (number - 1) // form.visits, series=number, instance=1)
            for number in range(1, len(files) + 1)
        ]
    places, seen = [], Counter[int]()
    for number, images in enumerate(files, start=1):
        series = 1 + int(labels[images.start])
        seen[series] += 1
        places.append(Place(number=number, patient=1, series=series, instance=seen[series]))
    return places


def resolved(
    sop_class: str, *, modality: str, bits: int | None, frames: int, one_study: bool = False, colour: bool = False
) -> DicomForm:
    """The form that was asked for, of a run whose cohort has this modality.

    Args:
        sop_class: "secondary-capture", or "match" for the object that a scanner of the modality would write, which of
            colour images is a secondary capture, too.
        modality: the cohort's configured word.
        bits: None takes 12 for CT and MR and 8 otherwise.
        frames: images in a file.
        one_study: whether all files are one study's.
        colour: whether images are in colour.

    Raises:
        UsageError: no object is known that matches, or they do not go together.
    """
    one_of(SOP_CLASSES, sop_class=sop_class)
    if colour:
        if bits not in (None, 8):
            raise UsageError(f"Expected 8 bits for colour images, got {bits}.")
        return DicomForm(frames=frames, one_study=one_study)
    if sop_class == MATCH and modality not in MATCHED:
        raise UsageError(
            f"Expected a cohort of {', '.join(MATCHED)} images for --sop-class match, this one is of "
            f"{modality or 'unknown'} ones. Take secondary-capture, or prepare the cohort with --modality."
        )
    kind = MATCHED[modality] if sop_class == MATCH else SECONDARY_CAPTURE
    usual = 12 if kind in _WORDS_ONLY else 8
    return DicomForm(kind=kind, bits=usual if bits is None else bits, frames=frames, one_study=one_study)


def neighbours(labels: Integers, frames: int, seed: Seed) -> Integers:
    """The same labels with those of one class side by side, as many as fill a file; the files in random order."""
    if frames == 1:
        return labels
    together = np.sort(labels)
    files = files_of(together, frames)
    order = seed.order("files", len(files))
    return np.concatenate([together[files[number].start : files[number].stop] for number in order])


def files_of(labels: Sequence[int] | Integers, frames: int) -> list[range]:
    """Which images each file of a set holds: neighbours of one class, at most `frames` of them, in order.

    >>> files_of([0, 0, 0, 1, 0], 2)
    [range(0, 2), range(2, 3), range(3, 4), range(4, 5)]
    """
    files: list[range] = []
    for number, label in enumerate(labels):
        last = files[-1] if files else range(0)
        if files and len(last) < frames and labels[last.start] == label:
            files[-1] = range(last.start, number + 1)
        else:
            files.append(range(number, number + 1))
    return files
