"""How far the records of a set are from patients' records, as a table: columns alone, and two by two.

The total variation between two tables of shares, half of the sum of all differences: 0 is alike, 1 shares nothing.
The same number of other real patients stands beside it: how far two halves of a hospital are from each other.
"""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np

from privgan.arrays import Floats, Integers, Texts
from privgan_audits.evidence.interface import Sample

Table = Mapping[str, Texts]
"""Values (n,) by column, of each image."""


def likeness(members: Sample, others: Sample, made: Sample, names: tuple[str, ...]) -> dict[str, Any]:
    """Every column and every pair of them, patients counting alike on the real sides.

    Returns:
        `columns` by name and `pairs` as a list, each with the distances of `synthetic` and of `reference` from the
        members, pairs with the `names` of both.
    """
    sides = (members, others, made)
    weights = [_weights(side.patients) for side in sides]
    codes = {name: _codes([side.columns[name] for side in sides]) for name in names}

    def distances(chosen: tuple[str, ...]) -> dict[str, float]:
        keys = [np.stack([codes[name][side] for name in chosen], axis=1) for side in range(3)]
        cells = np.unique(np.concatenate(keys), axis=0, return_inverse=True)[1]
        parts = np.split(cells, np.cumsum([len(each) for each in keys])[:2])
        ours, theirs, synthetic = (
            np.bincount(part, each, cells.max() + 1).astype(np.float64)
            for part, each in zip(parts, weights, strict=True)
        )
        return {"synthetic": _apart(ours, synthetic), "reference": _apart(ours, theirs)}

    return {
        "columns": {name: distances((name,)) for name in names},
        "pairs": [{"names": list(pair), **distances(pair)} for pair in combinations(names, 2)],
    }


def _weights(patients: Integers) -> Floats:
    """(n,), which sum to one: each patient's images together as much as any other's."""
    owner, images = np.unique(patients, return_inverse=True, return_counts=True)[1:]
    return np.asarray(1 / (images[owner] * len(images)))


def _codes(sides: list[Texts]) -> list[Integers]:
    numbers = np.unique(np.concatenate(sides), return_inverse=True)[1]
    return np.split(numbers, np.cumsum([len(side) for side in sides])[:-1])


def _apart(one: Floats, other: Floats) -> float:
    return float(np.abs(one - other).sum() / 2)
