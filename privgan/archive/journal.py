"""What has been done already, in a file beside what is sent or fetched, so that a second run does the rest.

The first line says what the journal is about, each further one what is done. A line is written after the deed: a
kill in between does one thing twice, never leaves it out. A line that a kill cut off counts for nothing.
"""

import fcntl
import hmac
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from privgan.errors import IntegrityError, UsageError
from privgan.files import PRIVATE_FILE, canonical_json

_SCHEMA_VERSION = 1
_MOST_BYTES = 1 << 30


@dataclass(kw_only=True)
class Journal:
    """An open, locked journal. path: its file. done: what was entered, in any run."""

    path: Path
    done: set[str]
    _key: bytes
    _descriptor: int

    @classmethod
    @contextmanager
    def opened(cls, path: Path, subject: str) -> Iterator[Self]:
        """Open a journal, or begin it.

        Args:
            path: the file; readable by its owner only.
            subject: what is done, exactly; only a keyed digest of it is kept.

        Raises:
            UsageError: it is about something else, or another process has it open.
            IntegrityError: a line in the middle cannot be read, or it is not a regular file of a sane size.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE)
        except OSError as error:
            raise UsageError(f"Expected to keep a journal in {path}: {error.strerror}.") from None
        try:
            _lock(descriptor, path)
            yield cls._taken_up(descriptor, path, subject)
        finally:
            os.close(descriptor)

    @classmethod
    def _taken_up(cls, descriptor: int, path: Path, subject: str) -> Self:
        try:
            lines = _whole_lines(descriptor, path)
            key = bytes.fromhex(lines[0]["key"]) if lines else secrets.token_bytes(32)
            done = {str(line["done"]) for line in lines[1:]}
        except (KeyError, TypeError, ValueError, RecursionError):
            raise IntegrityError(f"Expected a journal in {path}, it cannot be read.") from None
        journal = cls(path=path, done=done, _key=key, _descriptor=descriptor)
        opening = {"schema_version": _SCHEMA_VERSION, "key": key.hex(), "subject": journal.digest(subject)}
        if not lines:
            journal._write(opening)
        elif lines[0] != opening:
            raise UsageError(f"The journal {path} is about something else. Choose another folder, or remove both.")
        return journal

    def digest(self, text: str) -> str:
        """A name for something that must not stand here itself: HMAC-SHA256 under the journal's own key, cut."""
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), "sha256").hexdigest()[:32]

    def add(self, name: str) -> None:
        """Enter that something is done."""
        self._write({"done": name})
        self.done.add(name)

    def _write(self, line: dict[str, Any]) -> None:
        os.write(self._descriptor, canonical_json(line) + b"\n")


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise UsageError(f"Another process is at it already: {path} is locked.") from None


def _whole_lines(descriptor: int, path: Path) -> list[dict[str, Any]]:
    """All lines but one that was cut off, which is removed."""
    if os.fstat(descriptor).st_size > _MOST_BYTES:
        raise IntegrityError(f"Expected a journal in {path}, it is far too large.")
    with os.fdopen(os.dup(descriptor), "rb") as stream:
        content = stream.read()
    whole = content[: content.rfind(b"\n") + 1]
    os.ftruncate(descriptor, len(whole))
    os.lseek(descriptor, 0, os.SEEK_END)
    return [json.loads(line) for line in whole.splitlines()]
