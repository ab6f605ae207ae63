"""The table: pairs are counted as a loop would, the fit has its slow twins, and noise does not become a finding."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from privgan.arrays import Floats
from privgan.errors import UsageError
from privgan.records.fit import ENTROPY, fitted, independent, joint, shrunk
from privgan.records.pairs import Pairs
from privgan.records.schema import Schema
from privgan.records.table import Table

LEVELS = st.lists(st.integers(1, 5), min_size=2, max_size=4).map(tuple)
SCHEMA = Schema.of({"sex": "category(F|M):patient", "stage": "ordinal(I<II<III)"})


def some_table(levels: tuple[int, ...], seed: int = 0) -> Floats:
    """Any joint table."""
    return np.random.default_rng(seed).dirichlet(np.ones(int(np.prod(levels)))).reshape(levels)


def noisy(pairs: Pairs, table: Floats, members: int, noise: float, seed: int = 1) -> Floats:
    """What members who are distributed so would answer."""
    errors = np.repeat(pairs.errors(noise), np.diff(pairs.starts))
    return members * pairs.of(table) + errors * np.random.default_rng(seed).standard_normal(pairs.cells)


@settings(derandomize=True, deadline=None)
@given(LEVELS, st.integers(0, 100))
def test_pairs_are_what_a_loop_over_records_counts(levels: tuple[int, ...], seed: int) -> None:
    pairs = Pairs(levels)
    records = np.stack([np.random.default_rng(seed).integers(0, level, 20) for level in levels], axis=1)
    counts = np.bincount(pairs.places(records).ravel(), minlength=pairs.cells)
    for (i, j), block in zip(pairs.axes, pairs.split(counts.astype(float)), strict=True):
        for a, b in itertools.product(range(levels[i]), range(levels[j])):
            assert block[a, b] == sum(1 for record in records if record[i] == a and record[j] == b)
    assert np.linalg.norm(pairs.weights) == pytest.approx(1)


def test_marginals_of_a_table_are_its_sums_and_columns_alone_are_found_again() -> None:
    pairs, table = Pairs((2, 3, 4)), some_table((2, 3, 4))
    blocks = pairs.split(pairs.of(table))
    assert np.allclose(blocks[0], table.sum(axis=2))
    assert np.allclose(blocks[1], table.sum(axis=1))
    assert np.allclose(blocks[2], table.sum(axis=0))
    alone, _ = pairs.alone(pairs.of(table), 1.0)
    for which, found in enumerate(alone):
        assert np.allclose(found, table.sum(axis=tuple(k for k in range(3) if k != which)))


def test_the_error_of_a_value_is_what_repeated_noise_shows() -> None:
    pairs, table = Pairs((2, 3, 5)), some_table((2, 3, 5))
    _, promised = pairs.alone(pairs.of(table), 4.0)
    found = [pairs.alone(noisy(pairs, table, 100, 4.0, seed), 4.0)[0] for seed in range(2000)]
    for which, error in enumerate(promised):
        spread = np.std([each[which] for each in found], axis=0)
        assert spread == pytest.approx(np.full(len(spread), error), rel=0.08)


def test_codes_that_mean_nothing_say_nothing() -> None:
    pairs = Pairs((2, 3))
    assert pairs.places(np.array([[1, 7], [-1, 2]])).tolist() == [[3], [2]]


@pytest.mark.parametrize("levels", [(2, 3), (3, 4, 2), (2, 3, 4, 3)])
def test_without_noise_the_fit_is_that_of_iterative_proportional_fitting(levels: tuple[int, ...]) -> None:
    """The slow twin: of all tables with these pairs, IPF from equal cells finds the one of most entropy."""
    pairs, table = Pairs(levels), some_table(levels, 3)
    twin = np.full(levels, 1 / np.prod(levels))
    for _ in range(3000):
        for pair in pairs.axes:
            others = tuple(k for k in range(len(levels)) if k not in pair)
            twin *= table.sum(axis=others, keepdims=True) / twin.sum(axis=others, keepdims=True)
    found = joint(pairs, fitted(pairs, 1e6 * pairs.of(table), noise=0.5, members=10**6))
    assert found == pytest.approx(twin, abs=2e-5)
    assert found.sum() == pytest.approx(1)


def test_with_noise_the_fit_is_what_a_general_optimiser_finds_over_all_tables() -> None:
    """The slow twin minimises the primal over cells; the fit, its dual over potentials."""
    levels, members, noise = (2, 3, 2), 200, 8.0
    pairs = Pairs(levels)
    counts = noisy(pairs, some_table(levels, 5), members, noise)
    shares = shrunk(pairs, counts, noise=noise, members=members) / members
    certain = (np.repeat(pairs.errors(noise), np.diff(pairs.starts)) / members) ** -2

    reference = joint(pairs, independent(pairs, counts, noise=noise, members=members)).ravel()

    def primal(cells: Floats) -> float:
        table = cells.reshape(levels)
        apart = float((cells * np.log(np.maximum(cells, 1e-300) / reference)).sum())
        return 0.5 * float(certain @ (pairs.of(table) - shares) ** 2) + ENTROPY * members * apart

    equal = np.full(12, 1 / 12)
    sums_to_one = {"type": "eq", "fun": lambda cells: cells.sum() - 1}
    twin = minimize(
        primal, equal, method="SLSQP", bounds=[(1e-12, 1)] * 12, constraints=sums_to_one, options={"maxiter": 2000}
    )
    found = joint(pairs, fitted(pairs, counts, noise=noise, members=members))
    assert found.ravel() == pytest.approx(twin.x, abs=1e-3)
    assert primal(found.ravel()) <= primal(twin.x) + 1e-6


def test_what_noise_drowns_is_drawn_as_if_columns_knew_nothing_of_each_other() -> None:
    """Far above what patients say, no pair keeps anything beyond its columns' own shares; far below, all of it."""
    levels = (2, 4, 4)
    pairs, table = Pairs(levels), some_table(levels, 7)
    for noise, kept in ((1e5, False), (1e-3, True)):
        found = shrunk(pairs, noisy(pairs, table, 1000, noise), noise=noise, members=1000) / 1000
        for block, true in zip(pairs.split(found), pairs.split(pairs.of(table)), strict=True):
            together = block - np.outer(block.sum(axis=1), block.sum(axis=0)) / block.sum()
            assert np.allclose(block, true, atol=1e-4) is kept
            assert (np.abs(together).max() < 0.02) is not kept


