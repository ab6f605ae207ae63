"""The fast search against the slow, obvious one."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from privgan.arrays import Singles
from privgan.images.geometry import orbit
from privgan_audits.spaces.search import candidates, neighbours
from privgan_audits.spaces.search.neighbours import nearest, nearest_within
from privgan_audits.spaces.search.screening import BRIEF, SINGLE, Precision


def turns(block: Singles) -> list[Singles]:
    return [np.ascontiguousarray(view).reshape(len(block), -1) for view in orbit(block)]


def slowly(queries: Singles, base: Singles, k: int) -> tuple[list[list[float]], list[list[int]]]:
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
@pytest.mark.usefixtures("precision")
def test_equals_brute_force_over_all_turns(k: int) -> None:
    rng = np.random.default_rng(0)
    queries, base = (rng.normal(size=(n, 6, 6)).astype(np.float32) for n in (20, 30))
    base[7] = np.rot90(queries[3])
    found = nearest(queries, base.reshape(30, -1), k=k, turns=turns)
    distances, rows = slowly(queries, base, k)
    np.testing.assert_allclose(found.distances, distances, rtol=1e-12, atol=1e-12)
    assert found.rows.tolist() == rows
    assert found.distances[3, 0] == 0


@pytest.fixture(params=[BRIEF, SINGLE], ids=["brief", "single"])
def precision(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Precision:
    """In which most pairs are ruled out."""
    chosen: Precision = request.param
    monkeypatch.setattr(neighbours, "fastest", lambda: chosen)
    return chosen


@pytest.mark.parametrize(("tile", "block", "threads"), [(1, 32, 1), (7, 64, 2), (100, 33, 2), (1 << 21, 2048, 1)])
def test_blocks_and_threads_change_nothing(
    monkeypatch: pytest.MonkeyPatch, precision: Precision, tile: int, block: int, threads: int
) -> None:
    """To the last bit, also where many images are nearly alike."""
    rng = np.random.default_rng(1)
    queries, base = (rng.normal(size=(n, 5, 5)).astype(np.float32) for n in (33, 170))
    base[40:90] = base[40] + 1e-6 * rng.normal(size=(50, 5, 5)).astype(np.float32)
    base = base.reshape(170, -1)
    whole = nearest(queries, base, k=5, turns=turns)
    monkeypatch.setattr(neighbours, "TILE", tile)
    monkeypatch.setattr(candidates, "BLOCK", block)
    monkeypatch.setattr(neighbours, "_CROWDED", 3)
    monkeypatch.setattr(neighbours, "_FEW", 2)
    monkeypatch.setattr(neighbours, "DIFFERENCES", 1000)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        pieces = nearest(queries, base, k=5, turns=turns)
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(whole.rows, pieces.rows)
    np.testing.assert_array_equal(whole.distances, pieces.distances)
    np.testing.assert_array_equal(whole.views, pieces.views)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), base_size=st.integers(1, 90), k=st.integers(1, 8), apart=st.booleans())
def test_equals_brute_force_with_ties_and_near_ties(seed: int, base_size: int, k: int, apart: bool) -> None:
    """Integers make ties, tiny differences hide them from float32: rows, distances and order are still exact."""
    rng = np.random.default_rng(seed)
    base = rng.integers(0, 2, (base_size, 3)).astype(np.float32)
    base += (rng.random(base.shape) < 0.1) * np.float32(1e-6)
    queries = rng.integers(0, 2, (6, 3)).astype(np.float32)
    groups = (rng.integers(0, 4, 6), rng.integers(0, 4, base_size)) if apart else None
    found = nearest(queries, base, k=k, turns=lambda block: [block, 1 - block], apart=groups)
    views = np.stack([queries, 1 - queries], axis=1).astype(np.float64)
    every = np.sqrt(np.square(views[:, :, None] - base.astype(np.float64)).sum(3)).min(1)
    if groups is not None:
        every[groups[0][:, None] == groups[1]] = np.inf
    order = np.argsort(every, axis=1, kind="stable")[:, : min(k, base_size)]
    distances = np.take_along_axis(every, order, axis=1)
    np.testing.assert_allclose(found.distances, distances, rtol=1e-12, atol=1e-12)
    assert (found.rows[np.isfinite(distances)] == order[np.isfinite(distances)]).all()


@pytest.mark.usefixtures("precision")
def test_of_several_bases_each_has_its_nearest_up_to_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "BLOCK", 32)
    rng = np.random.default_rng(6)
    queries = rng.normal(size=(25, 4, 4)).astype(np.float32)
    bases = [rng.normal(size=(size, 16)).astype(np.float32) for size in (1, 40, 7)]
    bases[1][3] = queries[2].ravel()
    limits = np.append(rng.uniform(3.0, 5.0, 24), np.inf)
    limits[2] = 0.0
    for base, found in zip(bases, nearest_within(queries, bases, limits, k=2, turns=turns), strict=True):
        every = nearest(queries, base, k=2, turns=turns)
        near = every.distances <= limits[:, None]
        np.testing.assert_array_equal(found.distances, np.where(near, every.distances, np.inf))
        np.testing.assert_array_equal(found.rows[near], every.rows[near])
        np.testing.assert_array_equal(found.views[near], every.views[near])
        assert 0 < near.sum() < near.size


@pytest.mark.usefixtures("precision")
def test_a_nearer_image_that_rounding_hides_is_found() -> None:
    """Far from the origin float32 products see no difference between 200 images; the nearest is still the nearest."""
    rng = np.random.default_rng(5)
    base = np.float32(1000.0) + rng.normal(scale=1e-2, size=(200, 64)).astype(np.float32)
    query = base[150:151] + np.float32(1e-3)
    found = nearest(query, base, k=3, turns=lambda block: [block])
    truth = np.sqrt(np.square(query.astype(np.float64) - base.astype(np.float64)).sum(1))
    assert found.rows[0].tolist() == np.argsort(truth, kind="stable")[:3].tolist()
    np.testing.assert_allclose(found.distances[0], np.sort(truth)[:3], rtol=1e-12)


@pytest.mark.usefixtures("precision")
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
