"""Hostile and ordinary DICOM files: what is read, what is refused, and that nothing is said about it."""

import os
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from privgan.data import refusals
from privgan.data.formats.dicom import parsing
from privgan.data.formats.dicom import reader as dicom
from privgan.data.formats.dicom.file import MAX_BYTES
from privgan.data.formats.reading import Reading, Request
from privgan.data.formats.worker import decode, encode, read_entry
from privgan.data.recipe import Recipe
from privgan.data.selection import Selection
from tests.places import ROOT

PIXELS = np.random.default_rng(0).integers(0, 4096, (64, 64)).astype(np.uint16)
CXR = Request(kind=dicom.__name__, recipe=Recipe())
ANY = Request(kind=dicom.__name__, recipe=Recipe(preset="custom", window=(0, 255)))


def expected(values: np.ndarray[Any, Any], low: float, high: float) -> np.ndarray[Any, Any]:
    return np.rint((values.astype(float) - low) / (high - low) * 255)


@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        RLELossless,
    ],
)
def test_every_readable_syntax_gives_the_same_pixels(make_dicom: Any, tmp_path: Path, syntax: str) -> None:
    reading = read_entry(make_dicom(tmp_path / "a.dcm", PIXELS, syntax, BitsStored=12, HighBit=11), CXR)
    assert reading.code == ""
    np.testing.assert_allclose(reading.images[0], expected(PIXELS, 0, 4095), atol=0.51)


def test_signed_pixels_use_the_signed_range(make_dicom: Any, tmp_path: Path) -> None:
    signed = (PIXELS.astype(np.int16) - 2048).astype(np.int16)
    reading = read_entry(make_dicom(tmp_path / "a.dcm", signed, BitsStored=12, HighBit=11), CXR)
    np.testing.assert_allclose(reading.images[0], expected(signed, -2048, 2047), atol=0.51)


def test_eight_bit_pixels_pass_bit_by_bit(make_dicom: Any, tmp_path: Path) -> None:
    values = (PIXELS >> 4).astype(np.uint8)
    reading = read_entry(make_dicom(tmp_path / "a.dcm", values), CXR)
    np.testing.assert_array_equal(reading.images[0], values)


def test_ct_is_read_in_hounsfield_units(make_dicom: Any, tmp_path: Path) -> None:
    file = make_dicom(tmp_path / "a.dcm", PIXELS, Modality="CT", RescaleSlope="2", RescaleIntercept="-1024")
    reading = read_entry(file, Request(kind=dicom.__name__, recipe=Recipe(preset="ct-soft")))
    np.testing.assert_allclose(
        reading.images[0], np.clip(expected(PIXELS * 2.0 - 1024, -160, 240), 0, 255), atol=0.51
    )


def test_keys_and_identifiers_come_along(make_dicom: Any, tmp_path: Path) -> None:
    tags = {"IssuerOfPatientID": "SITE9", "PatientBirthDate": "19570314", "OperatorsName": ["Kel^Mek", "Nyl^Gim"]}
    reading = read_entry(make_dicom(tmp_path / "a.dcm", PIXELS, **tags), CXR)
    assert reading.patient == "ZZ-4711-MARK^^^SITE9"
    found = dict.fromkeys(reading.identifiers)
    for pair in (
        ("name", "Zorkel^Vimbru"),
        ("identifier", "ZZ-4711-MARK"),
        ("date", "19570314"),
        ("name", "Nyl^Gim"),
        ("uid", reading.study),
    ):
        assert pair in found
    assert "Zorkel" not in repr(reading)
    assert "4711" not in repr(reading)


