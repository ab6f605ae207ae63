"""A DICOM file that was written once, as the pattern of others: what varies is put between the bytes that stay.

The files of a set differ in a few elements and the pixels, and a general encoder takes a quarter of the time in which
an audit searches one. Explicit VR Little Endian (PS3.5 7.1.2): tag, VR, length and value, which has an even length.
"""

import struct
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

GROUP_LENGTH, MEDIA_UID = 0x00020000, 0x00020003
_LONG = frozenset(str(vr).encode() for vr in EXPLICIT_VR_LENGTH_32)  # a reserved field, and four bytes of length
_ZERO_PADDED = frozenset((b"UI", b"OB", b"OW"))  # texts end with a space instead
_FIRST = 132  # byte after the preamble and the prefix


@dataclass(frozen=True, kw_only=True)
class _Hole:
    """An element of the data set or the file meta, at its top level."""

    tag: int
    vr: bytes

    def filled(self, value: bytes) -> bytes:
        padded = _even(self.vr, value)
        head = struct.pack("<HH2s", self.tag >> 16, self.tag & 0xFFFF, self.vr)
        length = struct.pack("<2xI" if self.vr in _LONG else "<H", len(padded))
        return head + length + padded


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """parts: bytes that stay, and holes. meta_length: of the file meta, but for the UID of its SOP instance."""

    parts: tuple[bytes | _Hole, ...]
    meta_length: int

    @classmethod
    def of(cls, content: bytes, varying: Collection[int]) -> "Pattern":
        """Of a whole file.

        Args:
            content: in Explicit VR Little Endian.
            varying: tags of elements that get other values; with MEDIA_UID the length of the file meta varies, too.
        """
        parts: list[bytes | _Hole] = []
        position, meta_length = 0, 0
        for tag, vr, start, value, end in _elements(content):
            if tag in varying or tag == GROUP_LENGTH:
                parts += [content[position:start], _Hole(tag=tag, vr=vr)]
                position = end
            if tag == GROUP_LENGTH:
                (meta_length,) = struct.unpack("<I", content[value:end])
            elif tag == MEDIA_UID:
                meta_length -= end - value
        return cls(parts=(*parts, content[position:]), meta_length=meta_length)

    def filled(self, values: Mapping[int, bytes]) -> bytes:
        """The file with these values, by tag, for all that varies."""
        length = self.meta_length + len(_even(b"UI", values[MEDIA_UID]))
        every = {**values, GROUP_LENGTH: struct.pack("<I", length)}
        return b"".join(part if isinstance(part, bytes) else part.filled(every[part.tag]) for part in self.parts)


def _even(vr: bytes, value: bytes) -> bytes:
    return value + (b"\0" if vr in _ZERO_PADDED else b" ") if len(value) % 2 else value


def _elements(content: bytes) -> Iterator[tuple[int, bytes, int, int, int]]:
    """Of each element at the top level its tag and VR, where it starts, where its value does, and where it ends."""
    start = _FIRST
    while start < len(content):
        group, element, vr = struct.unpack_from("<HH2s", content, start)
        value = start + (12 if vr in _LONG else 8)
        (length,) = struct.unpack_from("<I" if vr in _LONG else "<H", content, value - (4 if vr in _LONG else 2))
        yield group << 16 | element, vr, start, value, value + length
        start = value + length
