"""Hostile files, each with the codes that may be given for it: built small, claiming much."""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from tests.data.hostile import crafting as craft
from tests.data.hostile.crafting import body, element, frames, meta, number

NATIVE = meta(craft.EXPLICIT)
READ = ("",)


@dataclass(frozen=True)
class Threat:
    """A file, and what may be said of it."""

    name: str
    build: Callable[[], bytes]
    codes: tuple[str, ...]


def _deflated(*parts: bytes) -> bytes:
    machine = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return meta(craft.DEFLATED) + b"".join(map(machine.compress, parts)) + machine.flush()


def _deflate_bomb() -> bytes:
    """A megabyte that becomes 300."""
    head = body(tail=element(0x7FE00010, "OW", length=300 << 20))
    return _deflated(head, *[bytes(1 << 20)] * 300)


def _deep(depth: int, tag: int = 0x00081140, vr: str = "SQ") -> bytes:
    start = element(tag, vr, length=craft.UNDEFINED) + craft.delimiter(craft.ITEM, craft.UNDEFINED)
    return NATIVE + body(tail=start * depth)


def _many_elements(count: int) -> bytes:
    return NATIVE + body({0x00204000: element(0x00204000, "LT", b"x") * count})


def _many_items(count: int) -> bytes:
    groups = element(0x52009230, "SQ", length=8 * count) + craft.delimiter(craft.ITEM) * count
    return NATIVE + body({0x52009230: groups})


def _encapsulated(syntax: str, *fragments: bytes, **shape: int) -> bytes:
    return meta(syntax) + body(craft.image(**shape), tail=frames(*fragments))


def _rle_segments() -> bytes:
    return struct.pack("<16L", 2, 64, 66, *[0] * 13) + b"\x81\0" * 64


def _jpeg(side: int) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (side, side)).save(stream, "JPEG")
    return stream.getvalue()


def _jpeg_2000_claims(width: int, height: int) -> bytes:
    """A code stream whose SIZ segment announces a gigantic image (ITU-T T.800 A.5.1)."""
    size = struct.pack(">HHHLLLLLLLLHBBB", 0xFF51, 41, 0, width, height, 0, 0, width, height, 0, 0, 1, 7, 1, 1)
    style = struct.pack(">HHBBHBBBBBB", 0xFF52, 12, 0, 0, 1, 0, 5, 4, 4, 0, 0)
    steps = struct.pack(">HHB", 0xFF5C, 19, 0x40) + bytes(16)
    tile = struct.pack(">HHHLBB", 0xFF90, 10, 0, 14, 0, 1)
    return b"\xff\x4f" + size + style + steps + tile + b"\xff\x93\xff\xd9"


def _jpeg_ls_claims(width: int, height: int) -> bytes:
    frame = struct.pack(">HHBHHB3B", 0xFFF7, 11, 8, height, width, 1, 1, 0x11, 0)
    return b"\xff\xd8" + frame + struct.pack(">HHBBBBBB", 0xFFDA, 8, 1, 1, 0, 0, 0, 0) + b"\0\xff\xd9"


def _palette(data: bytes, *, segmented: bool) -> bytes:
    tags: dict[int, bytes] = {0x00280004: element(0x00280004, "CS", b"PALETTE COLOR")}
    for colour in (1, 2, 3):
        tags[0x00281100 + colour] = element(0x00281100 + colour, "US", struct.pack("<3H", 0, 0, 16))
        tags[0x00281200 + colour + 0x20 * segmented] = element(0x00281200 + colour + 0x20 * segmented, "OW", data)
    return NATIVE + body(tags)


def _segmented_bomb() -> bytes:
    """Indirect segments that each run the ones before once more."""
    discrete = struct.pack("<HH2H", 0, 2, 1, 2)
    linear = struct.pack("<HHH", 1, 65535, 7)
    indirect = struct.pack("<HHL", 2, 2, 0)
    return discrete + linear + indirect * 5000


def _text(tag: int, vr: str, value: bytes) -> Callable[[], bytes]:
    return lambda: NATIVE + body({tag: element(tag, vr, value)})


def _nan_table() -> bytes:
    return NATIVE + body({0x00281052: element(0x00281052, "DS", b"nan"), 0x00281053: element(0x00281053, "DS", b"1")})


def _charset(names: bytes, person: bytes) -> Callable[[], bytes]:
    changes = {0x00080005: element(0x00080005, "CS", names), 0x00100010: element(0x00100010, "PN", person)}
    return lambda: NATIVE + body(changes)


