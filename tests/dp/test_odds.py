"""What epsilon means: odds as defined, and limits that are never rounded down."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privgan.dp.odds import belief, odds, percent_at_most


def test_odds_are_those_of_the_definition() -> None:
    """Posterior odds = prior odds times e^epsilon, and nothing overflows."""
    posterior = belief(0.1, 2.0)
    assert posterior / (1 - posterior) == pytest.approx(np.exp(2.0) / 9)
    assert belief(0.5, 0.0) == 0.5
    assert belief(0.5, 1e6) == 1.0


@given(st.floats(min_value=0, max_value=0.9999))
def test_limits_are_never_rounded_down(share: float) -> None:
    shown = float(percent_at_most(share).removesuffix(" %")) / 100
    assert share - 1e-12 <= shown <= min(1.1 * share, 0.9999) + 1e-12


def test_an_image_that_stands_for_a_patient_is_called_one() -> None:
    assert "that a given image was among them" in odds(1.0, "image")
