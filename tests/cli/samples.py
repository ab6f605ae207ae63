"""Images of one population as files, for audits that know no cohort."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.cli.conftest import blobs

Array = np.ndarray[Any, np.dtype[np.uint8]]


def save(path: Path, images: Array, name: str) -> Path:
    """An .npz of one class, a patient an image."""
    people = np.array([f"{name}-{row:06d}" for row in range(len(images))])
    np.savez(path, images=images, labels=np.zeros(len(images), dtype=np.int64), patient_id=people)
    return path


def images_in(path: Path) -> Array:
    """The images of such a file: uint8 (n, h, w)."""
    with np.load(path) as held:
        images: Array = held["images"]
    return images


def three_files(folder: Path) -> tuple[Path, Path, Path]:
    """400 synthetic images, 667 members, 333 non-members: all from one population."""
    drawn = blobs(1400, 11)
    return (
        save(folder / "synthetic.npz", drawn[:400], "s"),
        save(folder / "members.npz", drawn[400:1067], "m"),
        save(folder / "non-members.npz", drawn[1067:], "n"),
    )
