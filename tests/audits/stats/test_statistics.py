"""Each statistic against brute force, a textbook implementation, or its own promise under simulation."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as hs
from numpy.typing import NDArray
from scipy import stats

from privgan_audits.questions.controls.rule import RESPLIT_LEVEL, _most_alarms
from privgan_audits.questions.membership.statistic import ENSEMBLE, FPR, epsilon_findings
from privgan_audits.questions.near_copies.statistic import near_copy_findings
from privgan_audits.stats import statistics as st
from privgan_audits.stats.holm import holm
from privgan_audits.stats.pools import as_labels
from privgan_audits.stats.relabelling import MembershipStatistic, p_values


def order_of(members: int, non_members: int, rng: np.random.Generator) -> st.Order:
    return rng.permutation(np.arange(members + non_members) < non_members)


def rank_patients(scores: st.Floats, non_member: NDArray[np.bool_], rng: np.random.Generator) -> st.Order:
    """Smallest score first; ties fall by lot."""
    return non_member[np.lexsort((rng.random(len(scores)), scores))]


def membership_p(order: st.Order) -> float:
    """Of one attack, without any simulation."""
    statistic = MembershipStatistic(orders=[np.arange(len(order))], fpr=FPR)
    return float(p_values(statistic, as_labels(order), None)[0])


def epsilon_of(order: st.Order, delta: float) -> dict[str, float]:
    return epsilon_findings({ENSEMBLE: np.arange(len(order))}, order, delta)


def arrangements(members: int, non_members: int) -> list[st.Order]:
    every = itertools.combinations(range(members + non_members), non_members)
    return [np.isin(np.arange(members + non_members), where) for where in every]


@pytest.mark.parametrize("rank", [1, 2, 4])
def test_precedence_tails_count_arrangements(rank: int) -> None:
    counts = np.array([st.precedence_count(order, rank) for order in arrangements(6, 4)])
    expected = [(counts >= c).mean() for c in range(7)]
    np.testing.assert_allclose(st.precedence_tails(6, 4, rank), expected, rtol=1e-9)


@pytest.mark.parametrize("ranks", [(1,), (1, 3), (1, 2, 4)])
def test_the_p_value_of_all_ranks_together_is_exact(ranks: tuple[int, ...]) -> None:
    """At every value that p can take, exactly that share of all arrangements has a p at most as large."""
    p = np.array(
        [st.precedence_p({k: st.precedence_count(order, k) for k in ranks}, 6, 4) for order in arrangements(6, 4)]
    )
    for value in np.unique(p.round(12)):
        assert (p <= value + 1e-9).mean() == pytest.approx(value, rel=1e-6)


def test_p_is_tiny_but_never_zero_when_every_member_comes_first() -> None:
    p = st.precedence_p(dict.fromkeys((1, 5, 20), 1333), 1333, 667)
    assert 0 < p < 1e-200


def test_p_values_keep_their_size_and_see_a_shift() -> None:
    """The truth is accepted and two lies are rejected: copies in the tail, and a small shift of everyone."""
    rng = np.random.default_rng(1)
    orders = [order_of(200, 100, rng) for _ in range(600)]
    for p in ([near_copy_findings(o)["p"] for o in orders], [membership_p(o) for o in orders]):
        for level in (0.01, 0.05, 0.2):
            allowed = stats.binom(600, level).ppf([0.0005, 0.9995])
            assert np.count_nonzero(np.array(p) <= level) <= allowed[1]
        assert np.count_nonzero(np.array(p) <= 0.2) >= 0.5 * 0.2 * 600  # and is not merely conservative
    copied = np.concatenate([np.zeros(15, bool), order_of(185, 100, rng)])
    assert near_copy_findings(copied)["p"] < 0.01
    scores = np.concatenate([rng.normal(-0.7, 1, 200), rng.normal(0, 1, 100)])
    assert membership_p(rank_patients(scores, np.arange(300) >= 200, rng)) < 0.01


@given(hs.lists(hs.booleans(), min_size=6, max_size=60).filter(lambda x: 2 <= sum(x) <= len(x) - 2))
@settings(max_examples=60, deadline=None)
def test_auc_and_its_error_match_the_textbook(sides: list[bool]) -> None:
    order = np.array(sides)
    members, others = np.flatnonzero(~order), np.flatnonzero(order)
    pairs = members[:, None] < others[None, :]
    assert st.auc(order) == pytest.approx(pairs.mean())
    theirs = stats.mannwhitneyu(members, others, alternative="less", method="asymptotic")
    assert st.auc_p(st.auc(order), len(members), len(others)) == pytest.approx(theirs.pvalue, abs=1e-9)
    delong = pairs.mean(axis=1).var(ddof=1) / len(members) + pairs.mean(axis=0).var(ddof=1) / len(others)
    assert st.auc_se(order) == pytest.approx(max(math.sqrt(delong), st.auc_null_se(len(members), len(others))))


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 10), (10, 10), (17, 1333)])
def test_binomial_bounds_are_clopper_pearsons(successes: int, trials: int) -> None:
    interval = stats.binomtest(successes, trials).proportion_ci(0.9, method="exact")
    assert st.binomial_lower(successes, trials, 0.05) == pytest.approx(interval.low)
    assert st.binomial_upper(successes, trials, 0.05) == pytest.approx(interval.high)


@given(hs.integers(1, 5_000), hs.sampled_from([0.1, 0.01, 0.001]), hs.sampled_from([0.05, 0.025, 0.0125, 0.001]))
def test_quantile_ranks_are_those_of_the_binomial_law(non_members: int, fpr: float, error: float) -> None:
    fewer = stats.binom.cdf(np.arange(non_members + 1), non_members, fpr)  # P(so many or fewer lie below)
    low = max([rank for rank in range(1, non_members + 1) if fewer[rank - 1] <= error], default=0)
    high = min(rank for rank in range(1, non_members + 2) if 1 - fewer[rank - 1] <= error)
    assert st.quantile_ranks(non_members, fpr, error) == (low, high)


COUNTED = hs.integers(0, 10**6).map(float) | hs.sampled_from([2.5, -1.0, math.nan, math.inf])


@given(hs.floats(0.5, 0.999999) | hs.just(1.0), COUNTED)  # closer to 1 it is rounding that decides
@example(0.999, 200.0)
def test_most_alarms_are_a_quantile_of_the_binomial_law(quantile: float, resplits: float) -> None:
    """And not a number, which every comparison refuses, where nothing was counted."""
    wanted = float(stats.binom.ppf(quantile, resplits, RESPLIT_LEVEL)) if math.isfinite(resplits) else math.nan
    np.testing.assert_equal(_most_alarms(quantile, resplits), wanted)


@pytest.mark.parametrize("truth", [0.01, 0.1, 0.5])
def test_tpr_bounds_cover_the_populations_rate(truth: float) -> None:
    """Members fall below the non-members' true 1 % quantile with probability `truth`; each bound errs <= 5 %."""
    rng = np.random.default_rng(2)
    wrong = np.zeros(2)
    for _ in range(500):
        low = rng.random(400) < truth
        members = np.where(low, rng.uniform(0, 0.01, 400), rng.uniform(0.01, 1, 400))
        scores = np.concatenate([members, rng.random(200)])
        bounds = st.tpr_bounds(rank_patients(scores, np.arange(600) >= 400, rng), 0.01, 0.05)
        wrong += [bounds[0] > truth, bounds[1] < truth]
    assert (wrong <= stats.binom(500, 0.05).ppf(0.9995)).all()


