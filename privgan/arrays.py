"""The kinds of NumPy arrays that this project speaks of, named once; shapes stand where they are used."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
"""Stored images, levels 0 to 255."""
Singles = NDArray[np.float32]
"""Numbers in single precision: images in [-1, 1], points of a learned space."""
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Texts = NDArray[np.str_]

Bits = NDArray[np.signedinteger[Any]]
"""Numbers that are not negative, as the integers that their bits spell: these have the same order."""

Values = Texts | Floats
"""A further column of a table: texts, empty where unknown, or numbers, NaN there."""
Order = Flags
"""Patients sorted by an attack, the likeliest member first; True where one is a non-member."""
Choices = NDArray[np.uint8]
"""Who might have been held back: (patients, choices), ones for non-members."""
