"""Images in one .npz file, streamed row by row: nothing is allocated on the word of a header.

Keys: `images` (n, h, w), (n, h, w, 1) or, in colour, (n, h, w, 3), `labels`, `patient_id` (or another word for it,
such as `PatientID`, `subject` or scikit-learn's `groups`), and optionally `classes` and `filenames`; or MedMNIST's
`train_images` and `train_labels`, of which only the train split is read. Pickles are never loaded.
"""

import math
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from privgan.arrays import Texts
from privgan.data.columns import MOST_COLUMNS, Wanted, fits, is_name, require_fitting, spelled
from privgan.data.formats.restored import MARK
from privgan.data.patient_keys import names_patients, patient_key, speaks_of_patients
from privgan.data.refusals import RefusedError, check_shape
from privgan.errors import InputRejectedError, IntegrityError, UsageError
from privgan.files import open_regular

MAX_ROWS = 10_000_000
MAX_COLUMN_BYTES = 1 << 30
_GROUPS = "groups"
_EXACT = 2.0**53  # from here on not every whole number is a float
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


@dataclass(frozen=True, kw_only=True)
class NpzContents:
    """Everything but the pixels; sensitive, so its repr shows the shape only.

    shape: (n, h, w) or (n, h, w, 3).
    labels: (n,) integers or texts. patients, filenames: (n,) texts. classes: names by label number.
    columns: further (n,) texts by name. unused: keys that may be the patients', where none is.
    """

    path: Path
    member: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    labels: NDArray[Any] | None
    patients: NDArray[Any] | None
    filenames: NDArray[Any] | None
    classes: tuple[str, ...] | None
    columns: Mapping[str, Texts]
    unused: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"NpzContents(shape={self.shape}, dtype={self.dtype})"


def open_npz(path: Path, wanted: Wanted) -> NpzContents:
    """Check a file's structure and read its columns.

    Args:
        path: the .npz file.
        wanted: further columns to read.

    Raises:
        UsageError: a wanted column is missing.
        InputRejectedError: it is not such a file, or a wanted column holds something else than its type.
    """
    try:
        with open_regular(path) as stream, zipfile.ZipFile(stream) as archive:
            return _contents(path, archive, wanted)
    except IntegrityError:
        raise InputRejectedError("Expected a regular .npz file, got something else.") from None
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError, RuntimeError, KeyError):
        raise InputRejectedError("Expected a readable .npz file without pickles, it is damaged.") from None


def stream_images(contents: NpzContents) -> Iterator[NDArray[Any]]:
    """Every image (h, w) or (h, w, 3) in file order, one at a time.

    Raises:
        InputRejectedError: the file is shorter than its header says, or its checksum is wrong.
    """
    count, *shape = contents.shape
    values = math.prod(shape)
    try:
        with (
            open_regular(contents.path) as stream,
            zipfile.ZipFile(stream) as archive,
            archive.open(contents.member) as member,
        ):
            _header(member)
            for _ in range(count):
                row = member.read(values * contents.dtype.itemsize)
                yield np.frombuffer(row, dtype=contents.dtype, count=values).reshape(shape)
            member.read(1)  # the end: this is where zipfile compares the checksum
    except (zipfile.BadZipFile, ValueError, EOFError, OSError):
        raise InputRejectedError("Expected as many images in the .npz as it announces, it is damaged.") from None


def _contents(path: Path, archive: zipfile.ZipFile, wanted: Wanted) -> NpzContents:
    names = {name.removesuffix(".npy"): name for name in archive.namelist()}
    if MARK in names:
        raise InputRejectedError(
            "Expected images as they were taken, the .npz holds restored ones: a network drew part of them. Use the "
            "images that they were made of."
        )
    prefix = "" if "images" in names else "train_"
    if f"{prefix}images" not in names:
        raise InputRejectedError("Expected `images` or `train_images` in the .npz, got neither.")
    with archive.open(names[f"{prefix}images"]) as member:
        shape, dtype = _image_shape(*_header(member))
    count = shape[0]
    labels = _optional(archive, names.get(f"{prefix}labels"), count)
    if labels is not None and labels.dtype.kind not in "iubUS":
        raise InputRejectedError("Expected whole numbers or texts as labels in the .npz, got another type.")
    classes = _array(archive, names["classes"]) if "classes" in names else None
    further = {name.removeprefix(prefix).lower(): file for name, file in names.items() if name.startswith(prefix)}
    patients = _patients(archive, further, count)
    return NpzContents(
        path=path,
        member=names[f"{prefix}images"],
        shape=shape,
        dtype=dtype,
        labels=labels,
        patients=patients,
        unused=tuple(sorted(filter(speaks_of_patients, further))) if patients is None else (),
        filenames=None if prefix else _texts(_optional(archive, names.get("filenames"), count)),
        classes=None if classes is None else tuple(str(name) for name in classes.ravel().astype(np.str_)),
        columns=_further(archive, further, count, wanted),
    )


