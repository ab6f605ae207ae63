"""One file of every kind with some bytes, or a text, put into one of its places; and every way to write a text.

Each place is a function from what is hidden to the bytes of a file. `BYTE_PLACES` take any bytes,
`TEXT_PLACES` only text.
"""

import base64
import bz2
import gzip
import html
import io
import json
import lzma
import struct
import urllib.parse
import warnings
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    SecondaryCaptureImageStorage,
)

SOME_UID = "1.2.826.0.1.3680043.8.498.1"


def dicom(change: Callable[[Dataset], object] = lambda _: None, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """A small file; pydicom's doubts about what is planted are not of interest."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _dicom(change, syntax)


def _dicom(change: Callable[[Dataset], object], syntax: str) -> bytes:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = SOME_UID
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.Rows = dataset.Columns = 8
    dataset.PixelData = bytes(64)
    dataset["PixelData"].VR = "OB"
    change(dataset)
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def in_element(tag: int, vr: str) -> Callable[[bytes], bytes]:
    return lambda hidden: dicom(lambda d: d.add_new(tag, vr, hidden + b"\0" * (len(hidden) % 2)))


def in_text(tag: int, vr: str) -> Callable[[str], bytes]:
    return lambda text: dicom(lambda d: d.add_new(tag, vr, text))


def in_sequence(text: str) -> bytes:
    def change(dataset: Dataset) -> None:
        inner, outer = Dataset(), Dataset()
        inner.TextValue = text
        outer.ContentSequence = Sequence([inner])
        dataset.OriginalAttributesSequence = Sequence([outer])

    return dicom(change)


def unknown_sequence(hidden: bytes) -> bytes:
    """A nested data set in an element of unknown VR and known length; the next tag begins with a letter."""
    value = b" " * (len(hidden) % 2) + hidden
    item = struct.pack("<HHI", 0x0010, 0x0020, len(value)) + value + struct.pack("<HHI", 0x0054, 0x0081, 0)
    return in_element(0x00111001, "UN")(struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item)


def private_information(hidden: bytes) -> bytes:
    def change(dataset: Dataset) -> None:
        dataset.file_meta.PrivateInformationCreatorUID = SOME_UID
        dataset.file_meta.PrivateInformation = hidden + b"\0" * (len(hidden) % 2)

    return dicom(change)


def deflated(hidden: bytes) -> bytes:
    return dicom(
        lambda d: d.add_new(0x00111001, "UN", hidden + b"\0" * (len(hidden) % 2)), DeflatedExplicitVRLittleEndian
    )


def encapsulated(hidden: bytes) -> bytes:
    def change(dataset: Dataset) -> None:
        dataset.PixelData = encapsulate([in_jpeg_segment(0xFE)(hidden)])

    return dicom(change, JPEGBaseline8Bit)


def picture(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)).save(buffer, kind)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def in_png(kind: bytes, before: bytes = b"", pack: Callable[[bytes], bytes] = bytes) -> Callable[[bytes], bytes]:
    content = picture("PNG")
    return lambda hidden: content[:33] + chunk(kind, before + pack(hidden)) + content[33:]


def behind_image_stream(hidden: bytes) -> bytes:
    rows = zlib.compress(b"".join(b"\0" + bytes(8) for _ in range(8))) + b"\0" + hidden
    header = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def in_jpeg_segment(marker: int, before: bytes = b"") -> Callable[[bytes], bytes]:
    content = picture("JPEG")

    def plant(hidden: bytes) -> bytes:
        data = before + hidden
        return content[:2] + struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data + content[2:]

    return plant


def thumbnail(hidden: bytes) -> bytes:
    return in_jpeg_segment(0xE1, b"Exif\0\0II*\0")(in_jpeg_segment(0xFE)(hidden))


def jpeg_2000(hidden: bytes) -> bytes:
    comment = struct.pack(">HHH", 0xFF64, len(hidden) + 4, 1) + hidden
    return b"\xff\x4f\xff\x51\0\4\0\0" + comment + b"\xff\x90" + bytes(range(200)) + b"\xff\xd9"


def archive(
    hidden: bytes = b"",
    *,
    method: int = zipfile.ZIP_DEFLATED,
    change: Callable[[zipfile.ZipInfo], object] = lambda _: None,
) -> bytes:
    info = zipfile.ZipInfo("a.bin")
    info.compress_type = method
    change(info)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr(info, b"\0" + hidden + b"\0")
    return buffer.getvalue()


def archive_comment(hidden: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr("a.bin", b"x")
        target.comment = hidden
    return buffer.getvalue()


def with_extra(hidden: bytes) -> Callable[[zipfile.ZipInfo], object]:
    return lambda info: setattr(info, "extra", struct.pack("<HH", 0x7075, len(hidden) + 5) + b"\1kkkk" + hidden)


def unlisted_member(hidden: bytes) -> bytes:
    """A member that the directory does not know, as when one was deleted carelessly."""
    one = archive(hidden)
    return one[: one.index(b"PK\1\2")] + archive(b"fine")


def gzip_header(flag: int) -> Callable[[bytes], bytes]:
    body = gzip.compress(b"fine")[10:]
    return lambda hidden: b"\x1f\x8b\x08" + bytes([flag]) + bytes(6) + hidden.replace(b"\0", b"") + b"\0" + body


def array(values: object) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(values))
    return buffer.getvalue()


BYTE_PLACES: dict[str, Callable[[bytes], bytes]] = {
    "a file of no known form": lambda h: b"\1\2\3\0" + h + b"\0\1",
    "a zip member": archive,
    "a stored zip member": lambda h: archive(h, method=zipfile.ZIP_STORED),
    "a zip in a zip in a zip": lambda h: archive(archive(archive(h))),
    "a zip comment": archive_comment,
    "a member comment": lambda h: archive(change=lambda i: setattr(i, "comment", h)),
    "a member extra field": lambda h: archive(change=with_extra(h)),
    "an unlisted member": unlisted_member,
    "a zip behind other bytes": lambda h: b"#!\1\n" + archive(h),
    "bytes behind a zip": lambda h: archive() + b"\0" + h,
    "gzip": lambda h: gzip.compress(b"\0" + h),
    "gzip name": gzip_header(8),
    "gzip comment": gzip_header(16),
    "bytes behind gzip": lambda h: gzip.compress(b"x") + b"\0" + h,
    "a second gzip member": lambda h: gzip.compress(b"x") + gzip.compress(b"\0" + h),
    "bzip2": lambda h: bz2.compress(b"\0" + h),
    "xz": lambda h: lzma.compress(b"\0" + h),
    "a zlib stream in other bytes": lambda h: b"%PDF\1stream\n" + zlib.compress(b"\0" + h) + b"endstream",
    "PNG tEXt": in_png(b"tEXt", b"Comment\0"),
    "PNG zTXt": in_png(b"zTXt", b"Comment\0\0", zlib.compress),
    "PNG iTXt": in_png(b"iTXt", b"Comment\0\1\0\0\0", zlib.compress),
    "PNG iCCP": in_png(b"iCCP", b"profile\0\0", lambda h: zlib.compress(b"\0" + h)),
    "PNG eXIf": in_png(b"eXIf", b"II*\0"),
    "an unknown PNG chunk": in_png(b"abCd"),
    "bytes behind a PNG": lambda h: picture("PNG") + h,
    "a zip behind a PNG": lambda h: picture("PNG") + archive(h),
    "bytes behind a PNG's image stream": behind_image_stream,
    "a JPEG comment": in_jpeg_segment(0xFE),
    "JPEG EXIF": in_jpeg_segment(0xE1, b"Exif\0\0II*\0\1\0"),
    "JPEG XMP": in_jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0"),
    "a JPEG ICC profile": in_jpeg_segment(0xE2, b"ICC_PROFILE\0\1\1"),
    "JPEG IPTC": in_jpeg_segment(0xED, b"Photoshop 3.0\0"),
    "a JPEG thumbnail": thumbnail,
    "bytes behind a JPEG": lambda h: picture("JPEG") + h + b"\xff\xd9",
    "a JPEG 2000 comment": jpeg_2000,
    "bytes behind an array": lambda h: array(np.zeros((4, 8, 8), np.uint8)) + h,
    "a DICOM preamble": lambda h: h.ljust(128, b"\0")[:128] + dicom()[128:],
    "DICOM private information": private_information,
    "a private element": in_element(0x00111001, "OB"),
    "an unknown VR": in_element(0x00111001, "UN"),
    "a data set in an unknown VR": unknown_sequence,
    "an overlay": in_element(0x60003000, "OB"),
    "a curve": in_element(0x50003000, "OB"),
    "a DICOM ICC profile": in_element(0x00282000, "OB"),
    "an encapsulated document": lambda h: in_element(0x00420011, "OB")(b"%PDF\1" + zlib.compress(b"\0" + h)),
    "data set trailing padding": in_element(0xFFFCFFFC, "OB"),
    "bytes behind the pixels": lambda h: dicom() + b"\0\0" + h,
    "a comment of a JPEG frame": encapsulated,
    "a deflated data set": deflated,
    "a DICOM file in a zip": lambda h: archive(in_element(0x00111001, "UN")(h)),
    "a PNG in base64": lambda h: b'<img src="data:;base64,' + base64.b64encode(BYTE_PLACES["PNG zTXt"](h)) + b'">',
}

TEXT_PLACES: dict[str, Callable[[str], bytes]] = {
    "a line of text": lambda t: f"seen\nof {t}, twice\n".encode(),
    "UTF-16 with a mark": lambda t: f"of {t}".encode("utf-16"),
    "UTF-32 with a mark": lambda t: f"of {t}".encode("utf-32"),
    "a JSON key": lambda t: json.dumps({t: 1}).encode(),
    "a JSON value": lambda t: json.dumps([{"note": t}], ensure_ascii=False).encode(),
    "a JSON key that comes twice": lambda t: f'{{"a": {json.dumps(t)}, "a": 1}}'.encode(),
    "CSV": lambda t: f'a,b\n1,"{t}"\n'.encode(),
    "HTML": lambda t: f"<p>of {html.escape(t)}</p>".encode(),
    "a markdown list": lambda t: f"- **{t}**\n".encode(),
    "XML over lines": lambda t: f"<a>\n <b c='{html.escape(t)}'/>\n</a>".encode(),
    "a text array": lambda t: array(["fine", t]),
    "a structured array": lambda t: array(np.array([(1, t)], dtype=[("n", "i4"), ("s", "U200")])),
    "a nested sequence": in_sequence,
    "a comment element": in_text(0x00204000, "LT"),
    "an unlimited text": in_text(0x0040A160, "UT"),
    "a name": in_text(0x00081070, "PN"),
    "a private creator": in_text(0x00110010, "LO"),
}

ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "UTF-8": str.encode,
    "UTF-16, little-endian": lambda t: t.encode("utf-16-le"),
    "UTF-16, big-endian": lambda t: t.encode("utf-16-be"),
    "UTF-32, little-endian": lambda t: t.encode("utf-32-le"),
    "UTF-32, big-endian": lambda t: t.encode("utf-32-be"),
    "base64 of UTF-16": lambda t: base64.b64encode(t.encode("utf-16-le")),
    "hexadecimal of UTF-16": lambda t: t.encode("utf-16-be").hex().encode(),
}
TEXT_ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda t: "".join(f"%{byte:02X}" for byte in t.encode()),
    "percent where needed": urllib.parse.quote_plus,
    "quoted-printable": lambda t: "".join(f"={byte:02X}" for byte in t.encode()),
    "entities": lambda t: "".join(f"&#{ord(letter)};" for letter in t),
    "hexadecimal entities": lambda t: "".join(f"&#x{ord(letter):x};" for letter in t),
    "backslash u": lambda t: "".join(f"\\u{ord(letter):04x}" for letter in t),
    "backslash x": lambda t: "".join(f"\\x{byte:02x}" for byte in t.encode()),
    "hexadecimal": lambda t: t.encode().hex(),
    "HEXADECIMAL": lambda t: "0x" + t.encode().hex().upper(),
    "spaced hexadecimal": lambda t: t.encode().hex(" "),
    "base64": lambda t: base64.b64encode(t.encode()).decode(),
    "base64 without padding": lambda t: base64.b64encode(t.encode()).decode().rstrip("="),
    "base64, one letter before": lambda t: base64.b64encode(b"," + t.encode() + b",").decode(),
    "base64, two letters before": lambda t: base64.b64encode(b": " + t.encode() + b".").decode(),
    "base64 for addresses": lambda t: "key=" + base64.urlsafe_b64encode(b"~~~ ??? >>> " + t.encode()).decode(),
    "base64 of base64": lambda t: base64.b64encode(base64.b64encode(t.encode())).decode(),
}
