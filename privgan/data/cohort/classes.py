"""Class names that were found in the data, and which of them may be said.

A list that was found is data. It may be public only when many patients share each name: a name of few could point at
one of them, and whoever writes a label may have written anything. So names of few patients are counted, never shown.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from privgan.arrays import Integers
from privgan.errors import InputRejectedError

SMALLEST_CLASS = 10  # patients; a class name found in data must not point at one of them
UNKNOWN_CLASS = "unknown_class"


@dataclass(frozen=True, kw_only=True)
class FoundClasses:
    """patients, images: by name, of the names that at least SMALLEST_CLASS patients have. rare: how many others."""

    patients: Mapping[str, int]
    images: Mapping[str, int]
    rare: int

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, int]]) -> Self:
        """From the label and the patient of each image; images without a label are of no class."""
        owners, images = dict[str, set[int]](), dict[str, int]()
        for label, patient in pairs:
            if label:
                owners.setdefault(label, set()).add(patient)
                images[label] = images.get(label, 0) + 1
        known = sorted(filter_common(owners))
        return cls(
            patients={name: len(owners[name]) for name in known},
            images={name: images[name] for name in known},
            rare=len(owners) - len(known),
        )


def filter_common(owners: Mapping[str, Collection[object]]) -> list[str]:
    """The names that enough patients have."""
    return [name for name, patients in owners.items() if len(patients) >= SMALLEST_CLASS]


def require_common(labels: Sequence[str], persons: Integers) -> None:
    """Refuse a class list found in the data unless many share each class; of images (n,) without a label nothing.

    Raises:
        InputRejectedError: how many classes of how many have fewer patients than SMALLEST_CLASS.
    """
    owners: dict[str, set[int]] = {}
    for label, person in zip(labels, persons.tolist(), strict=True):
        owners.setdefault(label, set()).add(person)
    owners.pop("", None)
    small = len(owners) - len(filter_common(owners))
    if small:
        raise InputRejectedError(
            f"Expected at least {SMALLEST_CLASS} patients in every class that was found in the data, {small} of "
            f"{len(owners)} classes have fewer. Declare the class list with --classes, or drop those labels."
        )


def told(owners: Mapping[str, Collection[object]]) -> str:
    """The names that may be said, and how many others there are.

    >>> told({"clear": range(40), "odd": [7]})
    'clear, and 1 of fewer than 10 patients'
    """
    known = sorted(filter_common(owners))
    rare = len(owners) - len(known)
    names = ", ".join(known)
    return ", and ".join(filter(None, (names, f"{rare} of fewer than {SMALLEST_CLASS} patients" if rare else "")))
