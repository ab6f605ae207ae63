"""What of records is counted: how often each two of them meet, for every pair of the class and the columns.

A record is a row of codes, the class first. Everything about it that is asked of patients is a one-hot block a pair,
each with a weight such that a whole record has norm 1: few cells a block are known better than many, and the weights
w_b^2 ~ sqrt(cells of b) make the squared error of all cells together least.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from privgan.arrays import Floats, Integers


@dataclass(frozen=True)
class Pairs:
    """levels: how many codes the class and each column have; at least two of them."""

    levels: tuple[int, ...]

    @cached_property
    def axes(self) -> tuple[tuple[int, int], ...]:
        """Which two each block is of."""
        return tuple(combinations(range(len(self.levels)), 2))

    @cached_property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Of each block."""
        return tuple((self.levels[i], self.levels[j]) for i, j in self.axes)

    @cached_property
    def starts(self) -> Integers:
        """Where each block begins among all cells, and their number at the end: (blocks + 1,)."""
        return np.cumsum([0, *(rows * columns for rows, columns in self.shapes)])

    @property
    def cells(self) -> int:
        """Of all blocks together."""
        return int(self.starts[-1])

    @cached_property
    def weights(self) -> Floats:
        """What a record has in its cell of each block: (blocks,), of norm 1."""
        sizes = np.diff(self.starts) ** 0.25
        return np.asarray(sizes / np.linalg.norm(sizes), dtype=np.float64)

    def places(self, records: Integers) -> Integers:
        """The cell of each record (n, levels) in every block: int64 (n, blocks).

        What is no code counts as the first: what has no meaning says nothing.
        """
        known = np.where((records >= 0) & (records < np.array(self.levels)), records, 0)
        found = [known[:, i] * self.levels[j] + known[:, j] for i, j in self.axes]
        return np.stack(found, axis=1) + self.starts[:-1]

    def errors(self, noise: float) -> Floats:
        """Standard errors of a cell's count in each block, (blocks,), of an answer that bears this noise."""
        return noise / self.weights

    def split(self, cells: Floats) -> list[Floats]:
        """One matrix a block."""
        return [part.reshape(shape) for part, shape in zip(self._parts(cells), self.shapes, strict=True)]

    def spread(self, cells: Floats) -> list[Floats]:
        """One array a block that a joint table can be multiplied by or added to."""
        ones = [1] * len(self.levels)
        shapes = []
        for (i, j), (rows, columns) in zip(self.axes, self.shapes, strict=True):
            shape = ones.copy()
            shape[i], shape[j] = rows, columns
            shapes.append(shape)
        return [part.reshape(shape) for part, shape in zip(self._parts(cells), shapes, strict=True)]

    def of(self, joint: Floats) -> Floats:
        """All blocks (cells,) of a joint table."""
        every = range(len(self.levels))
        return np.concatenate(
            [joint.sum(axis=tuple(k for k in every if k not in pair)).ravel() for pair in self.axes]
        )

    def alone(self, cells: Floats, noise: float) -> tuple[list[Floats], list[float]]:
        """What all blocks say of the class and of each column alone, and the standard error of a value's count.

        A column is in as many blocks as there are others; their sums are averaged by their certainty.
        """
        found, errors = [], []
        blocks, spread = self.split(cells), self.errors(noise)
        for which in range(len(self.levels)):
            total, certainty = np.zeros(self.levels[which]), 0.0
            for pair, block, error in zip(self.axes, blocks, spread, strict=True):
                if which in pair:
                    other = 1 - pair.index(which)
                    certain = 1 / (error**2 * block.shape[other])
                    total += certain * block.sum(axis=other)
                    certainty += certain
            found.append(total / certainty)
            errors.append(math.sqrt(1 / certainty))
        return found, errors

    def _parts(self, cells: Floats) -> list[Floats]:
        return np.split(cells, self.starts[1:-1])
