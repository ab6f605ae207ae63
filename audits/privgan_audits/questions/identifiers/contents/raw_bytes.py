"""Printable runs of raw bytes, in every character set that a file may use without saying so.

Two kinds of bytes are told apart. *Texts* (headers, gaps, comments) are searched word by word. *Noise* (pixels and
other samples) now and then spells a word: of it only whole runs of eight characters count. In 4,000 noisy images
of 64 x 64 one of two hundred four-letter names would turn up a dozen times; one of five thousand names of eight
letters once in a million sets.
"""

import re
import uuid
from collections.abc import Callable, Iterator

from privgan_audits.questions.identifiers.contents.pieces import BYTES, Knows, Piece, anything

LEAST_IN_NOISE = 8  # letters and digits
LEAST_DIGITS_IN_NOISE = 10  # smooth dark pixels spell short numbers
_LONGEST_RUN = 256
_BLOCK = 4096
_MARGIN = 64
_FILLER = re.compile(rb"\0{72,}")
_KEPT_ZEROS = 4  # the first or last letter of a text in UTF-32 needs them
_RUN = re.compile(rb"[\x20-\x7e\x80-\xff]{4,}")
_ASCII_RUN = re.compile(rb"[\x20-\x7e]{4,}")
CODED_RUN = re.compile(rb"[0-9A-Za-z+/_-]{12,}={0,2}")  # eight characters in base64
_BEFORE_A_RECORD = re.compile(CODED_RUN.pattern + b"(?:PK)?")  # whose signature `archives` takes off
_NOISE_RUN = re.compile(rb"[\x20-\x7e]{8,}")
# Either byte order: one begins a byte later than the other.
_NOISE_UTF16_RUN = re.compile(rb"(?:[\x20-\x7e]\0){8,}[\x20-\x7e]?")
# Latin, Greek, Cyrillic, Hebrew and Arabic; other scripts in UTF-16 without a mark are not told from noise.
_WIDE_RUNS = (
    ("utf-16-le", re.compile(rb"(?:[\x20-\x7e\xa0-\xff]\0|[\x00-\xff][\x01-\x06]){4,}")),
    ("utf-16-be", re.compile(rb"(?:\0[\x20-\x7e\xa0-\xff]|[\x01-\x06][\x00-\xff]){4,}")),
    ("utf-32-le", re.compile(rb"(?:(?:[\x20-\x7e\xa0-\xff]\0|[\x00-\xff][\x01-\x06])\0\0){4,}")),
    ("utf-32-be", re.compile(rb"(?:\0\0(?:\0[\x20-\x7e\xa0-\xff]|[\x01-\x06][\x00-\xff])){4,}")),
)
_LATIN_1 = re.compile("[\x20-\xff]{4,}")  # without the letters that a control character beside a text makes
# Of DICOM PS3.3 C.12.1.1.2; Latin-1 comes first, because it decodes everything.
_CHARACTER_SETS = (
    *("latin-1", "iso8859_2", "iso8859_3", "iso8859_4", "iso8859_5", "iso8859_6", "iso8859_7", "iso8859_8"),
    *("iso8859_9", "iso8859_15", "tis_620", "shift_jis", "euc_jp", "euc_kr", "gb18030"),
)
_ESCAPED_RUN = re.compile(rb"\x1b[$(][\x1b\x20-\x7e]{4,}")
_ISO_2022 = ("iso2022_jp_2", "iso2022_kr")
# Versions 1 to 5 of RFC 9562, either byte order of the first half; all that stands at fixed places.
_UUID = re.compile(rb"(?=(.{6}(?:[\x10-\x5f].|.[\x10-\x5f])[\x80-\xbf].{7}))", re.DOTALL)
_MOST_ZEROS_IN_UUID = 2
_HIGH_AND_CONTROL = bytes([*range(1, 9), *range(14, 32), *range(127, 256)])
_CONTROL = bytes([*range(1, 9), *range(14, 32)])
_LOWER = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz")
_NOT_ALNUM = bytes(code for code in range(128) if not chr(code).isalnum())


def byte_pieces(content: bytes) -> Iterator[Piece]:
    """Runs of four or more characters in any character set, and identifiers in the binary form of 2.25 UIDs."""
    position = 0
    for filler in _FILLER.finditer(content):
        yield from _texts(content[position : filler.start() + _KEPT_ZEROS])
        position = filler.end() - _KEPT_ZEROS
    yield from _texts(content[position:])


