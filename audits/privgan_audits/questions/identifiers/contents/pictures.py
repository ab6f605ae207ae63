"""PNG, JPEG and JPEG 2000: chunks and segments, compressed texts, thumbnails, and what lies behind the picture."""

import re
import struct
import zlib
from collections.abc import Iterator

from privgan_audits.questions.identifiers.contents.loose_bytes import loose_pieces
from privgan_audits.questions.identifiers.contents.pieces import Opening, Piece
from privgan_audits.questions.identifiers.contents.raw_bytes import byte_pieces, noise_pieces, split_pieces

_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_MARKER_BEHIND_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_END, _SCAN, _COMMENT = 0xD9, 0xDA, 0xFE
_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))  # markers without a segment
_APPLICATION = range(0xE0, 0xF0)


def png_pieces(content: bytes, opening: Opening) -> Iterator[Piece]:
    """A PNG, animated or not; its pixels are searched unpacked."""
    position, noise, packed = 8, [], []
    while position + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, position)
        data = content[position + 8 : position + 8 + length]
        if kind in (b"IDAT", b"fdAT"):
            noise.append((position + 8, position + 8 + len(data)))
            packed.append(data if kind == b"IDAT" else b"")
        else:
            yield from (piece._replace(kind="PNG chunk") for piece in _chunk(kind, data, opening))
        position += length + 12
        if kind == b"IEND":
            break
    yield from split_pieces(content[:position], noise, knows=opening.knows)
    yield from loose_pieces(content[position:], opening)
    yield from _unpacked(b"".join(packed), opening)


def _unpacked(stream: bytes, opening: Opening) -> Iterator[Piece]:
    pixels, end = opening.expanded(zlib.decompressobj(), stream)
    yield from noise_pieces(pixels, opening.knows) if pixels is not None else opening.inside(None)
    yield from byte_pieces(stream[end:])


def _chunk(kind: bytes, data: bytes, opening: Opening) -> Iterator[Piece]:
    if kind == b"tIME" and len(data) == 7:
        year, month, day = struct.unpack(">HBB", data[:4])
        yield Piece("PNG chunk", f"{year:04d}{month:02d}{day:02d}")
    elif kind in (b"zTXt", b"iTXt", b"iCCP"):
        yield from byte_pieces(data)
        for start in (match.start() for match in _ZLIB.finditer(data)):
            text, end = opening.expanded(zlib.decompressobj(), data, start)
            if text or text is None:  # damaged or not
                yield from opening.inside(text)
                yield from byte_pieces(data[end:])
                break
    else:
        yield from loose_pieces(data, opening)


def jpeg_pieces(content: bytes, opening: Opening) -> Iterator[Piece]:
    """A JPEG; tables and scans are noise, comments and application segments (EXIF, ICC, XMP, IPTC) are not."""
    position, noise = 2, []
    while position + 2 <= len(content) and content[position] == 0xFF:
        marker = content[position + 1]
        if marker == 0xFF or marker in _ALONE:
            position += 1 if marker == 0xFF else 2
            continue
        if marker == _END:
            position += 2
            break
        start = position + 4
        position += 2 + int.from_bytes(content[position + 2 : start], "big")
        if position < start:
            position = start
            break
        if marker in _APPLICATION or marker == _COMMENT:
            segment = loose_pieces(content[start:position], opening.deeper() if opening.depth else opening)
            yield from (piece._replace(kind="JPEG segment") for piece in segment)
        elif marker == _SCAN:
            behind = _MARKER_BEHIND_SCAN.search(content, position)
            noise.append((position, position := behind.start() if behind else len(content)))
        else:
            noise.append((start, position))
    yield from split_pieces(content[:position], noise, knows=opening.knows)
    yield from loose_pieces(content[position:], opening)


def jpeg_2000_pieces(content: bytes, opening: Opening) -> Iterator[Piece]:
    """A JPEG 2000 codestream, in its boxes or bare: everything but its tiles."""
    start, end = content.find(b"\xff\x90"), content.rfind(b"\xff\xd9")
    tiles = [(start, end)] if 0 < start < end else []
    yield from split_pieces(content, tiles, lambda part: loose_pieces(part, opening), opening.knows)
