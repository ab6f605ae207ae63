"""One identifier in every place of a synthetic set that can hide it: what the scan must find."""

import io
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from privgan.data.identifiers import DATE, IDENTIFIER, NAME
from privgan.data.identifiers import UID as UID_CATEGORY

PATIENT = "Żółkiewska^Agnieszka"
NUMBER = "MRN-4471-8823"
SOURCE_UID = "1.2.826.0.1.3680043.8.498.10203040506070809"
KNOWN = {NAME: [PATIENT], IDENTIFIER: [NUMBER], UID_CATEGORY: [SOURCE_UID], DATE: ["19570314"]}
IMAGE = "dicom/000002/000002.dcm"


def in_dicom(change: Callable[[Dataset], object]) -> Callable[[Path], None]:
    def plant(folder: Path) -> None:
        dataset = dcmread(folder / IMAGE)
        change(dataset)
        dataset.save_as(folder / IMAGE)

    return plant


def in_bytes(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def plant(folder: Path) -> None:
        (folder / name).write_bytes(change((folder / name).read_bytes()))

    return plant


def nested(dataset: Dataset) -> None:
    inner, outer = Dataset(), Dataset()
    inner.OperatorsName = "Agnieszka Zolkiewska"
    outer.PerformedProtocolCodeSequence = Sequence([inner])
    dataset.ReferencedStudySequence = Sequence([outer])


def private(dataset: Dataset) -> None:
    dataset.private_block(0x0011, "ACME 1.0", create=True).add_new(0x01, "LO", f"ref {NUMBER}")


def private_bytes(dataset: Dataset) -> None:
    dataset.private_block(0x0011, "ACME 1.0", create=True).add_new(0x02, "OB", b"\0\1" + NUMBER.encode() + b"\0")


def file_meta(dataset: Dataset) -> None:
    dataset.file_meta.SourceApplicationEntityTitle = "MRN44718823"


def source_uid(dataset: Dataset) -> None:
    dataset.StudyInstanceUID = UID(SOURCE_UID)


def in_pixels(dataset: Dataset) -> None:
    content = bytearray(dataset.PixelData)
    content[100:115] = b"\0" + NUMBER.encode() + b"\0"
    dataset.PixelData = bytes(content)


def in_array(**arrays: object) -> Callable[[Path], None]:
    def plant(folder: Path) -> None:
        with np.load(folder / "images.npz") as loaded:
            content = dict(loaded)
        np.savez(folder / "images.npz", **content, **{name: np.asarray(a) for name, a in arrays.items()})

    return plant


def in_zip_comment(folder: Path) -> None:
    with zipfile.ZipFile(folder / "images.npz", "a") as archive:
        archive.comment = PATIENT.encode()


def in_compressed_png_text(folder: Path) -> None:
    path = folder / "contact-sheet.png"
    info = PngImagePlugin.PngInfo()
    info.add_text("Description", f"taken from {NUMBER}", zip=True)
    with Image.open(path) as image:
        image.load()
    image.save(path, pnginfo=info)


def in_png_text(folder: Path) -> None:
    path = folder / "contact-sheet.png"
    data = b"Comment\0" + NUMBER.encode()
    chunk = struct.pack(">I", len(data)) + b"tEXt" + data + struct.pack(">I", zlib.crc32(b"tEXt" + data))
    content = path.read_bytes()
    path.write_bytes(content[:33] + chunk + content[33:])


def in_jpeg(folder: Path) -> None:
    buffer = io.BytesIO()
    Image.new("L", (16, 16)).save(buffer, "JPEG", comment=NUMBER.encode())
    (folder / "preview.jpg").write_bytes(buffer.getvalue())


def in_nested_zip(folder: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("notes.txt", f"see {NUMBER}")
    (folder / "more.zip").write_bytes(buffer.getvalue())


def in_manifest(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "note": PATIENT}))


def in_latin_2_name(folder: Path) -> None:
    name = PATIENT.split("^", maxsplit=1)[0].encode("iso8859_2")
    (Path(os.fsdecode(os.fsencode(folder) + b"/" + name + b".txt"))).write_text("")


PLANTS: dict[str, Callable[[Path], object]] = {
    "a patient's name": in_dicom(lambda d: setattr(d, "PatientName", PATIENT)),
    "a name in free text, other order": in_dicom(lambda d: setattr(d, "ImageComments", "of AGNIESZKA ZOLKIEWSKA.")),
    "a number in another form": in_dicom(lambda d: setattr(d, "PatientID", "mrn 4471 8823")),
    "a nested sequence": in_dicom(nested),
    "a private element": in_dicom(private),
    "private bytes": in_dicom(private_bytes),
    "file meta": in_dicom(file_meta),
    "a source UID": in_dicom(source_uid),
    "pixel bytes": in_dicom(in_pixels),
    "the preamble": in_bytes(IMAGE, lambda c: NUMBER.encode().ljust(128, b"\0") + c[128:]),
    "trailing bytes": in_bytes(IMAGE, lambda c: c + b"\0\0" + NUMBER.encode()),
    "an unreadable DICOM file": in_bytes(IMAGE, lambda c: c[:200] + b"\xff\xff\0" + NUMBER.encode()),
    "UTF-16": lambda f: (f / "blob").write_bytes(b"\x01\x02\x03\x00" + PATIENT.encode("utf-16-le") + b"\x00\x01"),
    "UTF-16 text": lambda f: (f / "a.txt").write_text(NUMBER, encoding="utf-16"),
    "Latin-1 bytes": lambda f: (f / "blob").write_bytes(b"\x01\x02" + NUMBER.encode() + b"\xe9\x00"),
    "a text array": in_array(notes=["fine", NUMBER]),
    "a byte-string array": in_array(notes=[NUMBER.encode()]),
    "an array's name": in_array(**{NUMBER: [1]}),
    "a zip comment": in_zip_comment,
    "a zip in the set": in_nested_zip,
    "bytes behind the arrays": in_bytes("images.npz", lambda c: c + b"\0" + NUMBER.encode()),
    "a PNG text chunk": in_png_text,
    "a compressed PNG text chunk": in_compressed_png_text,
    "bytes behind a PNG": in_bytes("contact-sheet.png", lambda c: c + NUMBER.encode()),
    "a JPEG comment": in_jpeg,
    "the card": in_bytes("README.md", lambda c: c + f"\nThanks to {NUMBER}.\n".encode()),
    "the mark": in_bytes("NOT_RELEASED", lambda c: c + NUMBER.encode()),
    "the labels": in_bytes("labels.csv", lambda c: c.replace(b"PG-0123abcd-000003", NUMBER.encode())),
    "the manifest, escaped": in_manifest,
    "a file name": lambda f: (f / f"{NUMBER}.txt").write_text(""),
    "a file name, escaped": lambda f: (f / "MRN%2D4471%2D8823.txt").write_text(""),
    "a file name in another character set": in_latin_2_name,
    "a link's target": lambda f: (f / "link").symlink_to(f"/data/{NUMBER}/image.dcm"),
    "a folder name": lambda f: (f / "dicom" / "Zolkiewska_Agnieszka").mkdir(),
}
