"""The one form of images, and how files hold them.

Inside, images are (n, h, w, c): one channel of grey, or red, green and blue. Files hold grey ones as (n, h, w);
whoever reads or writes a file comes through here, and nobody else needs to ask which it is.
"""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

_Kind = TypeVar("_Kind", bound=np.generic)


def with_channels(stored: NDArray[_Kind]) -> NDArray[_Kind]:
    """Stored images (n, h, w), or (n, h, w, 3), as (n, h, w, c): the same memory.

    >>> with_channels(np.zeros((2, 8, 8))).shape, with_channels(np.zeros((2, 8, 8, 3))).shape
    ((2, 8, 8, 1), (2, 8, 8, 3))
    """
    return stored[..., None] if stored.ndim == 3 else stored


def as_stored(images: NDArray[_Kind]) -> NDArray[_Kind]:
    """Images (n, h, w, c), or a single one (h, w, c), as files hold them: the same memory.

    >>> as_stored(np.zeros((2, 8, 8, 1))).shape, as_stored(np.zeros((8, 8, 3))).shape
    ((2, 8, 8), (8, 8, 3))
    """
    return images[..., 0] if images.shape[-1] == 1 else images


def joined(*parts: NDArray[_Kind]) -> NDArray[_Kind]:
    """Images (n, h, w, c) of several arrays, one after the other: where they lie so in memory already, that memory.

    >>> both = np.zeros((5, 8, 8, 1))
    >>> np.shares_memory(joined(both[:2], both[2:]), both), np.shares_memory(joined(both[2:], both[:2]), both)
    (True, False)
    """
    whole, shape = parts[0].base, parts[0].shape[1:]
    if not isinstance(whole, np.ndarray) or not whole.flags.c_contiguous:
        return np.concatenate(parts)
    at = whole.ctypes.data
    for part in parts:
        alike = part.base is whole and part.dtype == whole.dtype and part.shape[1:] == shape
        if not alike or not part.flags.c_contiguous or part.ctypes.data != at:
            return np.concatenate(parts)
        at += part.nbytes
    there = at == whole.ctypes.data + whole.nbytes
    return whole.reshape(-1, *shape) if there and whole.size else np.concatenate(parts)


def are_images(array: NDArray[Any]) -> bool:
    """Whether an array has the one form."""
    return array.ndim == 4 and array.shape[3] in (1, 3)
