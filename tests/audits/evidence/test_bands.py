"""Numbers as bands: the declared ones, or quarters whose edges know of no side and are shown to nobody."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from privgan_audits.evidence.bands import OUTSIDE, QUARTERS, banded, banding, quarters, quartiles


def test_each_patient_counts_once_and_a_quarter_is_a_quarter() -> None:
    """A patient with a thousand images moves no edge further than one with a single image."""
    ages = np.arange(100.0)
    patients = np.append(np.arange(100), np.full(1000, 99))
    values = np.append(ages, np.full(1000, 99.0))
    edges = quartiles(values, patients)
    np.testing.assert_array_equal(edges, quartiles(ages, np.arange(100)))
    names, counts = np.unique(quarters(ages, edges), return_counts=True)
    assert tuple(names) == QUARTERS
    assert counts.tolist() == [25, 25, 25, 25]


@given(arrays.arrays(np.float64, 12, elements=st.one_of(st.just(np.nan), st.integers(-3, 3).map(float))))
@settings(deadline=None, derandomize=True)
def test_quarters_equal_their_slow_twin(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    patients = np.arange(12, dtype=np.int64) // 2
    means = [np.mean(known) for p in range(6) if (known := [v for v in values[patients == p] if not np.isnan(v)])]
    edges = quartiles(values, patients)
    for value, found in zip(values, quarters(values, edges), strict=True):
        if np.isnan(value):
            assert found == ""
        else:
            assert found == QUARTERS[sum(bool(value > np.quantile(means, share)) for share in (0.25, 0.5, 0.75))]


def test_edges_do_not_know_who_is_where() -> None:
    """The same for every order of the patients, so the same whoever is a member."""
    rng = np.random.default_rng(0)
    values, patients = rng.random(60), np.arange(60) // 2
    order = rng.permutation(60)
    np.testing.assert_allclose(quartiles(values[order], patients[order]), quartiles(values, patients))


@pytest.mark.parametrize("value", [np.nan, 63.0])
def test_nothing_known_and_one_value_for_all(value: float) -> None:
    values = np.full(8, value)
    found = quarters(values, quartiles(values, np.arange(8)))
    assert set(found) == ({""} if np.isnan(value) else {QUARTERS[0]})


def test_only_numbers_become_bands_and_declared_ones_those_that_records_know() -> None:
    """Whoever is in the cohort: a declared band is public, a quarter is of these patients."""
    ages = np.array([18.0, np.nan, 25.0, 26.0, 90.0, 91.0])
    columns = {"age": ages, "weight": ages, "sex": np.array(["f", "", "m", "m", "m", "m"])}
    types = {"age": "number(18..90):patient", "weight": "number", "sex": "category(f|m)"}
    numbers = banding(types, columns, np.arange(6))
    found = {name: column.tolist() for name, column in banded(columns, numbers).items()}
    assert found["age"] == ["18..25", "", "18..25", "26..32", "83..90", OUTSIDE]
    assert found["weight"][0] == QUARTERS[0]
    assert found["sex"] == columns["sex"].tolist()
    few = banding(types, {"age": ages[3:], "weight": ages[3:]}, np.arange(3))
    np.testing.assert_array_equal(few["age"](ages), numbers["age"](ages))
    assert (few["weight"](ages) != numbers["weight"](ages)).any()
