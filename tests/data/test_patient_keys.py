"""One form for a patient's number, wherever it comes from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privgan.data.patient_keys import (
    ISSUER_MARK,
    bare,
    is_damaged,
    is_placeholder,
    names_patients,
    near,
    patient_key,
)

TEXTS = st.text(st.sampled_from("0123456789.aAbBzZ^-/ \t\0\u00a0\u200b\ufeff\uff11eE+"), max_size=12)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("1042", "1042"),
        (" 1042 ", "1042"),
        ("1042\0", "1042"),
        ("10\u200b42\ufeff", "1042"),
        ("\uff11\uff10\uff14\uff12", "1042"),  # full-width digits, as a Japanese keyboard writes them
        ("1042.0", "1042"),
        ("1042.00", "1042"),
        ("1042.5", "1042.5"),
        ("1.042.0", "1.042.0"),  # no number
        ("A  12", "A 12"),
        ("A\u00a012", "A 12"),
        ("0042", "0042"),
        *(
            (missing, "")
            for missing in ("", " ", "nan", "NaN", "NA", "N/A", "#N/A", "null", "None", "<NA>", "NaT", "?", "-")
        ),
        ("NAN-7", "NAN-7"),
    ],
)
def test_a_number_has_one_form(written: str, key: str) -> None:
    assert patient_key(written) == key
    assert patient_key(written, "SITE ") == (f"{key}^^^SITE" if key else "")
    assert patient_key(f"{written}^^^SITE") == patient_key(written, "SITE")


@given(TEXTS, TEXTS)
@settings(deadline=None, derandomize=True, max_examples=400)
def test_the_form_of_a_form_is_itself_and_near_spellings_stay_together(number: str, issuer: str) -> None:
    key = patient_key(number, issuer)
    assert patient_key(key) == key
    assert near(near(key)) == near(key)
    assert near(patient_key(number.swapcase(), issuer)) == near(key) or "\ufeff" in number
    assert not bare(key) or near(patient_key(f"00{bare(key)}")) == near(bare(key))
    assert (ISSUER_MARK in key) <= bool(key)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_whole_numbers_are_the_same_from_a_table_of_decimals(kind: type) -> None:
    for number in (7, 1042, 99_991):
        assert patient_key(str(kind(number))) == str(number)


@pytest.mark.parametrize("number", ["1.21E+11", "1e5", "1,21E+11", "4E9", "1.2E+11^^^SITE"])
def test_what_a_spreadsheet_shortened_is_damaged(number: str) -> None:
    assert is_damaged(number)


@pytest.mark.parametrize("number", ["121", "E5", "1E", "12E-7A", "1.2.840", "1e-5"])
def test_what_only_looks_like_it_is_not(number: str) -> None:
    assert not is_damaged(number)


def test_a_placeholder_is_a_word_for_many_or_a_number_outside_the_numbering() -> None:
    keys = {"unknown", "Anonymous", "TEST", "0", "-1", "999", "A17", "99", "test7"}
    assert {key for key in keys if is_placeholder(key, keys)} == {"unknown", "Anonymous", "TEST", "0", "-1", "999"}
    running = set(map(str, range(1000)))
    assert not any(is_placeholder(key, running) for key in running)


def test_columns_that_hold_patients_and_columns_about_patients() -> None:
    taken = (
        "patient",
        "Patient ID",
        "patient_id",
        "PatientID",
        "patientId",
        "subject",
        "Subject_ID",
        "MRN",
        "person_id",
    )
    taken += ("patient_ids", "patients", "participant_id", "Patient-Number", "medical_record_number")
    other = (
        "patient_age",
        "Patient Gender",
        "PatientSex",
        "patient_birth_date",
        "file",
        "label",
        "inpatient",
        "group",
    )
    assert [name for name in (*taken, *other) if names_patients(name)] == list(taken)
