"""Folders that are whole or not there, and what holds them together: staging, recovery, exactness, resuming.

A killed command leaves the old state or the new one. An output whose making can be interrupted has a hidden folder
that holds real images: it has one name, is locked by whoever works in it, is open to nobody but its owner, and stays
only where that was said: after an interruption, or a kill that leaves no time to speak.
"""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from privgan.errors import IntegrityError, InterruptedRunError, PreemptedError, UsageError
from privgan.files import sha256_bytes, sha256_file, sync_folder
from privgan.language import tr
from privgan.progress import Progress, silent

PRIVATE_FOLDER = 0o700


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
        progress(tr("checking files"), done, len(digests))


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


def remove_partials(folder: Path) -> None:
    """Remove what a kill inside `write_bytes` left below a folder that no other process writes to."""
    for path in list_files(folder):
        if path.name.startswith(".") and path.name.endswith(".partial"):
            path.unlink()


def unfinished_folder(target: Path) -> Path:
    """Where an output is made, and where an interrupted command leaves what it had done."""
    return target.with_name(f".{target.name}.unfinished")


def require_left(target: Path) -> Path:
    """Where an interrupted command left what it had done for this output.

    Raises:
        UsageError: none did.
    """
    folder = unfinished_folder(target)
    if not folder.is_dir():
        raise UsageError(f"Expected an interrupted command to go on with, none has left anything for {target}.")
    return folder


@contextlib.contextmanager
def resumable_folder(
    target: Path, *, marker: str, journal: str, force: bool = False, resume: bool = False
) -> Iterator[Path]:
    """Like `staged_folder`; but what was done before an interruption stays, and is there again with `resume`.

    Args:
        target: the output folder.
        marker: see `require_absent`.
        journal: a file of the folder from which the block can go on; without it there is nothing to go on from.
        force: the user's `--force`.
        resume: the user's `--resume`. Without it what an earlier command left is removed.

    Yields:
        A private (0700) sibling folder: empty, or as it was left.

    Raises:
        UsageError: see `require_absent`; there is nothing to go on with; or another process is at it.
    """
    make_way(target, marker=marker, force=force)
    folder = require_left(target) if resume else unfinished_folder(target)
    if not os.path.lexists(folder):
        folder.mkdir(mode=PRIVATE_FOLDER)
    with _alone(folder):
        if not (resume and (folder / journal).is_file()):
            _empty(folder)
        try:
            yield folder
            swap_in(folder, target)
        except (InterruptedRunError, PreemptedError):
            raise
        except BaseException as error:
            # A wrong word on the command line must not cost what hours have read.
            if not (resume and isinstance(error, UsageError)):
                shutil.rmtree(folder, ignore_errors=True)
            raise


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a folder's lock, which ends with the process however that ends."""
    import fcntl  # not on Windows, where recipients check what is made elsewhere

    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        raise UsageError(f"Expected a folder of privgan's own, {folder} is something else.") from None
    try:
        facts = os.fstat(descriptor)
        if facts.st_uid != os.geteuid() or facts.st_mode & 0o077:
            raise UsageError(f"Expected a folder of your own that nobody else may open, {folder} is none.")
        with contextlib.suppress(BlockingIOError, FileNotFoundError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(facts, folder.lstat()):  # and not one that was moved to its place meanwhile
                yield
                return
        raise UsageError("Another process is making this output. Wait for it, or choose another name.")
    finally:
        os.close(descriptor)


def _empty(folder: Path) -> None:
    for left in folder.iterdir():
        shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
