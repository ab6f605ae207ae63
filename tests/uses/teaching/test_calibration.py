"""Chances that can be taken at their word: the temperature finds back what was planted, as a slow search does."""

import numpy as np
import pytest
import torch

from privgan.arrays import Floats, Integers
from privgan_uses.teaching.calibration import doubted, temperature_of, threshold_of
from privgan_uses.teaching.network import softened


def world(count: int, classes: int, seed: int) -> tuple[torch.Tensor, Integers]:
    """Outputs of a network whose chances are true, and labels drawn by them."""
    rng = np.random.default_rng(seed)
    logits = torch.from_numpy(2 * rng.standard_normal((count, classes)))
    chances = softened(logits, 1.0)
    return logits, (rng.random((count, 1)) > chances.cumsum(axis=1)).sum(axis=1)


def slow(logits: torch.Tensor, labels: Integers, weights: Floats) -> float:
    """Every temperature of a fine grid tried, one image after another."""
    wanted = doubted(labels, logits.shape[1])
    grid = np.exp(np.linspace(np.log(1 / 32), np.log(32), 1501))

    def loss(temperature: float) -> float:
        chances = softened(logits, temperature)
        return -sum(weights[n] * float(wanted[n] @ np.log(chances[n])) for n in range(len(labels)))

    return float(min(grid, key=loss))


def test_it_is_what_a_slow_search_finds() -> None:
    logits, labels = world(40, 3, seed=0)
    weights = np.random.default_rng(1).dirichlet(np.ones(40))
    assert temperature_of(logits, labels, weights) == pytest.approx(slow(logits, labels, weights), rel=0.006)


@pytest.mark.parametrize("planted", [0.3, 1.0, 4.0])
def test_a_planted_temperature_is_found_and_two_others_are_not(planted: float) -> None:
    logits, labels = world(4000, 4, seed=2)
    found = temperature_of(logits * planted, labels, np.full(4000, 1 / 4000))
    assert found == pytest.approx(planted, rel=0.1)
    assert not any(found == pytest.approx(planted * lie, rel=0.1) for lie in (0.7, 1.4))


def test_few_images_that_are_all_right_make_nobody_certain() -> None:
    labels = np.array([0, 1] * 4)
    logits = torch.from_numpy(np.where(np.eye(2)[labels] > 0, 5.0, -5.0))
    sure = softened(logits, temperature_of(logits, labels, np.full(8, 1 / 8))).max(axis=1)
    assert np.allclose(sure, 5 / 6, atol=1e-3)


@pytest.mark.parametrize("classes", [2, 10])
def test_many_classes_are_doubted_no_more_than_two(classes: int) -> None:
    labels = np.repeat(np.arange(classes), 60)
    doubt = doubted(labels, classes)
    assert np.allclose(doubt.sum(axis=1), 1)
    assert np.allclose(doubt[np.arange(len(labels)), labels], 61 / 62)


def test_a_threshold_is_the_best_of_all() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        chances, positive = rng.random(30).round(1), rng.random(30) < 0.4
        positive[:2] = True, False
        found = threshold_of(chances, positive)

        def gain(threshold: float, chances: Floats = chances, positive: Floats = positive) -> float:
            called = chances >= threshold
            return float(called[positive].mean() + (~called[~positive]).mean())

        assert gain(found) == pytest.approx(max(gain(each) for each in np.linspace(0, 1, 101)))


def test_a_threshold_between_two_groups_lies_half_way() -> None:
    assert threshold_of(np.array([0.1, 0.3, 0.7, 0.9]), np.array([False, False, True, True])) == pytest.approx(0.5)
