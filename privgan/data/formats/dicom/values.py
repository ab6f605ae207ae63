"""Values of a header that may hold anything, as texts and numbers or a refusal.

A header is asked some sixty times, and pydicom takes ten microseconds for an answer. What a plain text or one short
number says can be seen from its bytes; everything else is left to pydicom.
"""

import math
import re
from collections.abc import Collection, Iterator

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from privgan.data.formats.dicom.header import Header, tag_of
from privgan.data.refusals import RefusedError

_LONGEST_NUMBER = 64  # characters; int() of a very long text is slow on purpose
_TEXTS_OF_ONE = frozenset(("LT", "ST", "UT"))  # in which a backslash is a sign like others
_TEXTS = _TEXTS_OF_ONE | {"AE", "AS", "CS", "DA", "DT", "LO", "PN", "SH", "TM", "UI"}
_COUNT = re.compile(rb"[0-9]{1,9}[ ]?")
_SIGNS = re.compile(rb"[\0 -~]*")  # one byte each, and nothing that switches to another character set
_AS_ASCII = frozenset(("iso8859", "latin_1", "UTF8"))  # character sets, as pydicom calls them, that begin with it


def values_of(dataset: Dataset | Header, key: str | int) -> list[str]:
    """All non-empty values of an element, by keyword or tag, as texts without padding."""
    tag = tag_of(key) if isinstance(key, str) else key
    if isinstance(dataset, Header) and dataset.read is None:
        found = dataset.elements.get(tag)
        if found is None or not found.value:
            return []
        plain = _plain(found.vr, found.value, dataset.encoding, little=True)
    else:
        dataset = dataset.dataset if isinstance(dataset, Header) else dataset
        element = dataset.get_item(tag)
        if element is None:
            return []
        plain = _plain_of(element, dataset) if isinstance(element, RawDataElement) else None
    if plain is None:
        plain = _converted(dataset.dataset if isinstance(dataset, Header) else dataset, key)
    return [text for item in plain if (text := item.strip(" \0"))]


def _plain_of(element: RawDataElement, dataset: Dataset) -> list[str] | None:
    vr, value, encoding = element.VR or dictionary_VR(element.tag), element.value, dataset.original_character_set
    return _plain(vr, value, encoding, little=element.is_little_endian) if value else None


def _plain(vr: str, value: bytes, encoding: str | Collection[str], *, little: bool) -> list[str] | None:
    """Values whose bytes can mean one thing only; None where pydicom must say."""
    if vr == "US" and len(value) == 2:
        return [str(int.from_bytes(value, "little" if little else "big"))]
    if vr == "IS" and _COUNT.fullmatch(value):
        return [value.decode("ascii")]
    if vr not in _TEXTS or not _SIGNS.fullmatch(value) or not _begins_with_ascii(encoding):
        return None
    if vr == "PN" and b"=" in value:  # one name, written in several ways
        return None
    text = value.decode("ascii")
    return [text] if vr in _TEXTS_OF_ONE else text.split("\\")


def _converted(dataset: Dataset, key: str | int) -> list[str]:
    """What pydicom makes of an element."""
    value = dataset.get(key)
    if isinstance(value, DataElement):  # what pydicom gives for a tag
        value = value.value
    if value is None:
        return []
    several = value if isinstance(value, list) or hasattr(value, "__delitem__") else [value]
    return list(map(str, several))


def _begins_with_ascii(encoding: str | Collection[str]) -> bool:
    return encoding in _AS_ASCII if isinstance(encoding, str) else bool(encoding) and _AS_ASCII.issuperset(encoding)


def text_of(dataset: Dataset | Header, keyword: str) -> str:
    """The values of an element as they stand in the file, joined by backslashes; empty when there are none."""
    return "\\".join(values_of(dataset, keyword))


def integer_of(dataset: Dataset | Header, keyword: str, default: int | None = None) -> int:
    """A whole number.

    Raises:
        RefusedError: damaged; there is none and no default, or it is something else.
    """
    number = number_of(dataset, keyword, default)
    if not number.is_integer():
        raise RefusedError("damaged")
    return int(number)


def number_of(dataset: Dataset | Header, keyword: str, default: float | None = None) -> float:
    """A number; it may be infinite.

    Raises:
        RefusedError: damaged; there is none and no default, or it is no number.
    """
    text = text_of(dataset, keyword)
    if not text:
        if default is None:
            raise RefusedError("damaged")
        return float(default)
    try:
        number = float(text[:_LONGEST_NUMBER])
    except ValueError:
        raise RefusedError("damaged") from None
    if math.isnan(number) or len(text) > _LONGEST_NUMBER:
        raise RefusedError("damaged")
    return number


def items_of(dataset: Dataset | Header, keyword: str) -> Iterator[Dataset]:
    """The items of a sequence; none where there is something else."""
    if isinstance(dataset, Header):
        if dataset.read is None and tag_of(keyword) not in dataset.elements:
            return
        dataset = dataset.dataset
    value = dataset.get(keyword)
    if isinstance(value, Sequence):
        yield from value
