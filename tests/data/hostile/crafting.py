"""DICOM written byte by byte, so that it can say anything."""

import struct
from pathlib import Path
from typing import Any

import numpy as np

EXPLICIT, DEFLATED, RLE = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5"
JPEG, JPEG_LS, JPEG_2000 = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90"
CR = "1.2.840.10008.5.1.4.1.1.1"
UNDEFINED = 0xFFFFFFFF
LONG = ("OB", "OW", "SQ", "UN", "UT", "UC", "OF", "OD")
PERSON = "Zorkel^Vimbru"  # whoever sees it outside has been told a name
ITEM, END_OF_ITEM, END_OF_SEQUENCE = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD


def element(tag: int, vr: str, value: bytes = b"", length: int | None = None) -> bytes:
    """One explicit little endian element; `length` may lie."""
    value += b"\0" * (len(value) % 2)
    claimed = len(value) if length is None else length
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    return head + (struct.pack("<HL", 0, claimed) if vr in LONG else struct.pack("<H", claimed & 0xFFFF)) + value


def delimiter(tag: int, length: int = 0) -> bytes:
    """An item or the end of one, which have no VR."""
    return struct.pack("<HHL", tag >> 16, tag & 0xFFFF, length)


def number(tag: int, value: int) -> bytes:
    """An unsigned short."""
    return element(tag, "US", struct.pack("<H", value))


def meta(syntax: str, sop_class: str = CR) -> bytes:
    """Preamble, mark and file meta."""
    group = element(0x00020002, "UI", sop_class.encode()) + element(0x00020010, "UI", syntax.encode())
    return bytes(128) + b"DICM" + element(0x00020000, "UL", struct.pack("<L", len(group))) + group


PATIENT: dict[int, bytes] = {
    0x00080018: element(0x00080018, "UI", b"1.2.3.4.5"),
    0x00080060: element(0x00080060, "CS", b"CR"),
    0x00100010: element(0x00100010, "PN", PERSON.encode()),
    0x00100020: element(0x00100020, "LO", b"ZZ-4711-MARK"),
}


def image(rows: int = 8, columns: int = 8, bits: int = 16) -> dict[int, bytes]:
    """The elements of a grey image, by tag, but for its pixels."""
    return {
        0x00280002: number(0x00280002, 1),
        0x00280004: element(0x00280004, "CS", b"MONOCHROME2"),
        0x00280010: number(0x00280010, rows),
        0x00280011: number(0x00280011, columns),
        0x00280100: number(0x00280100, bits),
        0x00280101: number(0x00280101, bits),
        0x00280102: number(0x00280102, bits - 1),
        0x00280103: number(0x00280103, 0),
    }


def pixels(rows: int = 8, columns: int = 8) -> bytes:
    """Pixel Data of 16 bits."""
    values = np.random.default_rng(0).integers(0, 4096, (rows, columns)).astype("<u2")
    return element(0x7FE00010, "OW", values.tobytes())


def frames(*fragments: bytes) -> bytes:
    """Encapsulated Pixel Data without an offset table."""
    items = b"".join(delimiter(ITEM, len(f) + len(f) % 2) + f + b"\0" * (len(f) % 2) for f in fragments)
    return element(0x7FE00010, "OB", length=UNDEFINED) + delimiter(ITEM) + items + delimiter(END_OF_SEQUENCE)


def body(*changes: dict[int, bytes], tail: bytes | None = None) -> bytes:
    """A data set in the order of its tags; later changes win, an empty one removes."""
    elements: dict[int, bytes] = {}
    for change in (PATIENT, image(), *changes):
        elements.update(change)
    return b"".join(elements[tag] for tag in sorted(elements)) + (pixels() if tail is None else tail)


def write(path: Path, content: bytes) -> Path:
    """A file of these bytes."""
    path.write_bytes(content)
    return path


def request(**changes: Any) -> Any:
    """A request that would take nearly anything."""
    from privgan.data.formats.dicom import reader as dicom
    from privgan.data.formats.reading import Request
    from privgan.data.recipe import Recipe

    return Request(kind=dicom.__name__, recipe=Recipe(preset="custom", window=(0, 4095), size=28), **changes)
