"""From bytes to the few elements that are read: file meta first, then the listed tags, pixels last.

Nothing but listed elements is kept, a deflated data set is inflated up to a limit, and the stream is left where the
pixels begin, so that a file of many frames never lies in memory as a whole.
"""

import functools
import io
import re
import struct
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import BinaryIO

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from privgan.data.formats.dicom.header import CHARACTER_SET, Header, Walked, encoding_of, meta_text, walked
from privgan.data.formats.dicom.syntaxes import DECODERS
from privgan.data.refusals import RefusedError

MAX_INFLATED_BYTES = 128 << 20
UNDEFINED_LENGTH = 0xFFFFFFFF
_PIXEL_DATA = 0x7FE00010
_ALL_PIXELS = frozenset((_PIXEL_DATA, 0x7FE00008, 0x7FE00009))  # as numbers, as floats, as doubles
_PREAMBLE_BYTES = 132
_HEAD_BYTES = 1 << 16  # in which most headers end, and many a file
_SYNTAX, _SOP_CLASS = 0x00020010, 0x00020002
_VR = re.compile(rb"[A-Z]{2}")


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """The listed elements of a file, and a stream that stands where the value of Pixel Data begins.

    vr, pixel_bytes: of Pixel Data; the length is UNDEFINED_LENGTH for compressed pixels, and None where there are no
    pixels. remaining: bytes of the stream from there on.
    """

    header: Header
    syntax: UID
    sop_class: str
    stream: BinaryIO
    vr: str = "OW"
    pixel_bytes: int | None = None
    remaining: int = 0

    def __repr__(self) -> str:
        return f"Parsed({self.syntax.name})"

    @property
    def dataset(self) -> Dataset:
        """The listed elements as pydicom has them."""
        return self.header.dataset


def parse(stream: BinaryIO, tags: Collection[int]) -> Parsed:
    """Read the file meta and the listed tags.

    Raises:
        RefusedError: not_dicom, transfer_syntax, too_large, truncated. Other exceptions mean damage.
    """
    head = stream.read(_HEAD_BYTES)
    if head[_PREAMBLE_BYTES - 4 : _PREAMBLE_BYTES] != b"DICM":
        raise RefusedError("not_dicom")
    if len(head) < _HEAD_BYTES:
        stream = io.BytesIO(head)
    found = walked(head, _PREAMBLE_BYTES, tags, _ALL_PIXELS)
    syntax = None if found is None else _supported(_text(found, _SYNTAX))
    if found is None or syntax is None or syntax.is_implicit_VR or not syntax.is_little_endian:
        return _by_pydicom(stream, tags)
    if syntax == DeflatedExplicitVRLittleEndian:
        return _by_pydicom(stream, tags)
    named = found.elements.get(CHARACTER_SET)
    header = (
        Header(elements=found.elements)
        if named is None
        else Header(elements=found.elements, encoding=encoding_of(named.vr, named.value))
    )
    stream.seek(found.end)
    return _before_pixels(stream, header, syntax, _text(found, _SOP_CLASS))


def _by_pydicom(stream: BinaryIO, tags: Collection[int]) -> Parsed:
    """Whatever coding it has."""
    stream.seek(_PREAMBLE_BYTES)
    meta = read_dataset(stream, False, True, stop_when=lambda tag, _vr, _length: tag >> 16 != 2)
    syntax = _supported(str(meta.get("TransferSyntaxUID", "")))
    if syntax == DeflatedExplicitVRLittleEndian:
        stream = _inflated(stream)
    dataset = read_dataset(
        stream,
        syntax.is_implicit_VR,
        syntax.is_little_endian,
        stop_when=lambda tag, _vr, _length: tag in _ALL_PIXELS,
        specific_tags=[*tags],
    )
    return _before_pixels(stream, Header.of(dataset), syntax, str(meta.get("MediaStorageSOPClassUID", "")))


def _before_pixels(stream: BinaryIO, header: Header, syntax: UID, sop_class: str) -> Parsed:
    """What a stream holds that stands before Pixel Data, or at its end."""
    before = stream.tell()
    vr, length = _pixel_data(stream, syntax)
    start = stream.tell()
    remaining = stream.seek(0, io.SEEK_END) - start
    if stream.tell() < before:  # an element claimed more than the file has
        raise RefusedError("truncated")
    stream.seek(start)
    return Parsed(
        header=header,
        syntax=syntax,
        sop_class=sop_class,
        stream=stream,
        vr=vr,
        pixel_bytes=length,
        remaining=remaining,
    )


def _text(found: Walked, tag: int) -> str:
    element = found.meta.get(tag)
    return "" if element is None else meta_text(tag, element.vr, element.value)


@functools.lru_cache(maxsize=64)
def _supported(text: str) -> UID:
    """A transfer syntax by its UID.

    Raises:
        RefusedError: transfer_syntax.
    """
    syntax = UID(text)
    if syntax not in DECODERS:
        raise RefusedError("transfer_syntax")
    return syntax


def _pixel_data(stream: BinaryIO, syntax: UID) -> tuple[str, int | None]:
    """VR and length of Pixel Data (PS3.5 section 7.1); the stream is moved to its value."""
    order = "<" if syntax.is_little_endian else ">"
    head = stream.read(8)
    if len(head) < 8:
        return "", None
    group, element = struct.unpack(f"{order}HH", head[:4])
    if group << 16 | element != _PIXEL_DATA:
        return "", None
    if syntax.is_implicit_VR or not _VR.fullmatch(head[4:6]):  # some writers announce the one and write the other
        return "OW", struct.unpack(f"{order}L", head[4:])[0]
    long = stream.read(4)
    return head[4:6].decode("latin-1"), struct.unpack(f"{order}L", long)[0] if len(long) == 4 else None


def _inflated(stream: BinaryIO) -> BinaryIO:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    content = stream.read(MAX_INFLATED_BYTES + 1)
    plain = inflater.decompress(content, MAX_INFLATED_BYTES)
    if inflater.unconsumed_tail or len(content) > MAX_INFLATED_BYTES:
        raise RefusedError("too_large")
    if not inflater.eof:
        raise RefusedError("truncated")
    return io.BytesIO(plain)
