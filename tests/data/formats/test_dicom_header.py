"""Headers that are walked and kinds of files that are remembered say what pydicom says of every file by itself."""

import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ImplicitVRLittleEndian, RLELossless

from privgan.data.formats.dicom import header, identifying, parsing, technical
from privgan.data.formats.dicom import reader as dicom
from privgan.data.formats.dicom.file import LISTED
from privgan.data.formats.dicom.parsing import parse
from privgan.data.formats.reading import Reading, Request
from privgan.data.formats.worker import read_entry
from privgan.data.recipe import Recipe
from privgan.data.selection import Selection

PIXELS = np.random.default_rng(0).integers(0, 4096, (9, 8)).astype(np.uint16)
MASK = 0x5A  # a bit of every half byte
SAID: Mapping[str, Mapping[str, Any]] = {
    "a radiograph": {"BitsStored": 12, "HighBit": 11, "PatientBirthDate": "19700101", "PatientSex": "F"},
    "with umlauts": {"SpecificCharacterSet": "ISO_IR 100", "PatientName": "Zörkel^Vimbru", "InstanceNumber": 7},
    "a slice": {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1024, "PixelPaddingValue": 5},
    "a screen": {"ConversionType": "WSD", "ImageType": ["DERIVED", "SECONDARY"], "SeriesDescription": "Screen Save"},
}
REQUESTS = {
    name: Request(kind=dicom.__name__, recipe=Recipe(preset=preset, size=32), selection=selection, columns=("sex",))
    for name, preset, selection in (
        ("a radiograph", "picture", Selection()),
        ("with umlauts", "picture", Selection(every=7)),
        ("a slice", "ct-soft", Selection()),
        ("a screen", "picture", Selection(views=("PA",))),
    )
}
Slowly = Callable[[Path, Request], Reading]


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slowly]:
    """Every file is read by pydicom from the start, whatever was read before."""

    def read(path: Path, request: Request) -> Reading:
        with monkeypatch.context() as patched:
            patched.setattr(parsing, "walked", lambda *_: None)
            patched.setattr(technical, "untouched", lambda *_: None)
            return read_entry(path, request)

    technical._remembered.clear()
    yield read
    technical._remembered.clear()


def told(reading: Reading) -> dict[str, Any]:
    """Everything that a reading says, comparable."""
    images = reading.images
    return vars(reading) | {"images": None if images is None else (images.shape, images.tobytes())}


@pytest.mark.parametrize("kind", SAID)
def test_whatever_byte_differs_from_a_file_that_was_read_it_is_read_as_by_itself(
    make_dicom: Any, tmp_path: Path, slowly: Slowly, kind: str
) -> None:
    """Every other place is tried of one file, every fifth one of the others; pixels are read as they are."""
    file, request = make_dicom(tmp_path / "a.dcm", PIXELS, **SAID[kind]), REQUESTS[kind]
    content = file.read_bytes()
    assert told(read_entry(file, request)) == told(slowly(file, request))
    for place in range(128, len(content) - PIXELS.nbytes, 2 if kind == "with umlauts" else 5):
        other = bytearray(content)
        other[place] ^= MASK if place % 3 else 1
        file.write_bytes(other)
        assert told(read_entry(file, request)) == told(slowly(file, request)), place
    file.write_bytes(content)
    assert told(read_entry(file, request)) == told(slowly(file, request))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 699), st.integers(0, 255)), min_size=1, max_size=4), st.integers(0, 60))
def test_a_walk_finds_what_pydicom_finds(edits: list[tuple[int, int]], short: int) -> None:
    content = bytearray(written(PatientID="P-1", Rows=8, Modality="MR", ImageComments="x" * 200))
    for place, value in edits:
        content[132 + place % (len(content) - 132)] = value
    found = [said_of(bytes(content)[: len(content) - short], walk=walk) for walk in (True, False)]
    assert found[0] == found[1]


