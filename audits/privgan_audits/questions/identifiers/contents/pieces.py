"""What the scan reads out of a file, and how much a file may make it read.

A container is opened to a fixed depth, and all that is decompressed below one file shares one allowance, so
that a small hostile file costs neither hours nor memory. What is not opened for that reason is told, not skipped.
"""

import lzma
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from privgan.data.identifiers import SHORTEST

UNREADABLE = "unreadable"
BYTES = "bytes"  # how the kinds of runs of raw bytes begin
DEPTH = 6
# Of containers; what is hidden in other bytes or in base64 is looked at closely when it begins like this.
FILE_BEGINNINGS = (
    *(b"PK\x03\x04", b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\0", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"),
    *(b"\x93NUMPY", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"),
)
_ALLOWED_BYTES = 64 << 20
_ALLOWED_RATIO = 16
_LEAST_CHARGE = 1 << 10  # bytes; an attempt that yields nothing costs time as well
_FED_FIRST_BYTES, _FED_BYTES = 1 << 9, 1 << 16  # most that look like a stream are none
Knows = Callable[[str], bool]
DAMAGE = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, MemoryError)


class Piece(NamedTuple):
    """One text of a file: `kind` says where (never what); of a `whole` one only the entire text counts.

    least: characters that an identifier in it must have, after `normalise`.
    ragged: its first or last character may belong to the bytes beside it.
    The kind UNREADABLE has no text: something was there that could not be searched.
    """

    kind: str
    text: str
    whole: bool = False
    least: int = SHORTEST
    ragged: bool = False


def anything(_: str) -> bool:
    """Whatever a text spells, it is looked up."""
    return True


class Machine(Protocol):
    """What `zlib`, `bz2` and `lzma` decompressors have in common."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended, with its checksum right."""

    @property
    def unused_data(self) -> bytes:
        """What stood behind the stream, of what was fed last."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """The next bytes, at most `max_length`."""


@dataclass(kw_only=True)
class Allowance:
    """Decompressed bytes that may still be made."""

    left: int

    def take(self, count: int) -> bool:
        """Charge for some bytes; False, and nothing is left, when they are too many."""
        self.left = max(self.left - max(count, _LEAST_CHARGE), 0)
        return self.left > 0


@dataclass(frozen=True, kw_only=True)
class Opening:
    """How far the contents of one file may be opened; `search` reads whatever lies inside.

    knows: whether a normalised text may be what is looked for; runs of noise that are not are left out.
    """

    depth: int
    allowance: Allowance
    search: Callable[[bytes, "Opening"], Iterator[Piece]]
    knows: Knows = anything

    @classmethod
    def of(
        cls, size: int, search: Callable[[bytes, "Opening"], Iterator[Piece]], knows: Knows = anything
    ) -> "Opening":
        """For a file of so many bytes."""
        allowance = Allowance(left=_ALLOWED_BYTES + _ALLOWED_RATIO * size)
        return cls(depth=DEPTH, allowance=allowance, search=search, knows=knows)

    def deeper(self) -> "Opening":
        """One level down."""
        return replace(self, depth=self.depth - 1)

    def inside(self, content: bytes | None) -> Iterator[Piece]:
        """The pieces of what lay in a container; None stands for what could not be opened."""
        if content is None or self.depth == 0:
            yield Piece(UNREADABLE, "")
        else:
            yield from self.search(content, self.deeper())

    def expanded(self, machine: Machine, content: bytes, start: int = 0) -> tuple[bytes | None, int]:
        """Decompress a stream, as far as it is undamaged.

        Returns:
            its bytes (None when the allowance does not suffice), and where in `content` it ends.
        """
        parts: list[bytes] = []
        while start < len(content) and not machine.eof:
            fed = content[start : start + (_FED_BYTES if parts else _FED_FIRST_BYTES)]
            try:
                part = machine.decompress(fed, self.allowance.left + 1)
            except DAMAGE:
                self.allowance.take(0)
                break
            if not self.allowance.take(len(part)):
                return None, len(content)
            parts.append(part)
            start += len(fed) - len(machine.unused_data)
        return b"".join(parts), start
