"""Numbers as the report writes them: bounds that never lie, odds as defined, chances that can be pictured."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privgan_audits.report.promise import accused
from privgan_audits.telling.numbers import chances, rounded_up, whole_percent_up


@given(st.floats(min_value=0, max_value=1))
def test_rounded_bounds_never_lie(value: float) -> None:
    """An upper bound may only grow by rounding, and by less than one unit of the second decimal."""
    assert value <= float(rounded_up(value)) < value + 0.01 + 1e-12
    assert float(whole_percent_up(value).removesuffix(" %")) / 100 == pytest.approx(float(rounded_up(value)))


@given(st.floats(min_value=1e-4, max_value=0.5), st.floats(min_value=0.01, max_value=1))
def test_accusations_multiply_the_odds_by_hits_over_false_accusations(prior: float, hits: float) -> None:
    """Bayes: the likelihood ratio of an accusation is TPR / FPR."""
    right = accused(prior, hits)
    assert right / (1 - right) == pytest.approx(prior / (1 - prior) * hits / 0.01)


@given(st.floats(min_value=2e-6, max_value=0.99))
def test_chances_stay_within_a_third_of_the_p_value(p: float) -> None:
    """Rounded for people, never so far that it tells another story."""
    found = re.fullmatch(r"in (\d+) of ([\d,]+) cases", chances(p))
    assert found
    assert int(found[1]) / int(found[2].replace(",", "")) == pytest.approx(p, rel=0.34)
