"""Every text of a DICOM file, and what no synthetic file should have.

Elements of all depths are read, file meta, sequences and private groups included; the bytes outside the
pixels are searched once more as they lie, so that a preamble, padding or trailing garbage hides nothing.
"""

import contextlib
import io
import logging
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

from pydicom import dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from privgan.synthetic.dicom_writer import DicomLook, template
from privgan_audits.leak_scan.file_texts import Piece, byte_pieces, split_pieces
from privgan_audits.leak_scan.own_writing import OwnWriting

_PIXELS = 0x7FE00010
_NEXT_GROUP = " (@\0"  # groups 0020, 0028 and 0040: printable bytes of the tag that follows a value
# What differs from file to file, and the group length and version that the file format adds.
_VARIABLE = (
    "(0002,0000)",
    "(0002,0001)",
    "(0002,0003)",
    "(0008,0018)",
    "(0010,0010)",
    "(0010,0020)",
    "(0020,000D)",
    "(0020,000E)",
    "(0020,4000)",
    "(7FE0,0010)",
)
_TEXT_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})

Located = tuple[str, DataElement]


def is_dicom(content: bytes) -> bool:
    """Whether the file has the DICOM prefix."""
    return content[128:132] == b"DICM"


class DicomTexts:
    """Reads one file after another and counts structural findings over all of them.

    structure: how many files have a private tag, no Synthetic Data mark, an element or a text that privgan does
        not write, a preamble that is not zero, BurnedInAnnotation other than NO, or cannot be parsed.
    """

    def __init__(self, own: OwnWriting) -> None:
        self.structure: Counter[str] = Counter()
        self._own = own
        self._tags: frozenset[str] = frozenset()
        self._texts: frozenset[str] = frozenset()
        if own.manifest is not None:
            expected = template(DicomLook.of(own.manifest), image_size=own.manifest.image_size)
            known = [*_elements(expected)]
            self._tags = frozenset(path for path, _ in known).union(_VARIABLE)
            self._texts = frozenset(text for _, element in known for text in _spellings(element))

    def pieces(self, content: bytes, dataset: FileDataset | None) -> Iterator[Piece]:
        """All texts of one file, `parsed`, that privgan has not demonstrably written itself."""
        if dataset is None:
            self.structure["unreadable"] += 1
            yield from byte_pieces(content)
            return
        elements = [*_elements(dataset)]
        self.structure.update({*_marks(content, dataset), *self._surprises(elements)})
        for path, element in elements:
            yield from self._element(path, element)
        for piece in split_pieces(content, _pixel_region(dataset)):
            if not self._wrote(piece.text):
                yield piece

    def _wrote(self, text: str) -> bool:
        for tail in (" \0", _NEXT_GROUP):
            text = text.rstrip(tail)
            if text in self._texts or self._own.wrote(text):
                return True
        return text == "DICM"

    def _surprises(self, elements: list[Located]) -> Iterator[str]:
        for path, element in elements:
            if element.tag.is_private:
                yield "private_tags"
            elif path not in self._tags:
                yield "unexpected_elements"
            if element.VR in _TEXT_VRS and element.value and not self._wrote(str(element.value)):
                yield "unexpected_text"

    def _element(self, path: str, element: DataElement) -> Iterator[Piece]:
        kind = f"element {path}"
        if element.tag == _PIXELS or element.VR == "SQ":
            return
        if isinstance(element.value, bytes):
            yield from (Piece(kind, piece.text) for piece in byte_pieces(element.value))
            return
        for text in _values(element.value):
            if not self._wrote(text):
                yield Piece(kind, text)


def _marks(content: bytes, dataset: FileDataset) -> Iterator[str]:
    if any(content[:128]):
        yield "preamble"
    if str(dataset.get("SyntheticData", "")) != "YES":
        yield "not_marked_synthetic"
    if str(dataset.get("BurnedInAnnotation", "NO")) != "NO":
        yield "burned_in_annotation"


def _spellings(element: DataElement) -> Iterator[str]:
    if element.VR not in ("SQ", "UI"):
        texts = [*_values(element.value)]
        yield from texts
        yield "\\".join(texts)
    elif element.VR == "UI":  # of the template: standard UIDs and privgan's own
        yield str(element.value)


def _values(value: Any) -> Iterator[str]:
    if isinstance(value, MultiValue | list | tuple):
        yield from map(str, value)
    else:
        yield str(value)


def parsed(content: bytes) -> FileDataset | None:
    """The data set with every element read; None when that is impossible."""
    with _hushed():
        try:
            dataset = dcmread(io.BytesIO(content))
            for _ in _elements(dataset):
                pass  # values are parsed when they are first looked at
        except Exception:  # noqa: BLE001 a hostile file may raise anything; it is counted, and its bytes are searched
            return None
    return dataset


@contextlib.contextmanager
def _hushed() -> Iterator[None]:
    """Silence pydicom, whose warnings and log lines quote header values."""
    logger = logging.getLogger("pydicom")
    before, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before


def _elements(dataset: Dataset) -> Iterator[Located]:
    yield from _below(dataset.file_meta, "")
    yield from _below(dataset, "")


def _below(dataset: Dataset, prefix: str) -> Iterator[Located]:
    for element in dataset:
        path = prefix + _tag_text(element.tag)
        yield path, element
        if element.VR == "SQ":
            for item in element.value:
                yield from _below(item, f"{path}>")


def _tag_text(tag: BaseTag) -> str:
    return f"({tag.group:04X},{tag.element:04X})"


def _pixel_region(dataset: FileDataset) -> list[tuple[int, int]]:
    if _PIXELS not in dataset:
        return []
    element = dataset[_PIXELS]
    start = element.file_tell
    return [(start, start + len(element.value))] if start and isinstance(element.value, bytes) else []
