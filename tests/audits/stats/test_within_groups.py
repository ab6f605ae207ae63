"""The near-copy statistic within groups, against an obvious twin, enumeration, and lies that it must see."""

import itertools
import math

import numpy as np
import pytest

from privgan.arrays import Flags, Integers
from privgan_audits.stats import relabelling as rl
from privgan_audits.stats import statistics as st
from privgan_audits.stats.pools import as_labels, relabellings
from privgan_audits.stats.within_groups import SHARE, WithinGroups, within
from tests.audits.stats.written import choices

PATIENTS, HELD_BACK = 240, 80


def groups_of(rng: np.random.Generator, *sizes: int) -> list[Flags]:
    """Random groups of those sizes, some patients in several of them."""
    return [rng.permutation(PATIENTS) < size for size in sizes]


def twin(orders: list[Integers], groups: list[Flags], held_back: Flags) -> float:
    """Patient by patient: walk each order, look at the group's patients alone, and ask for the law of its numbers."""
    smallest, shares = 1.0, [1 / group.sum() for group in groups]
    for group, order in itertools.product(groups, orders):
        arranged = np.array([held_back[patient] for patient in order if group[patient]])
        non_members = int(arranged.sum())
        if 0 < non_members < len(arranged):
            ranks = [rank for rank in (1, 5, 20) if rank <= non_members]
            counts = {rank: st.precedence_count(arranged, rank) for rank in ranks}
            p = st.precedence_p(counts, len(arranged) - non_members, non_members)
            smallest = min(smallest, p / (SHARE / group.sum() / sum(shares)))
    return smallest


def test_every_column_is_what_the_twin_finds() -> None:
    rng = np.random.default_rng(0)
    orders = [rng.permutation(PATIENTS) for _ in range(3)]
    groups = groups_of(rng, 6, 24, 100)  # of the smallest, some columns leave one side empty
    labels = choices(PATIENTS, HELD_BACK, rng, 300)
    found = WithinGroups.of(orders, groups)(labels)
    np.testing.assert_allclose(found, [twin(orders, groups, column.astype(bool)) for column in labels.T], rtol=1e-9)
    assert {int(n) for n in labels[groups[0]].sum(axis=0)} >= {0, 1, 2, 3, 4}
    assert 0.1 < np.mean(found < 1) < 0.9


def test_what_is_reached_is_what_is_at_most() -> None:
    rng = np.random.default_rng(1)
    statistic = WithinGroups.of([rng.permutation(PATIENTS) for _ in range(2)], groups_of(rng, 24, 100))
    labels = choices(PATIENTS, HELD_BACK, rng, 2000)
    values = statistic(labels)
    for p in (*np.unique(values)[:40], 0.0, 1.0):
        for limit in (p, np.nextafter(p, 0.0)):
            np.testing.assert_array_equal(statistic.reaches(labels, float(limit)), values <= limit)


def test_p_is_exact_given_how_many_of_a_group_were_held_back() -> None:
    """All choices of 4 among 10, a group of 6: given its non-members, a share of p has at most p."""
    chosen = itertools.combinations(range(10), 4)
    every = np.stack([np.isin(np.arange(10), c) for c in chosen], axis=1).astype(np.uint8)
    group = np.arange(10) % 5 < 3
    p = within(group, [np.random.default_rng(2).permutation(10)], every)[0]
    inside = every[group].sum(axis=0)
    for count in np.unique(inside):
        same = p[inside == count]
        for level in np.unique(same):
            assert np.mean(same <= level) == pytest.approx(level) or level == 1.0
    assert set(inside) == {0, 1, 2, 3, 4}
    assert (p[inside == 0] == 1).all()


def test_no_group_says_nothing_and_costs_nothing() -> None:
    rng = np.random.default_rng(3)
    order, labels = rng.permutation(PATIENTS), choices(PATIENTS, HELD_BACK, rng, 50)
    near, nobody = rl.NearCopyStatistic(orders=[order, order]), WithinGroups.of([order, order], [])
    together = rl.Together(statistics=[near, nobody])
    assert together.parts == near.parts
    np.testing.assert_array_equal(together(labels), near(labels))


def both(orders: list[Integers], groups: list[Flags]) -> rl.Together:
    """What T2 asks: of all patients and of those of each group."""
    near = rl.NearCopyStatistic(orders=orders)
    return rl.Together(statistics=[near, WithinGroups.of(orders, groups)])


