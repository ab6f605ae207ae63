"""The fixed mapping from stored values to uint8 squares."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from privgan.data.preprocess import Pixels, _fitted, _intervals, _Window, prepare_image
from privgan.data.recipe import Recipe, preset_for
from privgan.data.refusals import RefusedError
from privgan.errors import UsageError


def pixels(values: Any, dtype: Any = np.uint8, **changes: Any) -> Pixels:
    array = np.array(values, dtype=dtype)
    limits = np.iinfo(array.dtype) if array.dtype.kind in "iu" else None
    low, high = (int(limits.min), int(limits.max)) if limits else (0, 1)
    return Pixels(**{"values": array, "low": low, "high": high, **changes})


def area_twin(values: NDArray[Any], length: int) -> NDArray[np.float64]:
    """The slow, obvious mean over equal intervals: repeat every row `length` times, average every `count`."""
    return np.repeat(values.astype(float), length, axis=0).reshape(length, len(values), -1).mean(axis=1)


@given(
    hnp.arrays(np.float32, st.tuples(st.integers(1, 40), st.integers(1, 5)), elements=st.floats(0, 1, width=32)),
    st.integers(1, 60),
)
@settings(deadline=None, derandomize=True)
def test_area_means_equal_their_slow_twin(values: NDArray[np.float32], length: int) -> None:
    found = [weights @ values[start : start + len(weights)] for start, weights in _intervals(len(values), length)]
    np.testing.assert_allclose(found, area_twin(values, length), atol=1e-6)


@given(
    hnp.arrays(np.uint16, st.tuples(st.integers(1, 70), st.integers(1, 70))),
    st.integers(28, 64),
)
@settings(deadline=None, derandomize=True, max_examples=50)
def test_fitting_equals_its_slow_twin(values: NDArray[np.uint16], size: int) -> None:
    window = _Window(slope=2.0, offset=-30000.0, width=65535.0, inverted=False)
    unit = np.clip((values * 2.0 - 30000.0) / 65535.0, 0, 1)
    rows, columns = (max(1, round(side * size / max(values.shape))) for side in values.shape)
    expected = area_twin(area_twin(unit, rows).T, columns).T
    np.testing.assert_allclose(_fitted(values, window, size), expected, atol=1e-5)


@pytest.mark.parametrize("size", [28, 64, 256])
def test_eight_bit_square_of_the_wanted_size_passes_bit_by_bit(size: int) -> None:
    values = np.random.default_rng(0).integers(0, 256, (size, size), dtype=np.uint8)
    result = prepare_image(pixels(values), Recipe(size=size))
    np.testing.assert_array_equal(result, values)
    assert not np.shares_memory(result, values)


def test_the_long_way_round_gives_the_same_bits_as_passing_through() -> None:
    values = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    by_window = Recipe(preset="custom", window=(0, 255))
    np.testing.assert_array_equal(prepare_image(pixels(values), by_window), values)


@pytest.mark.parametrize(
    ("hounsfield", "lung", "soft"),
    [(-2000, 0, 0), (-1350, 0, 0), (-600, 128, 0), (-160, 202, 0), (40, 236, 128), (150, 255, 198), (3000, 255, 255)],
)
def test_ct_windows_are_fixed_in_hounsfield_units(hounsfield: int, lung: int, soft: int) -> None:
    stored = pixels(np.full((28, 28), hounsfield + 1024), np.int16, intercept=-1024.0)
    for preset, expected in (("ct-lung", lung), ("ct-soft", soft)):
        assert np.unique(prepare_image(stored, Recipe(preset=preset, size=28))).tolist() == [expected]


def test_a_picture_uses_the_stored_range_whatever_slope_and_intercept() -> None:
    values = np.zeros((28, 28), np.uint16)
    values[0, 0], values[0, 1] = 4095, 2048
    for slope, intercept in ((1.0, 0.0), (2.5, -1000.0)):
        stored = Pixels(values=values, low=0, high=4095, slope=slope, intercept=intercept)
        result = prepare_image(stored, Recipe(size=28))
        assert (result[0, 0], result[0, 1], result[5, 5]) == (255, 128, 0)


def test_pictures_and_chest_x_rays_are_scaled_alike() -> None:
    stored = Pixels(values=np.arange(28 * 28, dtype=np.uint16).reshape(28, 28), low=0, high=4095)
    one, other = (prepare_image(stored, Recipe(size=28, preset=name)) for name in ("picture", "cxr"))
    np.testing.assert_array_equal(one, other)


def test_monochrome1_is_the_negative_and_padding_stays_black() -> None:
    values = np.tile(np.arange(56, dtype=np.uint8) * 4, (28, 1))
    plain = prepare_image(pixels(values), Recipe(size=56))
    negative = prepare_image(pixels(values, inverted=True), Recipe(size=56))
    np.testing.assert_array_equal(plain[14:42], 255 - negative[14:42])
    assert not plain[:14].any()
    assert not negative[:14].any()
    assert not negative[42:].any()


def test_mr_scales_each_image_by_itself() -> None:
    values = np.linspace(100, 200, 28 * 28).reshape(28, 28)
    once = prepare_image(pixels(values, np.float64), Recipe(preset="mr", size=28))
    louder = prepare_image(pixels(values * 7 + 5, np.float64), Recipe(preset="mr", size=28))
    np.testing.assert_array_equal(once, louder)
    assert (once.min(), once.max()) == (0, 255)
    assert not prepare_image(pixels(np.full((28, 28), 7.0), np.float64), Recipe(preset="mr", size=28)).any()


def test_roi_keeps_the_named_fractions() -> None:
    values = np.zeros((100, 200), np.uint8)
    values[50:, 100:] = 255
    assert (prepare_image(pixels(values), Recipe(size=28, roi=(0.5, 0.5, 1, 1)))[7:21] == 255).all()
    assert not prepare_image(pixels(values), Recipe(size=28, roi=(0, 0, 0.5, 1))).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_non_finite_pixels_are_refused(bad: float) -> None:
    values = np.zeros((28, 28))
    values[3, 4] = bad
    with pytest.raises(RefusedError, match="non_finite_pixels"):
        prepare_image(pixels(values, np.float64), Recipe(preset="custom", window=(0, 1), size=28))


def test_rescale_that_overflows_is_refused_without_a_warning() -> None:
    with pytest.raises(RefusedError, match="non_finite_pixels"):
        prepare_image(pixels(np.full((28, 28), 9), slope=1e308), Recipe(preset="ct-soft", size=28))


@pytest.mark.parametrize(
    "wrong",
    [
        {"preset": "cxray"},
        {"size": 27},
        {"size": 257},
        {"preset": "custom"},
        {"preset": "cxr", "window": (0, 1)},
        {"preset": "custom", "window": (1, 1)},
        {"preset": "custom", "window": (0, np.nan)},
        {"roi": (0, 0, 0, 1)},
        {"roi": (0, 0, 1.1, 1)},
        {"roi": (np.nan, 0, 1, 1)},
    ],
)
def test_impossible_recipes_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="Expected"):
        Recipe(**wrong)


def test_the_preset_follows_the_modality() -> None:
    assert [preset_for(modality) for modality in ("CT", "MR", "DX", "")] == ["ct-soft", "mr", "picture", "picture"]
