"""Files written whole or not at all, read only when regular, and named by their SHA-256.

A killed command leaves the old state or the new one: single files go through a temporary
sibling and `os.replace`, folders through `folders.staged_folder`.
"""

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Iterator
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

from privgan.errors import IntegrityError, UsageError

PRIVATE_FILE = 0o600
SHAREABLE_FILE = 0o644
_CHUNK_BYTES = 1 << 20
_FLAGS = ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY")  # those that the system has; the last is Windows' own
_READING = os.O_RDONLY | reduce(or_, (getattr(os, name, 0) for name in _FLAGS))


def sha256_bytes(content: bytes) -> str:
    """Hex SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def patient_digest(key: bytes, patient: str) -> str:
    """What is kept of a patient's number (sensitive) instead of the number: its HMAC-SHA256 under a private key."""
    return hmac.new(key, b"patient:" + patient.encode("utf-8", "surrogatepass"), "sha256").hexdigest()


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a regular file, read in chunks."""
    digest = hashlib.sha256()
    with open_regular(path) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


@contextlib.contextmanager
def open_regular(path: Path) -> Iterator[Any]:
    """Open a regular file for reading; a link, FIFO, socket or device is refused, never waited for.

    Raises:
        IntegrityError: the path is missing or is not a regular file.
    """
    try:
        if path.is_symlink():  # where the system has no O_NOFOLLOW
            raise IntegrityError(f"Expected a regular file {path.name!r}, got a link.")
        descriptor = os.open(path, _READING)
    except OSError as error:
        raise IntegrityError(f"Expected a regular file {path.name!r}, got {error.strerror}.") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise IntegrityError(f"Expected a regular file, {path.name!r} is something else.")
    with os.fdopen(descriptor, "rb") as stream:
        yield stream


def canonical_json(value: object) -> bytes:
    """The one byte form of a JSON value that digests are taken of (sorted keys, no spaces)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def read_json(path: Path) -> dict[str, Any]:
    """Read one JSON object.

    Raises:
        IntegrityError: missing, not regular, not JSON, or not an object.
    """
    with open_regular(path) as stream:
        content = stream.read()
    try:
        value = json.loads(content)
    except ValueError:
        raise IntegrityError(f"Expected JSON in {path.name}, it cannot be parsed.") from None
    if not isinstance(value, dict):
        raise IntegrityError(f"Expected a JSON object in {path.name}, got {type(value).__name__}.")
    return value


def read_marker(path: Path, kind: str, version: int, *, learned: bool = False) -> dict[str, Any]:
    """The fields of the JSON object that says what a folder is, without the two that say it.

    learned: from what was released or is public, so that it may be learned again for nothing.

    Raises:
        IntegrityError: as for `read_json`, or of another kind or schema version.
    """
    table = read_json(path)
    written = (table.pop("kind", None), table.pop("schema_version", None))
    if learned and written[0] == kind and written[1] != version:
        raise IntegrityError(
            f"Expected schema version {version} in {path}, got {written[1]!r}: another version of privgan wrote it. "
            "Learn it again, which costs no privacy."
        )
    if written != (kind, version):
        raise IntegrityError(
            f"Expected kind {kind!r}, schema version {version} in {path}, got {written[0]!r}, {written[1]!r}; "
            "a version of privgan that wrote it can read it."
        )
    return table


def write_json(path: Path, value: object, mode: int = PRIVATE_FILE) -> None:
    """Write a readable JSON file atomically; NaN and infinity are refused."""
    write_bytes(path, readable_json(value), mode)


def readable_json(value: object) -> bytes:
    """The one byte form of a JSON file that people may read; NaN and infinity are refused."""
    return json.dumps(value, indent=2, allow_nan=False).encode() + b"\n"


def write_text(path: Path, text: str, mode: int = PRIVATE_FILE) -> None:
    """Write a UTF-8 text file atomically."""
    write_bytes(path, text.encode(), mode)


def write_bytes(path: Path, content: bytes, mode: int = PRIVATE_FILE) -> None:
    """Write a file atomically and durably: temporary sibling, fsync, rename, fsync of the folder."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextlib.contextmanager
def open_new(path: Path, mode: int = PRIVATE_FILE) -> Iterator[Any]:
    """Open a file for writing that must not exist; for the inside of a staged folder.

    Raises:
        UsageError: something has that name already.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    except FileExistsError:
        raise UsageError(f"Expected a new file, {path.name} exists. Choose another name.") from None
    with os.fdopen(descriptor, "wb") as stream:
        yield stream


def sync_folder(folder: Path) -> None:
    """Make renames inside a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
