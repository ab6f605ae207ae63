"""The fast search against the slow, obvious one."""

import numpy as np
import pytest

from privgan_audits import neighbours
from privgan_audits.neighbours import nearest
from privgan_audits.spaces import Grid, orbit


def turns(block: Grid) -> list[Grid]:
    return [np.ascontiguousarray(view).reshape(len(block), -1) for view in orbit(block)]


def slowly(queries: Grid, base: Grid, k: int) -> tuple[list[list[float]], list[list[int]]]:
    distances, rows = [], []
    for query in queries:
        found = []
        for row, target in enumerate(base):
            differences = [view[0].astype(float) - target.ravel() for view in turns(query[None])]
            found.append((min(float(np.sqrt((d**2).sum())) for d in differences), row))
        found.sort()
        distances.append([d for d, _ in found[:k]])
        rows.append([r for _, r in found[:k]])
    return distances, rows


@pytest.mark.parametrize("k", [1, 4, 50])
def test_equals_brute_force_over_all_turns(k: int) -> None:
    rng = np.random.default_rng(0)
    queries, base = (rng.normal(size=(n, 6, 6)).astype(np.float32) for n in (20, 30))
    base[7] = np.rot90(queries[3])
    found = nearest(queries, base.reshape(30, -1), k=k, turns=turns)
    distances, rows = slowly(queries, base, k)
    np.testing.assert_allclose(found.distances, distances, rtol=1e-12, atol=1e-12)
    assert found.rows.tolist() == rows
    assert found.distances[3, 0] == 0


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    queries, base = (rng.normal(size=(n, 5, 5)).astype(np.float32) for n in (33, 70))
    base = base.reshape(70, -1)
    whole = nearest(queries, base, k=5, turns=turns)
    monkeypatch.setattr(neighbours, "MOST_QUERIES", 7)
    monkeypatch.setattr(neighbours, "BASE_BLOCK", 3)
    pieces = nearest(queries, base, k=5, turns=turns)
    np.testing.assert_array_equal(whole.rows, pieces.rows)
    np.testing.assert_array_equal(whole.distances, pieces.distances)


def test_small_distances_survive_and_ties_go_by_row() -> None:
    """|q|^2 + |b|^2 - 2qb in float32 would call all of these zero."""
    rng = np.random.default_rng(2)
    query = (100 + rng.normal(size=(1, 256))).astype(np.float32)
    base = np.repeat(query, 6, axis=0)
    base[4, 0] += 1e-3
    base[1, 0] += 2e-3
    found = nearest(query, base, k=6, turns=lambda block: [block])
    assert found.rows[0].tolist() == [0, 2, 3, 5, 4, 1]
    assert found.distances[0, 5] == pytest.approx(2e-3, rel=1e-2)


def test_one_group_is_never_compared_with_itself() -> None:
    rng = np.random.default_rng(3)
    images = rng.normal(size=(30, 4, 4)).astype(np.float32)
    groups = np.repeat(np.arange(10), 3)
    flat = images.reshape(30, -1)
    found = nearest(images, flat, k=3, turns=turns, apart=(groups, groups))
    assert (groups[found.rows] != groups[:, None]).all()
    alone = nearest(images, flat, k=3, turns=turns, apart=(np.zeros(30, int), np.zeros(30, int)))
    assert np.isinf(alone.distances).all()


def test_views_of_different_length_are_compared_by_distance_not_by_product() -> None:
    query = np.array([[1.0, 0.0]], np.float32)
    found = nearest(query, np.array([[1.1, 0.0]], np.float32), k=1, turns=lambda block: [block, 9 * block])
    assert (found.views[0, 0], found.distances[0, 0]) == (0, pytest.approx(0.1, rel=1e-5))
