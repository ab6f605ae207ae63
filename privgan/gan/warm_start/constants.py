"""Cosines and exponentials that are the same to the last bit on every machine.

An image is drawn again from the constants of its generator, which are computed anew each time. Libraries give the
nearest double, or the one beside it, as their version and the processor have it; here each value is found with 40
digits and rounded once, and everything else that is done with it is one operation at a time, which IEEE 754 defines.
"""

from collections.abc import Iterator
from decimal import Context, Decimal, localcontext
from functools import cache

import numpy as np

from privgan.arrays import Floats

_DIGITS = 40
_SMALLEST = Decimal("1e-45")
_PI = Decimal("3.14159265358979323846264338327950288419716939937510")


@cache
def cosine_columns(size: int) -> Floats:
    """Orthonormal cosines (size, size) of the inverse DCT: column u at place n is cos(pi (2n + 1) u / (2 size))."""
    quarter = _quarter_wave(size)
    at = (2 * np.arange(size)[:, None] + 1) * np.arange(size)[None] % (4 * size)
    at = np.minimum(at, 4 * size - at)  # the cosine is even
    waves = np.where(at <= size, quarter[np.minimum(at, size)], -quarter[np.minimum(2 * size - at, size)])
    scale = np.full(size, np.sqrt(2 / size))
    scale[0] = np.sqrt(1 / size)
    return np.asarray(waves * scale, dtype=np.float64)


def exponential(exponent: float) -> float:
    """The double nearest to e to that power."""
    return float(Decimal(exponent).exp(Context(prec=_DIGITS)))


def _quarter_wave(size: int) -> Floats:
    """cos(pi k / (2 size)) for k = 0 to size."""
    with localcontext(prec=_DIGITS):
        return np.array([float(sum(_cosine(_PI * k / (2 * size)), Decimal(0))) for k in range(size)] + [0.0])


def _cosine(angle: Decimal) -> Iterator[Decimal]:
    """The terms of its series, from 0 to a right angle."""
    term, n = Decimal(1), 0
    while abs(term) > _SMALLEST:
        yield term
        n += 2
        term = -term * angle * angle / (n * (n - 1))
