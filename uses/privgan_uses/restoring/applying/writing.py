"""Restored images as files of the kind that they came in: an .npz, PNG, or new DICOM instances.

Each says what it is by itself, because files are copied out of their folders.
"""

from pathlib import Path, PurePosixPath
from typing import Protocol

import numpy as np

from privgan import __version__
from privgan.arrays import Images
from privgan.data.formats.restored import MARK
from privgan.data.sources.source import Entry
from privgan.files import PRIVATE_FILE, open_new
from privgan.images.containers import npz_pieces, png_bytes
from privgan.images.stored import as_stored
from privgan_uses.restoring.model import Restorer

IMAGES = "images"  # the folder of restored files
RESTORED_NPZ = "restored.npz"
_DRAFT = ".restored.npy"


class Writer(Protocol):
    """Takes restored images one after another."""

    def put(self, entry: Entry, image: Images) -> None:
        """One more: uint8 (h, h, c), and what its source said beside its pixels."""

    def close(self) -> None:
        """All are there."""


def described(model: Restorer) -> dict[str, str]:
    """What a file of restored images says of itself; the keywords are those of PNG, and one of our own."""
    return {
        "Software": f"privgan {__version__}",
        "Description": f"Derived image: restored by a network, task {model.facts.task}. It is a patient's.",
        "Disclaimer": "Not for diagnosis. A network drew what it expects to see: findings may appear or vanish.",
        MARK: f"model {model.sha256}",
    }


class NpzWriter:
    """One file with `images`, `row` (of the source), `patient_id` and `labels`, as the source names them.

    Beside them, texts (4,) under the mark of restored images say what it is.
    """

    def __init__(self, folder: Path, model: Restorer, total: int) -> None:
        self._folder, self._model = folder, model
        # On the disk, because a source may have more images than memory has room for.
        self._images = np.lib.format.open_memmap(
            folder / _DRAFT, mode="w+", dtype=np.uint8, shape=(total, *model.facts.form.shape)
        )
        self._rows: list[int] = []
        self._patients: list[str] = []
        self._labels: list[str] = []

    def put(self, entry: Entry, image: Images) -> None:
        """See `Writer`."""
        self._images[len(self._rows)] = as_stored(image)
        self._rows.append(int(entry.where.rpartition(" ")[2]))
        self._patients.append(entry.patient)
        self._labels.append(entry.label)

    def close(self) -> None:
        """See `Writer`."""
        columns = {
            "images": self._images[: len(self._rows)],
            "row": np.array(self._rows, dtype=np.int64),
            "patient_id": np.array(self._patients, dtype=np.str_),
            **({"labels": np.array(self._labels, dtype=np.str_)} if any(self._labels) else {}),
            MARK: np.array(list(described(self._model).values()), dtype=np.str_),
        }
        with open_new(self._folder / RESTORED_NPZ) as stream:
            for piece in npz_pieces(columns):
                stream.write(piece)
        (self._folder / _DRAFT).unlink()


class PngWriter:
    """A PNG for each picture, under its name."""

    def __init__(self, folder: Path, model: Restorer) -> None:
        self._names, self._texts = Names(folder, ".png"), described(model)

    def put(self, entry: Entry, image: Images) -> None:
        """See `Writer`."""
        with open_new(self._names.path(entry), PRIVATE_FILE) as stream:
            stream.write(png_bytes(as_stored(image), self._texts))

    def close(self) -> None:
        """See `Writer`."""


class Names:
    """Paths below a folder that are those of the source, with the suffix of what is written."""

    def __init__(self, folder: Path, suffix: str) -> None:
        self._folder, self._suffix = folder / IMAGES, suffix
        self._last, self._number = "", 0

    def path(self, entry: Entry) -> Path:
        """Of the next image; the second of a file has a number. Its folder is made."""
        self._number = self._number + 1 if entry.where == self._last else 1
        self._last = entry.where
        named = PurePosixPath(entry.where)
        name = named.name if named.suffix.lower() == self._suffix else named.name + self._suffix
        if self._number > 1:
            name = f"{name.removesuffix(self._suffix)}-{self._number:04d}{self._suffix}"
        target = self._folder / named.parent / name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return target
