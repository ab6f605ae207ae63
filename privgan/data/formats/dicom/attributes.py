"""What of a header can be a further column where no table has it: the patient's sex and age, as PS3.5 spells them."""

import re
from collections.abc import Callable, Mapping

from privgan.data.columns import LONGEST_VALUE
from privgan.data.formats.dicom.header import Header
from privgan.data.formats.dicom.values import text_of

KEYWORDS = ("PatientSex", "PatientAge")
_LONGEST = LONGEST_VALUE + 1  # characters; what has more is no category, and more of it need not travel
_AGE = re.compile(r"(\d{1,3})([DWMY])")
_LENGTHS = {"D": 1.0, "W": 7.0, "M": 365.25 / 12, "Y": 365.25}


def sex_of(header: Header) -> str:
    """F, M or O as a rule, or whatever stands there; empty if nothing does. Sensitive."""
    return text_of(header, "PatientSex").upper()[:_LONGEST]


def age_of(header: Header) -> str:
    """Years as a decimal number, whole ones without a point; empty if nothing is said. Sensitive.

    An age without its unit could be one of months: it keeps its digits, and is no number.
    """
    text = text_of(header, "PatientAge").upper()
    found = _AGE.fullmatch(text)
    if found is None:
        return f"{text}?"[-_LONGEST:] if text else ""
    return f"{int(found[1]) * _LENGTHS[found[2]] / _LENGTHS['Y']:.2f}".rstrip("0").rstrip(".")


COLUMNS: Mapping[str, Callable[[Header], str]] = {"sex": sex_of, "age": age_of}