def test_the_threshold_of_one_per_cent_lets_one_per_cent_through() -> None:
    assert [st.tpr_rank(n, 0.01) for n in (50, 99, 100, 667, 1000)] == [1, 1, 2, 7, 11]


def test_the_bound_on_epsilon_is_below_the_truth_and_reaches_its_own_ceiling() -> None:
    rng = np.random.default_rng(3)
    epsilon, size = 1.0, 1000
    too_high = 0
    for _ in range(100):  # a mechanism with density e^eps on a tenth of the space, spread elsewhere
        close = rng.random(size) < 0.1 * math.exp(epsilon)
        members = np.where(close, rng.uniform(0, 0.1, size), rng.uniform(0.1, 1, size))
        order = rank_patients(np.concatenate([members, rng.random(size)]), np.arange(2 * size) >= size, rng)
        too_high += epsilon_of(order, 0.0)["epsilon_lower_bound"] > epsilon
    assert too_high <= 5
    perfect = np.arange(2 * size) >= size
    found = epsilon_of(perfect, 1e-6)
    assert found["epsilon_lower_bound"] == found["largest_provable_epsilon"] > 3


def test_the_lower_band_stays_under_the_true_curve_everywhere() -> None:
    rng, grid = np.random.default_rng(4), np.geomspace(1e-3, 1, 50)
    truth = stats.norm.cdf(stats.norm.ppf(grid) + 1)
    crossed = 0
    for _ in range(200):
        scores = np.concatenate([rng.normal(-1, 1, 300), rng.normal(0, 1, 150)])
        order = rank_patients(scores, np.arange(450) >= 300, rng)
        crossed += bool((st.roc_lower_band(order, grid, 0.05) > truth + 1e-12).any())
    assert crossed <= stats.binom(200, 0.05).ppf(0.9995)


