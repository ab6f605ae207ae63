"""What `prepare` has read so far, so that an interrupted one goes on where it was and ends as if nothing had been.

    private/rows.partial    the pixels of every usable image, one row each
    private/journal.jsonl   what the reading is bound to; then one line a file, with a note of each of its images

The journal has patients' numbers until the cohort is made, and is as private as the source. Its lines are written
only once the pixels they speak of are on the disk: whatever a power cut leaves of both, the whole lines at its
beginning are true, and the rest is cut off.
"""

import json
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

import numpy as np
from numpy.typing import NDArray

from privgan.data.cohort.notes import Note
from privgan.errors import UsageError
from privgan.files import PRIVATE_FILE, sync_folder

FILE, ROWS = "private/journal.jsonl", "private/rows.partial"
SECONDS_BETWEEN_COMMITS = 3.0

Noted = tuple[Note, NDArray[np.uint8] | None]
"""A note and its image, if it is usable."""


class Journal:
    """The journal of one folder, open for reading and then for writing; use it in a `with` block.

    folder: what is being prepared. files: how many files or rows it knows.
    """

    def __init__(self, folder: Path, shape: tuple[int, ...], bound: Mapping[str, str]) -> None:
        """Open or begin it.

        Args:
            folder: has a folder `private`.
            shape: of the images.
            bound: what must be the same when the reading goes on, by what it is called in a message.

        Raises:
            UsageError: the journal is bound to something else.
        """
        self.folder, self.files = folder, 0
        self._shape, self._row_bytes = shape, math.prod(shape)
        self._waiting: list[str] = []
        self._committed = time.monotonic()
        self._lines, self._rows = _opened(folder / FILE), _opened(folder / ROWS)
        begun = _whole(self._lines.readline())
        if isinstance(begun, dict):
            _require_same(begun, bound)
        else:
            self._cut(0, 0)
            self._waiting.append(json.dumps(dict(bound)))
            self.commit()
            sync_folder(folder / "private")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._rows.close()

    def replay(self) -> Iterator[Noted]:
        """Everything that is remembered; what a kill left half-written is cut off. Comes before any `append`."""
        end, rows = self._lines.tell(), 0
        for line in self._lines:
            noted = self._remembered(line)
            if noted is None:
                break
            yield from noted
            end += len(line)
            rows += sum(note.usable for note, _ in noted)
            self.files += 1
        self._cut(end, rows)

    def append(self, noted: Sequence[Noted]) -> None:
        """Remember all notes of one more file, and now and then make sure of it."""
        for _, image in noted:
            if image is not None:
                self._rows.write(image.tobytes())
        self._waiting.append(json.dumps([note.to_json() for note, _ in noted]))
        self.files += 1
        if time.monotonic() > self._committed + SECONDS_BETWEEN_COMMITS:
            self.commit()

    def commit(self) -> None:
        """Put everything on the disk: first the pixels, then the lines that speak of them."""
        _sync(self._rows)
        self._lines.write("".join(f"{line}\n" for line in self._waiting).encode("ascii"))
        _sync(self._lines)
        self._waiting.clear()
        self._committed = time.monotonic()

    def discard(self) -> None:
        """The cohort is made: forget everything, the patients' numbers first."""
        for name in (FILE, ROWS):
            (self.folder / name).unlink()

    def _remembered(self, line: bytes) -> list[Noted] | None:
        """The notes of a line with their images, None if either was not written whole."""
        with suppress(ValueError, TypeError):
            values = _whole(line)
            if isinstance(values, list):
                return [(note, self._row() if note.usable else None) for note in map(Note.from_json, values)]
        return None

    def _row(self) -> NDArray[np.uint8]:
        pixels = self._rows.read(self._row_bytes)
        return np.frombuffer(pixels, dtype=np.uint8).reshape(self._shape)

    def _cut(self, end: int, rows: int) -> None:
        for stream, length in ((self._lines, end), (self._rows, rows * self._row_bytes)):
            stream.seek(length)
            stream.truncate()


def _opened(path: Path) -> IO[bytes]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE)
    return os.fdopen(descriptor, "r+b")


def _sync(stream: IO[bytes]) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def _whole(line: bytes) -> object:
    """The value of a line, None if the line was not written whole."""
    with suppress(ValueError):
        return json.loads(line) if line.endswith(b"\n") else None
    return None


def _require_same(before: Mapping[str, object], now: Mapping[str, str]) -> None:
    changed = [name for name, value in now.items() if before.get(name) != value]
    if changed:
        raise UsageError(
            f"Expected {' and '.join(changed)} as before the interruption: what was read would not fit the rest. "
            "Undo the change, or prepare without --resume, which begins anew."
        )
