"""Files that only grow: one JSON object a line, each holding the SHA-256 of the line before it.

An edited, reordered or dropped line is found by reading. A dropped tail is not: whoever keeps the hash of the
last line elsewhere finds that too.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from privgan.errors import BudgetError, IntegrityError
from privgan.files import PRIVATE_FILE, canonical_json, open_regular, sha256_bytes

Entry = dict[str, Any]
_START = "0" * 64


def start_chain(path: Path, opening: Entry) -> None:
    """Write a new file with its opening entry; it must not exist."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
    _write(descriptor, _sealed({"kind": "opened", **opening}, 0, _START))


def read_chain(path: Path, what: str) -> tuple[Entry, ...]:
    """Read and verify all entries, each with its `hash`.

    Args:
        path: the file.
        what: the file in words, for messages.

    Raises:
        BudgetError: it is missing, empty, or a line is edited, reordered, dropped or cut.
    """
    try:
        with open_regular(path) as stream:
            content: bytes = stream.read()
    except IntegrityError:
        raise BudgetError(f"Expected the {what}, it is missing or not a file. Restore it from a backup.") from None
    return tuple(_verified(content, what))


def extend_chain(path: Path, entries: tuple[Entry, ...], entry: Entry, what: str) -> tuple[Entry, ...]:
    """Append one entry, durably, and read the whole again; the caller holds the lock."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
    _write(descriptor, _sealed(entry, len(entries), str(entries[-1]["hash"])))
    return read_chain(path, what)


def seal_of_next(entries: tuple[Entry, ...], entry: Entry) -> str:
    """The hash that an entry will have when it is appended to these."""
    return sha256_bytes(canonical_json(_body(entry, len(entries), str(entries[-1]["hash"]))))


@contextmanager
def chain_locked(path: Path, what: str) -> Iterator[None]:
    """Keep every other writer out while the block runs.

    Raises:
        BudgetError: there is no such file.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        raise BudgetError(f"Expected the {what}, it cannot be opened for writing.") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def queued(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Let one holder at a time run the block; a process that ends, however it ends, makes way for the next.

    Args:
        path: an empty file that is made when absent.
        waiting: called once if another holder is at work, before waiting for its end.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE_FILE)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(descriptor: int, line: bytes) -> None:
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(line)
        stream.flush()
        os.fsync(stream.fileno())


def _sealed(entry: Entry, sequence: int, previous: str) -> bytes:
    body = _body(entry, sequence, previous)
    return canonical_json({**body, "hash": sha256_bytes(canonical_json(body))}) + b"\n"


def _body(entry: Entry, sequence: int, previous: str) -> Entry:
    return {"sequence": sequence, "previous": previous, **entry}


def _verified(content: bytes, what: str) -> Iterator[Entry]:
    if not content.endswith(b"\n"):
        raise BudgetError(f"The {what} is empty or its last line is cut off; restore it from a backup.")
    previous = _START
    for sequence, line in enumerate(content.splitlines()):
        try:
            entry: Entry = json.loads(line)
            seal = entry.pop("hash")
        except (ValueError, KeyError, AttributeError):
            raise BudgetError(f"Line {sequence + 1} of the {what} cannot be read.") from None
        intact = seal == sha256_bytes(canonical_json(entry))
        if not (intact and entry.get("sequence") == sequence and entry.get("previous") == previous):
            raise BudgetError(f"Line {sequence + 1} of the {what} was edited, moved or follows a gap.")
        if (sequence == 0) != (entry.get("kind") == "opened"):
            raise BudgetError(f"Line {sequence + 1} of the {what} is of an unexpected kind.")
        previous = seal
        yield {**entry, "hash": seal}
