"""Sums as they stand in an answer: little-endian doubles in base64, and what is refused of them."""

import base64

import numpy as np
import torch
from torch import Tensor

from privgan.errors import IntegrityError


def packed(values: Tensor) -> str:
    """Of float64 values of any shape, one after the other."""
    return base64.b64encode(np.ascontiguousarray(values.numpy(), dtype="<f8").tobytes()).decode()


def unpacked(text: object, shape: tuple[int, ...], *, grid: float, longest: float) -> Tensor:
    """The values, float64 of that shape.

    Args:
        text: what `packed` wrote, or anything else.
        shape: of the question that was answered.
        grid: what every number is a multiple of.
        longest: their Euclidean norm at most; a site may lie about its patients, but not about how many they are.

    Raises:
        IntegrityError: not such numbers, not as many, not finite, off the grid, or too long.
    """
    try:
        content = base64.b64decode(str(text), validate=True)
    except ValueError:
        raise IntegrityError("Expected numbers in base64, they cannot be read.") from None
    count = int(np.prod(shape))
    if len(content) != 8 * count:
        raise IntegrityError(f"Expected {count} numbers, as many as were asked for, got another count.")
    values = torch.from_numpy(np.frombuffer(content, dtype="<f8").astype(np.float64))
    if not bool(torch.isfinite(values).all()):
        raise IntegrityError("Expected finite numbers, some are infinite or none.")
    if not float(values.norm()) <= longest:
        raise IntegrityError("Expected sums that the invitation's members and noise can make, these are larger.")
    if not bool((values / grid == (values / grid).round()).all()):
        raise IntegrityError("Expected numbers on the grid that the noise is rounded to, some lie between.")
    return values.reshape(shape)
