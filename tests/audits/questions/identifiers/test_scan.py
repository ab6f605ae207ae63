"""Identifiers planted wherever a file can hide them are found; what privgan writes itself never alarms."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread

from privgan.data.cohort.cohort import open_cohort
from privgan.data.identifiers import CONSTANTS, IDENTIFIER, normalise
from privgan.data.identifiers import UID as UID_CATEGORY
from privgan.errors import IntegrityError
from privgan.folders import list_files
from privgan.images.stored import with_channels
from privgan_audits.evidence.interface import Evidence, Measured, NotApplicable, NotRun, Outcome, Sample
from privgan_audits.questions import identifiers
from privgan_audits.questions.identifiers.contents.dicom_elements import is_dicom, parsed
from privgan_audits.questions.identifiers.contents.dicom_texts import DicomTexts
from privgan_audits.questions.identifiers.contents.files import file_pieces, opening_of
from privgan_audits.questions.identifiers.own_writing import OwnWriting
from tests.audits.questions.identifiers.planting import (
    IMAGE,
    KNOWN,
    NUMBER,
    PATIENT,
    PLANTS,
    SOURCE_UID,
    in_bytes,
    in_dicom,
    in_nested_zip,
    private,
)
from tests.audits.releasing import make_cohort
from tests.synthetic.making import make_set

ROWS = b"\x28\0\x10\0US"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_set(tmp_path_factory.mktemp("original") / "synthetic")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_cohort(tmp_path_factory.mktemp("known") / "cohort", KNOWN)


@pytest.fixture
def synthetic(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "synthetic"))


def scan(synthetic: Path, cohort: Path | None) -> Outcome:
    with np.load(synthetic / "images.npz" if synthetic.is_dir() else synthetic) as arrays:
        images, labels = with_channels(arrays["images"]), arrays["labels"]
    return scan_of(synthetic, cohort, Sample(images=images, labels=labels, patients=np.arange(len(images))))


def scan_of(synthetic: Path, cohort: Path | None, sample: Sample) -> Outcome:
    """Scan a folder as one whose arrays were these when it was audited."""
    one = np.full(1, 1000, np.int64)
    real = Sample(
        images=np.zeros((1, *sample.images.shape[1:]), np.uint8), labels=np.zeros(1, np.int64), patients=one
    )
    evidence = Evidence(
        members=real,
        non_members=None,
        synthetic=sample,
        synthetic_folder=synthetic,
        synthetic_sha256="0" * 64,
        classes=("normal", "effusion"),
        cohort=open_cohort(cohort) if cohort else None,
    )
    return identifiers.QUESTION.measure(evidence, np.random.default_rng(0))


def measured(synthetic: Path, cohort: Path) -> dict[str, object]:
    outcome = scan(synthetic, cohort)
    assert isinstance(outcome, Measured)
    return dict(outcome.findings)


def test_a_set_as_generated_is_clean(original: Path, cohort: Path) -> None:
    found = measured(original, cohort)
    assert (found["identifiers_found"], found["structure"], found["unreadable_entries"]) == (0, {}, 0)
    assert found["not_as_audited"] == {}
    assert found["files"] == len(list_files(original)) == 13
    assert found["known_identifiers"] > 3


def test_words_that_privgan_writes_never_alarm_but_a_copy_of_them_elsewhere_does(
    original: Path, synthetic: Path, tmp_path: Path
) -> None:
    """Every word and number of the card, the manifest and the headers belongs to some patient."""
    texts = [
        path.read_text()
        for path in original.iterdir()
        if path.suffix in (".md", ".json", ".csv", "") and path.is_file()
    ]
    header = dcmread(original / IMAGE)
    texts += [str(element.value) for element in header if element.VR in ("LO", "LT", "ST", "SH", "CS", "PN", "DA")]
    words = {word for text in texts for word in re.findall(r"\b[^\W_]{4,40}\b", text)}
    assert len(words - set(CONSTANTS)) > 200
    everybody = make_cohort(tmp_path / "cohort", {IDENTIFIER: sorted(words | set(texts))})
    assert measured(original, everybody)["places"] == []
    card = synthetic / "README.md"
    card.write_text(card.read_text() + "\nMr. Generator\n")
    assert measured(synthetic, everybody)["identifiers_found"] > 0


@pytest.mark.parametrize("place", PLANTS)
def test_a_planted_identifier_is_found_and_never_repeated(synthetic: Path, cohort: Path, place: str) -> None:
    PLANTS[place](synthetic)
    found = measured(synthetic, cohort)
    assert found["identifiers_found"] >= 1
    assert 1 <= len(found["places"]) <= 20
    said = normalise(json.dumps(found))
    for secret in (PATIENT, NUMBER, SOURCE_UID, "Zolkiewska", "Agnieszka"):
        assert normalise(secret) not in said


def test_a_place_names_file_and_element(synthetic: Path, cohort: Path) -> None:
    PLANTS["a nested sequence"](synthetic)
    (place,) = measured(synthetic, cohort)["places"][:1]
    assert place["file"] == IMAGE
    assert place["kind"] == "element (0008,1110)>(0040,0260)>(0008,1070)"
    assert place["category"].startswith("name")


def test_a_real_file_among_the_synthetic_ones_is_found(synthetic: Path, tmp_path: Path) -> None:
    source = Path("../shared/data/dicom/ct_tcia_nysbu_10_patients")
    if not source.is_dir():
        pytest.skip("the real CT files are not at hand")
    real = min(source.rglob("*.dcm"))
    header = dcmread(real, stop_before_pixels=True)
    known = {IDENTIFIER: [header.PatientID], UID_CATEGORY: [header.SOPInstanceUID, header.StudyInstanceUID]}
    shutil.copyfile(real, synthetic / IMAGE)
    found = measured(synthetic, make_cohort(tmp_path / "cohort", known))
    assert found["by_category"].keys() == {IDENTIFIER, UID_CATEGORY}
    assert found["structure"]["not_marked_synthetic"] == 1


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_files_of_every_kind_are_searched_without_a_crash(original: Path, data: st.DataObject) -> None:
    kinds = [IMAGE, "images.npz", "contact-sheet.png", "manifest.json", "labels.csv"]
    content = bytearray((original / data.draw(st.sampled_from(kinds))).read_bytes())
    for _ in range(data.draw(st.integers(0, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    damaged = bytes(content)
    texts = DicomTexts(OwnWriting(original))
    opening = opening_of(damaged)
    dicom = is_dicom(damaged)
    for piece in texts.pieces(damaged, parsed(damaged, opening), opening) if dicom else file_pieces(damaged, opening):
        piece.text.encode("utf-8", "surrogatepass")


def test_many_finds_are_counted_and_twenty_are_shown(synthetic: Path, cohort: Path) -> None:
    (synthetic / "list").mkdir()
    for number in range(30):
        (synthetic / "list" / f"{number}.txt").write_text(NUMBER)
    found = measured(synthetic, cohort)
    assert (found["identifiers_found"], found["by_category"], len(found["places"])) == (30, {IDENTIFIER: 30}, 20)


@pytest.mark.parametrize(
    ("oddity", "plant"),
    [
        ("private_tags", in_dicom(lambda d: d.private_block(0x0011, "ACME", create=True).add_new(1, "IS", "7"))),
        ("not_marked_synthetic", in_dicom(lambda d: delattr(d, "SyntheticData"))),
        ("unexpected_text", in_dicom(lambda d: setattr(d, "StudyDescription", "hello"))),
        ("unexpected_elements", in_dicom(lambda d: setattr(d, "PatientAge", "045Y"))),
        ("missing_elements", in_dicom(lambda d: delattr(d, "DerivationDescription"))),
        ("burned_in_annotation", in_dicom(lambda d: setattr(d, "BurnedInAnnotation", "YES"))),
        ("preamble", in_bytes(IMAGE, lambda c: b"MZ" + c[2:])),
        ("unreadable", in_bytes(IMAGE, lambda c: c.replace(ROWS + b"\2\0\x1c\0", ROWS + b"\3\0\x1c\0\0"))),
    ],
)
def test_oddities_of_structure_are_counted(
    synthetic: Path, cohort: Path, oddity: str, plant: Callable[[Path], None]
) -> None:
    plant(synthetic)
    found = measured(synthetic, cohort)
    assert found["structure"].get(oddity) == 1, found["structure"]
    assert found["identifiers_found"] == 0


def same_uids(folder: Path) -> None:
    in_dicom(lambda d: setattr(d, "SeriesInstanceUID", d.StudyInstanceUID))(folder)


ROWS_OF_MIDI_B: dict[str, Callable[[Path], object]] = {
    "text_removed": in_bytes("labels.csv", lambda c: c + f"{NUMBER}\r\n".encode()),
    "date_shifted": in_bytes("labels.csv", lambda c: c + b"14.3.1957\r\n"),
    "uid_changed": in_bytes("labels.csv", lambda c: c + f"{SOURCE_UID}\r\n".encode()),
    "uid_consistent": same_uids,
    "patid_consistent": in_dicom(lambda d: setattr(d, "PatientID", "PG-0123abcd-000005")),
    "tag_retained": in_dicom(lambda d: delattr(d, "DerivationDescription")),
    "text_notnull": in_dicom(lambda d: setattr(d, "Manufacturer", "")),
    "text_retained": in_dicom(lambda d: setattr(d, "SeriesDescription", "other")),
    "pixels_retained": in_dicom(lambda d: setattr(d, "PixelData", bytes(28 * 28))),
}


@pytest.mark.parametrize("row", ROWS_OF_MIDI_B)
def test_each_row_of_midi_b_counts_its_own_violations(synthetic: Path, cohort: Path, row: str) -> None:
    ROWS_OF_MIDI_B[row](synthetic)
    table = measured(synthetic, cohort)["midi_b"]
    assert {name: found["violations"] for name, found in table.items() if found["violations"]} == {row: 1}


def test_midi_b_says_what_was_looked_at(original: Path, cohort: Path) -> None:
    table = measured(original, cohort)["midi_b"]
    assert table.keys() == {*ROWS_OF_MIDI_B, "pixels_hidden"}
    assert {found["violations"] for found in table.values()} == {0}
    searched = {name for name, found in table.items() if found["basis"] == "searched"}
    assert searched == {"text_removed", "date_shifted", "uid_changed"}
    assert {table[name]["checked"] for name in searched} == {13}
    assert {found["checked"] for found in table.values() if found["basis"] == "compared"} == {6}
    assert [name for name, found in table.items() if found["basis"] == "not looked at"] == ["pixels_hidden"]


def test_extended_attributes_are_searched(synthetic: Path, cohort: Path) -> None:
    try:
        os.setxattr(synthetic / "README.md", "user.comment", NUMBER.encode())
    except (AttributeError, OSError):
        pytest.skip("this file system keeps no attributes")
    assert measured(synthetic, cohort)["by_category"] == {IDENTIFIER: 1}


def test_links_and_pipes_are_counted_and_not_followed(synthetic: Path, cohort: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (synthetic / "link").symlink_to(tmp_path / "elsewhere")
    (synthetic / "dangling").symlink_to(tmp_path / "absent")
    assert measured(synthetic, cohort)["unreadable_entries"] == 2


def test_an_archive_that_cannot_be_searched_is_counted(synthetic: Path, cohort: Path) -> None:
    in_nested_zip(synthetic)
    path = synthetic / "more.zip"
    content = bytearray(path.read_bytes())
    content[content.index(b"notes.txt") + 12] ^= 0xFF
    path.write_bytes(content)
    assert measured(synthetic, cohort)["unreadable_entries"] == 1


def test_without_a_cohort_only_the_structure_is_told(synthetic: Path) -> None:
    in_dicom(private)(synthetic)
    outcome = scan(synthetic, None)
    assert isinstance(outcome, NotApplicable)
    assert "private_tags 1" in outcome.reason
    assert isinstance(scan(synthetic / "images.npz", None), NotApplicable)


def test_missing_evidence_is_not_run(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cohort without its key does not open; a key that goes missing later is evidence that is not there."""
    folder = make_cohort(tmp_path / "cohort", KNOWN)
    opened = open_cohort(folder)
    (folder / "private" / "hmac.key").unlink()
    with pytest.raises(IntegrityError):
        scan(original, folder)
    monkeypatch.setitem(globals(), "open_cohort", lambda _: opened)
    assert isinstance(scan(original, folder), NotRun)


def test_dark_pixels_that_spell_numbers_do_not_alarm(synthetic: Path, tmp_path: Path) -> None:
    """Grey values 48 to 57 are digits: a patient number of six digits is in every smooth dark image."""
    dark = in_dicom(lambda d: setattr(d, "PixelData", b"\0445566\0" * 98))
    dark(synthetic)
    assert measured(synthetic, make_cohort(tmp_path / "cohort", {IDENTIFIER: ["445566"]}))["identifiers_found"] == 0


def test_a_seed_is_explained_only_if_it_is_the_sets(synthetic: Path, tmp_path: Path) -> None:
    """Sixty-four digits in its place may be anybody's number."""
    number = "0451" * 16
    everybody = make_cohort(tmp_path / "cohort", {IDENTIFIER: [number]})
    assert measured(synthetic, everybody)["identifiers_found"] == 0
    (synthetic / "SEED").write_text(f"{number}\n")
    places = measured(synthetic, everybody)["places"]
    assert [place["file"] for place in places] == ["SEED"]
