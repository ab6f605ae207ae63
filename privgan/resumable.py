"""An output folder whose making can be interrupted and taken up again.

Its hidden folder holds real images. It has one name, is locked by whoever works in it, is open to nobody but its
owner, and stays only where that was said: after an interruption, or a kill that leaves no time to speak.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from privgan.errors import InterruptedRunError, PreemptedError, UsageError
from privgan.files import PRIVATE_FOLDER, make_way, swap_in


def unfinished_folder(target: Path) -> Path:
    """Where an output is made, and where an interrupted command leaves what it had done."""
    return target.with_name(f".{target.name}.unfinished")


@contextlib.contextmanager
def resumable_folder(
    target: Path, *, marker: str, journal: str, force: bool = False, resume: bool = False
) -> Iterator[Path]:
    """Like `files.staged_folder`; but what was done before an interruption stays, and is there again with `resume`.

    Args:
        target: the output folder.
        marker: see `files.require_absent`.
        journal: a file of the folder from which the block can go on; without it there is nothing to go on from.
        force: the user's `--force`.
        resume: the user's `--resume`. Without it what an earlier command left is removed.

    Yields:
        A private (0700) sibling folder: empty, or as it was left.

    Raises:
        UsageError: see `files.require_absent`; there is nothing to go on with; or another process is at it.
    """
    make_way(target, marker=marker, force=force)
    folder = unfinished_folder(target)
    if resume and not folder.is_dir():
        raise UsageError(f"Expected an interrupted command to go on with, none has left anything for {target}.")
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
