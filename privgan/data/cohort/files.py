"""The files of a cohort that hold one row an image, or one line a refusal."""

import json
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Flags
from privgan.data.cohort.people import People
from privgan.files import PRIVATE_FILE, open_new, open_regular, write_bytes

_COPIED_BYTES = 1 << 24


def write_images(rows: Path, target: Path, kept: Flags, shape: tuple[int, ...]) -> None:
    """images.npy: the rows that stay, uint8 (n, *shape), copied some megabytes at a time."""
    row_bytes = math.prod(shape)
    at_once = max(1, _COPIED_BYTES // row_bytes)
    with open_regular(rows) as source, open_new(target) as stream:
        header = {"descr": "|u1", "fortran_order": False, "shape": (int(kept.sum()), *shape)}
        np.lib.format.write_array_header_1_0(stream, header)
        for start in range(0, len(kept), at_once):
            chosen = kept[start : start + at_once]
            pixels = np.frombuffer(source.read(len(chosen) * row_bytes), dtype=np.uint8)
            stream.write(pixels.reshape(-1, row_bytes)[chosen].tobytes())


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
