"""The permutation test over many attacks, against enumeration, slow twins, and what it promises."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from privgan.arrays import Choices
from privgan_audits.policy import Policy
from privgan_audits.questions.near_copies.rule import SHARE
from privgan_audits.stats import relabelling as rl
from privgan_audits.stats import statistics as st
from privgan_audits.stats.columns import running, sums
from privgan_audits.stats.pools import as_labels, relabellings
from tests.audits.stats.written import choices

Orders = Sequence[NDArray[np.int64]]
Statistic = rl.NearCopyStatistic | rl.MembershipStatistic


def every_choice(members: int, non_members: int) -> Choices:
    chosen = itertools.combinations(range(members + non_members), non_members)
    return np.stack([np.isin(np.arange(members + non_members), c) for c in chosen], axis=1).astype(np.uint8)


def orders_of(rng: np.random.Generator, patients: int, count: int) -> Orders:
    return [rng.permutation(patients) for _ in range(count)]


def kinds(orders: Orders) -> list[Statistic]:
    return [rl.NearCopyStatistic(orders=orders), rl.MembershipStatistic(orders=orders, fpr=0.01)]


@pytest.mark.parametrize(("patients", "non_members"), [(40, 3), (300, 90), (300, 250)])
def test_what_is_reached_is_what_is_at_most(patients: int, non_members: int) -> None:
    """At every value that the statistic takes, just below it, and at the ends."""
    rng = np.random.default_rng(1)
    labels = choices(patients, non_members, rng, 400)
    for hits in ([], [rng.random(patients) < 0.1, np.zeros(patients, bool)]):
        statistic = rl.NearCopyStatistic(orders=orders_of(rng, patients, 3), hits=hits)
        values = statistic(labels)
        for p in (*np.unique(values)[:60], 0.0, 1.0):
            for limit in (p, np.nextafter(p, 0.0)):
                np.testing.assert_array_equal(statistic.reaches(labels, float(limit)), values <= limit)


def test_counts_of_every_column_are_those_of_one() -> None:
    rng = np.random.default_rng(0)
    labels = choices(300, 90, rng, 50)
    labels[:, 0] = np.arange(300) >= 210  # the last non-members come late: the search must go on to find them
    for order in (np.arange(300), rng.permutation(300)):
        counts = rl.precedence_counts(order, (1, 5, 20), labels)
        areas = rl.aucs([order], labels)[0]
        for column in range(50):
            arranged = labels[order, column].astype(bool)
            assert [counts[k][column] for k in (1, 5, 20)] == [st.precedence_count(arranged, k) for k in (1, 5, 20)]
            alone = rl.precedence_counts(order, (1, 5, 20), labels[:, [column]])
            assert [alone[k].tolist() for k in (1, 5, 20)] == [[counts[k][column]] for k in (1, 5, 20)]
            assert areas[column] == pytest.approx(st.auc(arranged), abs=1e-12)


def test_every_choice_of_non_members_is_equally_likely() -> None:
    labels = choices(6, 2, np.random.default_rng(1), 15_000)
    assert (labels.sum(axis=0) == 2).all()
    seen = np.unique(labels, axis=1, return_counts=True)[1]
    assert len(seen) == 15
    assert stats.chisquare(seen).pvalue > 1e-4


def test_hits_are_fishers_exact_test() -> None:
    rng = np.random.default_rng(2)
    hits = rng.random(60) < 0.2
    labels = choices(60, 20, rng, 20)
    for column, p in enumerate(rl.hit_ps(hits, labels)):
        held = labels[:, column].astype(bool)
        table = [[(hits & ~held).sum(), (hits & held).sum()], [(~hits & ~held).sum(), (~hits & held).sum()]]
        assert p == pytest.approx(stats.fisher_exact(table, alternative="greater").pvalue)


@pytest.mark.parametrize("held_back", [667, 620, 600])
def test_twenty_copies_that_hashes_see_are_enough_whatever_the_split(held_back: int) -> None:
    """Mirrored, they lead in two spaces of eight, where non-members come next; that is all that sees them.

    As many as the policy allows at 2,000 patients; how many are held back is decided by a coin for each of them.
    """
    rng, copied = np.random.default_rng(8), np.arange(2000) < 20
    held = np.arange(2000) >= 2000 - held_back
    others = [rng.permutation(2000) for _ in range(6)]
    after = np.concatenate([np.flatnonzero(held)[:40], rng.permutation(np.flatnonzero(~held & ~copied))])
    leading = np.concatenate([np.flatnonzero(copied), after, np.flatnonzero(held)[40:]])
    statistic = rl.NearCopyStatistic(orders=[leading, leading, *others], hits=[copied])
    trial = rl.Trial(level=Policy().level(1) * SHARE, pool=relabellings(2000, held_back, rng))
    assert rl.is_significant(statistic, as_labels(held), trial)
    assert not rl.is_significant(rl.NearCopyStatistic(orders=others), as_labels(held), trial)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_p_is_exact_when_every_choice_is_in_the_pool(count: int) -> None:
    """Over all choices, at most a share of alpha has p <= alpha; the minimum's own distribution is reached."""
    every = every_choice(6, 4)
    for statistic in kinds(orders_of(np.random.default_rng(3), 10, count)):
        p = rl.p_values(statistic, every, every)
        values = statistic(every)
        exact = (values[None, :] <= values[:, None] * (1 + 1e-9)).mean(axis=1)
        assert (p >= np.minimum(exact, statistic.parts * values) - 1e-12).all()
        for level in np.unique(p):
            assert (exact[p <= level] <= level + 1e-9).all()


