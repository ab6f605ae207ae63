"""Headers in the coding that nearly all files have, read without a detour: explicit VR, little endian, lengths known.

pydicom makes objects of every element, asks of each whether it is one of forty other cases, and converts it when
somebody looks. A walk from length to length finds the same elements at a tenth of the cost; where anything is unusual
it gives up, and pydicom reads that file from the start.
"""

import functools
import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pydicom.charset import convert_encodings, default_encoding
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement, convert_raw_data_element, empty_value_for_VR
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag
from pydicom.valuerep import EXPLICIT_VR_LENGTH_16, EXPLICIT_VR_LENGTH_32
from pydicom.values import convert_string

CHARACTER_SET = 0x00080005
_SHORT = {str(vr.value).encode(): str(vr.value) for vr in EXPLICIT_VR_LENGTH_16}
_LONG = {str(vr.value).encode(): str(vr.value) for vr in EXPLICIT_VR_LENGTH_32}
_META, _DELIMITERS = 0x0002, 0xFFFE
_UNDEFINED = 0xFFFFFFFF
_head, _wide = struct.Struct("<HH2sH").unpack_from, struct.Struct("<L").unpack_from


class Element(NamedTuple):
    """An element as it stands in a file: its VR, its value, and where that begins."""

    vr: str
    value: bytes
    place: int


@dataclass(frozen=True, kw_only=True)
class Header:
    """The listed elements of a data set, by tag in the order of the file. Sensitive; its repr shows a count only.

    elements: those that were found by a walk. encoding: what pydicom makes of Specific Character Set.
    read: the data set that pydicom read, where there was no walk.
    """

    elements: Mapping[int, Element]
    encoding: str | tuple[str, ...] = default_encoding
    read: Dataset | None = None

    def __repr__(self) -> str:
        return f"Header({len(self.elements)} elements)"

    @classmethod
    def of(cls, dataset: Dataset) -> "Header":
        """What pydicom read."""
        return cls(elements={}, read=dataset)

    @functools.cached_property
    def dataset(self) -> Dataset:
        """As pydicom has it."""
        if self.read is not None:
            return self.read
        found = Dataset({BaseTag(tag): raw(tag, element) for tag, element in self.elements.items()})
        encoding = self.encoding if isinstance(self.encoding, str) else list(self.encoding)
        found.set_original_encoding(False, True, encoding)
        return found

    def only(self, tags: Collection[int]) -> "Header":
        """As if it had no others than these."""
        elements = {tag: element for tag, element in self.elements.items() if tag in tags}
        return Header(elements=elements, encoding=self.encoding)


@dataclass(frozen=True, kw_only=True)
class Walked:
    """What a walk found: elements of the file meta, listed ones of the data set, and where pixels' tag stands."""

    meta: Mapping[int, Element]
    elements: Mapping[int, Element]
    end: int


def walked(content: bytes, start: int, listed: Collection[int], stops: Collection[int]) -> Walked | None:
    """The elements of a file up to its pixels; None where pydicom must be asked.

    Args:
        content: the file, or its beginning.
        start: where the file meta begins.
        listed: tags of the data set that are wanted.
        stops: tags of pixels.
    """
    meta: dict[int, Element] = {}
    elements: dict[int, Element] = {}
    place, last, in_meta = start, len(content) - 8, True
    while place <= last:
        group, number, code, length = _head(content, place)
        tag, value = group << 16 | number, place + 8
        if group != _META:
            in_meta = False
            if tag in stops:
                return Walked(meta=meta, elements=elements, end=place)
        vr = _SHORT.get(code)
        if vr is None:
            vr = _LONG.get(code)
            if vr is None or value > last:  # so that the length is there
                return None
            (length,) = _wide(content, value)
            value += 4
        following = value + length
        if following > len(content) or group == _DELIMITERS:  # an undefined length is beyond every end
            return None
        if in_meta:
            meta[tag] = Element(vr, content[value:following], value)
        elif tag in listed or tag == CHARACTER_SET:
            if tag in elements:
                return None
            elements[tag] = Element(vr, content[value:following], value)
        place = following
    return None


def raw(tag: int, element: Element) -> RawDataElement:
    """An element as pydicom reads it."""
    vr, value, place = element
    said = value or empty_value_for_VR(vr, raw=True)
    return RawDataElement(BaseTag(tag), vr, len(value), said, place, False, True)  # type: ignore[arg-type]


@functools.lru_cache(maxsize=64)
def meta_text(tag: int, vr: str, value: bytes) -> str:
    """An element of the file meta as pydicom says it."""
    found = Dataset({BaseTag(tag): raw(tag, Element(vr, value, 0))})
    return str(found[BaseTag(tag)].value)


@functools.lru_cache(maxsize=64)
def encoding_of(vr: str, value: bytes) -> str | tuple[str, ...]:
    """What pydicom makes of Specific Character Set, once for all files that say the same."""
    convert_encodings(convert_string(value, True))  # for elements that are read behind it, and refused with it
    said = convert_raw_data_element(raw(CHARACTER_SET, Element(vr, value, 0))).value
    found = convert_encodings(said)
    return found if isinstance(found, str) else tuple(found)


@functools.cache
def tag_of(keyword: str) -> int:
    """The number of a keyword's tag."""
    found = tag_for_keyword(keyword)
    if found is None:
        raise KeyError(keyword)
    return int(found)
