"""Files written whole or not at all, read only when regular, and named by their SHA-256.

A killed command leaves the old state or the new one: single files go through a temporary
sibling and `os.replace`, folders through `staged_folder`.
"""

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from privgan.errors import IntegrityError, UsageError
from privgan.progress import Progress, silent

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
SHAREABLE_FILE = 0o644
_CHUNK_BYTES = 1 << 20


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
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
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


def write_json(path: Path, value: object, mode: int = PRIVATE_FILE) -> None:
    """Write a readable JSON file atomically; NaN and infinity are refused."""
    write_bytes(path, json.dumps(value, indent=2, allow_nan=False).encode() + b"\n", mode)


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


def remove_partials(folder: Path) -> None:
    """Remove what a kill inside `write_bytes` left below a folder that no other process writes to."""
    for path in list_files(folder):
        if path.name.startswith(".") and path.name.endswith(".partial"):
            path.unlink()


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


def require_absent(target: Path, *, marker: str, force: bool) -> None:
    """Refuse an output that exists, unless `force` is given and it is one of ours.

    Args:
        target: the output folder.
        marker: a file that only privgan's own folder of this kind has, e.g. `cohort.json`;
            without it even `force` replaces nothing, so a typing error cannot delete a home folder.
        force: the user's `--force`.

    Raises:
        UsageError: the target exists and may not be replaced.
    """
    if not os.path.lexists(target):
        return
    if target.is_symlink() or not target.is_dir():
        raise UsageError(f"Expected a new folder, {target} exists and is not a folder.")
    if not any(target.iterdir()):
        return
    if not force:
        raise UsageError(f"Expected a new folder, {target} exists. Choose another name or add --force.")
    if not (target / marker).is_file():
        raise UsageError(f"--force replaces only privgan's own folders; {target} has no {marker}.")


@contextlib.contextmanager
def staged_folder(target: Path, *, marker: str, force: bool = False) -> Iterator[Path]:
    """A folder that appears under its name only when the block ends without an error.

    Yields:
        A private (0700) sibling folder to write into.

    Raises:
        UsageError: see `require_absent`; or the parent does not exist.
    """
    make_way(target, marker=marker, force=force)
    staging = target.with_name(f".{target.name}.{_this_machine()}-{os.getpid()}.{secrets.token_hex(4)}.partial")
    staging.mkdir(mode=PRIVATE_FOLDER)
    try:
        yield staging
        swap_in(staging, target)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def make_way(target: Path, *, marker: str, force: bool) -> None:
    """See to it that an output may be made: what kills left is mended, and nothing is in the way.

    Raises:
        UsageError: see `require_absent`; or the parent does not exist.
    """
    if not target.parent.is_dir():
        raise UsageError(f"Expected an existing folder to write into, {target.parent} is missing.")
    recover(target)
    require_absent(target, marker=marker, force=force)


def recover(target: Path) -> None:
    """Finish what a killed command could not: real images must not lie around under odd names.

    An old folder that was moved aside comes back if its successor never came; half-made folders of dead
    processes are removed.
    """
    for left in list(target.parent.iterdir() if target.parent.is_dir() else ()):
        if not left.name.startswith(f".{target.name}."):
            continue
        if left.name.endswith(".retired"):
            left.rename(target) if not target.exists() else shutil.rmtree(left)
        elif left.name.endswith(".partial") and left.is_dir() and _is_dead(left.name.split(".")[-3]):
            shutil.rmtree(left)


def _this_machine() -> str:
    return sha256_bytes(os.uname().nodename.encode())[:8]


def _is_dead(process: str) -> bool:
    machine, _, number = process.partition("-")
    if machine != _this_machine() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def swap_in(staging: Path, target: Path) -> None:
    """Give a finished folder its name; the one that had it goes once the new one is there."""
    os.sync()  # every file of the new folder is durable before its name is
    if not target.exists():
        staging.rename(target)
    else:
        retired = target.with_name(f".{target.name}.{secrets.token_hex(4)}.retired")
        target.rename(retired)
        try:
            staging.rename(target)
        except BaseException:
            retired.rename(target)
            raise
        shutil.rmtree(retired, ignore_errors=True)
    sync_folder(target.parent)


def list_files(folder: Path) -> list[Path]:
    """All entries below a folder that are not folders, sorted by path; links are listed, not followed."""
    return sorted(path for path in _walk(folder) if path.is_symlink() or not path.is_dir())


def list_entries(folder: Path) -> list[Path]:
    """Like `list_files`, with the folders."""
    return sorted(_walk(folder))


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder, followlinks=False):
        yield from (Path(parent) / name for name in [*folders, *names])


def require_exact_files(folder: Path, digests: Mapping[str, str], progress: Progress = silent) -> None:
    """Check that a folder holds these regular files and folders for them, byte for byte, and nothing else.

    Args:
        folder: where to look.
        digests: hex SHA-256 by path relative to `folder`, with forward slashes.
        progress: told after every file.

    Raises:
        IntegrityError: an extra, missing, edited or non-regular file, or an extra folder.
    """
    found = {path.relative_to(folder).as_posix() for path in _walk(folder)}
    folders = {str(parent) for name in digests for parent in PurePosixPath(name).parents} - {"."}
    if missing := sorted((digests.keys() | folders) - found):
        raise IntegrityError(f"{len(missing)} expected entries are missing from {folder}, first: {missing[0]}.")
    if extra := found - digests.keys() - folders:
        raise IntegrityError(f"Expected nothing but the listed files in {folder}, got {len(extra)} more.")
    for done, (name, digest) in enumerate(sorted(digests.items()), start=1):
        if sha256_file(folder / name) != digest:
            raise IntegrityError(f"Expected {name} as it was written, it was edited.")
        progress("checking files", done, len(digests))


def require_space(folder: Path, needed_bytes: int) -> None:
    """Refuse work whose output would not fit on the disk.

    Raises:
        UsageError: less than `needed_bytes` plus 5 % is free.
    """
    free = shutil.disk_usage(folder).free
    if free < needed_bytes * 1.05:
        raise UsageError(
            f"Expected {needed_bytes / 1e6:.0f} MB of free disk for the output, {free / 1e6:.0f} MB are free."
        )
