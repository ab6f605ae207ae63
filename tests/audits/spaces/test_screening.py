"""What rough products may be off: never more than they promise, in either precision."""

import numpy as np
import pytest

from privgan.arrays import Singles
from privgan_audits.spaces.search.candidates import RoughBase
from privgan_audits.spaces.search.screening import BRIEF, SINGLE, Precision, places

PRECISIONS = pytest.mark.parametrize("precision", [BRIEF, SINGLE], ids=["brief", "single"])
NOBODY = (np.zeros(0, np.int64), np.zeros(0, np.int64))


def units(rng: np.random.Generator, count: int, dimensions: int) -> Singles:
    """Of unit length, some of a few large numbers, some of many small ones."""
    vectors = rng.normal(size=(count, dimensions)) ** rng.choice([1, 3, 5], (count, 1))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


@PRECISIONS
@pytest.mark.parametrize("dimensions", [3, 40, 484])
def test_products_are_off_by_no_more_than_is_promised(precision: Precision, dimensions: int) -> None:
    rng = np.random.default_rng(dimensions)
    some, others = units(rng, 300, dimensions), units(rng, 200, dimensions)
    others[:50] = some[:50]
    true = np.abs(some.astype(np.float64) @ others.astype(np.float64).T)
    bits = precision.magnitudes(precision.rounded(some), precision.rounded(others))
    seen = precision.values(bits).numpy().astype(np.float64)
    assert (true <= precision.stretch * seen + precision.slack).all()
    assert (seen <= precision.stretch * (true + precision.slack)).all()
    assert np.abs(true - seen).max() > precision.unit / 1e5  # rounding is seen at all
    largest = true.argmax(axis=1)
    assert (bits[np.arange(300), largest] >= precision.possible(bits)[:, 0]).all()


@PRECISIONS
def test_bits_have_the_order_of_their_numbers(precision: Precision) -> None:
    values = np.sort(np.append(np.random.default_rng(0).exponential(size=500), [0.0, 1.0, 1e20]))
    least, most = precision.at_least(values), precision.at_most(values)
    assert (np.diff(least) >= 0).all()
    assert (precision.values(least).numpy() >= values).all()
    assert (precision.values(most).numpy() <= values).all()
    assert (precision.at_least(np.array([np.inf])) == precision.infinite).all()


@PRECISIONS
def test_no_neighbour_is_ruled_out(precision: Precision) -> None:
    """Points far from the centre and far from each other in length, and pairs that are kept apart."""
    rng = np.random.default_rng(3)
    base = 5 + units(rng, 300, 30) * rng.uniform(0.1, 9.0, (300, 1)).astype(np.float32)
    views = np.stack([base[:60] + 0.3 * units(rng, 60, 30), 10 - base[:60]], axis=1)
    apart = (np.arange(60), np.arange(60))
    true = np.linalg.norm(views.astype(np.float64)[:, :, None] - base.astype(np.float64), axis=3)
    true[np.arange(60), :, np.arange(60)] = np.inf
    closest = true.min(axis=1)
    rough = RoughBase.of(base, base.mean(axis=0), precision)
    found = rough.candidates(rough.asked(views), 4, apart, np.full(60, np.inf))
    kept = {(query, row): shown for query, row, shown in zip(found.query, found.row, found.views, strict=True)}
    assert len(kept) < 60 * 100
    for query in range(60):
        assert (query, query) not in kept
        for row in np.argsort(closest[query])[:4]:
            assert kept[query, row][true[query, :, row].argmin()]


def test_places_are_where_something_is_true() -> None:
    flags = np.random.default_rng(0).random((7, 5)) < 0.3
    for found, expected in zip(places(flags), np.nonzero(flags), strict=True):
        np.testing.assert_array_equal(found, expected)
