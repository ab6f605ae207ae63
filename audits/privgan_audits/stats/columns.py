"""How many of each column are ones: what pools of choices are asked most, in the smallest numbers that hold it."""

from itertools import pairwise

import numpy as np

from privgan.arrays import Choices, Flags, Integers

_LONG = 512  # columns from which on rows are added one by one


def sums(ones: Choices | Flags) -> Integers:
    """Of zeros and ones (n, b): (b,). In 64 bits it takes seven times as long.

    >>> sums(np.ones((3, 2), np.uint8))
    array([3, 3], dtype=uint8)
    """
    return np.asarray(ones.sum(axis=0, dtype=np.min_scalar_type(len(ones))))


def running(ones: Choices) -> Integers:
    """Up to each row of zeros and ones (n, b): (n, b). Long rows are added one by one, along memory.

    >>> running(np.ones((3, 2), np.uint8))[:, 0]
    array([1, 2, 3], dtype=uint8)
    """
    counts = ones.astype(np.min_scalar_type(len(ones)))
    if counts.shape[1] < _LONG:
        return np.asarray(counts.cumsum(axis=0, dtype=counts.dtype))
    for before, here in pairwise(counts):
        np.add(here, before, out=here)
    return np.asarray(counts)