def test_plain_files_are_walked_and_remembered(
    make_dicom: Any, tmp_path: Path, slowly: Slowly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the other tests would compare pydicom with itself."""
    monkeypatch.setattr(parsing, "_by_pydicom", lambda *_: pytest.fail("pydicom was asked"))
    request = REQUESTS["a radiograph"]
    for number in range(3):
        reading = read_entry(make_dicom(tmp_path / "a.dcm", PIXELS + number, PatientID=f"P-{number}"), request)
        assert (reading.code, reading.patient) == ("", f"P-{number}")
    assert len(technical._remembered) == 1


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, RLELossless])
def test_other_codings_are_read_alike(make_dicom: Any, tmp_path: Path, slowly: Slowly, syntax: str) -> None:
    file = make_dicom(tmp_path / "a.dcm", PIXELS, syntax, **SAID["a radiograph"])
    for request in REQUESTS.values():
        assert told(read_entry(file, request)) == told(slowly(file, request))


def test_what_is_remembered_is_bounded(make_dicom: Any, tmp_path: Path, slowly: Slowly) -> None:
    for number in range(2 * technical._MOST_REMEMBERED):
        file = make_dicom(tmp_path / "a.dcm", PIXELS, BitsStored=12, HighBit=11, WindowCenter=number)
        assert told(read_entry(file, REQUESTS["a radiograph"])) == told(slowly(file, REQUESTS["a radiograph"]))
    assert len(technical._remembered) == technical._MOST_REMEMBERED


def test_the_kind_that_was_used_last_is_forgotten_last(make_dicom: Any, tmp_path: Path, slowly: Slowly) -> None:
    """A scanner's files come between those of many others."""
    request, first = REQUESTS["a radiograph"], technical._MOST_REMEMBERED
    read_entry(make_dicom(tmp_path / "a.dcm", PIXELS, WindowCenter=first), request)
    kept = next(iter(technical._remembered))
    for number in range(first):
        read_entry(make_dicom(tmp_path / "b.dcm", PIXELS, WindowCenter=number), request)
        assert kept in technical._remembered
        read_entry(tmp_path / "a.dcm", request)
    assert len(technical._remembered) == technical._MOST_REMEMBERED


def test_who_is_asked_of_pixels_sees_no_names(make_dicom: Any, tmp_path: Path) -> None:
    ordered = Dataset()
    ordered.AccessionNumber = "A-1"
    file = make_dicom(tmp_path / "a.dcm", PIXELS, RequestAttributesSequence=Sequence([ordered]), PatientComments="x")
    with file.open("rb") as stream:
        parsed = parse(stream, LISTED)
    names = {header.tag_of(keyword) for keyword in identifying.KEYWORDS}
    assert names & parsed.header.elements.keys()
    assert not names & parsed.header.only(technical._TAGS).elements.keys()


def written(**said: Any) -> bytes:
    """A small file without pixels' meaning."""
    from tests.data.conftest import build_dicom

    stream = io.BytesIO()
    uids = {f"{level}InstanceUID": f"1.2.{place}" for place, level in enumerate(("Study", "Series", "SOP"))}
    build_dicom(PIXELS, **said, **uids).save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def said_of(content: bytes, *, walk: bool) -> object:
    """What is parsed of a file, or how it fails."""
    import warnings

    with pytest.MonkeyPatch.context() as patched, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not walk:
            patched.setattr(parsing, "walked", lambda *_: None)
        try:
            parsed = parse(io.BytesIO(content), LISTED)
            elements = [(int(tag), repr(parsed.dataset.get_item(tag))) for tag in parsed.dataset._dict]
        except Exception as error:  # noqa: BLE001 - whatever it raises, the other way must raise as well
            return type(error), getattr(error, "code", "")
        facts = (parsed.syntax, parsed.sop_class, parsed.vr, parsed.pixel_bytes, parsed.remaining)
        return elements, facts, parsed.stream.tell(), list(parsed.dataset.original_character_set)