def test_attacks_that_say_the_same_cost_nothing_and_others_cost_at_most_their_number() -> None:
    rng = np.random.default_rng(4)
    order = rng.permutation(300)
    held = np.ones(300, bool)
    held[order[:14]] = False  # fourteen members lead
    held[rng.permutation(order[14:])[:186]] = False
    pool = relabellings(300, 100, rng)
    alone = rl.p_values(rl.NearCopyStatistic(orders=[order]), as_labels(held), pool)[0]
    thrice = rl.p_values(rl.NearCopyStatistic(orders=[order] * 3), as_labels(held), pool)[0]
    others = rl.NearCopyStatistic(orders=[order, *orders_of(rng, 300, 2)])
    assert thrice == pytest.approx(alone, rel=0.35)
    assert thrice < rl.p_values(others, as_labels(held), pool)[0] <= 3 * alone


def test_p_values_keep_their_size_and_see_two_lies() -> None:
    """Two spaces that agree on most patients and a third on its own; copies in one of them alone; a shift of all."""
    rng = np.random.default_rng(5)
    score = rng.normal(size=(3, 240))
    score[1] = score[0] + 0.3 * rng.normal(size=240)
    statistics = kinds([np.argsort(row) for row in score])
    labels, pool = choices(240, 80, rng, 2000), relabellings(240, 80, rng, 4000)
    for statistic in statistics:
        p = rl.p_values(statistic, labels, pool)
        for level in (0.003, 0.05, 0.2):
            assert np.count_nonzero(p <= level) <= stats.binom(2000, level).ppf(0.9999) + 0.1 * 2000 * level
        assert np.count_nonzero(p <= 0.2) >= 0.7 * 0.2 * 2000
    held = labels[:, 0].astype(bool)
    copied, shifted = score.copy(), score - 0.8 * ~held
    copied[2, np.flatnonzero(~held)[:16]] = -9
    for lie in (copied, shifted):
        found = [rl.p_values(s, as_labels(held), pool)[0] for s in kinds([np.argsort(row) for row in lie])]
        assert min(found) < 0.003


def test_the_quick_decision_is_that_of_the_p_value() -> None:
    rng = np.random.default_rng(6)
    statistic = rl.NearCopyStatistic(orders=orders_of(rng, 120, 3), hits=[rng.random(120) < 0.1])
    pool = relabellings(120, 40, rng, 1000)
    labels = choices(120, 40, rng, 300)
    p = rl.p_values(statistic, labels, pool)
    decided = {level: [] for level in (0.02, 0.1, 0.3)}
    for level, answers in decided.items():
        trial = rl.Trial(level=level, pool=pool)
        answers += [rl.is_significant(statistic, labels[:, [c]], trial) for c in range(300)]
        assert answers == (p < level).tolist()
        assert any(answers)


def test_later_attempts_need_smaller_p_values_than_a_pool_resolves() -> None:
    order = np.arange(300)
    statistic = rl.NearCopyStatistic(orders=[order, order])
    p = rl.p_values(statistic, as_labels(order >= 200), relabellings(300, 100, np.random.default_rng(7), 100))
    assert 0 < p[0] < 1e-70


@pytest.mark.parametrize("rows", [1, 255, 256, 300])
@pytest.mark.parametrize("columns", [3, 600])
def test_ones_are_counted_as_in_wide_numbers(rows: int, columns: int) -> None:
    """Also where a column has nothing but ones, which is as much as the narrow numbers hold."""
    ones = np.random.default_rng(rows).integers(0, 2, (rows, columns), dtype=np.uint8)
    ones[:, 0] = 1
    np.testing.assert_array_equal(sums(ones), ones.sum(axis=0, dtype=np.int64))
    np.testing.assert_array_equal(sums(ones > 0), ones.sum(axis=0, dtype=np.int64))
    np.testing.assert_array_equal(running(ones), ones.cumsum(axis=0, dtype=np.int64))
