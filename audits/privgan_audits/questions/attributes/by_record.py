"""Guesses without an image: whoever knows all other columns of a patient reads the missing one off the set's records.

The attacker takes the synthetic records that agree with most of what is known, all of them that agree equally well,
and the value that most of these carry (the inference attack of Giomi et al. 2023, with all ties instead of one).
"""

from collections.abc import Mapping

import numpy as np

from privgan.arrays import Integers, Texts
from privgan.language import tr
from privgan.progress import Progress, silent

_ROWS = 256  # of real images at once: beside each of them all synthetic ones


def guesses(columns: Mapping[str, tuple[Texts, Texts]], name: str, task: str, progress: Progress = silent) -> Texts:
    """What each real image's value of a column is guessed to be, from all its other columns: (n,).

    Args:
        columns: by name a value of each real image (n,) and of each synthetic one (m,), empty where unknown. What is
            unknown agrees with nothing.
        name: the column to guess; a synthetic image has a value of it.
        task: what progress is told.
        progress: told of the images.
    """
    made = np.flatnonzero(columns[name][1] != "")
    values, votes = np.unique(columns[name][1][made], return_inverse=True)
    ballots = np.eye(len(values), dtype=np.float32)[votes]
    real, synthetic = _codes({key: both for key, both in columns.items() if key != name}, made)
    guessed = np.empty(len(real), dtype=values.dtype)
    for start in range(0, len(real), _ROWS):
        part = slice(start, start + _ROWS)
        agree = (real[part, None] == synthetic[None]).sum(axis=2, dtype=np.int16)
        best = agree == agree.max(axis=1, keepdims=True)
        guessed[part] = values[(best.astype(np.float32) @ ballots).argmax(axis=1)]
        progress(tr(task), min(start + _ROWS, len(real)), len(real))
    return guessed


def _codes(columns: Mapping[str, tuple[Texts, Texts]], made: Integers) -> tuple[Integers, Integers]:
    """Numbers (n, c) and (m, c), equal where texts are; of unknown ones -1 on the one side and -2 on the other."""
    pairs = []
    for real, synthetic in columns.values():
        known = np.unique(np.concatenate([real, synthetic]))
        sides = [np.searchsorted(known, real), np.searchsorted(known, synthetic[made])]
        sides[0][real == ""], sides[1][synthetic[made] == ""] = -1, -2
        pairs.append(sides)
    first, second = (np.stack(side, axis=1).astype(np.int64) for side in zip(*pairs, strict=True))
    return first, second