@pytest.mark.parametrize(
    ("code", "tags"),
    [
        ("burned_in", {"BurnedInAnnotation": "YES"}),
        ("likely_burned_in", {"Modality": "US"}),
        ("likely_burned_in", {"Modality": "OT"}),
        ("other_modality", {"Modality": "CT"}),
        ("missing_patient_id", {"PatientID": None}),
        ("missing_patient_id", {"PatientID": "  "}),
        ("no_pixels", {"PixelData": None}),
        ("truncated", {"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}),
        ("colour", {"PhotometricInterpretation": "RGB"}),
        ("colour", {"PhotometricInterpretation": "HSV", "SamplesPerPixel": 3}),
        ("colour", {"PhotometricInterpretation": "PALETTE COLOR", "SamplesPerPixel": 3}),
        ("colour", {"PhotometricInterpretation": "YBR_RCT", "SamplesPerPixel": 3}),
        ("damaged", {"PhotometricInterpretation": "PALETTE COLOR"}),
        ("truncated", {"NumberOfFrames": "2"}),
        ("too_large", {"NumberOfFrames": "99999"}),
        ("bit_depth", {"BitsAllocated": 32, "BitsStored": 32, "HighBit": 31}),
        ("bit_depth", {"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0}),
        ("bit_depth", {"BitsStored": 12, "HighBit": 15}),
        ("bit_depth", {"BitsStored": 17}),
        ("damaged", {"PixelRepresentation": 7}),
        ("damaged", {"Rows": None}),
        ("damaged", {"Rows": 0}),
        ("damaged", {"RescaleSlope": "0", "RescaleIntercept": "1"}),
        ("too_large", {"Rows": 65535, "Columns": 65535}),
        ("too_large", {"Rows": 60000, "Columns": 1}),
        ("truncated", {"Rows": 128}),
        ("non_finite_pixels", {"RescaleSlope": "1e308", "RescaleIntercept": "0"}),
    ],
)
def test_each_fault_has_its_code(make_dicom: Any, tmp_path: Path, code: str, tags: dict[str, Any]) -> None:
    reading = read_entry(make_dicom(tmp_path / "a.dcm", PIXELS, **tags), CXR)
    assert (reading.code, reading.images) == (code, None)


def test_ct_needs_its_rescale(make_dicom: Any, tmp_path: Path) -> None:
    request = Request(kind=dicom.__name__, recipe=Recipe(preset="ct-lung"))
    assert read_entry(make_dicom(tmp_path / "a.dcm", PIXELS, Modality="CT"), request).code == "missing_rescale"


def modality_table(entries: np.ndarray[Any, Any], first: int = 0, bits: int = 16, kind: str = "US") -> Sequence:
    table = Dataset()
    table.LUTDescriptor, table.LUTData = [len(entries), first, bits], entries.astype("<u2").tobytes()
    table["LUTDescriptor"].VR, table["LUTData"].VR = "US", "OW"
    table.ModalityLUTType = kind
    return Sequence([table])


def test_a_modality_table_is_looked_up(make_dicom: Any, tmp_path: Path) -> None:
    entries = np.random.default_rng(1).integers(0, 1024, 4000)
    sequence = modality_table(entries, first=50, bits=10)
    file = make_dicom(tmp_path / "a.dcm", PIXELS, ModalityLUTSequence=sequence)
    slowly = [[entries[min(max(int(value) - 50, 0), 3999)] for value in row] for row in PIXELS]
    reading = read_entry(file, CXR)
    np.testing.assert_allclose(reading.images[0], expected(np.array(slowly), 0, 1023), atol=0.51)


@pytest.mark.parametrize(
    ("sequence", "preset"),
    [
        (modality_table(np.array([0, 70000]), bits=17), "cxr"),
        (modality_table(np.array([0, 300]), bits=8), "cxr"),
        (modality_table(np.array([0, 300]), kind="OD"), "ct-soft"),
    ],
)
def test_a_damaged_or_foreign_modality_table_is_refused(
    make_dicom: Any, tmp_path: Path, sequence: Sequence, preset: str
) -> None:
    modality = "CT" if preset == "ct-soft" else "CR"
    file = make_dicom(tmp_path / "a.dcm", PIXELS, ModalityLUTSequence=sequence, Modality=modality)
    assert read_entry(file, Request(kind=dicom.__name__, recipe=Recipe(preset=preset))).code == "modality_lut"


def test_burned_in_pictures_are_read_only_when_accepted_or_generated(make_dicom: Any, tmp_path: Path) -> None:
    file = make_dicom(tmp_path / "a.dcm", PIXELS, Modality="OT", BurnedInAnnotation="YES")
    taken = {"": Selection(), "burned": Selection(accept_burned_in=True), "trusted": Selection(trusted=True)}
    requests = {
        name: Request(kind=dicom.__name__, recipe=Recipe(), selection=selection) for name, selection in taken.items()
    }
    codes = {name: read_entry(file, request).code for name, request in requests.items()}
    assert codes == {"": "burned_in", "burned": "", "trusted": ""}


def test_unlisted_transfer_syntaxes_are_refused_before_anything_is_parsed(make_dicom: Any, tmp_path: Path) -> None:
    file = make_dicom(tmp_path / "a.dcm", PIXELS, ExplicitVRLittleEndian)
    content = file.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.9\0")
    file.write_bytes(content)
    assert read_entry(file, CXR).code == "transfer_syntax"


def test_special_files_are_never_waited_for_or_followed(make_dicom: Any, tmp_path: Path) -> None:
    real = make_dicom(tmp_path / "real.dcm", PIXELS)
    os.mkfifo(tmp_path / "fifo.dcm")
    (tmp_path / "link.dcm").symlink_to(real)
    (tmp_path / "loop.dcm").symlink_to(tmp_path / "loop.dcm")
    (tmp_path / "folder.dcm").mkdir()
    (tmp_path / "empty.dcm").touch()
    codes = {p.name: read_entry(p, CXR).code for p in tmp_path.iterdir()}
    assert codes.pop("real.dcm") == ""
    assert codes.pop("empty.dcm") == "empty_file"
    assert set(codes.values()) == {"not_regular"}
    assert read_entry(tmp_path / "absent.dcm", CXR).code == "unreadable"


def test_a_deflate_bomb_is_stopped_at_the_limit(
    make_dicom: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make_dicom(tmp_path / "a.dcm", PIXELS, DeflatedExplicitVRLittleEndian)
    assert read_entry(file, CXR).code == ""
    monkeypatch.setattr(parsing, "MAX_INFLATED_BYTES", 8000)
    assert read_entry(file, CXR).code == "too_large"
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(file.read_bytes()[:-200])
    monkeypatch.undo()
    assert read_entry(cut, CXR).code == "truncated"


def test_a_huge_file_is_not_read(make_dicom: Any, tmp_path: Path) -> None:
    file = make_dicom(tmp_path / "a.dcm", PIXELS)
    os.truncate(file, MAX_BYTES + 1)  # sparse: takes no space
    assert read_entry(file, CXR).code == "too_large"


def test_deep_nesting_costs_the_file_only(make_dicom: Any, tmp_path: Path) -> None:
    file = make_dicom(tmp_path / "a.dcm", PIXELS)
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    sequence = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff"  # ReferencedImageSequence of unknown length
    file.write_bytes(file.read_bytes()[:-8204] + (sequence + item) * 3000)
    assert read_entry(file, CXR).code in ("damaged", "no_pixels")


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"x", "not_dicom"), (b"root:x:0:0\n" * 50, "not_dicom"), (b"\0" * 128 + b"DICM", "transfer_syntax")],
)
def test_other_files_are_told_apart(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "a.dcm").write_bytes(content)
    assert read_entry(tmp_path / "a.dcm", CXR).code == code


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, DeflatedExplicitVRLittleEndian])
def test_no_mutilation_escapes_as_an_exception(
    make_dicom: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str], syntax: str
) -> None:
    whole = make_dicom(tmp_path / "a.dcm", PIXELS, syntax).read_bytes()
    rng = np.random.default_rng(1)
    target = tmp_path / "b.dcm"
    for _ in range(60):
        broken = bytearray(whole[: rng.integers(1, len(whole))] if rng.random() < 0.5 else whole)
        for position in rng.integers(0, min(len(broken), 900), 4):
            broken[position] = rng.integers(0, 256)
        target.write_bytes(broken)
        reading = read_entry(target, ANY)
        assert (reading.images is None) == bool(reading.code)
    captured = capfd.readouterr()
    assert "4711" not in captured.out + captured.err
    assert "Zorkel" not in captured.out + captured.err


