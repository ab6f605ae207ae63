"""Sums as they stand in an answer: little-endian numbers of eight bytes in base64, and what is refused of them."""

import base64
import math

import numpy as np
import torch
from torch import Tensor

from privgan.errors import IntegrityError

Shape = tuple[int, int]


def packed(values: Tensor) -> str:
    """Of float64 or int64 values of any shape, one after the other."""
    numbers = values.numpy()
    return base64.b64encode(np.ascontiguousarray(numbers, dtype=numbers.dtype.newbyteorder("<")).tobytes()).decode()


def unpacked(text: str, shape: Shape, dtype: str) -> Tensor:
    """The values: float64 ("f8") or int64 ("i8") of that shape.

    Raises:
        IntegrityError: not such numbers, or not as many.
    """
    try:
        content = base64.b64decode(text, validate=True)
    except ValueError:
        raise IntegrityError("Expected numbers in base64, they cannot be read.") from None
    count = math.prod(shape)
    if len(content) != 8 * count:
        raise IntegrityError(f"Expected {count} numbers, as many as were asked for, got another count.")
    return torch.from_numpy(np.frombuffer(content, dtype=f"<{dtype}").astype(dtype)).reshape(shape)


def require_sums(values: Tensor, *, grid: float, longest: float) -> None:
    """Refuse what no sum of the invitation's members is.

    Args:
        values: float64.
        grid: what every number is a multiple of.
        longest: their Euclidean norm at most; a site may lie about its patients, but not about how many they are.

    Raises:
        IntegrityError: not finite, off the grid, or too long.
    """
    if not bool(torch.isfinite(values).all()):
        raise IntegrityError("Expected finite numbers, some are infinite or none.")
    if not float(values.norm()) <= longest:
        raise IntegrityError("Expected sums that the invitation's members and noise can make, these are larger.")
    if not bool((values / grid == (values / grid).round()).all()):
        raise IntegrityError("Expected numbers on the grid that the noise is rounded to, some lie between.")