def _patients(archive: zipfile.ZipFile, there: dict[str, str], count: int) -> Texts | None:
    """Keys of patients (n,); `there` maps names in lower case to entries of the archive.

    Raises:
        UsageError: several arrays may be the patients'.
        InputRejectedError: they are decimals that are no whole numbers.
    """
    names = [name for name in there if names_patients(name) or name == _GROUPS]
    if len(names) > 1:
        raise UsageError(f"Expected one array of patients in the .npz, got {', '.join(names)}. Rename the others.")
    if not names:
        return None
    column = _column(archive, there[names[0]], count)
    if column.dtype.kind != "f":
        return np.array([patient_key(_text(cell)) for cell in column.tolist()], dtype=np.str_)
    known = column[np.isfinite(column)]
    if (known != np.rint(known)).any() or (np.abs(known) >= _EXACT).any():
        raise InputRejectedError(
            "Expected patient numbers in the .npz, got decimals that are none, or too long to be exact. Save them as "
            "integers or texts."
        )
    return np.array([str(int(cell)) if math.isfinite(cell) else "" for cell in column.tolist()], dtype=np.str_)


def _text(cell: object) -> str:
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)


def _further(archive: zipfile.ZipFile, there: dict[str, str], count: int, wanted: Wanted) -> dict[str, Texts]:
    """The wanted columns, or all that can be used; `there` maps names in lower case to entries of the archive."""
    if wanted.anything:
        return dict(islice(_usable(archive, there, count, wanted), MOST_COLUMNS))
    if not wanted.types.keys() <= there.keys():
        raise UsageError(f"Expected the keys {', '.join(wanted.types)} in the .npz, it does not have all of them.")
    found = {name: _cells(archive, there[name], count, kind) for name, kind in wanted.types.items()}
    for name, column in found.items():
        require_fitting(name, wanted.type_of(name), column.tolist())
    return found


def _usable(
    archive: zipfile.ZipFile, there: dict[str, str], count: int, wanted: Wanted
) -> Iterator[tuple[str, Texts]]:
    """Columns that nobody asked for: one that cannot be used must not keep the others from being read."""
    for name in sorted(filter(is_name, there)):
        try:
            column = _cells(archive, there[name], count, wanted.type_of(name))
        except (InputRejectedError, ValueError, KeyError):
            continue
        if fits(wanted.type_of(name), np.unique(column).tolist()):
            yield name, column


def _cells(archive: zipfile.ZipFile, name: str, count: int, kind: str) -> Texts:
    """Values as texts (count,) without spaces around them; a number that is none is unknown."""
    column = _column(archive, name, count)
    texts = np.char.strip(column.astype(np.str_))
    known = np.where(texts == "nan", "", texts) if column.dtype.kind == "f" else texts
    return np.array([spelled(kind, text) for text in known.tolist()], dtype=np.str_)


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    shape, fortran, dtype = _HEADERS[npy.read_magic(member)](member)
    if dtype.hasobject or dtype.kind not in "biufUS":
        raise InputRejectedError("Expected plain numbers and texts in the .npz, got objects.")
    if fortran and len(shape) > 1:
        raise InputRejectedError("Expected arrays in C order in the .npz; save them with numpy.ascontiguousarray.")
    return shape, dtype


def _image_shape(shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    if len(shape) == 4 and shape[3] == 1:
        shape = shape[:3]
    if not (len(shape) == 3 or (len(shape) == 4 and shape[3] == 3)) or dtype.kind not in "iuf":
        raise InputRejectedError(
            "Expected grey images (n, h, w) in the .npz, or colour ones (n, h, w, 3), got another shape or type."
        )
    count, height, width = shape[:3]
    try:
        check_shape(height, width)
    except RefusedError:
        raise InputRejectedError("Expected images of sensible size in the .npz, got absurd dimensions.") from None
    if not 0 < count <= MAX_ROWS:
        raise InputRejectedError(f"Expected 1 to {MAX_ROWS} images in the .npz, got {count}.")
    return shape, dtype


def _array(archive: zipfile.ZipFile, name: str, count: int | None = None) -> NDArray[Any]:
    """An array; with `count` one of so many values, which is known before they are read."""
    with archive.open(name) as member:
        shape, dtype = _header(member)
        if count is not None and shape not in ((count,), (count, 1)):
            raise InputRejectedError("Expected one value of each column for each image in the .npz, got others.")
        size = math.prod(shape) * dtype.itemsize
        if size > MAX_COLUMN_BYTES:
            raise InputRejectedError("Expected columns of sensible size in the .npz, got an absurd one.")
        return np.frombuffer(member.read(size), dtype=dtype).reshape(shape)


def _column(archive: zipfile.ZipFile, name: str, count: int) -> NDArray[Any]:
    return _array(archive, name, count).reshape(count)


def _optional(archive: zipfile.ZipFile, name: str | None, count: int) -> NDArray[Any] | None:
    return None if name is None else _column(archive, name, count)


def _texts(column: NDArray[Any] | None) -> NDArray[Any] | None:
    return None if column is None else column.astype(np.str_)
