"""Lines of printed letters are seen in pictures; noise, edges, grids and single markers are none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from privgan.arrays import Floats, Integers
from privgan.images.text import _dense, _strokes, shows_text
from tests.painting import painted


def quiet(side: int, seed: int = 0) -> Floats:
    """Smooth shades with some noise."""
    rng = np.random.default_rng(seed)
    shades = rng.standard_normal((side, side))
    for _ in range(3):  # as smooth as a Gaussian makes them, in a tenth of its time
        shades = uniform_filter(shades, side // 5)
    return 90 + 60 * shades / np.abs(shades).max() + rng.normal(0, 3, (side, side))


@pytest.mark.parametrize("size", [10, 16, 24, 32, 48])
@pytest.mark.parametrize("contrast", [80, 160])
@pytest.mark.parametrize("at", [(0, 0), (1, 1), (0.4, 0.5)])
def test_text_is_seen(size: int, contrast: int, at: tuple[float, float]) -> None:
    picture = painted(quiet(512), "ZORKEL VIMBRU 4711", size, contrast, at)
    assert shows_text(picture.astype(np.uint8))
    assert shows_text(255 - picture.astype(np.uint8))  # dark on bright


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("side", [28, 64, 128, 512, 1500])
def test_none_is_seen_in_shades_and_noise(side: int, seed: int) -> None:
    assert not shows_text(quiet(side, seed).astype(np.uint8))
    noise = np.random.default_rng(seed).integers(0, 256, (side, side))
    assert not shows_text(noise.astype(np.uint8))


def grid() -> Floats:
    lines = np.zeros((256, 256))
    lines[::16] = lines[:, ::16] = 200
    return lines


def ruler() -> Floats:
    """Marks of one height on one line: what stands beside many X-rays is seen as letters are."""
    marks = np.zeros((256, 256))
    marks[240:250, 20:220:8] = 200
    return marks


def bones() -> Floats:
    rows, columns = np.mgrid[:256, :256]
    return np.where(np.abs(np.sin(rows / 9 + np.sin(columns / 40))) > 0.8, 200.0, 60.0)


@pytest.mark.parametrize("make", [grid, bones, lambda: painted(quiet(256), "L", 32, 160, (0, 0))])
def test_lines_bones_and_a_marker_are_no_text(make: object) -> None:
    assert callable(make)
    assert not shows_text(make().astype(np.uint8))


def test_marks_of_a_ruler_are_taken_for_text() -> None:
    """Known: components of one form in a row are all that is asked for."""
    assert shows_text(ruler().astype(np.uint8))


@pytest.mark.parametrize(("low", "high"), [(-1024.0, 3071.0), (3071.0, -1024.0)])
@pytest.mark.parametrize("kind", [np.int16, np.int32, np.float32])
def test_stored_values_are_judged_as_they_are_shown(low: float, high: float, kind: type[np.generic]) -> None:
    plain, written = quiet(512), painted(quiet(512), "ZORKEL VIMBRU", 16, 120, (0.1, 0.1))
    for picture, expected in ((plain, False), (written, True)):
        assert shows_text((picture * 4095 / 255 - 1024).astype(kind), low, high) == expected


def test_what_the_window_hides_is_not_there() -> None:
    """Letters between two values that are both shown white."""
    written = painted(np.full((256, 256), 100.0), "ZORKEL VIMBRU", 16, 100, (0.5, 0.5)).astype(np.int16) * 16
    assert shows_text(written, 0, 4095)
    assert not shows_text(written, 0, 1000)


def test_coloured_letters_are_seen() -> None:
    red = np.zeros((256, 256, 3), dtype=np.uint8)
    red[..., 0] = painted(np.zeros((256, 256)), "ZORKEL VIMBRU", 16, 200, (0.2, 0.2))
    assert shows_text(red)
    assert shows_text(red[..., :1])


@pytest.mark.parametrize("value", [0, 7, 65535])
@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (900, 3), (40, 40, 3)])
def test_one_grey_of_any_shape_shows_nothing(value: int, shape: tuple[int, ...]) -> None:
    assert not shows_text(np.full(shape, value, dtype=np.uint16), 0, 65535)
    assert not shows_text(np.full(shape, value, dtype=np.uint16), 5, 5)


def strokes_one_by_one(sample: NDArray[np.int16], contrast: int, *, bright: bool) -> Integers:
    """Of each row and each two neighbouring cells of 32 columns, where a stroke begins."""
    values = sample.astype(int) if bright else -sample.astype(int)
    rows, columns = values.shape
    counts = np.zeros((rows, (columns - 4 + 31) // 32 + 1), dtype=np.int64)
    for row in range(rows):
        begun = False
        for column in range(2, columns - 2):
            beside = max(values[row, column - 2], values[row, column + 2])
            is_stroke = values[row, column] - beside >= contrast
            counts[row, (column - 2) // 32] += is_stroke and not begun
            begun = is_stroke
    return counts[:, :-1] + counts[:, 1:]


@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.integers(6, 120), st.booleans())
def test_strokes_are_counted_as_one_by_one(seed: int, rows: int, columns: int, bright: bool) -> None:
    """In pictures that are not crowded, so that the least contrast holds."""
    rng = np.random.default_rng(seed)
    sample = np.zeros((rows, columns), dtype=np.int16)
    few = max(1, int(0.004 * (columns - 4) * rows))
    sample[rng.integers(rows, size=few), rng.integers(columns, size=few)] = rng.integers(-60, 60, few)
    counted = _strokes(sample, 24)[0 if bright else 1]
    strokes = np.array_equal(counted, strokes_one_by_one(sample, 24, bright=bright))
    assert strokes or few > 0.005 * (columns - 4) * rows


@pytest.mark.parametrize("seed", range(12))
def test_dense_places_are_those_that_a_look_at_every_one_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 7, (int(rng.integers(2, 30)), int(rng.integers(1, 9))))
    counts[:: int(rng.integers(3, 9))] *= 4
    pairs, least = np.minimum(counts[:-1], counts[1:]), int(rng.integers(1, 6))
    assert list(_dense(counts, pairs, least)) == one_by_one(counts, pairs, least)


def one_by_one(counts: Integers, pairs: Integers, least: int) -> list[tuple[int, int, int]]:
    """Places from the densest on, in the order of the picture where several are as dense; none beside another."""
    rows, cells = pairs.shape
    found: list[tuple[int, int, int]] = []
    for row, cell in sorted(np.ndindex(rows, cells), key=lambda place: -pairs[place]):
        above = max((counts[row - far, cell] for far in (3, 4, 5) if row >= far), default=0)
        below = max((counts[row + 1 + far, cell] for far in (3, 4, 5) if row + 1 + far < len(counts)), default=0)
        quiet = min(above, below) <= 0.35 * pairs[row, cell]
        beside = any(abs(row - other) <= 4 and abs(cell - column) <= 2 for _, other, column in found)
        if pairs[row, cell] >= least and quiet and not beside:
            found.append((int(pairs[row, cell]), row, cell))
    return found[:3]