def test_ties_favour_nobody() -> None:
    rng = np.random.default_rng(5)
    non_member = np.arange(60) >= 40
    aucs = [st.auc(rank_patients(np.zeros(60), non_member, rng)) for _ in range(300)]
    assert np.mean(aucs) == pytest.approx(0.5, abs=0.015)


@pytest.mark.parametrize(
    ("p", "rejected"),
    [
        ({"a": 0.004, "b": 0.5}, {"a"}),
        ({"a": 0.004, "b": 0.009}, {"a", "b"}),
        ({"a": 0.006, "b": 0.009}, set()),
        ({"a": 0.006, "b": math.nan}, set()),
        ({"a": math.nan, "b": 0.001}, {"b"}),
    ],
)
def test_holm(p: dict[str, float], rejected: set[str]) -> None:
    assert holm(p, 0.01) == rejected


@pytest.mark.parametrize(
    ("p", "rejected"),
    [
        ({"a": 0.0079, "b": 0.5}, {"a"}),
        ({"a": 0.0081, "b": 0.5}, set()),
        ({"a": 0.5, "b": 0.0019}, {"b"}),
        ({"a": 0.009, "b": 0.0019}, {"a", "b"}),
        ({"a": 0.0079, "b": 0.0099}, {"a", "b"}),
    ],
)
def test_holm_gives_each_its_share_and_what_others_no_longer_need(p: dict[str, float], rejected: set[str]) -> None:
    assert holm(p, 0.01, {"a": 0.8, "b": 0.2}) == rejected


def test_weighted_holm_keeps_the_family_error() -> None:
    """With all hypotheses true, and with one that is not; the lie is a test of each at the whole level."""
    rng, weights = np.random.default_rng(0), {"a": 0.48, "b": 0.48, "c": 0.02, "d": 0.02}
    alarms = unweighted = 0
    for sample in rng.random((4000, 4)):
        p = dict(zip(weights, sample, strict=True)) | {"a": 1e-9}
        alarms += len(holm(p, 0.05, weights)) > 1
        unweighted += any(value < 0.05 for name, value in p.items() if name != "a")
    assert alarms <= stats.binom(4000, 0.05).ppf(0.999) < unweighted
    assert alarms >= stats.binom(4000, 0.04).ppf(0.001)