def test_p_values_keep_their_size_over_draws_of_who_was_held_back() -> None:
    """Groups that overlap, are small, and cluster at the front of an order: exactness knows no difference."""
    rng = np.random.default_rng(4)
    score = rng.normal(size=(2, PATIENTS))
    groups = groups_of(rng, 24, 60, 150)
    score[:, groups[0]] -= 2.0  # the synthetic set is close to everybody in it
    statistic = both([np.argsort(row) for row in score], groups)
    labels, pool = (relabellings(PATIENTS, HELD_BACK, rng, count) for count in (4000, 10_000))
    p = rl.p_values(statistic, labels, pool)
    for level in (0.003, 0.02, 0.1, 0.5):
        # The pool's own error is part of p: its share at the level varies like a binomial of 10,000.
        slack = 4 * math.sqrt(level * (1 - level) * (1 / 4000 + 1 / 10_000))
        assert np.mean(p <= level) <= level + slack
        assert np.mean(p <= level) >= 0.6 * level - slack


@pytest.mark.parametrize("non_members", [8, 16])
def test_a_small_group_that_is_copied_is_seen_and_was_not_before(non_members: int) -> None:
    """Sixteen members of 300, all copied, and with as many non-members eleven of them, which all patients hide."""
    rng = np.random.default_rng(5)
    held = np.arange(450) >= 300
    group = np.zeros(450, bool)
    group[[*range(16), *range(300, 300 + non_members)]] = True
    sex = np.arange(450) % 2 == 0
    pool = relabellings(450, 150, rng)

    def ps(copies: int) -> tuple[float, float]:
        orders = []
        for _ in range(4):
            score = rng.random(450)
            score[:copies] = -1.0  # of the group's members
            score[-1] = -0.5  # a non-member right behind, as chance may have it
            orders.append(np.argsort(score, kind="stable"))
        alone = rl.NearCopyStatistic(orders=orders)
        labels = as_labels(held)
        together = both(orders, [group, sex])
        return float(rl.p_values(alone, labels, pool)[0]), float(rl.p_values(together, labels, pool)[0])

    before, after = ps(16)
    assert after < 1e-3
    assert before > 0.0029
    before, after = ps(11)
    assert before > 0.01
    assert (after < 0.0029) == (non_members == 16)


def test_what_a_group_hides_among_all_a_shift_of_it_shows() -> None:
    """A second lie: no copies, but the members of a group come first of it while all patients are mixed."""
    rng = np.random.default_rng(6)
    held = rng.permutation(PATIENTS) < HELD_BACK
    group = np.zeros(PATIENTS, bool)
    group[[*np.flatnonzero(~held)[:40], *np.flatnonzero(held)[:20]]] = True
    score = rng.normal(size=PATIENTS)
    score[group] = 1.0 + rng.random(60)
    score[group & ~held] -= 1.0  # behind many others, but ahead of their own
    order = np.argsort(score)
    labels, pool = as_labels(held), relabellings(PATIENTS, HELD_BACK, rng)
    assert rl.p_values(rl.NearCopyStatistic(orders=[order]), labels, pool)[0] > 0.003
    assert rl.p_values(both([order], [group]), labels, pool)[0] < 1e-6


def test_others_are_paid_for_and_not_asked() -> None:
    """The quick decision is that of p over the pool where groups that saw nothing stand beside."""
    rng = np.random.default_rng(7)
    orders = [rng.permutation(120) for _ in range(3)]
    near, inside = rl.NearCopyStatistic(orders=orders), WithinGroups.of(orders, [np.arange(120) < 40])
    pool = relabellings(120, 40, rng, 1000)
    labels = choices(120, 40, rng, 200)
    null, observed = np.minimum(near(pool), inside(pool)), near(labels)
    share = (1 + (null[None] <= observed[:, None] * (1 + 1e-9)).sum(axis=1)) / 1001
    p = np.minimum(share, (near.parts + inside.parts) * observed)
    others = rl.Others(parts=inside.parts, null=inside(pool))
    for level in (0.02, 0.1, 0.3):
        trial = rl.Trial(level=level, pool=pool, others=others)
        answers = [rl.is_significant(near, labels[:, [c]], trial) for c in range(200)]
        assert answers == ((p < level) & (observed < level)).tolist()
        assert any(answers)
