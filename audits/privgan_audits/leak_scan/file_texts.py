"""Every text that a file of any kind could carry: fields, names, comments, and printable runs of its bytes.

Nothing is trusted: containers are opened to a fixed depth and size, and whatever cannot be parsed is still
searched as bytes. Pixels are noise that now and then spells a word, so that of them only whole runs count.
"""

import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

_DEPTH = 3
_LARGEST_MEMBER_BYTES = 1 << 31
_LARGEST_TEXT_CHUNK_BYTES = 1 << 20
_LONGEST_RUN = 256
_BYTE_RUN = re.compile(rb"[\x20-\x7e\x80-\xff]{4,}")
_ASCII_RUN = re.compile(rb"[\x20-\x7e]{4,}")
_UTF16_RUNS = (re.compile(rb"(?:[\x20-\x7e\xa0-\xff]\x00){4,}"), re.compile(rb"(?:\x00[\x20-\x7e\xa0-\xff]){4,}"))
_PIXEL_RUN = re.compile(rb"[\x20-\x7e]{8,}")
_ARRAY_HEADER = re.compile(rb"\{'descr': '[^']{2,6}', 'fortran_order': (?:False|True), 'shape': \([\d, ]*\), \}\s*")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f]")


UNREADABLE = "unreadable"


class Piece(NamedTuple):
    """One text of a file: `kind` says where (never what); of a `whole` one only the entire text counts.

    The kind UNREADABLE has no text: something was there that could not be searched.
    """

    kind: str
    text: str
    whole: bool = False


def file_pieces(content: bytes, depth: int = _DEPTH) -> Iterator[Piece]:
    """The pieces of a file that is no DICOM file, by its first bytes; the rest as printable runs."""
    if content.startswith(b"PK\x03\x04"):
        yield from _zip(content, depth)
    elif content.startswith(b"\x89PNG\r\n\x1a\n"):
        yield from _png(content)
    elif content.startswith(b"\xff\xd8"):
        scan, end = content.find(b"\xff\xda"), content.rfind(b"\xff\xd9")
        yield from split_pieces(content, [(scan, end)] if 0 < scan < end else [])
    elif content.startswith(b"\x93NUMPY"):
        yield from _array(content)
    elif (text := _as_text(content)) is not None:
        yield from _text(text)
    else:
        yield from byte_pieces(content)


def byte_pieces(content: bytes) -> Iterator[Piece]:
    """Printable runs of four or more characters, as ASCII, UTF-8, Latin-1 and UTF-16."""
    for run in _BYTE_RUN.findall(content):
        yield Piece("bytes", _decoded(run))
        if not run.isascii():
            yield from (Piece("bytes", part.decode("ascii")) for part in _ASCII_RUN.findall(run))
    for pattern, encoding in zip(_UTF16_RUNS, ("utf-16-le", "utf-16-be"), strict=True):
        for run in pattern.findall(content):
            yield Piece("bytes (UTF-16)", run.decode(encoding, "replace"))


def pixel_pieces(content: bytes) -> Iterator[Piece]:
    """Whole printable runs of pixel bytes, where they are too unlikely to come about by chance.

    Eight characters or more: in 4,000 noisy images of 64 x 64 some six-letter surname of five thousand turns up
    with a probability of some per cent, of eight letters once in a million sets. Digits alone: ten, because
    smooth dark pixels spell short numbers.
    """
    for run in _PIXEL_RUN.findall(content):
        if len(run) <= _LONGEST_RUN:
            text = run.decode("ascii").strip()
            if sum(map(str.isalnum, text)) >= (8 if any(map(str.isalpha, text)) else 10):
                yield Piece("pixels", text, whole=True)


def split_pieces(content: bytes, noise: list[tuple[int, int]]) -> Iterator[Piece]:
    """Byte pieces outside the given [start, stop) regions, pixel pieces inside; regions ascend."""
    position = 0
    for start, stop in noise:
        yield from byte_pieces(content[position:start])
        yield from pixel_pieces(content[start:stop])
        position = stop
    yield from byte_pieces(content[position:])


def _decoded(run: bytes) -> str:
    try:
        return run.decode()
    except UnicodeDecodeError:
        return run.decode("latin-1")


def _as_text(content: bytes) -> str | None:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig")):
        if content.startswith(mark):
            try:
                text = content.decode(encoding)
            except UnicodeDecodeError:
                continue
            return None if _CONTROL.search(text) else text
    return None


def _text(text: str) -> Iterator[Piece]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict | list):
        for string in _strings(value):
            yield Piece("JSON", string)
    else:
        for line in text.splitlines():
            yield Piece("text", line)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif not (value is None or isinstance(value, bool)):
        yield str(value)


def _zip(content: bytes, depth: int) -> Iterator[Piece]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        yield from byte_pieces(content)
        return
    yield Piece("zip comment", _decoded(archive.comment))
    for info in members:
        yield Piece("member name", info.filename)
        yield Piece("member comment", _decoded(info.comment))
        member = _member(archive, info) if depth else None
        yield from file_pieces(member, depth - 1) if member is not None else [Piece(UNREADABLE, "")]
    for piece in split_pieces(content, _member_regions(content, members)):
        # A member's name is followed by the signature of the next record.
        yield piece._replace(text=piece.text.removesuffix("PK"))


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | None:
    if info.file_size > _LARGEST_MEMBER_BYTES:
        return None
    try:
        return archive.read(info)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError):
        return None


def _member_regions(content: bytes, members: list[zipfile.ZipInfo]) -> list[tuple[int, int]]:
    """Where members' data lies; what is hidden before, between and behind them is searched as bytes."""
    regions = []
    for info in sorted(members, key=lambda member: member.header_offset):
        header = content[info.header_offset + 26 : info.header_offset + 30]
        if len(header) == 4:
            start = info.header_offset + 30 + sum(struct.unpack("<HH", header))
            regions.append((start, start + info.compress_size))
    return regions


def _png(content: bytes) -> Iterator[Piece]:
    position, noise = 8, []
    while position + 8 <= len(content):
        length, kind = struct.unpack(">I4s", content[position : position + 8])
        data = content[position + 8 : position + 8 + length]
        if kind == b"IDAT":
            noise.append((position + 8, position + 8 + length))
        elif kind in (b"zTXt", b"iTXt", b"iCCP"):
            yield from byte_pieces(_inflated(data))
        position += length + 12
        if kind == b"IEND":
            break
    yield from split_pieces(content, noise)


def _inflated(data: bytes) -> bytes:
    """The compressed end of a PNG text chunk: keyword, NUL, flags, zlib stream."""
    for start in (match.start() for match in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", data)):
        try:
            return zlib.decompressobj().decompress(data[start:], _LARGEST_TEXT_CHUNK_BYTES)
        except zlib.error:
            continue
    return b""


def _array(content: bytes) -> Iterator[Piece]:
    end = content.find(b"\n") + 1
    if not _ARRAY_HEADER.fullmatch(content[10:end]):
        yield from byte_pieces(content[6:end])
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, OSError, EOFError):
        yield from byte_pieces(content[end:])
        return
    if array.dtype.kind in "US":
        for value in array.ravel():
            yield Piece("array text", _decoded(value) if isinstance(value, bytes) else str(value))
    else:
        if array.ndim < 2 and array.dtype.kind in "iu":
            for number in np.unique(array):
                yield Piece("array number", str(number))
        yield from pixel_pieces(content[end:])
