"""Values of a header that may hold anything, as texts and numbers or a refusal."""

import math
from collections.abc import Iterator

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag

from privgan.data.refusals import RefusedError

_LONGEST_NUMBER = 64  # characters; int() of a very long text is slow on purpose


def values_of(dataset: Dataset, key: str | BaseTag) -> list[str]:
    """All non-empty values of an element, by keyword or tag, as texts without padding."""
    value = dataset.get(key)
    if isinstance(value, DataElement):  # what pydicom gives for a tag
        value = value.value
    if value is None:
        return []
    several = value if isinstance(value, list) or hasattr(value, "__delitem__") else [value]
    return [text for text in (str(item).strip(" \0") for item in several) if text]


def text_of(dataset: Dataset, keyword: str) -> str:
    """The values of an element as they stand in the file, joined by backslashes; empty when there are none."""
    return "\\".join(values_of(dataset, keyword))


def integer_of(dataset: Dataset, keyword: str, default: int | None = None) -> int:
    """A whole number.

    Raises:
        RefusedError: damaged; there is none and no default, or it is something else.
    """
    number = number_of(dataset, keyword, default)
    if not number.is_integer():
        raise RefusedError("damaged")
    return int(number)


def number_of(dataset: Dataset, keyword: str, default: float | None = None) -> float:
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


def items_of(dataset: Dataset, keyword: str) -> Iterator[Dataset]:
    """The items of a sequence; none where there is something else."""
    value = dataset.get(keyword)
    if isinstance(value, Sequence):
        yield from value
