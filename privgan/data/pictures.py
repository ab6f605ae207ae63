"""Pictures that several patients have: of two or three numbers they are one person's, of more they are nobody's.

A scanner's test card or a note "no image available" under hundreds of numbers would make hundreds of people one.
"""

import hashlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Flags, Integers

MOST_HOLDERS = 3


class Pictures:
    """Which picture which patient has; sensitive, so its repr shows a count only. Memory is one entry a picture."""

    def __init__(self) -> None:
        self._places: dict[bytes, int] = {}
        self._holders: list[tuple[int, ...]] = []

    def __repr__(self) -> str:
        return f"Pictures({len(self._holders)})"

    def add(self, image: NDArray[np.uint8], number: int) -> int:
        """The place of the picture among all, which the patient of this number has."""
        place = self._places.setdefault(hashlib.sha256(image.tobytes()).digest()[:16], len(self._holders))
        if place == len(self._holders):
            self._holders.append((number,))
        elif number not in self._holders[place] and len(self._holders[place]) <= MOST_HOLDERS:
            self._holders[place] += (number,)
        return place

    def nobodys(self, places: Integers) -> Flags:
        """Which of these pictures, (n,), more than three numbers have."""
        shared = np.array([len(holders) > MOST_HOLDERS for holders in self._holders], dtype=np.bool_)
        return shared[places] if len(places) else np.zeros(0, dtype=np.bool_)

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Numbers that are one person, because both have the same picture."""
        for holders in self._holders:
            if len(holders) <= MOST_HOLDERS:
                yield from ((holders[0], other) for other in holders[1:])
