"""How many images are worked on at once: so many as take no more room than those of a size that everybody has."""

WHOLE = 128  # pixels a side, up to which as many go through as are asked for


def at_once(most: int, side: int, *, whole: int = WHOLE) -> int:
    """As many as `most` up to `whole` pixels a side, and fewer of larger ones, whose maps are as many times larger.

    >>> [at_once(32, side) for side in (28, 128, 256)], at_once(2, 256)
    ([32, 32, 8], 1)
    """
    return max(1, min(most, most * whole**2 // side**2))
