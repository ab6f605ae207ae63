"""How common records are, beside a loop over all of them: expectations, products, draws."""

import itertools

import numpy as np
import pytest
import torch

from privgan.gan.effects.odds import Odds, one_hot

LEVELS, KINDS = (3, 4), ("category", "ordinal")
JOINT = torch.from_numpy(np.random.default_rng(0).random((2, *LEVELS)))
ODDS = Odds.of(JOINT, KINDS)


def _records() -> list[tuple[float, torch.Tensor]]:
    """Every record, with how common it is in its class."""
    shares = JOINT / JOINT.sum(dim=(1, 2), keepdim=True)
    every = itertools.product(range(2), *map(range, LEVELS))
    return [(float(shares[record]), torch.tensor([record])) for record in every]


def test_expectations_and_products_are_those_of_a_plain_loop() -> None:
    shares = torch.tensor([0.3, 0.7], dtype=torch.float64)
    expected, moments = torch.zeros(2, 7), torch.zeros(7, 7, dtype=torch.float64)
    covariance = torch.zeros(2, 7, 7, dtype=torch.float64)
    for odds, record in _records():
        expected[record[0, 0]] += odds * one_hot(record[:, 1:], LEVELS)[0]
    torch.testing.assert_close(ODDS.expected, expected)
    for odds, record in _records():
        label = int(record[0, 0])
        centred = (one_hot(record[:, 1:], LEVELS)[0] - expected[label]).double()
        asked = ODDS.bounded(record)[0].double()
        assert float(asked.norm()) <= 1 + 1e-6
        assert float(torch.dot(asked, centred)) == pytest.approx(float(asked.norm() * centred.norm()), abs=1e-5)
        moments += shares[label] * odds * torch.outer(asked, centred)
        covariance[label] += odds * torch.outer(centred, centred)
    torch.testing.assert_close(ODDS.moments(shares), moments, atol=1e-6, rtol=1e-5)
    for label in range(2):
        torch.testing.assert_close(ODDS.covariance(label), covariance[label], atol=1e-6, rtol=1e-5)


def test_records_are_drawn_as_often_as_they_are_common() -> None:
    """Each cell of 40,000 draws within five standard errors; of records drawn evenly one is not."""
    count, labels = 40_000, torch.arange(40_000) % 2
    drawn = ODDS.drawn(labels, torch.Generator().manual_seed(0))
    assert torch.equal(drawn[:, 0], labels)

    def far(odds: float, record: torch.Tensor) -> float:
        seen = float((drawn == record).all(1).sum()) / (count / 2)
        return abs(seen - odds) / (odds * (1 - odds) / (count / 2)) ** 0.5

    assert max(far(odds, record) for odds, record in _records()) < 5
    assert max(far(1 / 12, record) for _, record in _records()) > 5


def test_a_class_of_nobody_is_like_all_others_and_what_is_no_code_is_the_first() -> None:
    joint = JOINT.clone()
    joint[1] = 0
    alone = Odds.of(joint, KINDS)
    torch.testing.assert_close(alone.joint[1], alone.joint[0])
    assert torch.equal(one_hot(torch.tensor([[-1, 9]]), LEVELS), one_hot(torch.tensor([[0, 0]]), LEVELS))
