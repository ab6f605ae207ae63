"""What can come of a training: more patients and more epsilon never hide more, and words fit numbers."""

import itertools
import logging
from dataclasses import replace

import numpy as np
import pytest

from privgan.dp.accounting import default_delta
from privgan.errors import InputRejectedError
from privgan.gan.image_model import MixtureSettings
from privgan.gan.training.outlook import CLEAR, DROWNED, ENOUGH, LITTLE, NOTHING, Question, outlook
from privgan.gan.training.presets import choose

ASKED = Question(members=150, classes=2, epsilon=3.0, delta=1e-4, start=MixtureSettings(share=0.85, order=12))


@pytest.mark.parametrize(
    ("members", "classes", "epsilon", "band"),
    [
        (72, 2, 8.0, NOTHING),
        (100, 2, 3.0, NOTHING),
        (300, 2, 1.0, NOTHING),
        (300, 2, 3.0, NOTHING),
        (157, 3, 10.0, NOTHING),
        (300, 2, 8.0, LITTLE),
        (1000, 2, 1.0, LITTLE),
        (1000, 2, 8.0, ENOUGH),
        (2735, 3, 3.0, ENOUGH),
        (60_000, 10, 1.0, ENOUGH),
    ],
)
def test_cohorts_that_were_tried_get_the_band_that_they_showed(
    members: int, classes: int, epsilon: float, band: str
) -> None:
    """Those of docs/results/quality.md, of docs/examples, and a chest CT set that showed nothing."""
    found = choose(members, classes=classes, epsilon=epsilon, delta=default_delta(members)).outlook
    assert found.band == band
    assert f"{members} patients in {classes} classes and epsilon {epsilon:g}" in found.told


def test_more_of_anything_never_hides_more() -> None:
    for name, values in (("members", (50, 500, 5000)), ("epsilon", (0.5, 2.0, 8.0, 50.0)), ("delta", (1e-6, 1e-4))):
        hidden = [outlook(replace(ASKED, **{name: value})).hidden for value in values]
        assert all(a > b for a, b in itertools.pairwise(hidden)), name
    assert outlook(replace(ASKED, classes=4)).hidden == pytest.approx(2 * outlook(ASKED).hidden)


def test_the_hidden_share_is_the_noise_edge_of_the_second_moments() -> None:
    """Beside noise itself: the largest eigenvalue of a matrix as the query releases it, over the patients."""
    m, n = 12 * 13 // 2, 75
    rng, s = np.random.default_rng(0), ASKED.noise(ASKED.epsilon)
    upper = np.triu(rng.normal(0, s / np.sqrt(2), (m, m)), 1)
    noise = upper + upper.T + np.diag(rng.normal(0, s, m))
    largest = float(np.linalg.eigvalsh(noise)[-1]) / n
    assert outlook(ASKED).hidden == pytest.approx(largest, rel=0.1)


def test_what_is_said_to_be_needed_is_enough_and_hardly_more() -> None:
    people, epsilon = ASKED.patients(CLEAR), ASKED.enough_epsilon(DROWNED)
    assert epsilon is not None
    assert 0.9 * CLEAR < replace(ASKED, members=2 * people).hidden(ASKED.epsilon) <= CLEAR
    assert 0.8 * DROWNED < ASKED.hidden(epsilon) <= DROWNED
    told = outlook(ASKED).told
    assert f"For enough: {people} patients a class" in told
    assert replace(ASKED, members=20).enough_epsilon(CLEAR) is None
    assert "epsilon" not in outlook(replace(ASKED, members=20)).told.split("For enough")[1]


def test_nothing_is_refused_unless_accepted_and_little_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    drowned, little, enough = (outlook(replace(ASKED, members=n)) for n in (60, 500, 10_000))
    assert [one.band for one in (drowned, little, enough)] == [NOTHING, LITTLE, ENOUGH]
    with pytest.raises(InputRejectedError, match="--accept-noise"):
        drowned.require(accept=False)
    for one, warned in ((drowned, True), (little, True), (enough, False)):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            one.require(accept=True)
        assert (one.told in caplog.text) == warned
    little.require(accept=False)


def test_more_noise_than_difference_is_said_in_times() -> None:
    told = outlook(replace(ASKED, members=20, epsilon=0.5)).told
    assert "times all that the patients of a class differ by" in told
    assert "for little" in told.lower()
