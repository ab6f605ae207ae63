"""Every element of a DICOM file, at all depths, and the bytes that no element explains.

File meta, sequences and private groups are read; the bytes outside the pixels are searched once more as they
lie, so that a preamble, an unknown VR, padding or trailing garbage hides nothing.
"""

import contextlib
import io
import logging
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydicom import dcmread
from pydicom.charset import convert_encodings, decode_bytes
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.filereader import read_dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from privgan_audits.questions.identifiers.contents.loose_bytes import loose_pieces
from privgan_audits.questions.identifiers.contents.pictures import jpeg_2000_pieces, jpeg_pieces
from privgan_audits.questions.identifiers.contents.pieces import UNREADABLE, Opening, Piece
from privgan_audits.questions.identifiers.contents.raw_bytes import split_pieces

SAMPLES = frozenset((0x7FE00010, 0x7FE00008, 0x7FE00009, 0x54001010))  # pixels and waveforms
_ITEM, _ITEM_HEADER = b"\xfe\xff\x00\xe0", 8
_DEFLATED = DeflatedExplicitVRLittleEndian.encode()
_EXPLICIT = ExplicitVRLittleEndian.encode().ljust(len(_DEFLATED), b"\0")
_SHORTEST_NOISE = 64
NEXT_GROUP = " (@\0"  # padding; groups 0020, 0028 and 0040: printable bytes of the tag that follows a value


@dataclass(frozen=True, kw_only=True, slots=True)
class Located:
    """One element, where it stands, and its values as text; a sequence or bytes have none."""

    path: str
    element: DataElement
    texts: tuple[str, ...]

    @property
    def text(self) -> str:
        """The values as one text."""
        return "\\".join(self.texts)


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """A DICOM file with every element read.

    content: the file, inflated when its transfer syntax is the deflated one.
    """

    content: bytes
    dataset: FileDataset
    elements: tuple[Located, ...]


def is_dicom(content: bytes) -> bool:
    """Whether the file has the DICOM prefix."""
    return content[128:132] == b"DICM"


def parsed(content: bytes, opening: Opening) -> Parsed | None:
    """The file with every element read; None when that is impossible or would take too much memory."""
    with hushed():
        try:
            plain = _inflated(content, opening) if _DEFLATED in content else content
            dataset = dcmread(io.BytesIO(plain))
            elements = tuple(located(dataset))  # values are parsed when they are first looked at
        except Exception:  # noqa: BLE001 a hostile file may raise anything; it is counted, and its bytes are searched
            return None
    return Parsed(content=plain, dataset=dataset, elements=elements)


def located(dataset: Dataset) -> Iterator[Located]:
    """Every element of file meta and data set, depth first."""
    yield from _below(dataset.file_meta, "")
    yield from _below(dataset, "")


def dicom_pieces(content: bytes, opening: Opening) -> Iterator[Piece]:
    """All texts of one file."""
    found = parsed(content, opening)
    if found is not None:
        yield from element_pieces(found, opening, lambda _: False)
    else:
        yield from damaged_pieces(content, opening)


def damaged_pieces(content: bytes, opening: Opening) -> Iterator[Piece]:
    """All runs of bytes of a file that could not be parsed."""
    if _DEFLATED in content:
        yield Piece(UNREADABLE, "")
    yield from loose_pieces(content, opening)


def element_pieces(file: Parsed, opening: Opening, wrote: Callable[[str], bool]) -> Iterator[Piece]:
    """All texts of a parsed file but those that `wrote` explains."""
    regions: list[tuple[int, int]] = []
    said: set[str] = set()
    for item in file.elements:
        kind, value = f"element {item.path}", item.element.value
        if item.element.tag in SAMPLES:
            if isinstance(value, bytes):
                regions += _region(file.content, item.element)
                yield from (piece._replace(kind=kind) for piece in _fragments(value, opening))
        elif isinstance(value, bytes):
            yield from (piece._replace(kind=kind) for piece in _value_pieces(value, file.dataset, opening))
        else:
            said.update(item.texts)
            yield from (Piece(kind, text) for text in item.texts if not wrote(text))
    rest = split_pieces(file.content, sorted(regions), lambda part: loose_pieces(part, opening), opening.knows)
    for piece in rest:
        if not (piece.text.rstrip(NEXT_GROUP) in said or wrote(piece.text)):
            yield piece


def _value_pieces(value: bytes, dataset: FileDataset, opening: Opening) -> Iterator[Piece]:
    """Bytes of an element, which may hold a text in the data set's character set, or a whole file."""
    yield from loose_pieces(value, opening)
    names = dataset.get("SpecificCharacterSet")
    if (names and not value.isascii()) or b"\x1b" in value:
        with hushed(), contextlib.suppress(Exception):  # a damaged value may raise anything; its runs were searched
            yield Piece("", decode_bytes(value, convert_encodings(names), set()))


def _fragments(value: bytes, opening: Opening) -> Iterator[Piece]:
    """Comments and application segments of encapsulated frames; their samples are in the file's noise."""
    position = 0
    while value.startswith(_ITEM, position):
        start = position + _ITEM_HEADER
        position = start + int.from_bytes(value[position + 4 : start], "little")
        fragment = value[start:position]
        if fragment.startswith(b"\xff\xd8"):
            yield from jpeg_pieces(fragment, opening)
        elif fragment.startswith((b"\xff\x4f", b"\0\0\0\x0c")):
            yield from jpeg_2000_pieces(fragment, opening)


def _region(content: bytes, element: DataElement) -> list[tuple[int, int]]:
    """Where the samples lie in the file; a short value is searched as bytes."""
    value, told = element.value, element.file_tell or 0
    if len(value) < _SHORTEST_NOISE:
        return []
    start = told if content.startswith(value, told) else content.find(value)
    return [(start, start + len(value))] if start >= 0 else []


def _inflated(content: bytes, opening: Opening) -> bytes:
    stream = io.BytesIO(content)
    stream.seek(132)
    meta = read_dataset(stream, False, True, stop_when=lambda tag, _vr, _length: tag >> 16 != 2)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return content
    start = stream.tell()
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    plain, end = opening.expanded(machine, content, start)
    if plain is None or not machine.eof:
        raise ValueError("Expected a whole deflated data set of a reasonable size.")
    return content[:start].replace(_DEFLATED, _EXPLICIT) + plain + content[end:]


def _below(dataset: Dataset, prefix: str) -> Iterator[Located]:
    for element in dataset:
        path = prefix + tag_text(element.tag)
        is_text = element.VR != "SQ" and not isinstance(element.value, bytes)
        yield Located(path=path, element=element, texts=values_of(element.value) if is_text else ())
        if element.VR == "SQ":
            for item in element.value:
                yield from _below(item, f"{path}>")


def values_of(value: Any) -> tuple[str, ...]:
    """The values of an element that holds text or numbers, as texts."""
    if isinstance(value, MultiValue | list | tuple):
        return tuple(map(str, value))
    return () if value is None else (str(value),)


@lru_cache(maxsize=4096)
def tag_text(tag: BaseTag) -> str:
    """A tag as paths have it."""
    return f"({tag.group:04X},{tag.element:04X})"


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Silence pydicom, whose warnings and log lines quote header values."""
    logger = logging.getLogger("pydicom")
    before, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before