def _texts(content: bytes) -> Iterator[Piece]:
    for run in _RUN.findall(content):
        if run.isascii():
            yield Piece(BYTES, run.decode("ascii"), ragged=True)
        else:
            yield from (Piece(BYTES, text, ragged=True) for text in readings(run))
    for encoding, pattern in _WIDE_RUNS:
        for run in pattern.findall(content):
            text = run.decode(encoding, "replace")
            for part in dict.fromkeys((text, *_LATIN_1.findall(text))):
                yield Piece(f"{BYTES} ({encoding[:-3].upper()})", part, ragged=True)
    for run in _ESCAPED_RUN.findall(content) if b"\x1b" in content else ():
        yield from (Piece(f"{BYTES} (ISO 2022)", run.decode(encoding, "replace")) for encoding in _ISO_2022)
    for found in _UUID.finditer(content):
        if found[1].count(0) <= _MOST_ZEROS_IN_UUID:
            yield from _uids(found[1])


def noise_pieces(content: bytes | memoryview, knows: Knows = anything) -> Iterator[Piece]:
    """Whole printable runs, where they are too unlikely to come about by chance.

    Pixels of one image spell a hundred. Of those that `knows` denies, only such are told as may stand for something
    else: nobody asks more of a whole run than what it spells and what it decodes to, with or without the signature
    that follows it in an archive.
    """
    for run in _NOISE_RUN.findall(content):
        form = run.translate(_LOWER, _NOT_ALNUM).decode("ascii")
        if len(form) < LEAST_IN_NOISE or len(run) > _LONGEST_RUN:
            continue
        if len(form) < LEAST_DIGITS_IN_NOISE and form.isdigit():
            continue
        if any(map(knows, {form, form.removesuffix("pk")})) or _BEFORE_A_RECORD.fullmatch(run.strip()):
            yield Piece("pixels", run.decode("ascii").strip(), whole=True)
    for run in _NOISE_UTF16_RUN.findall(content):
        text = run[::2].decode("ascii").strip()
        if sum(map(str.isalnum, text)) >= LEAST_DIGITS_IN_NOISE - 1:
            yield Piece("pixels (UTF-16)", text, whole=True)


def split_pieces(
    content: bytes,
    noise: list[tuple[int, int]],
    search: Callable[[bytes], Iterator[Piece]] = byte_pieces,
    knows: Knows = anything,
) -> Iterator[Piece]:
    """What `search` finds outside the given [start, stop) regions, noise inside; regions ascend."""
    position = 0
    for start, stop in noise:
        yield from search(content[position:start])
        yield from noise_pieces(memoryview(content)[max(start, position) : stop], knows)
        position = max(stop, position)
    yield from search(content[position:])


def noisy_regions(content: bytes) -> list[tuple[int, int]]:
    """Where a file of unknown form is compressed or sampled: blocks of 4 KiB that are unlike any text.

    In random bytes one in ten is a control character and every second one is not ASCII. A text in an 8-bit character
    set has no control characters, a table of numbers or a header few others.
    """
    regions: list[tuple[int, int]] = []
    for start in range(0, len(content) - _BLOCK + 1, _BLOCK):
        block = content[start : start + _BLOCK]
        other = _BLOCK - len(block.translate(None, _HIGH_AND_CONTROL))
        control = _BLOCK - len(block.translate(None, _CONTROL))
        if other > 0.4 * _BLOCK and control > 0.03 * _BLOCK:
            if regions and regions[-1][1] == start:
                regions[-1] = (regions[-1][0], start + _BLOCK)
            else:
                regions.append((start, start + _BLOCK))
    # What crosses the border of noise belongs to the text.
    return [(start + _MARGIN * (start > 0), stop - _MARGIN) for start, stop in regions]


def decoded(run: bytes) -> str:
    """UTF-8 if it is that, Latin-1 otherwise."""
    try:
        return run.decode()
    except UnicodeDecodeError:
        return run.decode("latin-1")


def readings(run: bytes) -> Iterator[str]:
    """A run in UTF-8, or else in each character set of DICOM, and its ASCII parts."""
    try:
        yield run.decode()
    except UnicodeDecodeError:
        yield from dict.fromkeys(run.decode(name, "replace") for name in _CHARACTER_SETS)
    yield from (part.decode("ascii") for part in _ASCII_RUN.findall(run))


def _uids(found: bytes) -> Iterator[Piece]:
    for value in {uuid.UUID(bytes=found).int, uuid.UUID(bytes_le=found).int}:
        yield Piece(f"{BYTES} (UUID)", f"2.25.{value}", whole=True)
