"""Values of plain elements are read from their bytes: as texts the same as what pydicom makes of them."""

import warnings
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydicom.charset import convert_encodings
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from privgan.data.formats.dicom import values
from privgan.data.formats.dicom.file import TAGS
from privgan.data.formats.dicom.values import values_of

SETS: Sequence[str | list[str]] = (
    "ISO_IR 6", "ISO_IR 100", "ISO_IR 192", "ISO_IR 13", "GB18030", ["", "ISO 2022 IR 87"], "ISO_IR 144", "cp037",
)  # fmt: skip
PLAIN = st.text(st.sampled_from("AZaz09 .-+^=~\\\0\t"), max_size=12).map(str.encode)
BYTES = st.one_of(PLAIN, st.binary(max_size=8), st.integers(0, 10**10).map(lambda number: str(number).encode()))


def header(keyword: str, value: bytes, vr: str | None, character_set: str | list[str], *, little: bool) -> Dataset:
    """One element as it is read from a file; no VR where a file says none."""
    raw = RawDataElement(Tag(keyword), vr, len(value), value, 0, vr is None, little)
    found = Dataset({BaseTag(Tag(keyword)): raw})
    found.set_original_encoding(vr is None, little, convert_encodings(character_set))
    return found


def as_pydicom_says(dataset: Dataset, key: str | BaseTag) -> list[str] | type[Exception]:
    """The slow way: every element is converted."""
    try:
        value = dataset.get(key)
        value = value.value if isinstance(value, DataElement) else value
        several = value if isinstance(value, list) or hasattr(value, "__delitem__") else [value]
        return [text for text in (str(item).strip(" \0") for item in several if value is not None) if text]
    except Exception as error:  # noqa: BLE001 - whatever it raises, the fast way must raise as well
        return type(error)


def as_read(dataset: Dataset, key: str | BaseTag) -> list[str] | type[Exception]:
    try:
        return values_of(dataset, key)
    except Exception as error:  # noqa: BLE001 - the same
        return type(error)


@settings(max_examples=600, deadline=None)
@given(
    tag=st.sampled_from(TAGS).map(Tag),
    value=BYTES,
    vr=st.sampled_from([None, "", *sorted(values._TEXTS), "US", "SS", "IS", "DS", "UN", "OB", "FD"]),
    character_set=st.sampled_from(SETS),
    little=st.booleans(),
)
@example(tag=Tag("PatientName"), value=b"A^B== ", vr="PN", character_set="ISO_IR 100", little=True)
@example(tag=Tag("PatientName"), value=b"A~B", vr=None, character_set="ISO_IR 13", little=True)
@example(tag=Tag("PatientID"), value=b"\xc1\xc2", vr="LO", character_set="cp037", little=True)
@example(tag=Tag("Rows"), value=b"\x01\x02", vr="US", character_set="ISO_IR 6", little=False)
@example(tag=Tag("ImageType"), value=b"A\\\\B \\C\0", vr="CS", character_set="ISO_IR 6", little=True)
@example(tag=Tag("PatientComments"), value=b"A\\B ", vr="LT", character_set="ISO_IR 6", little=True)
@example(tag=Tag("NumberOfFrames"), value=b"007", vr="IS", character_set="ISO_IR 6", little=True)
def test_values_are_those_that_pydicom_gives(
    tag: BaseTag, value: bytes, vr: str | None, character_set: str | list[str], little: bool
) -> None:
    said = dictionary_VR(tag) if vr == "" else vr
    for key in (tag, tag_name(tag)):
        made = [header(tag_name(tag), value, said, character_set, little=little) for _ in range(2)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert as_read(made[0], key) == as_pydicom_says(made[1], key)


def tag_name(tag: BaseTag) -> str:
    return Dataset({tag: DataElement(tag, dictionary_VR(tag), None)})[tag].keyword


@pytest.mark.parametrize(
    ("keyword", "vr", "value"),
    [("Rows", "US", b"\x40\0"), ("PatientID", "LO", b"P-1 "), ("NumberOfFrames", "IS", b"2 ")],
)
def test_plain_values_are_not_left_to_pydicom(
    keyword: str, vr: str, value: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the other test would compare pydicom with itself."""
    monkeypatch.setattr(values, "_converted", lambda *_: pytest.fail("it was asked"))
    assert values_of(header(keyword, value, vr, "ISO_IR 100", little=True), keyword) == [
        str(64) if vr == "US" else value.decode().strip()
    ]
