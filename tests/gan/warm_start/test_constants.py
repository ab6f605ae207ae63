"""The constants of a generator are those of the libraries to the last digits, and of no library."""

import math

import numpy as np
import pytest
import torch
from mpmath import mp
from scipy.fft import idct

from privgan.gan.warm_start.constants import cosine_columns, exponential
from privgan.gan.warm_start.movement import WAVES, waves

SIZES = (8, 28, 33, 64, 128)


@pytest.mark.parametrize("size", SIZES)
def test_the_cosines_are_those_of_the_inverse_transform(size: int) -> None:
    columns = cosine_columns(size)
    np.testing.assert_allclose(columns, idct(np.eye(size), axis=0, norm="ortho"), rtol=0, atol=3e-16)
    np.testing.assert_allclose(columns.T @ columns, np.eye(size), atol=1e-14)


@pytest.mark.parametrize("size", [8, 33])
def test_every_cosine_is_the_nearest_double(size: int) -> None:
    """The twin has 60 digits; a library may give the double beside it."""
    with mp.workdps(60):
        for n in range(size):
            for u in range(1, size):
                exact = float(mp.cos(mp.pi * ((2 * n + 1) * u) / (2 * size)))
                near_zero = (2 * n + 1) * u % (2 * size) == size
                assert cosine_columns(size)[n, u] == (0.0 if near_zero else exact * np.sqrt(2 / size))


def test_every_exponential_is_the_nearest_double() -> None:
    for exponent in np.random.default_rng(0).uniform(-30, 5, 200).tolist():
        with mp.workdps(60):
            assert exponential(exponent) == float(mp.exp(exponent))


def test_waves_are_what_torch_makes_of_them() -> None:
    """The obvious twin, in double precision."""
    heights = torch.tensor([float(u * u + v * v) for u, v in WAVES], dtype=torch.float64)
    weights = torch.exp(-heights / (2 * 2.2**2))
    columns = torch.from_numpy(cosine_columns(28))
    plain = torch.stack([torch.outer(columns[:, u], columns[:, v]).flatten() for u, v in WAVES])
    plain *= (28 * weights / weights.norm())[:, None]
    torch.testing.assert_close(waves(28).double(), plain, rtol=1e-6, atol=1e-7)


def test_the_libraries_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another machine's cosines, exponentials and sums in a last digit change nothing."""
    before = waves(24)
    for module, name in ((math, "cos"), (math, "exp"), (np, "cos"), (np, "exp"), (torch, "exp"), (torch, "cos")):
        monkeypatch.setattr(module, name, None)
    monkeypatch.setattr(torch.Tensor, "norm", None)
    monkeypatch.setattr("scipy.fft.idct", None)
    assert torch.equal(waves(24), before)
