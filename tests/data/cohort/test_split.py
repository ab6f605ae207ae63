"""Who is one person, and on which side they fall."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privgan.data.cohort.cohort import MEMBER
from privgan.data.cohort.persons import Persons
from privgan.data.cohort.sides import assign_sides, member_position

KEY = bytes(range(32))
KEYS = [f"patient {number}" for number in range(6000)]


@given(st.integers(1, 12).flatmap(lambda n: st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)))))
@settings(deadline=None, derandomize=True)
def test_persons_equal_their_slow_twin(joins: list[tuple[int, int]]) -> None:
    persons, twin = Persons(), [{number} for number in range(12)]
    for _ in range(12):
        persons.add()
    for one, other in joins:
        persons.join(one, other)
        merged = twin[one] | twin[other]
        for number in merged:
            twin[number] = merged
    assert [persons.find(number) for number in range(12)] == [min(group) for group in twin]


def test_nobody_moves_when_others_come_or_go() -> None:
    sides = assign_sides(KEY, KEYS, 0.333)
    np.testing.assert_array_equal(assign_sides(KEY, KEYS[::-3], 0.333), sides[::-3])
    assert [side == MEMBER for side in sides] == [member_position(KEY, key) < 1 - 0.333 for key in KEYS]
    more = assign_sides(KEY, KEYS, 0.5)
    assert not ((sides != MEMBER) & (more == MEMBER)).any()  # a larger hold-out only adds to it


@pytest.mark.parametrize(("claimed", "accepted"), [(0.333, True), (0.30, False), (0.37, False)])
def test_the_fraction_is_the_one_asked_for(claimed: float, accepted: bool) -> None:
    held_back = (assign_sides(KEY, KEYS, 0.333) != MEMBER).mean()
    deviation = abs(held_back - claimed) / math.sqrt(claimed * (1 - claimed) / len(KEYS))
    assert (deviation < 3.5) == accepted


def test_another_key_draws_another_split() -> None:
    agreement = (assign_sides(KEY, KEYS, 0.5) == assign_sides(bytes(32), KEYS, 0.5)).mean()
    assert 0.45 < agreement < 0.55
    assert (assign_sides(KEY, KEYS, 0.0) == MEMBER).all()


def test_positions_are_uniform() -> None:
    positions = np.sort([member_position(KEY, key) for key in KEYS])
    gap = np.abs(positions - (np.arange(len(KEYS)) + 0.5) / len(KEYS)).max()
    assert gap < 1.95 / math.sqrt(len(KEYS))  # Kolmogorov-Smirnov at 0.001