def test_broken_header_values_are_never_repeated(
    make_dicom: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = make_dicom(tmp_path / "a.dcm", PIXELS, StudyDate="19000101", StudyInstanceUID="1.2.3.4711.9")
    content = file.read_bytes().replace(b"1.2.3.4711.9", b"1.2.3.ZZ11.9")  # makes the parser warn, with the value
    file.write_bytes(content.replace(b"19000101", b"ZZSECR??").replace(b"ZZ-4711-MARK", b"ZZ-47\xff1-MARK"))
    with warnings.catch_warnings(record=True) as said:
        assert read_entry(file, CXR).code == ""
    assert [str(warning.message) for warning in said] == []
    assert "ZZ" not in "".join(capfd.readouterr())


def test_every_code_that_is_raised_is_in_the_table() -> None:
    sources = "".join(path.read_text() for path in Path(refusals.__file__).parent.rglob("*.py"))
    raised = set(re.findall(r'(?:RefusedError\(|Reading\(code=|code = )"([a-z_]+)"', sources))
    assert len(raised) > 20
    listed = set(re.findall(r"^\| ([a-z_]+) +\|", refusals.__doc__ or "", re.MULTILINE)) - {"code"}
    assert raised <= listed
    page = (ROOT / "docs/reference/refusals.md").read_text()
    assert set(re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE)) == listed


def test_readings_survive_the_way_from_the_worker(make_dicom: Any, tmp_path: Path) -> None:
    reading = read_entry(make_dicom(tmp_path / "a.dcm", PIXELS), CXR)
    again = decode(encode(reading), (64, 64))
    np.testing.assert_array_equal(again.images, reading.images)
    assert {**vars(again), "images": None} == {**vars(reading), "images": None}
    assert decode(encode(Reading(code="damaged")), (64, 64)) == Reading(code="damaged")
