"""Texts inside texts: what percent signs, entities, hexadecimal digits and base64 stand for.

Decoded bytes are text only if all of them are; otherwise they are noise, of which little counts (`raw_bytes`), unless
they begin like a file. Ordinary words and digests decode to noise: of 4,000 SHA-256 not one is a text by
chance (0.37^32 each), and within what is one, six characters must agree.
"""

import binascii
import html
import re
import uuid
from collections.abc import Iterator

from privgan_audits.questions.identifiers.contents.pieces import FILE_BEGINNINGS, Opening, Piece
from privgan_audits.questions.identifiers.contents.raw_bytes import CODED_RUN, LEAST_IN_NOISE, decoded, noise_pieces

LEAST_DECODED = 6  # characters; 4,000 random groups of a UUID would spell a four-letter name in 1 of 400 sets
_CODED = re.compile(r"[%=\\&<]|[0-9A-Za-z+/_-]{8}|[0-9A-Fa-f]{2}[ :-][0-9A-Fa-f]{2}[ :-]")
_CODED_RUN = re.compile(CODED_RUN.pattern.decode())
_BYTE_ESCAPES = re.compile(r"(?:(?:%|=|\\x)[0-9A-Fa-f]{2})+")
_UNICODE_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})")
_MARKUP = re.compile(r"<[^<>]{0,1000}>")
_HEX = re.compile(r"[0-9A-Fa-f]{12,}")
_SPACED_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}[ :-]){5,}[0-9A-Fa-f]{2}")
_NOT_HEX = re.compile(r"[^0-9A-Fa-f]")
_UUID = re.compile(r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{8}(-?)(?:[0-9A-Fa-f]{4}\1){3}[0-9A-Fa-f]{12}(?![0-9A-Fa-f])")
# Two alphabets, so that the separators of a path end a run of the other one; then the wrapped lines of mail and PEM.
_BASE64 = tuple(
    re.compile(pattern.replace("*", signs))
    for signs in ("+/", "_-")
    for pattern in ("[A-Za-z0-9*]{8,}", r"(?<![A-Za-z0-9*])[A-Za-z0-9*]{60,}+(?:\r?\n[ \t]*[A-Za-z0-9*]{4,}+)+")
)
_SPACE = re.compile(r"\s+")
_URL_SAFE = str.maketrans("-_", "+/")
_WHITESPACE = str.maketrans("\t\n\r\xa0", "    ")


def unfolded(piece: Piece, opening: Opening) -> Iterator[Piece]:
    """The piece itself, and what it holds in other encodings, at all alignments and within the opening's depth."""
    yield piece
    coded = _CODED_RUN.fullmatch if piece.whole else _CODED.search
    if opening.depth == 0 or not coded(piece.text):
        return
    found = [*_rewritten(piece)] if not piece.whole else []
    for match in _UUID.finditer(piece.text):
        yield Piece(f"{piece.kind} (UUID)", f"2.25.{uuid.UUID(match[0]).int}", whole=True)
    for kind, content in _coded_bytes(piece.text, whole=piece.whole):
        text = whole_text(content)
        if text is not None:
            least = LEAST_IN_NOISE if piece.whole else LEAST_DECODED
            found.append(Piece(f"{piece.kind} ({kind})", text, piece.whole, least))
        elif not piece.whole:
            yield from _noise(f"{piece.kind} ({kind})", content, opening)
    for other in found:
        yield from unfolded(other, opening.deeper())


def wrapped(text: str) -> Iterator[Piece]:
    """The runs of base64 that a text breaks into lines, each joined again."""
    for pattern in _BASE64[1::2]:
        yield from (Piece("text", _SPACE.sub("", match[0])) for match in pattern.finditer(text))


def whole_text(content: bytes) -> str | None:
    """The text that bytes are to the last one, in UTF-8, UTF-16, UTF-32 or Latin-1; None if they are none."""
    plain = content.rstrip(b"\0")
    wide = content.count(0) * 3 >= len(content)
    for encoding in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be") if wide else ("utf-8", "latin-1"):
        try:
            text = (content if wide else plain).decode(encoding).lstrip("\ufeff")
        except UnicodeDecodeError:
            continue
        if text.translate(_WHITESPACE).isprintable():
            return text
    return None


def _rewritten(piece: Piece) -> Iterator[Piece]:
    """Percent, quoted-printable and backslash escapes and entities replaced; tags taken away."""
    escaped = _BYTE_ESCAPES.sub(lambda found: decoded(bytes.fromhex(_NOT_HEX.sub("", found[0]))), piece.text)
    escaped = html.unescape(_UNICODE_ESCAPE.sub(lambda found: chr(int(found[1], 16)), escaped))
    for kind, text in (("escapes", escaped), ("markup", _MARKUP.sub("", piece.text))):
        if text != piece.text:
            yield piece._replace(kind=f"{piece.kind} ({kind})", text=text)


def _coded_bytes(text: str, *, whole: bool) -> Iterator[tuple[str, bytes]]:
    for pattern, kind in ((_HEX, "hexadecimal"), (_SPACED_HEX, "hexadecimal")):
        for run in _runs(pattern, text, whole=whole):
            digits = _NOT_HEX.sub("", run)
            yield from ((kind, bytes.fromhex(digits[start:][: (len(digits) - start) & ~1])) for start in (0, 1))
    runs = {run for pattern in _BASE64 for run in _runs(pattern, text, whole=whole)}
    for run in sorted(runs):
        signs = _SPACE.sub("", run).translate(_URL_SAFE)
        # Four digits begin with a byte above 0xCF, at any alignment: no text.
        for start in range(4) if not signs.isdigit() else ():
            part = signs[start : len(signs) - ((len(signs) - start) % 4 == 1)]
            yield "base64", binascii.a2b_base64(part + "=" * (-len(part) % 4))


def _runs(pattern: re.Pattern[str], text: str, *, whole: bool) -> list[str]:
    if not whole:
        return pattern.findall(text)
    return [text.rstrip("=")] if pattern.fullmatch(text.rstrip("=")) else []


def _noise(kind: str, content: bytes, opening: Opening) -> Iterator[Piece]:
    if content.startswith(FILE_BEGINNINGS):
        for found in opening.inside(content):
            yield from unfolded(found, opening.deeper())
    else:
        yield from (found._replace(kind=kind) for found in noise_pieces(content, opening.knows))
