"""Whether few strokes in every row rule a line out, and small filters: beside their slow twins."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from privgan.arrays import Flags, Images
from privgan.images import letters
from privgan.images.letters import has_line


def shown(seed: int, height: int, gap: int, count: int) -> Images:
    """Letters in a row, of about one height, on a ground with some noise and other strokes."""
    rng = np.random.default_rng(seed)
    picture = rng.normal(60, rng.choice([2, 12]), (40, 90))
    left = int(rng.integers(0, 12))
    for _ in range(count):
        tall = height + int(rng.integers(-1, 2))
        bottom = 30 + int(rng.integers(-1, 2))
        picture[max(0, bottom - tall) : bottom, left : left + 2] += rng.choice([70, 90])
        left += 2 + gap
    for row, column in rng.integers(0, 40, (3, 2)):
        picture[row, column : column + 30] += 60
    return np.clip(picture, 0, 255).astype(np.uint8)


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 10**6), st.integers(5, 24), st.integers(1, 12), st.integers(0, 8))
def test_lines_are_those_that_are_found_without_a_look_at_rows(seed: int, height: int, gap: int, count: int) -> None:
    picture = shown(seed, height, gap, count)
    assert has_line(picture) == slowly(picture)


def test_both_answers_are_met() -> None:
    answers = [has_line(shown(seed, 9, 3, count)) for seed in range(12) for count in (0, 4, 7)]
    assert 0 < sum(answers) < len(answers)


@pytest.mark.parametrize("shape", [(1, 1), (3, 30), (16, 16), (64, 256)])
@pytest.mark.parametrize("size", [(9, 9), (9, 17), (3, 5)])
def test_extremes_are_those_of_scipy(shape: tuple[int, int], size: tuple[int, int]) -> None:
    image = np.random.default_rng(sum(shape)).integers(0, 256, shape, dtype=np.uint8)
    assert (letters._extremes(image, size, np.minimum, 255) == ndimage.minimum_filter(image, size)).all()
    assert (letters._extremes(image, size, np.maximum, 0) == ndimage.maximum_filter(image, size)).all()


def test_of_five_letters_in_a_chain_four_share_a_row() -> None:
    """Of every five heights that may follow each other, whose baselines differ by as much as they may."""
    shortest, tallest = letters._LETTER_HEIGHTS
    heights = np.indices((tallest - shortest + 1,) * 5, dtype=np.int8).reshape(5, -1) + np.int8(shortest)
    larger = np.maximum(heights[1:], heights[:-1])
    heights = heights[:, (np.minimum(heights[1:], heights[:-1]) >= letters._UNLIKE * larger).all(axis=0)]
    larger = np.maximum(heights[1:], heights[:-1])
    apart = np.maximum(1, np.floor(0.15 * larger)).astype(np.int8)  # of the baselines of neighbours
    together = np.zeros(heights.shape[1], dtype=np.bool_)
    for four in itertools.combinations(range(5), letters._LEAST_IN_A_ROW):
        meets = np.ones_like(together)
        for one, other in itertools.combinations(four, 2):  # boxes of which each two share a row all share one
            meets &= apart[one:other].sum(axis=0) < np.minimum(heights[one], heights[other])
        together |= meets
    assert together.all()


def slowly(picture: Images) -> bool:
    """By the filters of SciPy and by components of whatever there is."""
    opened = ndimage.maximum_filter(ndimage.minimum_filter(picture, 9), 9)
    strokes = picture - opened
    standing: Flags = (strokes >= 24) & (strokes >= ndimage.maximum_filter(strokes, (9, 17)) // 2)
    found = sorted(letters._letters(strokes, standing), key=lambda letter: letter.left)
    return any(letters._is_text(line, strokes) for line in letters._lines(found))