def test_a_table_survives_its_file_and_refuses_what_is_none() -> None:
    pairs = Pairs((2, *SCHEMA.levels))
    table = Table.fitted(SCHEMA, 2, noisy(pairs, some_table((2, 3, 4)), 500, 5.0), noise=5.0, members=500)
    assert Table.from_json(table.to_json()) == table
    assert table.joint.sum() == pytest.approx(1)
    assert table.joint.shape == (2, 3, 4)
    broken = [
        {"noise": 0.0},
        {"members": 0},
        {"columns": {}},
        {"potentials": (0.0,)},
        {"potentials": (float("nan"),) * pairs.cells},
        {"classes": 10**6},
    ]
    for change in broken:
        with pytest.raises(UsageError):
            Table.from_json({**table.to_json(), **change})


def test_drawn_codes_follow_the_table() -> None:
    pairs = Pairs((2, *SCHEMA.levels))
    table = Table.fitted(SCHEMA, 2, 500 * pairs.of(some_table((2, 3, 4))), noise=0.1, members=500)
    everything = [np.ones(level) for level in SCHEMA.levels]
    shares = table.given(1, everything)
    codes = table.codes(shares, np.random.default_rng(0).random(100_000))
    found = np.zeros(SCHEMA.levels)
    np.add.at(found, tuple(codes.T), 1e-5)
    assert found == pytest.approx(shares / shares.sum(), abs=0.006)
    ends = table.codes(table.given(0, [np.array([0.0, 1.0, 0.0]), everything[1]]), np.array([0.0, 1 - 2.0**-53]))
    assert ends[:, 0].tolist() == [1, 1]
