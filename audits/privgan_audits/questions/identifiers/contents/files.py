"""Every text that a file of any kind could carry: fields, names, comments, and printable runs of its bytes.

Nothing is trusted: what cannot be parsed is still searched as bytes, and containers hidden in other bytes are
opened as well, if their checksum or their form shows that they are no accident.
"""

import re
from collections.abc import Callable, Iterator

from privgan_audits.questions.identifiers.contents.archives import stream_pieces, zip_pieces
from privgan_audits.questions.identifiers.contents.arrays import array_pieces
from privgan_audits.questions.identifiers.contents.dicom_elements import dicom_pieces, is_dicom
from privgan_audits.questions.identifiers.contents.loose_bytes import loose_pieces
from privgan_audits.questions.identifiers.contents.pictures import jpeg_2000_pieces, jpeg_pieces, png_pieces
from privgan_audits.questions.identifiers.contents.pieces import UNREADABLE, Knows, Opening, Piece, anything
from privgan_audits.questions.identifiers.contents.plain_texts import as_text, text_pieces

_READERS: tuple[tuple[bytes, Callable[[bytes, Opening], Iterator[Piece]]], ...] = (
    (rb"PK\x03\x04", zip_pieces),
    (rb"\x89PNG\r\n\x1a\n", png_pieces),
    (rb"\xff\xd8", jpeg_pieces),
    (rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  ", jpeg_2000_pieces),
    (rb"\x93NUMPY", array_pieces),
    (rb"\x1f\x8b\x08|BZh[1-9](?:1AY&SY|\x17rE8P\x90)|\xfd7zXZ\0", stream_pieces),
)
# 7-Zip, RAR, Zstandard, LZ4, Unix compress, Microsoft cabinet: nothing here can open them.
_CLOSED = (
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\x28\xb5\x2f\xfd",
    b"\x04\x22\x4d\x18",
    b"\x1f\x9d",
    b"MSCF\0\0\0\0",
)


def opening_of(content: bytes, knows: Knows = anything) -> Opening:
    """How far a file of this size may be opened; `knows` says what is looked for."""
    return Opening.of(len(content), file_pieces, knows)


def file_pieces(content: bytes, opening: Opening) -> Iterator[Piece]:
    """The pieces of a file, by its first bytes; the rest as printable runs."""
    if is_dicom(content):
        yield from dicom_pieces(content, opening)
        return
    for beginning, read in _READERS:
        if re.match(beginning, content):
            yield from read(content, opening)
            return
    if (text := as_text(content)) is not None:
        yield from text_pieces(text)
        return
    if content.startswith(_CLOSED):
        yield Piece(UNREADABLE, "")
    yield from loose_pieces(content, opening)
