"""A second opinion by dciodvfy (David Clunie's dicom3tools), where it is installed.

Its dictionary is older than Synthetic Data (0008,001C) and dermoscopy, whose lines are left out; everything else that
it calls an error or a warning counts. What it says can quote values, so that only the number of its complaints is
passed on.
"""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

NAME = "dciodvfy"
MOST_FILES = 8  # all files of a set come from one template
_SECONDS = 60
_OUTDATED = ("</(0008,001c)>", "</Modality(0008,0060)[1]> - Unrecognized defined term = <DMS>")


def complaints(files: Sequence[Path]) -> int | None:
    """How many errors and warnings it finds in some files; None where it is not installed or gives no answer."""
    program = shutil.which(NAME)
    if program is None:
        return None
    try:
        return sum(len(_lines(program, path)) for path in files[:MOST_FILES])
    except (OSError, subprocess.SubprocessError):
        return None


def _lines(program: str, path: Path) -> list[str]:
    # Its exit code is 0 for some errors, so that only the lines tell.
    done = subprocess.run(  # noqa: S603 - a program of the system, and a path that privgan made
        [program, "-new", path.resolve()], capture_output=True, timeout=_SECONDS, check=False
    )
    lines = done.stderr.decode("utf-8", "replace").splitlines()
    found = [
        line for line in lines if line.startswith(("Error", "Warning")) and not any(old in line for old in _OUTDATED)
    ]
    return found or ([] if done.returncode == 0 else ["no answer"])
