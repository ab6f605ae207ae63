"""Every formula beside its slow and obvious twin, and on points whose answer is known."""

import numpy as np
import pytest

from privgan.arrays import Singles
from privgan_audits.questions.utility.fidelity import (
    frechet_distance,
    kernel_distance,
    manifolds,
    nearest_other,
    vendi_score,
)


def cloud(rng: np.random.Generator, count: int, shift: float = 0.0, spread: float = 1.0) -> Singles:
    return (spread * rng.normal(size=(count, 3)) + shift).astype(np.float32)


def ball(points: Singles, number: int, k: int) -> float:
    others = sorted(
        np.linalg.norm(points[number].astype(float) - points[i]) for i in range(len(points)) if i != number
    )
    return float(others[k - 1])


def slow_manifolds(X: Singles, Y: Singles, k: int) -> tuple[float, float, float, float]:
    def inside(point: Singles, centre: Singles, radius: float) -> bool:
        return bool(np.linalg.norm(point.astype(float) - centre) <= radius + 1e-9)

    real, made = [ball(X, i, k) for i in range(len(X))], [ball(Y, j, k) for j in range(len(Y))]
    precision = sum(any(inside(y, X[i], real[i]) for i in range(len(X))) for y in Y) / len(Y)
    recall = sum(any(inside(x, Y[j], made[j]) for j in range(len(Y))) for x in X) / len(X)
    density = sum(inside(y, X[i], real[i]) for y in Y for i in range(len(X))) / (k * len(Y))
    coverage = sum(any(inside(y, X[i], real[i]) for y in Y) for i in range(len(X))) / len(X)
    return precision, recall, density, coverage


@pytest.mark.parametrize(("shift", "spread"), [(0.0, 1.0), (0.8, 0.4), (0.0, 2.0), (9.0, 1.0)])
def test_manifolds_are_those_of_the_papers(shift: float, spread: float) -> None:
    rng = np.random.default_rng(1)
    X, Y = cloud(rng, 40), cloud(rng, 25, shift, spread)
    found = manifolds(X, Y, k=3)
    expected = slow_manifolds(X, Y, 3)
    np.testing.assert_allclose([found.precision, found.recall, found.density, found.coverage], expected, atol=1e-12)


def test_copies_lie_inside_and_far_points_outside() -> None:
    X = cloud(np.random.default_rng(2), 30)
    same, far = manifolds(X, X), manifolds(X, X + 100)
    assert (same.precision, same.recall, same.coverage) == (1.0, 1.0, 1.0)
    assert (far.precision, far.recall, far.density, far.coverage) == (0.0, 0.0, 0.0, 0.0)
    repeated = np.repeat(X[:1], 30, axis=0)
    assert manifolds(repeated, repeated).precision == 1.0


def test_a_frechet_distance_is_that_of_two_gaussians() -> None:
    """For covariances that commute: |difference of means|^2 + sum of (difference of deviations)^2."""
    rng = np.random.default_rng(3)
    X, Y = rng.normal(size=(20_000, 3)) * [1, 2, 3], rng.normal(size=(20_000, 3)) * [2, 2, 1] + [0, 1, 2]
    assert frechet_distance(X.astype(np.float32), Y.astype(np.float32)) == pytest.approx(5 + 1 + 0 + 4, rel=0.03)


def test_a_frechet_distance_of_covariances_that_do_not_commute_needs_the_root_of_their_product() -> None:
    rng = np.random.default_rng(4)
    X, Y = (rng.normal(size=(50, 4)) @ rng.normal(size=(4, 4)) for _ in range(2))
    A, B = np.cov(X.T), np.cov(Y.T)
    trace = np.sqrt(np.linalg.eigvals(A @ B).astype(complex)).real.sum()
    expected = np.square(X.mean(0) - Y.mean(0)).sum() + np.trace(A) + np.trace(B) - 2 * trace
    assert frechet_distance(X, Y) == pytest.approx(expected)
    assert frechet_distance(X, X) == pytest.approx(0, abs=1e-10)


def test_a_kernel_distance_averages_over_pairs_of_different_points() -> None:
    rng = np.random.default_rng(5)
    X, Y = cloud(rng, 12), cloud(rng, 9, 0.5)

    def mean(a: Singles, b: Singles, *, others: bool) -> float:
        kernels = [
            (float(x @ y) + 1) ** 3 for i, x in enumerate(a) for j, y in enumerate(b) if not (others and i == j)
        ]
        return float(np.mean(kernels))

    expected = mean(X, X, others=True) + mean(Y, Y, others=True) - 2 * mean(X, Y, others=False)
    assert kernel_distance(X, Y) == pytest.approx(expected, rel=1e-5)


def test_a_kernel_distance_of_one_population_is_zero_on_average() -> None:
    rng = np.random.default_rng(6)
    found = [kernel_distance(cloud(rng, 30), cloud(rng, 30)) for _ in range(200)]
    assert abs(np.mean(found)) < 3 * np.std(found) / 200**0.5
    assert np.min(found) < 0


def test_a_vendi_score_counts_different_points() -> None:
    apart = 100 * np.eye(7, dtype=np.float32)
    assert vendi_score(apart, 1.0) == pytest.approx(7)
    assert vendi_score(np.repeat(apart, 5, axis=0), 1.0) == pytest.approx(7)
    assert vendi_score(apart[[0] * 9], 1.0) == pytest.approx(1)


def test_a_vendi_score_is_the_exponential_of_an_entropy() -> None:
    X, entropy = cloud(np.random.default_rng(7), 10), 0.0
    kernel = [[np.exp(-float(np.square(a - b).sum()) / (2 * 0.7**2)) / 10 for b in X] for a in X]
    for value in np.linalg.eigvals(np.array(kernel)).real:
        entropy -= value * np.log(value)
    assert vendi_score(X, 0.7) == pytest.approx(np.exp(entropy), rel=1e-5)


def test_the_nearest_other_point_is_not_the_point_itself() -> None:
    assert nearest_other(np.array([[0.0], [1.0], [5.0]], np.float32)).tolist() == [1.0, 1.0, 4.0]
