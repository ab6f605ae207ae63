"""A second opinion by dciodvfy (David Clunie's dicom3tools), where it is installed.

Its dictionary is older than Synthetic Data (0008,001C) and dermoscopy, and does not hold every body part: Body Part
Examined (0018,0015) has defined terms, and a value that is none of them is not invalid (PS3.5 section 6.3). Such
lines are left out; everything else that it calls an error or a warning counts. What it says can quote values, so that
only the number of its complaints is passed on.
"""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

NAME = "dciodvfy"
MOST_FILES = 8  # all files of a set come from one template
_SECONDS = 60
_UNKNOWN_TO_IT = (
    "</(0008,001c)>",
    "</Modality(0008,0060)[1]> - Unrecognized defined term = <DMS>",
    "</BodyPartExamined(0018,0015)[1]> - Unrecognized defined term = <",
)


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
        line
        for line in lines
        if line.startswith(("Error", "Warning")) and not any(term in line for term in _UNKNOWN_TO_IT)
    ]
    return found or ([] if done.returncode == 0 else ["no answer"])
