"""The files of a cohort that hold one row an image, or one line a refusal."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from privgan.data.people import People
from privgan.files import PRIVATE_FILE, write_bytes

_COPIED_ROWS = 4096


def write_images(rows: Path, target: Path, kept: NDArray[np.bool_], size: int) -> None:
    """Copy the rows that stay, some thousand at a time."""
    source = np.memmap(rows, dtype=np.uint8, mode="r", shape=(len(kept), size, size))
    images = np.lib.format.open_memmap(target, mode="w+", dtype=np.uint8, shape=(int(kept.sum()), size, size))
    wanted = np.flatnonzero(kept)
    for start in range(0, len(wanted), _COPIED_ROWS):
        chosen = wanted[start : start + _COPIED_ROWS]
        images[start : start + len(chosen)] = source[chosen]
    images.flush()
    del source, images
    target.chmod(PRIVATE_FILE)


def write_patients(
    target: Path, people: People, labels: list[str], classes: tuple[str, ...], sides: NDArray[np.uint8]
) -> None:
    """patients.npz: person, class number and side of every kept image."""
    numbers = {name: number for number, name in enumerate(classes)}
    with target.open("xb") as stream:
        np.savez(
            stream,
            patient=people.persons,
            label=np.array([numbers.get(label, 0) for label in labels], dtype=np.int64),
            split=sides[people.persons],
        )
    target.chmod(PRIVATE_FILE)


def write_refused(target: Path, refused: list[tuple[str, bytes]]) -> None:
    """refused.jsonl: a code and a keyed hash of the place for every refusal."""
    lines = (json.dumps({"code": code, "where": mark.hex()}) + "\n" for code, mark in refused)
    write_bytes(target, "".join(lines).encode())
