"""Whether a file differs from another one of its set in nothing that conformance could fail on.

The files of a set differ in their UIDs, in who the invented patient is, in numbers and in pixels. Where all else is
to the byte what a file had that was found right, and those are plain values that their VR allows, so is this one. Any
doubt is no likeness, and the file is read.
"""

import hashlib
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from pydicom.tag import Tag

_META_LENGTH, _MEDIA = int(Tag("FileMetaInformationGroupLength")), int(Tag("MediaStorageSOPInstanceUID"))
_SOP, _PIXELS = int(Tag("SOPInstanceUID")), int(Tag("PixelData"))
_UIDS = (_MEDIA, _SOP, *map(int, map(Tag, ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"))))
_TEXTS = tuple(map(int, map(Tag, ("PatientName", "PatientID", "SeriesNumber", "InstanceNumber"))))
_OWN = frozenset((_META_LENGTH, _PIXELS, *_UIDS, *_TEXTS))
_BODY = 132  # where the preamble and DICM end
_FOUR_BYTES = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())  # of length, behind two of nothing
_UID = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))*", re.ASCII)  # PS3.5 9.1; pydicom's own warns, and quotes it
_PLAIN = re.compile(r"[A-Za-z0-9^.-]{1,64}", re.ASCII)  # one value, of no character set


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """kind: SHA-256 of all that the files of a set share, and of which elements are a file's own.

    own: VR and value of each of these but the pixels, by tag.
    """

    kind: bytes
    own: dict[int, tuple[str, bytes]]

    @classmethod
    def of(cls, content: bytes) -> Self | None:
        """Of a whole file; None of one that is written in an unusual way."""
        shared, own, written, last, end = hashlib.sha256(), {}, 0, -1, 0
        for tag, vr, start, value, end in _walked(content):
            if tag <= last:
                return None
            last = tag
            if tag in _OWN:
                shared.update(content[written:start])
                shared.update(struct.pack("<I2sI", tag, vr, end - value if tag == _PIXELS else 0))
                written = end
                if tag != _PIXELS:
                    own[tag] = vr.decode("latin-1"), content[value:end]
        if end != len(content):
            return None
        shared.update(content[written:])
        return cls(kind=shared.digest(), own=own)

    @cached_property
    def texts(self) -> dict[int, tuple[str, str]] | None:
        """VR and text of what is its own, without UIDs; None unless all is plain, and UIDs are what they must be."""
        if self.own.get(_MEDIA) != self.own.get(_SOP):
            return None
        found = {}
        for tag, (vr, value) in self.own.items():
            if tag == _META_LENGTH:
                continue
            text = value.decode("latin-1").removesuffix("\0" if vr == "UI" else " ")
            if not _PLAIN.fullmatch(text) or (vr == "UI") != (tag in _UIDS):
                return None
            if vr != "UI":
                found[tag] = vr, text
            elif not _UID.fullmatch(text):
                return None
        return found


def _walked(content: bytes) -> Iterator[tuple[int, bytes, int, int, int]]:
    """Tag, VR, start, start of the value and end of each element at the top level, in Explicit VR Little Endian.

    See PS3.5 7.1.2. Of a file that is written otherwise, the last one ends elsewhere than the file.
    """
    at = _BODY
    while at < len(content):
        group, element, vr = content[at : at + 2], content[at + 2 : at + 4], content[at + 4 : at + 6]
        value = at + (12 if vr in _FOUR_BYTES else 8)
        length = int.from_bytes(content[at + 8 if vr in _FOUR_BYTES else at + 6 : value], "little")
        yield int.from_bytes(group, "little") << 16 | int.from_bytes(element, "little"), vr, at, value, value + length
        at = value + length
