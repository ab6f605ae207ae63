"""Choices as bits say what the same choices as bytes say, and are the ones that a seed always drew."""

import numpy as np
import pytest

from privgan.arrays import Choices
from privgan_audits.stats import pools
from privgan_audits.stats import relabelling as rl
from privgan_audits.stats.within_groups import WithinGroups, within
from tests.audits.stats.written import written

PATIENTS, HELD_BACK = 203, 67


def all_at_once(patients: int, non_members: int, rng: np.random.Generator, count: int) -> Choices:
    """The slow twin: every choice in memory as bytes, shuffled by one call."""
    labels = np.zeros((count, patients), np.uint8)
    labels[:, :non_members] = 1
    return np.ascontiguousarray(rng.permuted(labels, axis=1).T)


@pytest.mark.parametrize("count", [1, 255, 256, 257, 1000])
def test_a_seed_draws_the_choices_that_it_draws_at_once(count: int) -> None:
    """Block by block from one stream, and what is drawn after them is the same, too."""
    one, other = np.random.default_rng(3), np.random.default_rng(3)
    pool = pools.relabellings(PATIENTS, HELD_BACK, one, count)
    np.testing.assert_array_equal(written(pool), all_at_once(PATIENTS, HELD_BACK, other, count))
    assert pool.shape == (PATIENTS, count)
    assert one.integers(1 << 62) == other.integers(1 << 62)


def test_a_pool_takes_a_bit_a_choice() -> None:
    assert pools.relabellings(1000, 300, np.random.default_rng(0), 800).bits.nbytes == 1000 * 100


@pytest.mark.parametrize("seed", range(3))
def test_every_statistic_is_the_same_of_bits_and_bytes(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a group's rows, and columns of products, come in many pieces."""
    monkeypatch.setattr(pools, "_ROWS", 16)
    monkeypatch.setattr(pools, "_PRODUCTS", 8 * 40 * PATIENTS)
    rng = np.random.default_rng(seed)
    pool = pools.relabellings(PATIENTS, HELD_BACK, rng, 500)
    labels = written(pool)
    orders, groups = [rng.permutation(PATIENTS) for _ in range(3)], [rng.random(PATIENTS) < p for p in (0.05, 0.5)]
    near = rl.NearCopyStatistic(orders=orders, hits=[rng.random(PATIENTS) < 0.3])
    inside = WithinGroups.of(orders, groups)
    for statistic in (near, inside, rl.MembershipStatistic(orders=orders, fpr=0.1)):
        np.testing.assert_array_equal(statistic(pool), statistic(labels))
    for p in (0.001, 0.02, 0.3):
        np.testing.assert_array_equal(near.reaches(pool, p), near.reaches(labels, p))
        np.testing.assert_array_equal(inside.reaches(pool, p), inside.reaches(labels, p))
    np.testing.assert_array_equal(within(groups[0], orders, pool), within(groups[0], orders, labels))
    scores = rng.random((2, PATIENTS))
    np.testing.assert_allclose(rl.excesses(scores, pool), rl.excesses(scores, labels), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(rl.aucs(orders, pool), rl.aucs(orders, labels), rtol=1e-12)


def test_sums_are_those_of_one_product() -> None:
    rng = np.random.default_rng(5)
    pool, values = pools.relabellings(PATIENTS, HELD_BACK, rng, 333), rng.random((2, PATIENTS))
    np.testing.assert_allclose(pools.products(values, pool), values @ written(pool), rtol=1e-12)
    some = rng.random(PATIENTS) < 0.5
    np.testing.assert_array_equal(pools.held_among(pool, some), written(pool)[some].sum(axis=0))
