"""What a set is drawn from: 256 bits, out of which every random part follows by itself.

Each part is a stream of SHAKE256 (FIPS 202) over its name, its position and the seed, so that any image can be drawn
again without those before it, and on every machine from the same numbers: NumPy's own generators may change from
version to version. The seed stays in the hospital; a set carries its SHA-256 alone.
"""

import hashlib
import math
import re
import secrets
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Floats, Integers
from privgan.errors import UsageError
from privgan.files import sha256_bytes

_BYTES = 32
_TEXT = re.compile(rb"[0-9a-f]{64}\n")


@dataclass(frozen=True, kw_only=True)
class Seed:
    """value: 32 bytes, from the operating system's entropy outside tests."""

    value: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.value) != _BYTES:
            raise UsageError(f"Expected a seed of {_BYTES} bytes, got {len(self.value)}.")

    @classmethod
    def fresh(cls) -> Self:
        """A seed that nobody chose."""
        return cls(value=secrets.token_bytes(_BYTES))

    @classmethod
    def of_text(cls, content: bytes) -> Self:
        """The inverse of `text`.

        Raises:
            UsageError: it is not a line of 64 hexadecimal digits.
        """
        if not _TEXT.fullmatch(content):
            raise UsageError("Expected a seed as a line of 64 hexadecimal digits.")
        return cls(value=bytes.fromhex(content.decode()))

    @property
    def text(self) -> str:
        """A line of hexadecimal digits."""
        return f"{self.value.hex()}\n"

    @property
    def sha256(self) -> str:
        """What tells that a seed is the one, and nothing about it."""
        return sha256_bytes(self.value)

    def words(self, purpose: str, position: int, count: int) -> NDArray[np.uint64]:
        """Independent uniform words (count,) of one part of a set."""
        stream = hashlib.shake_256(f"privgan {purpose} {position} ".encode() + self.value)
        return np.frombuffer(stream.digest(8 * count), "<u8")

    def normal(self, purpose: str, position: int, count: int) -> Floats:
        """Independent standard normal numbers (count,), by the transform of Box and Muller (1958).

        The top 53 bits of a word: (0, 1] for the radius, so that its logarithm is finite, and [0, 1) turns.
        """
        pairs = (count + 1) // 2
        uniform = (self.words(purpose, position, 2 * pairs) >> np.uint64(11)) * 2.0**-53
        radius = np.sqrt(-2 * np.log(uniform[:pairs] + 2.0**-53))
        angle = 2 * math.pi * uniform[pairs:]
        return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:count]

    def order(self, purpose: str, count: int) -> Integers:
        """A random order of `count` things: int64 (count,)."""
        return np.argsort(self.words(purpose, 0, count), kind="stable").astype(np.int64)
