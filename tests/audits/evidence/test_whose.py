"""Bare files are compared and searched by the identifiers that they hold themselves, as a cohort's are."""

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from pydicom import dcmwrite
from pydicom.uid import generate_uid

from privgan.data.identifiers import DATE, FILE_NAME, IDENTIFIER, NAME, PART, UID, normalise
from privgan.errors import UsageError
from privgan_audits.evidence.interface import Evidence, Measured, NotApplicable, Outcome
from privgan_audits.evidence.loading import load_file_evidence
from privgan_audits.gate.verdict import judge
from privgan_audits.policy import Policy
from privgan_audits.questions import identifiers
from tests.audits.entries import passing
from tests.audits.releasing import make_cohort
from tests.data.conftest import build_dicom

STUDY, SERIES, INSTANCE = (f"1.2.826.0.1.3680043.8.498.1020304050607080{number}" for number in range(3))
ONE = {
    "PatientID": "MRN-4471-8823",
    "PatientName": "Zorkelmann^Vimbruta",
    "StudyInstanceUID": STUDY,
    "SeriesInstanceUID": SERIES,
    "SOPInstanceUID": INSTANCE,
    "AccessionNumber": "ACC77554433",
    "PatientBirthDate": "19570314",
}


def dicom(path: Path, seed: int, **tags: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    dcmwrite(path, build_dicom(pixels(seed), **tags), enforce_file_format=True)


def pixels(seed: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (28, 28), dtype=np.uint8)


def pictures(folder: Path, count: int = 3, first: int = 900) -> Path:
    folder.mkdir()
    for number in range(count):
        Image.fromarray(pixels(first + number)).save(folder / f"{number:04d}.png")
    return folder


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Four members, one of whom is ONE, and three non-members."""
    root = tmp_path_factory.mktemp("sides")
    dicom(root / "x" / "scan-55667788" / "1.dcm", 0, **ONE)
    for number in range(1, 7):
        path = root / ("x" if number < 4 else "y") / f"{number}.dcm"
        dicom(path, number, PatientID=f"P{number}", PatientName=f"N^{number}")
    return root / "x", root / "y"


@pytest.fixture(scope="module")
def clean(sides: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """Pictures beside them that name nobody."""
    return load_file_evidence(pictures(tmp_path_factory.mktemp("clean") / "s"), *sides)


@pytest.fixture
def others(sides: tuple[Path, Path], tmp_path: Path) -> Path:
    """The non-members, to be added to."""
    return Path(shutil.copytree(sides[1], tmp_path / "y"))


def scanned(evidence: Evidence) -> Outcome:
    return identifiers.QUESTION.measure(evidence, np.random.default_rng(0))


def found(evidence: Evidence) -> dict[str, Any]:
    outcome = scanned(evidence)
    assert isinstance(outcome, Measured)
    return dict(outcome.findings)


def in_header(keyword: str) -> Callable[[Path], object]:
    return lambda folder: dicom(folder / "9.dcm", 9, **{**ANONYMOUS, keyword: ONE[keyword]})


def in_text(text: str) -> Callable[[Path], object]:
    def plant(folder: Path) -> None:
        info = PngImagePlugin.PngInfo()
        info.add_text("Description", f"after {text}.", zip=True)
        Image.fromarray(pixels(9)).save(folder / "0009.png", pnginfo=info)

    return plant


def in_label(text: str) -> Callable[[Path], object]:
    def plant(folder: Path) -> None:
        rows = [("file", "label"), *((file.name, text) for file in folder.glob("*.png"))]
        with (folder / "labels.csv").open("w", newline="") as stream:
            csv.writer(stream).writerows(rows)

    return plant


ANONYMOUS = {"PatientID": "SYN-1", "PatientName": "^"}
PLANTS: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "number in a header": (in_header("PatientID"), {IDENTIFIER}),
    "name in a header": (in_header("PatientName"), {NAME, PART}),
    "study in a header": (in_header("StudyInstanceUID"), {UID}),
    "series in a header": (in_header("SeriesInstanceUID"), {UID}),
    "instance in a header": (in_header("SOPInstanceUID"), {UID}),
    "accession number in a header": (in_header("AccessionNumber"), {IDENTIFIER}),
    "number in a text": (in_text("mrn 44718823"), {IDENTIFIER}),
    "name in a text": (in_text("VIMBRUTA ZORKELMANN"), {NAME, PART}),
    "date in a text": (in_text("14 March 1957"), {DATE}),
    "folder's name in a text": (in_text("scan55667788"), {FILE_NAME}),
    "number as a label": (in_label("MRN44718823"), {IDENTIFIER}),
    "number as a file's name": (lambda f: (f / "0000.png").rename(f / "MRN-4471-8823.png"), {IDENTIFIER}),
}


def test_a_set_that_names_nobody_is_clean(clean: Evidence) -> None:
    seen = found(clean)
    assert seen["identifiers_found"] == 0
    assert seen["known_identifiers"] > 10


@pytest.mark.parametrize("place", PLANTS)
def test_what_names_a_member_is_found_in_the_set_and_never_repeated(
    clean: Evidence, tmp_path: Path, place: str
) -> None:
    plant, expected = PLANTS[place]
    folder = pictures(tmp_path / "s")
    plant(folder)
    evidence = replace(clean, synthetic_folder=folder)
    seen = found(evidence)
    assert seen["by_category"].keys() == expected
    said = normalise(json.dumps([seen, evidence.notes])) + normalise(repr(evidence))
    for secret in (*ONE.values(), "Zorkelmann", "Vimbruta", "scan-55667788"):
        assert normalise(secret) not in said


def test_a_set_that_is_gone_when_it_should_be_searched_does_not_pass(clean: Evidence, tmp_path: Path) -> None:
    """Nothing was found, because nothing was there."""
    seen = {"outcome": "measured", **found(replace(clean, synthetic_folder=tmp_path / "moved"))}
    assert (seen["files"], seen["identifiers_found"]) == (0, 0)
    tests = [{**test, **(seen if test["id"] == "T10" else {})} for test in passing()]
    record = {"attempt": 1, "counts": {"members": 1333, "synthetic": 6}, "tests": tests}
    assert judge(Policy(), record).against == {"T10": "INCONCLUSIVE"}


def test_a_members_number_in_a_set_without_a_cohort_is_a_fail(clean: Evidence, tmp_path: Path) -> None:
    in_text(ONE["PatientID"])(folder := pictures(tmp_path / "s"))
    tests = {test["id"]: test for test in passing()}
    for folder_seen, verdict in ((clean.synthetic_folder, "PASS"), (folder, "FAIL")):
        seen = {"outcome": "measured", **found(replace(clean, synthetic_folder=folder_seen))}
        record = {"attempt": 1, "counts": {"members": 1333, "synthetic": 6}}
        every = [{**test, **(seen if name == "T10" else {})} for name, test in tests.items()]
        assert judge(Policy(), {**record, "tests": every}).verdict == verdict


def npz(path: Path, first: int, count: int = 3, **columns: Any) -> Path:
    np.savez(path, images=np.stack([pixels(first + number) for number in range(count)]), **columns)
    return path


def test_numbers_and_file_names_of_an_npz_are_known(tmp_path: Path) -> None:
    """File names of an .npz without patients, too; counters behind a common word accuse nobody."""
    numbered = npz(tmp_path / "a.npz", 0, patient_id=["MRN-44718823", "MRN-44718824", "MRN-44718825"])
    named = npz(tmp_path / "b.npz", 10, filenames=["img_0001.png", "img_0002.png", "Zorkelmann_0003.png"])
    folder = pictures(tmp_path / "s")
    for old, new in (("0000", "img_0001"), ("0001", "mrn44718824"), ("0002", "zorkelmann-0003")):
        (folder / f"{old}.png").rename(folder / f"{new}.png")
    assert found(load_file_evidence(folder, numbered, named))["by_category"] == {IDENTIFIER: 1, FILE_NAME: 1}


def test_files_that_name_nobody_leave_nothing_to_look_for(tmp_path: Path) -> None:
    """That nobody looked is not that nothing was found."""
    sides = [pictures(tmp_path / name, first=first) for name, first in (("s", 0), ("x", 10), ("y", 20))]
    outcome = scanned(load_file_evidence(*sides))
    assert isinstance(outcome, NotApplicable)
    assert "name nobody" in outcome.reason


def test_a_class_that_few_have_may_be_a_patients_number(tmp_path: Path) -> None:
    """What ten patients share is a class; a label that only one has stays an identifier."""
    people = [f"person-{number:06d}" for number in range(10)]
    labels = ["pneumonia"] * 10
    members = npz(tmp_path / "x.npz", 0, 10, patient_id=[*people[:9], "pneumonia"], labels=labels)
    synthetic = npz(tmp_path / "s.npz", 50, labels=["pneumonia"] * 3)
    assert found(load_file_evidence(synthetic, members, None))["identifiers_found"] == 0
    alone = npz(tmp_path / "x2.npz", 0, 10, patient_id=people, labels=people)
    copied = npz(tmp_path / "s2.npz", 50, labels=people[:3])
    assert found(load_file_evidence(copied, alone, None))["by_category"] == {IDENTIFIER: 1}


def test_a_rehearsal_looks_for_what_its_cohort_knows_as_well(tmp_path: Path) -> None:
    cohort = make_cohort(tmp_path / "cohort", {IDENTIFIER: ["MRN-4471-8823"]})
    folder, members = pictures(tmp_path / "s"), npz(tmp_path / "x.npz", 0, patient_id=["MRN-1234567", "b", "c"])
    in_text("MRN 44718823")(folder)
    assert isinstance(scanned(load_file_evidence(folder, pictures(tmp_path / "y"), None)), NotApplicable)
    seen = found(load_file_evidence(folder, members, None, rehearses=cohort))
    assert (seen["by_category"], seen["known_identifiers"]) == ({IDENTIFIER: 1}, 2)


def test_one_person_under_two_numbers_is_a_member(sides: tuple[Path, Path], others: Path, tmp_path: Path) -> None:
    """By an examination or by a picture; all images of that person leave the non-members."""
    dicom(others / "7.dcm", 7, PatientID="Q7", StudyInstanceUID=STUDY)
    dicom(others / "8.dcm", 8, PatientID="Q8")
    dicom(others / "9.dcm", 1, PatientID="Q8")
    evidence = load_file_evidence(pictures(tmp_path / "s"), sides[0], others)
    assert evidence.non_members is not None
    assert (evidence.members.patient_count, evidence.non_members.patient_count) == (4, 3)
    assert len(evidence.non_members.images) == 3
    assert any(note.startswith("2 non-members were left out") for note in evidence.notes)


def test_what_several_patients_of_a_side_have_is_nobodys(tmp_path: Path) -> None:
    """A device's UID, a blank picture, a name for all: nobody leaves, and nothing is counted."""
    device = {"DeviceUID": generate_uid(), "PatientName": "ANONYMOUS^PATIENT", "AccessionNumber": "RESEARCH-1"}
    for number in range(6):
        dicom(tmp_path / "xy"[number % 2] / f"{number}.dcm", number, PatientID=f"P{number}", **device)
    for side in "xy":
        blank = {"PixelData": bytes([7]) * 28 * 28}
        dicom(tmp_path / side / "blank.dcm", 0, PatientID=f"P{side}", **device, **blank)
    evidence = load_file_evidence(pictures(tmp_path / "s"), tmp_path / "x", tmp_path / "y")
    assert evidence.non_members is not None
    assert evidence.non_members.patient_count == 4
    assert not any("left out" in note or "both sides" in note for note in evidence.notes)


def test_a_picture_that_many_have_is_nobodys(tmp_path: Path) -> None:
    """Of two members and one non-member it is one person's, of two and two a test card."""
    members, others = tmp_path / "x.npz", tmp_path / "y.npz"
    np.savez(members, images=np.stack([pixels(0), pixels(0), pixels(2)]), patient_id=["a", "b", "c"])
    for count, left in ((1, 3), (2, 5)):
        shown = np.stack([pixels(0)] * count + [pixels(seed) for seed in (10, 11, 12)])
        np.savez(others, images=shown, patient_id=[f"d{number}" for number in range(len(shown))])
        evidence = load_file_evidence(pictures(tmp_path / f"s{count}"), members, others)
        assert evidence.non_members is not None
        assert evidence.non_members.patient_count == left


def test_numbers_that_are_nearly_equal_are_counted(tmp_path: Path) -> None:
    members = npz(tmp_path / "x.npz", 0, 2, patient_id=["0042", "k7"])
    others = npz(tmp_path / "y.npz", 10, 3, patient_id=["42", "K 7^^^HOSPITAL", "43"])
    evidence = load_file_evidence(pictures(tmp_path / "s"), members, others)
    (note,) = (note for note in evidence.notes if "both sides" in note)
    assert "2 patient numbers but for issuer, case, blanks or leading zeros." in note


def test_names_and_other_numbers_on_both_sides_are_counted(
    sides: tuple[Path, Path], others: Path, tmp_path: Path
) -> None:
    """There are people of one name: they stay, and the report says how many."""
    dicom(others / "7.dcm", 7, PatientID="Q7", PatientName="Vimbruta Zorkelmann")
    dicom(others / "8.dcm", 8, PatientID="Q8", AccessionNumber=ONE["AccessionNumber"])
    evidence = load_file_evidence(pictures(tmp_path / "s"), sides[0], others)
    assert evidence.non_members is not None
    assert evidence.non_members.patient_count == 5
    (note,) = (note for note in evidence.notes if "both sides" in note)
    assert "1 whole names; 1 other numbers" in note


def test_non_members_who_are_all_members_are_refused(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "s")
    copied = npz(tmp_path / "y.npz", 0, 1, patient_id=["other"])
    with pytest.raises(UsageError, match="every one of them"):
        load_file_evidence(folder, npz(tmp_path / "x.npz", 0, 3), copied)


def test_nothing_is_shown_of_whom_files_name(clean: Evidence) -> None:
    assert repr(clean.identifiers) == f"IdentifierDigests({len(clean.identifiers or ())} digests)"
    assert "zorkelmann" not in repr(clean).lower()