REFUSED_SIZE = ("too_large", "damaged", "truncated", "decoder_crashed")
THREATS = (
    Threat("a plain file is read", lambda: NATIVE + body(), READ),
    Threat("a deflate bomb", _deflate_bomb, ("too_large",)),
    Threat("a deflated file that is cut", lambda: _deflated(body())[:-20], ("truncated",)),
    Threat("rows and columns of 65,535", lambda: NATIVE + body(craft.image(65535, 65535)), ("too_large",)),
    Threat(
        "RLE that claims 30,000 x 30,000",
        lambda: _encapsulated(craft.RLE, _rle_segments(), rows=30000, columns=30000),
        ("too_large",),
    ),
    Threat(
        "RLE that claims 5,000 x 5,000",
        lambda: _encapsulated(craft.RLE, _rle_segments(), rows=5000, columns=5000),
        REFUSED_SIZE,
    ),
    Threat("two billion frames", _text(0x00280008, "IS", b"2147483647"), ("too_large",)),
    Threat("16,000 frames that are not there", _text(0x00280008, "IS", b"16000"), ("truncated",)),
    Threat(
        "frames without end",
        lambda: (
            meta(craft.RLE) + body({0x00280008: element(0x00280008, "IS", b"16000")}, tail=frames(*[b""] * 40000))
        ),
        ("damaged",),
    ),
    Threat("minus one frame is one", _text(0x00280008, "IS", b"-1"), READ),
    Threat(
        "RLE that ends early",
        lambda: _encapsulated(craft.RLE, _rle_segments()[:70]),
        ("damaged",),
    ),
    Threat("infinitely many frames", _text(0x00280008, "IS", b"1e999"), ("damaged",)),
    Threat("a number of 10 MB", _text(0x00280008, "UT", b"1" * (10 << 20)), ("damaged",)),
    Threat("3,000 nested sequences", lambda: _deep(3000), ("damaged",)),
    Threat("200,000 nested sequences", lambda: _deep(200000), ("damaged",)),
    Threat("nesting in a listed sequence", lambda: _deep(3000, 0x52009230), ("damaged", "no_pixels", "")),
    Threat("nesting under an unknown VR", lambda: _deep(3000, 0x00091001, "UN"), ("damaged",)),
    Threat("a hundred thousand elements", lambda: _many_elements(100_000), READ),
    Threat("a million items", lambda: _many_items(1_000_000), ("", "decoder_timeout", "too_large")),
    Threat(
        "a name that claims two gigabytes",
        lambda: NATIVE + body({0x00100010: element(0x00100010, "UT", b"x", length=1 << 31)}),
        ("truncated", "too_large", "no_pixels", "damaged"),
    ),
    Threat(
        "an unlisted element that claims four gigabytes",
        lambda: NATIVE + body({0x00091001: element(0x00091001, "OB", b"x", length=0xFFFFFFF0)}),
        ("truncated",),
    ),
    Threat(
        "pixels that claim more than there is",
        lambda: NATIVE + body(tail=element(0x7FE00010, "OW", bytes(range(128)), length=1 << 30)),
        READ,
    ),
    Threat(
        "pixels that claim less than they need",
        lambda: NATIVE + body(tail=element(0x7FE00010, "OW", bytes(128), length=60)),
        ("truncated",),
    ),
    Threat(
        "pixels of undefined length that are not compressed",
        lambda: NATIVE + body(tail=frames(bytes(128))),
        ("damaged",),
    ),
    Threat("compressed pixels of a defined length", lambda: meta(craft.RLE) + body(), ("damaged",)),
    Threat(
        "a fragment that claims four gigabytes",
        lambda: (
            meta(craft.RLE)
            + body(
                tail=element(0x7FE00010, "OB", length=craft.UNDEFINED)
                + craft.delimiter(craft.ITEM)
                + craft.delimiter(craft.ITEM, 0xFFFFFF00)
                + b"x"
            )
        ),
        ("damaged", "truncated", "too_large"),
    ),
    Threat(
        "an offset table of nonsense",
        lambda: (
            meta(craft.RLE)
            + body(
                tail=element(0x7FE00010, "OB", length=craft.UNDEFINED)
                + craft.delimiter(craft.ITEM, 4000)
                + b"\xff" * 4000
                + craft.delimiter(craft.ITEM, 64)
                + _rle_segments()[:64]
            )
        ),
        ("damaged",),
    ),
    Threat(
        "an extended offset table of nonsense",
        lambda: (
            meta(craft.RLE)
            + body({0x7FE00001: element(0x7FE00001, "OV", b"\xff" * 80)}, tail=frames(_rle_segments()))
        ),
        ("damaged", "truncated", "no_pixels", ""),
    ),
    Threat(
        "JPEG of another size than the header",
        lambda: _encapsulated(craft.JPEG, _jpeg(512), rows=8, columns=8, bits=8),
        ("damaged",),
    ),
    Threat(
        "JPEG 2000 that announces 60,000 x 60,000",
        lambda: _encapsulated(craft.JPEG_2000, _jpeg_2000_claims(60000, 60000)),
        REFUSED_SIZE,
    ),
    Threat(
        "JPEG 2000 that announces 2^32 - 1",
        lambda: _encapsulated(craft.JPEG_2000, _jpeg_2000_claims(2**32 - 1, 2**32 - 1)),
        REFUSED_SIZE,
    ),
    Threat(
        "JPEG-LS that announces 65,535 x 65,535",
        lambda: _encapsulated(craft.JPEG_LS, _jpeg_ls_claims(65535, 65535), bits=8),
        REFUSED_SIZE,
    ),
    Threat(
        "JPEG 2000 of noise",
        lambda: _encapsulated(craft.JPEG_2000, b"\xff\x4f\xff\x51" + np.random.default_rng(0).bytes(4096)),
        ("damaged", "decoder_crashed", "decoder_timeout"),
    ),
    Threat(
        "JPEG-LS of noise",
        lambda: _encapsulated(craft.JPEG_LS, b"\xff\xd8\xff\xf7" + np.random.default_rng(0).bytes(4096)),
        ("truncated",),
    ),
    Threat("a palette that is too short", lambda: _palette(b"\1\2", segmented=False), ("damaged",)),
    Threat(
        "a segmented palette that multiplies itself",
        lambda: _palette(_segmented_bomb(), segmented=True),
        ("blank",),  # expanded up to its number of entries and no further; all pixels have one colour
    ),
    Threat("a slope of 1e308", _text(0x00281053, "DS", b"1e308"), ("non_finite_pixels",)),
    Threat("an intercept of -1e308", _text(0x00281052, "DS", b"-1e308"), ("non_finite_pixels",)),
    Threat("a slope of zero", _text(0x00281053, "DS", b"0"), ("damaged",)),
    Threat("a slope that is a name", _text(0x00281053, "DS", craft.PERSON.encode()), ("damaged",)),
    Threat("an intercept that is not a number", _nan_table, ("damaged",)),
    Threat(
        "floating-point pixels", lambda: NATIVE + body(tail=element(0x7FE00008, "OF", b"\xff" * 256)), ("no_pixels",)
    ),
    Threat("an unknown character set", _charset(b"ISO_IR 9999", craft.PERSON.encode()), READ),
    Threat("a thousand character sets", _charset(b"\\".join([b"ISO 2022 IR 87"] * 1000), b"\x1b$B" * 500), READ),
    Threat(
        "escape sequences that end nowhere",
        _charset(b"ISO 2022 IR 13\\ISO 2022 IR 87", b"\x1b$B\x1b(J\x1b\x1b$)C\xff\xfe"),
        READ,
    ),
    Threat("bytes that are no UTF-8", _charset(b"ISO_IR 192", b"\xff\xfe\xc0\xaf" + craft.PERSON.encode()), READ),
    Threat("a character set that is a path", _charset(b"../../../etc/passwd", craft.PERSON.encode()), READ),
    Threat("an executable in the preamble", lambda: b"MZ" + b"\x90" * 126 + (NATIVE + body())[128:], READ),
    Threat(
        "a script in the preamble",
        lambda: b"#!/bin/sh\ntouch /tmp/owned\n".ljust(128, b"\n") + (NATIVE + body())[128:],
        READ,
    ),
    Threat("a zip behind the pixels", lambda: NATIVE + body() + b"PK\3\4" + bytes(200), READ),
    Threat(
        "values that are not of their VR",
        lambda: (
            NATIVE
            + body(
                {
                    0x00080018: element(0x00080018, "UI", craft.PERSON.encode()),
                    0x00200013: element(0x00200013, "IS", craft.PERSON.encode()),
                }
            )
        ),
        READ,
    ),
    Threat(
        "file meta that never ends",
        lambda: NATIVE[:132] + element(0x00020010, "UI", b"1.2.840.10008.1.2.1") * 20000 + body(),
        READ,
    ),
    Threat("file meta alone", lambda: NATIVE, ("no_pixels",)),
    Threat("nothing but the mark", lambda: bytes(128) + b"DICM", ("transfer_syntax",)),
    Threat(
        "a number type as rows",
        lambda: NATIVE + body({0x00280010: number(0x00280010, 8)[:4] + b"FD" + number(0x00280010, 8)[6:]}),
        ("damaged", "truncated", "no_pixels", ""),
    ),
)
