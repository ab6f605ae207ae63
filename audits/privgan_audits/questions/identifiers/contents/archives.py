"""Zip archives and single compressed files: names, comments, extra fields, members, gaps and what lies behind."""

import io
import struct
import zipfile
from collections.abc import Iterator

from privgan_audits.questions.identifiers.contents.loose_bytes import loose_pieces, machine_for, unlisted_pieces
from privgan_audits.questions.identifiers.contents.pieces import DAMAGE, UNREADABLE, Opening, Piece
from privgan_audits.questions.identifiers.contents.raw_bytes import byte_pieces, decoded, split_pieces

_UTF8_NAME = 0x800
_NAMED_TWICE = (0x7075, 0x6375)  # a name or comment in UTF-8, behind a version and a checksum
_DAMAGED_ZIP = (zipfile.BadZipFile, NotImplementedError, RuntimeError, *DAMAGE)


def zip_pieces(content: bytes, opening: Opening) -> Iterator[Piece]:
    """A zip archive; one without a directory is a gap from beginning to end."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = archive.infolist()
    except _DAMAGED_ZIP:
        yield from unlisted_pieces(content, opening)
        return
    yield Piece("zip comment", decoded(archive.comment))
    for info in members:
        yield from _named(info)
        yield from opening.inside(_member(archive, info, opening) if opening.depth else None)
    regions = _regions(content, members)
    for piece in split_pieces(content, regions, lambda gap: unlisted_pieces(gap, opening), opening.knows):
        # A member's name is followed by the signature of the next record.
        yield piece._replace(text=piece.text.removesuffix("PK"))


def stream_pieces(content: bytes, opening: Opening) -> Iterator[Piece]:
    """A file compressed by gzip, bzip2 or xz."""
    if content.startswith(b"\x1f\x8b"):
        yield from (piece._replace(kind="gzip header") for piece in byte_pieces(_gzip_header(content)))
    machine = machine_for(content)
    expanded, end = opening.expanded(machine, content)
    yield from opening.inside(expanded)
    if expanded is not None and not machine.eof:
        yield Piece(UNREADABLE, "")
    elif end < len(content):
        yield from loose_pieces(content[end:], opening)


def _named(info: zipfile.ZipInfo) -> Iterator[Piece]:
    yield Piece("member name", info.filename)
    if not info.flag_bits & _UTF8_NAME:
        yield Piece("member name", decoded(info.orig_filename.encode("cp437", "replace")))
    yield Piece("member comment", decoded(info.comment))
    position = 0
    while position + 4 <= len(info.extra):
        kind, length = struct.unpack_from("<HH", info.extra, position)
        field = info.extra[position + 4 : position + 4 + length]
        for part in (field[5:] if kind in _NAMED_TWICE else field, info.extra[position:] if not length else b""):
            yield from (piece._replace(kind="member extra field") for piece in byte_pieces(part))
        position += 4 + length


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, opening: Opening) -> bytes | None:
    try:
        with archive.open(info) as stream:
            content = stream.read(opening.allowance.left + 1)
    except _DAMAGED_ZIP:
        return None
    return content if opening.allowance.take(len(content)) else None


def _regions(content: bytes, members: list[zipfile.ZipInfo]) -> list[tuple[int, int]]:
    """Where members' data lies; what is hidden before, between and behind them is searched as bytes."""
    regions = []
    for info in sorted(members, key=lambda member: member.header_offset):
        header = content[info.header_offset + 26 : info.header_offset + 30]
        if len(header) == 4:
            start = info.header_offset + 30 + sum(struct.unpack("<HH", header))
            regions.append((start, start + info.compress_size))
    return regions


def _gzip_header(content: bytes) -> bytes:
    """The optional extra field, name and comment (RFC 1952), without the time and the checksum."""
    flags, position = content[3] if len(content) > 3 else 0, 10
    if flags & 4:
        position += 2 + int.from_bytes(content[10:12], "little")
    for flag in (8, 16):
        if flags & flag:
            position = content.find(b"\0", position) + 1 or len(content)
    return content[10:position]
