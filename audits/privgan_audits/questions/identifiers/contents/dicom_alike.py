"""A DICOM file like one that was read before: only what differs is read, and it comes out as if all had been.

The files of a set differ in a few elements of the top level. In Explicit VR Little Endian (PS3.5 7.1.2) an element
ends where its length says, whatever its value, and is read by itself; where all other bytes are those of an earlier
file, so are the elements that they hold.
"""

import struct
from collections.abc import Iterable, Iterator, MutableSequence
from dataclasses import dataclass
from typing import NamedTuple

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.tag import BaseTag
from pydicom.uid import ExplicitVRLittleEndian
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, STANDARD_VR

from privgan_audits.questions.identifiers.contents.dicom_elements import (
    Located,
    Parsed,
    hushed,
    parsed,
    tag_text,
    values_of,
)
from privgan_audits.questions.identifiers.contents.pieces import Opening

_OF_FILE = (0x00020000, 0x00020003, 0x00080018, 0x00200013, 0x7FE00010)  # length of the meta, UID, number, pixels
_OF_SERIES = (0x0020000D, 0x0020000E, 0x00200011, 0x00200052)  # UIDs of study and series, number, frame of reference
_OF_PATIENT = (0x00100010, 0x00100020, 0x00100040, 0x00101010)  # name, ID, sex, age
_DIFFERING = frozenset((*_OF_FILE, *_OF_SERIES, *_OF_PATIENT))
_FIRST = 132  # byte after the preamble and the prefix
_META = 0x0002  # the group of the file meta
_SHORT = {str(vr).encode(): str(vr) for vr in STANDARD_VR - EXPLICIT_VR_LENGTH_32}
_LONG = {str(vr).encode(): str(vr) for vr in EXPLICIT_VR_LENGTH_32}  # a reserved field, and four bytes of length
_KINDS = 64  # of files, that are remembered; a set has one for each label and number of frames


class _Element(NamedTuple):
    """At the top level of a file: where it starts, its length is written, its value begins, and where it ends."""

    tag: int
    vr: str
    start: int
    length: int
    value: int
    end: int

    def raw(self, content: bytes) -> RawDataElement:
        """As pydicom holds one that nobody has looked at."""
        size, value = self.end - self.value, content[self.value : self.end]
        return RawDataElement(BaseTag(self.tag), self.vr, size, value, self.value, False, True, True)


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """What files have in common: elements of the file meta and the data set, by tag, without those that differ.

    located: all elements in order, of those that differ the tag alone. encoding: of texts, as pydicom calls it.
    """

    meta: dict[BaseTag, DataElement]
    data: dict[BaseTag, DataElement]
    located: tuple[Located | BaseTag, ...]
    encoding: str | MutableSequence[str]

    @classmethod
    def of(cls, file: Parsed) -> "_Kind":
        dataset = file.dataset
        meta, data = (
            {element.tag: element for element in part if element.tag not in _DIFFERING}
            for part in (dataset.file_meta, dataset)
        )
        located = (
            item.element.tag if item.path == tag_text(item.element.tag) and item.element.tag in _DIFFERING else item
            for item in file.elements
        )
        return cls(meta=meta, data=data, located=tuple(located), encoding=dataset.original_character_set)

    def filled(self, content: bytes, differing: Iterable[_Element]) -> Parsed:
        """A file of the kind."""
        raw = [element.raw(content) for element in differing]
        meta = FileMetaDataset({**self.meta, **{each.tag: each for each in raw if each.tag.group == _META}})
        data = Dataset({**self.data, **{each.tag: each for each in raw if each.tag.group != _META}})
        dataset = FileDataset("", data, content[:128], meta, is_implicit_VR=False)
        dataset.set_original_encoding(False, True, self.encoding)
        elements = (item if isinstance(item, Located) else _located(dataset, item) for item in self.located)
        return Parsed(content=content, dataset=dataset, elements=tuple(elements))


def _located(dataset: FileDataset, tag: BaseTag) -> Located:
    element = (dataset.file_meta if tag.group == _META else dataset)[tag]
    texts = () if isinstance(element.value, bytes) else values_of(element.value)
    return Located(path=tag_text(tag), element=element, texts=texts)


class Reader:
    """Reads one DICOM file after another, as `parsed` does."""

    def __init__(self) -> None:
        self._kinds: dict[bytes, _Kind] = {}

    def parsed(self, content: bytes, opening: Opening) -> Parsed | None:
        """The file with every element read; None when that is impossible or would take too much memory."""
        elements = _top(content)
        if elements is None:
            return parsed(content, opening)
        differing = [element for element in elements if element.tag in _DIFFERING]
        same = b"".join(_same(content, differing))
        if (kind := self._kinds.get(same)) is not None:
            try:
                with hushed():
                    return kind.filled(content, differing)
            except Exception:  # noqa: BLE001 a hostile value may raise anything; who reads it whole says what follows
                return parsed(content, opening)
        file = parsed(content, opening)
        if file is not None and len(self._kinds) < _KINDS and _is_plain(file, elements):
            self._kinds[same] = _Kind.of(file)
        return file


def _top(content: bytes) -> list[_Element] | None:
    """Of each element at the top level of a DICOM file where it lies.

    None where they are not all of known VRs and lengths, in ascending order, from the first byte to the last.
    """
    found, start, last = list[_Element](), _FIRST, -1
    try:
        while start < len(content):
            group, number, code = struct.unpack_from("<HH2s", content, start)
            if (vr := _SHORT.get(code)) is not None:
                form, length, value = "<H", start + 6, start + 8
            else:
                vr, form, length, value = _LONG[code], "<I", start + 8, start + 12
            tag, end = group << 16 | number, value + struct.unpack_from(form, content, length)[0]
            if tag <= last or end > len(content):
                return None
            found.append(_Element(tag, vr, start, length, value, end))
            start, last = end, tag
    except (struct.error, KeyError):
        return None
    return found


def _same(content: bytes, differing: Iterable[_Element]) -> Iterator[bytes]:
    """All bytes but the lengths and values of these elements."""
    position = 0
    for element in differing:
        yield content[position : element.length]
        position = element.end
    yield content[position:]


def _is_plain(file: Parsed, elements: Iterable[_Element]) -> bool:
    """Whether pydicom read the file as what it says it is: those elements at the top level, and no others."""
    dataset = file.dataset
    tags = [int(element.tag) for part in (dataset.file_meta, dataset) for element in part]
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    return tags == [element.tag for element in elements] and syntax == ExplicitVRLittleEndian
