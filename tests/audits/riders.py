"""Harmless images hidden in the files of a set, each in a place that a reader of the file does not show."""

import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

Change = Callable[[Path], object]
HIDDEN = np.random.default_rng(9).integers(0, 256, (8, 28, 28), dtype=np.uint8).tobytes()


def behind_an_array(folder: Path) -> None:
    """More images in the member that holds the images, behind what its header says."""
    with zipfile.ZipFile(folder / "images.npz") as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    held["images.npy"] += HIDDEN
    with zipfile.ZipFile(folder / "images.npz", "w") as archive:
        for name, content in held.items():
            archive.writestr(zipfile.ZipInfo(name), content)


def in_zip_comment(folder: Path) -> None:
    with zipfile.ZipFile(folder / "images.npz", "a") as archive:
        archive.comment = HIDDEN


def in_zip_extra(folder: Path) -> None:
    with np.load(folder / "images.npz") as arrays, zipfile.ZipFile(folder / "again", "w") as archive:
        for name in arrays.files:
            info = zipfile.ZipInfo(f"{name}.npy")
            info.extra = b"PG\x00\x08" + HIDDEN[:2048]
            with archive.open(info, "w") as stream:
                np.lib.format.write_array(stream, arrays[name])
    (folder / "again").rename(folder / "images.npz")


def before_the_archive(folder: Path) -> None:
    (folder / "images.npz").write_bytes(HIDDEN + (folder / "images.npz").read_bytes())


def compressed(folder: Path) -> None:
    """The same arrays; but how they are compressed can say something, too."""
    with np.load(folder / "images.npz") as arrays:
        np.savez_compressed(folder / "again.npz", **arrays)
    (folder / "again.npz").rename(folder / "images.npz")


def in_private_chunk(folder: Path) -> None:
    path = folder / "contact-sheet.png"
    chunk = b"prVt" + HIDDEN
    content = path.read_bytes()
    framed = struct.pack(">I", len(HIDDEN)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    path.write_bytes(content[:-12] + framed + content[-12:])


def behind(name: str) -> Change:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes() + HIDDEN)


def in_manifest(change: Callable[[str], str]) -> Change:
    """What a parser reads stays as it is."""
    return lambda folder: (folder / "manifest.json").write_text(change((folder / "manifest.json").read_text()))


def sheet_compressed(folder: Path) -> None:
    """The same pixels; but how they are compressed can say something, too."""
    with Image.open(folder / "contact-sheet.png") as image:
        image.load()
    image.save(folder / "contact-sheet.png")


# By name: the difference that it makes, and how it gets there.
RIDERS: dict[str, tuple[str, Change]] = {
    "images behind the array": ("arrays", behind_an_array),
    "images in the zip comment": ("arrays", in_zip_comment),
    "images in an extra field": ("arrays", in_zip_extra),
    "images before the archive": ("arrays", before_the_archive),
    "images behind the archive": ("arrays", behind("images.npz")),
    "arrays compressed": ("arrays", compressed),
    "images in a private chunk": ("contact_sheet", in_private_chunk),
    "images behind the picture": ("contact_sheet", behind("contact-sheet.png")),
    "a sheet compressed": ("contact_sheet", sheet_compressed),
    "images behind the table": ("labels_table", behind("labels.csv")),
    "images behind the card": ("card", behind("README.md")),
    "spaces behind the manifest": ("manifest", in_manifest(lambda text: text + " \t" * 2000)),
    "digits in the manifest": (
        "manifest",
        in_manifest(lambda text: text.replace("3.0", "3.00")),
    ),
    "a key twice": ("manifest", in_manifest(lambda text: text.replace("{", '{"kind": "of a rider",', 1))),
}
