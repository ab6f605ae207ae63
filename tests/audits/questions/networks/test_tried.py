"""Attacks on some of the patients: against enumeration, slow twins, and what their p-values promise."""

import itertools

import numpy as np
import pytest
from scipy import stats

from privgan_audits.questions.networks.inversion import AT_64_PIXELS, FEWEST, affordable, rows_in_turn
from privgan_audits.questions.networks.tried import TriedStatistic, attack_findings, one_p
from privgan_audits.stats import relabelling as rl
from privgan_audits.stats.pools import relabellings
from tests.audits.stats.written import choices


def test_each_column_is_judged_by_those_who_were_tried() -> None:
    rng = np.random.default_rng(0)
    labels = choices(60, 20, rng, 200)
    orders = [rng.permutation(60), rng.permutation(60)[:9]]
    found = TriedStatistic(orders=orders)(labels)
    for column in range(200):
        parts = []
        for order in orders:
            arranged = labels[order, column][:, None]
            if 0 < arranged.sum() < len(order):
                parts.append(rl.MembershipStatistic(orders=[np.arange(len(order))], fpr=0.01)(arranged)[0])
        assert found[column] == min(parts, default=1.0)


def test_an_attack_on_everybody_is_the_membership_test() -> None:
    rng = np.random.default_rng(1)
    labels, order = choices(80, 30, rng, 100), rng.permutation(80)
    expected = rl.MembershipStatistic(orders=[order], fpr=0.01)(labels)
    np.testing.assert_allclose(TriedStatistic(orders=[order])(labels), expected)


def test_p_is_exact_when_every_choice_is_in_the_pool() -> None:
    chosen = itertools.combinations(range(9), 3)
    every = np.stack([np.isin(np.arange(9), c) for c in chosen], axis=1).astype(np.uint8)
    rng = np.random.default_rng(2)
    statistic = TriedStatistic(orders=[rng.permutation(9), rng.permutation(9)[:5]])
    p, values = rl.p_values(statistic, every, every), statistic(every)
    exact = (values[None, :] <= values[:, None] * (1 + 1e-9)).mean(axis=1)
    assert (p >= np.minimum(exact, statistic.parts * values) - 1e-12).all()
    assert len(np.unique(p)) > 3


def test_p_values_keep_their_size_and_see_two_lies() -> None:
    """One attack on everybody and one on a third; members ahead in the first, in the second, in neither."""
    rng = np.random.default_rng(3)
    orders = [rng.permutation(150), rng.permutation(150)[:50]]
    labels, pool = choices(150, 50, rng, 2000), relabellings(150, 50, rng, 4000)
    p = rl.p_values(TriedStatistic(orders=orders), labels, pool)
    for level in (0.003, 0.05, 0.2):
        assert np.count_nonzero(p <= level) <= stats.binom(2000, level).ppf(0.9999) + 0.1 * 2000 * level
    assert np.count_nonzero(p <= 0.2) >= 0.7 * 0.2 * 2000
    held = labels[:, 0].astype(bool)
    for told in range(2):
        lying = [np.concatenate([order[~held[order]], order[held[order]]]) for order in orders]
        assert one_p([lying[told], orders[1 - told]], held, pool) < 1e-3
        assert attack_findings(lying[told], held, pool)["auc"] == 1.0


def test_nobody_is_second_before_everybody_was_first() -> None:
    owner = np.array([2, 0, 0, 1, 2, 2, 0])
    digests = np.array(["f", "b", "a", "c", "e", "d", "g"], dtype="S64")
    rows = rows_in_turn(owner, digests, np.array([1, 2, 0]))  # patient 2 first, then 0, then 1
    assert [(int(owner[row]), digests[row].decode()) for row in rows] == [
        (2, "d"), (0, "a"), (1, "c"), (2, "e"), (0, "b"), (2, "f"), (0, "g"),
    ]  # fmt: skip


@pytest.mark.parametrize(("size", "images"), [(64, AT_64_PIXELS), (32, 4 * AT_64_PIXELS), (512, FEWEST)])
def test_larger_images_are_fewer(size: int, images: int) -> None:
    assert affordable(size) == images
