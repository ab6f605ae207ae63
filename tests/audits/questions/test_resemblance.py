"""T9: each measure is what its paper says, and does what makes it unfit to judge."""

import itertools

import numpy as np
import pytest
from scipy import stats

from privgan.arrays import Floats, Singles
from privgan_audits.questions.resemblance.measure import (
    Side,
    authenticity,
    c_t,
    dcr_share,
    nearest_counts,
    nndr,
    rank_z,
)


def drawn(rng: np.random.Generator, count: int, width: float = 1.0) -> Singles:
    return (width * rng.normal(size=(count, 6))).astype(np.float32)


def one_image_each(points: Singles) -> Side:
    return Side(points=points, owner=np.arange(len(points)))


def distances(one: Singles, other: Singles) -> Floats:
    return np.asarray(np.linalg.norm(one[:, None].astype(float) - other[None], axis=2))


@pytest.fixture(scope="module")
def real() -> Side:
    """8 patients with one to four alike images; one picture belongs to two of them."""
    rng = np.random.default_rng(0)
    owner = np.repeat(np.arange(8), [1, 2, 4, 1, 3, 1, 2, 1])
    points = drawn(rng, 8)[owner] + drawn(rng, len(owner), 0.2)
    points[-1] = points[0]
    return Side(points=points, owner=owner)


def test_the_variance_of_the_share_is_that_of_all_choices_of_members(real: Side) -> None:
    """Every one of the 56 ways to call five of eight patients members; the binomial variance is not it."""
    synthetic = drawn(np.random.default_rng(1), 200, 0.7)
    ways = [np.isin(np.arange(8), held) for held in itertools.combinations(range(8), 3)]
    found = [dcr_share(synthetic, real, held) for held in ways]
    shares = [each["measured"] for each in found]
    assert np.mean(shares) == pytest.approx(found[0]["expected_when_safe"]) == pytest.approx(5 / 8)
    assert {round(each["sd_when_safe"], 12) for each in found} == {round(float(np.std(shares)), 12)}
    assert np.std(shares) > 2 * (5 / 8 * 3 / 8 / 200) ** 0.5


def test_the_nearest_patients_are_counted_and_ties_are_shared(real: Side) -> None:
    synthetic = np.concatenate([drawn(np.random.default_rng(2), 50), real.points[:1]])
    apart = distances(synthetic, real.points)
    counts = np.zeros(8)
    for row in apart:
        nearest = np.unique(real.owner[row == row.min()])
        counts[nearest] += 1 / len(nearest)
    np.testing.assert_allclose(nearest_counts(synthetic, real, 8), counts)
    assert counts[0] == counts[7] > 0
    order = np.random.default_rng(3).permutation(len(real.owner))
    turned = Side(points=real.points[order], owner=real.owner[order])
    np.testing.assert_array_equal(nearest_counts(synthetic, turned, 8), nearest_counts(synthetic, real, 8))


def world(seed: int, *, copies: int = 0, width: float = 1.0) -> tuple[Singles, Singles, Singles]:
    """300 members, 150 non-members, 300 synthetic images, some of them copies; without them nothing leaks."""
    rng = np.random.default_rng([seed, copies])
    members, others, synthetic = drawn(rng, 300), drawn(rng, 150), drawn(rng, 300, width)
    synthetic[:copies] = members[:copies] + drawn(rng, copies, 0.01)
    return members, others, synthetic


def measured(members: Singles, others: Singles, synthetic: Singles) -> dict[str, float]:
    both = one_image_each(np.concatenate([members, others]))
    share = dcr_share(synthetic, both, np.arange(450) >= 300)
    return {
        "z": (share["measured"] - share["expected_when_safe"]) / share["sd_when_safe"],
        "c_t": c_t(synthetic, members, others)["measured"],
        "authenticity": authenticity(synthetic, one_image_each(members)),
        "nndr": nndr(synthetic, one_image_each(members)),
    }


def test_many_copies_move_all_measures() -> None:
    safe, leaking = measured(*world(1)), measured(*world(1, copies=150))
    assert abs(safe["z"]) < 3 < leaking["z"]
    assert leaking["c_t"] < -2.5 < safe["c_t"]
    assert leaking["authenticity"] < 0.6 * safe["authenticity"]
    assert leaking["nndr"] < 0.5 * safe["nndr"]


def test_the_share_keeps_its_size_and_c_t_is_fooled_by_little_variety_and_by_noise() -> None:
    """No copy at all, but everything nearer to the middle: C_T cries wolf. A tenth copied beside noise: it sleeps."""
    shrunk = [measured(*world(seed, width=0.7)) for seed in range(12)]
    assert all(each["c_t"] < -2 for each in shrunk)
    assert sum(abs(each["z"]) > 1.96 for each in shrunk) <= 3
    noisy = [measured(*world(seed, copies=30, width=1.5)) for seed in range(12)]
    assert all(each["c_t"] > 0 for each in noisy)
    safe = np.array([abs(measured(*world(seed))["z"]) for seed in range(60)])
    assert np.count_nonzero(safe > 1.96) <= stats.binom(60, 0.05).ppf(0.999)


def test_c_t_is_the_mean_of_mann_whitney_s_z_over_cells() -> None:
    """Twin: one cell, against scipy's; two far clusters, weighed by their non-members."""
    members, others, synthetic = world(4)
    near = [distances(points, members).min(axis=1) for points in (synthetic[:40], others[:49])]
    one = c_t(synthetic[:40], members, others[:49])
    assert (one["cells"], one["covered"]) == (1, 1.0)
    p = stats.mannwhitneyu(*near, alternative="less", use_continuity=False, method="asymptotic").pvalue
    assert stats.norm.cdf(one["measured"]) == pytest.approx(p)
    far = np.float32(100)
    parts = [c_t(synthetic[:40], members[:200], others[:40]), c_t(synthetic[40:], members[200:], others[40:110])]
    both = c_t(
        np.concatenate([synthetic[:40], synthetic[40:] + far]),
        np.concatenate([members[:200], members[200:] + far]),
        np.concatenate([others[:40], others[40:110] + far]),
    )
    assert both["cells"] == 2
    assert both["measured"] == pytest.approx((40 * parts[0]["measured"] + 70 * parts[1]["measured"]) / 110)


def test_ties_share_their_ranks() -> None:
    rng = np.random.default_rng(5)
    first, second = rng.integers(0, 4, 60).astype(float), rng.integers(0, 5, 80).astype(float)
    p = stats.mannwhitneyu(first, second, alternative="less", use_continuity=False, method="asymptotic").pvalue
    assert stats.norm.cdf(rank_z(first, second)) == pytest.approx(p)
    assert rank_z(np.ones(5), np.ones(7)) == 0


def test_authenticity_and_ratios_are_those_of_all_distances(real: Side) -> None:
    synthetic = drawn(np.random.default_rng(6), 80)
    apart, among = distances(synthetic, real.points), distances(real.points, real.points)
    among[real.owner[:, None] == real.owner] = np.inf
    ratios, authentic = [], []
    for row in apart:
        first = row.argmin()
        ratios.append(row[first] / row[real.owner != real.owner[first]].min())
        authentic.append(row[first] > among[first].min())
    assert nndr(synthetic, real) == pytest.approx(np.median(ratios))
    assert authenticity(synthetic, real) == pytest.approx(np.mean(authentic))


def test_too_few_for_any_cell_is_not_a_number() -> None:
    members, others, synthetic = world(7)
    found = c_t(synthetic[:9], members, others)
    assert np.isnan(found["measured"])
    assert (found["cells"], found["covered"]) == (0, 0.0)
