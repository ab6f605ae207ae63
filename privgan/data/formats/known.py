"""The formats of image files: each a module with five names, in one tuple. Nothing else knows one from another."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Protocol

from privgan.data.formats import picture
from privgan.data.formats.dicom import reader as dicom
from privgan.data.formats.nifti import reader as nifti
from privgan.data.formats.reading import Reading, Request


class Format(Protocol):
    """What the module of a format has.

    A file of a format that names no patients is a patient of its own until a label table says more.
    """

    __name__: str

    @property
    def has_units(self) -> bool:
        """Whether its values can be physical ones, such as Hounsfield units."""

    @property
    def names_patients(self) -> bool:
        """Whether a file says whose it is."""

    @property
    def tells(self) -> Collection[str]:
        """The further columns that a file itself may have, by name."""

    def claims(self, file: Path) -> bool:
        """Whether a file of a source folder looks like one of this format."""

    def read(self, path: Path, request: Request) -> Reading:
        """Read one file as if it were hostile; runs in an isolated worker.

        Raises:
            RefusedError: it cannot be used. Any other exception means damage.
        """


FORMATS: tuple[Format, ...] = (dicom, nifti, picture)
"""The first is what a folder is read as that several claim a part of, or none. A file is shown to the last first."""


def format_of(files: Iterable[Path]) -> Format:
    """As what the files of one folder are read, all of them."""
    first = len(FORMATS)
    for file in files:
        first = min(first, _claimed(file))
        if first == 0:
            break
    return FORMATS[first % len(FORMATS)]


def format_named(name: str) -> Format:
    """The format whose module has this name."""
    return next(each for each in FORMATS if each.__name__ == name)


def _claimed(file: Path) -> int:
    """The place of the last format that claims a file, or one behind all of them."""
    places = reversed(range(len(FORMATS)))
    return next((place for place in places if FORMATS[place].claims(file)), len(FORMATS))
