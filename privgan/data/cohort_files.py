"""The files of a cohort that hold one row an image, or one line a refusal."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from privgan.data.people import People
from privgan.files import PRIVATE_FILE, open_new, open_regular, write_bytes

_COPIED_ROWS = 4096


def write_images(rows: Path, target: Path, kept: NDArray[np.bool_], size: int) -> None:
    """images.npy: the rows that stay, uint8 (n, size, size), copied some thousand at a time."""
    shape = (int(kept.sum()), size, size)
    with open_regular(rows) as source, open_new(target) as stream:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, header)
        for start in range(0, len(kept), _COPIED_ROWS):
            chosen = kept[start : start + _COPIED_ROWS]
            pixels = np.frombuffer(source.read(len(chosen) * size**2), dtype=np.uint8)
            stream.write(pixels.reshape(-1, size, size)[chosen].tobytes())


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
