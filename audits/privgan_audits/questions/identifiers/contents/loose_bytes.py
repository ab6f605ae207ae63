"""Bytes of no known form: their printable runs, and whatever is packed away in them.

A file may hide behind another one, in a private element, in a gap of an archive. Only what proves itself is opened: a
compressed stream by its checksum, an archive or a picture by its long beginning.
"""

import bz2
import lzma
import re
import zlib
from collections.abc import Iterator

from privgan_audits.questions.identifiers.contents.pieces import UNREADABLE, Machine, Opening, Piece
from privgan_audits.questions.identifiers.contents.raw_bytes import byte_pieces, noisy_regions, split_pieces

_STREAM = rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08|BZh[1-9]1AY&SY|\xfd7zXZ\0"
_STREAMS = re.compile(_STREAM)
_PACKED = re.compile(_STREAM + rb"|PK\x03\x04|\x89PNG\r\n\x1a\n|\xff\xd8\xff[\xc0-\xfe]")
_LZMA_MEMORY_BYTES = 256 << 20


def loose_pieces(content: bytes, opening: Opening, packed: re.Pattern[bytes] = _PACKED) -> Iterator[Piece]:
    """What is packed in the bytes; the printable runs of the others, as text or, where they look packed, as noise."""
    position, stop = 0, len(content)
    noise: list[tuple[int, int]] = []
    while opening.allowance.left and (found := packed.search(content, position)):
        start = found.start()
        if not _STREAMS.match(content, start):
            # The reader of such a file looks behind its end as well. At depth 0 a thumbnail is not worth an alarm.
            if opening.depth or content[start] != 0xFF:
                stop = start
                yield from opening.inside(content[start:])
            break
        machine = machine_for(content, start)
        expanded, end = opening.expanded(machine, content, start)
        if expanded is None or machine.eof:
            noise.append((start, end))
            yield from opening.inside(expanded)
        position = end if machine.eof else start + 1
    if not opening.allowance.left:
        yield Piece(UNREADABLE, "")
    content = content[:stop]
    yield from split_pieces(content, sorted(noise + noisy_regions(content)), knows=opening.knows)


def unlisted_pieces(content: bytes, opening: Opening) -> Iterator[Piece]:
    """Like `loose_pieces`, of a gap between the listed members of an archive, where unlisted ones may lie."""
    yield from loose_pieces(content, opening, _STREAMS)
    for header in re.finditer(rb"PK\x03\x04.{4}\x08\0.{16}(?P<name>..)(?P<extra>..)", content, re.DOTALL):
        start = header.end() + sum(int.from_bytes(header[part], "little") for part in ("name", "extra"))
        if start >= len(content):
            continue  # a listed one: its data was cut out
        machine = zlib.decompressobj(-zlib.MAX_WBITS)
        expanded, _ = opening.expanded(machine, content, start)
        if machine.eof:
            yield from opening.inside(expanded)
        else:
            yield from (*byte_pieces(expanded or b""), Piece(UNREADABLE, ""))


def machine_for(content: bytes, start: int = 0) -> Machine:
    """What decompresses the stream that begins there."""
    match content[start]:
        case 0x42:
            return bz2.BZ2Decompressor()
        case 0xFD:
            return lzma.LZMADecompressor(memlimit=_LZMA_MEMORY_BYTES)
        case _:
            return zlib.decompressobj(32 + zlib.MAX_WBITS)
