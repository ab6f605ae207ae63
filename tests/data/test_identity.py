"""What speaks against that a number is a person, counted over a whole source."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import generate_uid

from privgan.data.cohort.cohort import Cohort, open_cohort
from privgan.data.cohort.prepare import prepare
from privgan.data.cohort.scan import scan
from privgan.data.identity import ACCEPTABLE, JOINABLE, Identities, objections
from privgan.data.patient_keys import bare, near
from privgan.data.sources.wishes import Wishes
from privgan.errors import InputRejectedError, UsageError
from privgan.folders import staged_folder
from tests.data.telling import told

KEYS = ("7", "07", "7^^^A", "7^^^a", "8", "8^^^B", "x", "X ")


def make(source: Path, target: Path, **options: Any) -> Cohort:
    with staged_folder(target, marker="cohort.json") as folder:
        prepare(source, folder, told(**options))
    return open_cohort(target)


@given(st.lists(st.tuples(st.sampled_from(KEYS), st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=12))
@settings(deadline=None, derandomize=True, max_examples=200)
def test_findings_equal_their_slow_twin(images: list[tuple[str, int, int]]) -> None:
    keys = list(dict.fromkeys(key for key, _, _ in images))
    identities = Identities()
    for key, study, sex in images:
        identities.add(keys.index(key), [b"study %d" % study], [b"", b"%d" % sex if sex else b""])
    studies, sexes = defaultdict(set), defaultdict(set)
    for key, study, sex in images:
        studies[study].add(key)
        sexes[key] |= {sex} - {0}
    spelled, issued = defaultdict(set), defaultdict(set)
    for key in keys:
        spelled[near(key)].add(key)
        issued[bare(key)].add("^^^" in key)
    slow = {
        "studies": sum(len(each) > 1 for each in studies.values()),
        "issuers": sum(len(each) > 1 for each in issued.values()),
        "spellings": sum(len(each) > 1 for each in spelled.values()),
        "facts": sum(len(each) > 1 for each in sexes.values()),
    }
    assert identities.findings(keys, lambda number: number) == {kind: count for kind, count in slow.items() if count}
    everybody_is_one = identities.findings(keys, lambda _: 0)
    assert not set(everybody_is_one) & set(JOINABLE)


def test_an_objection_names_every_way_out_and_ends_where_all_is_accepted() -> None:
    found = dict.fromkeys((*ACCEPTABLE, "damaged"), 3)
    text = objections(found)
    for word in ("--join studies", "--join issuers", "--join spellings", "--merge FILE", "as text"):
        assert word in text
    assert f"--accept-identity {','.join(ACCEPTABLE)}" in text
    assert "scientific" in objections(found, ACCEPTABLE)
    assert "--accept" not in objections(found, ACCEPTABLE)
    assert objections({"studies": 1}, ["studies"]) == objections({}) == ""


@pytest.fixture
def dicom(make_dicom: Callable[..., Any], tmp_path: Path) -> Callable[..., Path]:
    """Twelve people of two files, each file with what a function of person and file says."""

    def write(told_of: Callable[[int, int], dict[str, str]]) -> Path:
        for person in range(12):
            for file in range(2):
                picture = np.random.default_rng(2 * person + file).integers(0, 256, (28, 28), dtype=np.uint8)
                header = {"PatientID": f"P-{person}", "StudyInstanceUID": generate_uid(), **told_of(person, file)}
                make_dicom(tmp_path / "src" / f"{person}_{file}.dcm", picture, **header)
        return tmp_path / "src"

    return write


UID = generate_uid()
DOUBTS: dict[str, Callable[[int, int], dict[str, str]]] = {
    "studies": lambda person, file: {"PatientID": f"P-{person}-{file}", "StudyInstanceUID": f"{UID[:40]}.{person}"},
    "issuers": lambda _, file: {"IssuerOfPatientID": "SITE"} if file else {},
    "spellings": lambda person, file: {"PatientID": f"{'00' * file}P-{person}"},
    "placeholders": lambda person, _: {"PatientID": "Anonymous"} if person < 6 else {},
    "facts": lambda _, file: {"PatientBirthDate": f"195{file}0203"},
    "damaged": lambda person, _: {"PatientID": f"1.{person}E+11"},
}


@pytest.mark.parametrize("kind", DOUBTS)
def test_a_source_whose_numbers_are_no_people_is_refused(
    kind: str, dicom: Callable[..., Path], tmp_path: Path
) -> None:
    """Until a rule joins them or somebody accepts it; no number is ever said."""
    source = dicom(DOUBTS[kind])
    report = scan(source, Wishes())
    assert set(report.identity) == {kind}
    with pytest.raises(InputRejectedError) as caught:
        make(source, tmp_path / "cohort")
    assert f"{report.identity[kind]} " in str(caught.value)
    assert "P-" not in str(caught.value) + " ".join(report.notes)
    assert not (tmp_path / "cohort").exists()
    if kind in JOINABLE:
        joined = make(source, tmp_path / "joined", join=(kind,))
        assert (joined.facts.patients, joined.facts.merged_patients, joined.facts.overrides) == (12, 12, ())
    if kind in ACCEPTABLE:
        accepted = make(source, tmp_path / "accepted", accept_identity=(kind,))
        assert accepted.facts.patients == report.patients
        assert accepted.facts.overrides == (f"accept-identity {kind}",)
        assert any(note.startswith(f"{report.identity[kind]} ") for note in accepted.facts.notes)
    else:
        with pytest.raises(UsageError, match="accept_identity"):
            make(source, tmp_path / "accepted", accept_identity=(kind,))


def test_a_merge_map_answers_the_doubt(dicom: Callable[..., Path], tmp_path: Path) -> None:
    source = dicom(DOUBTS["studies"])
    (tmp_path / "merge.csv").write_text("".join(f"P-{n}-0,P-{n}-1\n" for n in range(12)))
    cohort = make(source, tmp_path / "cohort", merge=tmp_path / "merge.csv", accept_identity=("facts",))
    assert (cohort.facts.patients, cohort.facts.overrides) == (12, ())  # nothing was left to accept


def test_two_hospitals_with_equal_numbers_are_no_doubt(dicom: Callable[..., Path], tmp_path: Path) -> None:
    source = dicom(lambda _, file: {"IssuerOfPatientID": f"SITE {file}"})
    assert make(source, tmp_path / "cohort").facts.patients == 24


def test_files_without_numbers_are_not_looked_at_as_if_their_names_were_some(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=images)
    assert make(tmp_path / "a.npz", tmp_path / "cohort", each_image_is_a_patient=True).facts.patients == 40


def test_a_withdrawn_key_that_nearly_matches_is_counted_and_stops(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=images, patient_id=np.array([f"{n:05d}" for n in range(1, 41)]))
    (tmp_path / "gone.txt").write_text("3\n7\n00009\n4711\n")
    with pytest.raises(UsageError, match="3 match nobody; 2 would but for case, blanks or leading zeros") as caught:
        make(tmp_path / "a.npz", tmp_path / "cohort", exclude=tmp_path / "gone.txt")
    assert "4711" not in str(caught.value)
    (tmp_path / "gone.txt").write_text("1.21E+11\n")
    with pytest.raises(UsageError, match="scientific"):
        make(tmp_path / "a.npz", tmp_path / "cohort", exclude=tmp_path / "gone.txt")


def test_decimals_find_their_whole_numbers(tmp_path: Path) -> None:
    """A gap makes a column of numbers one of decimals; whoever withdrew is found all the same."""
    images = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)
    numbers = np.where(np.arange(40) % 10 == 0, np.nan, np.arange(40) // 2 + 1000.0)
    np.savez(tmp_path / "a.npz", images=images, subject=numbers)
    (tmp_path / "gone.txt").write_text("1003\n1004.0\n")
    cohort = make(tmp_path / "a.npz", tmp_path / "cohort", exclude=tmp_path / "gone.txt")
    assert cohort.facts.refused == {"missing_patient_id": 4}
    assert (cohort.facts.patients, cohort.facts.excluded_patients) == (18, 2)


@pytest.mark.parametrize("numbers", [np.full(4, 0.5), np.full(4, 2.0**53), np.full(4, 1e300)])
def test_decimals_that_are_no_numbers_of_people_are_refused(tmp_path: Path, numbers: Any) -> None:
    np.savez(tmp_path / "a.npz", images=np.zeros((4, 28, 28), np.uint8), patient_id=numbers)
    with pytest.raises(InputRejectedError, match="patient numbers"):
        scan(tmp_path / "a.npz", Wishes())


def test_two_arrays_or_columns_of_patients_are_refused_by_name(tmp_path: Path) -> None:
    images = np.zeros((4, 28, 28), np.uint8)
    np.savez(tmp_path / "a.npz", images=images, patient_id=np.arange(4), groups=np.arange(4))
    with pytest.raises(UsageError, match="groups"):
        scan(tmp_path / "a.npz", Wishes())
