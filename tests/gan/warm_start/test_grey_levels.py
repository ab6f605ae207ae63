"""The curve of grey levels: right without noise, not made of noise with it, flat where a background is one level."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from privgan.gan.warm_start.grey_levels import KNOTS, LEVELS, counted_levels, knots_below, level_curve


def test_without_noise_the_curve_is_that_of_the_pixels() -> None:
    greys = torch.from_numpy(np.random.default_rng(0).uniform(-0.8, 0.4, (50, 400))).float()
    curve = level_curve(counted_levels(greys).sum(0).double().numpy())
    assert curve.shape == (KNOTS,)
    assert np.abs(curve - np.quantile(greys.numpy(), np.linspace(0, 1, KNOTS))).max() < 0.05


def test_noise_that_is_as_large_as_the_counts_does_not_make_half_of_the_curve() -> None:
    """Half of the noise is negative: cut off at zero, the other half would spread the curve over all levels."""
    counts = np.zeros(LEVELS)
    counts[28:36] = 30.0
    true = level_curve(counts)
    errors: dict[str, list[float]] = {"ours": [], "cut off": []}
    for seed in range(20):
        noisy = counts + np.random.default_rng(seed).normal(0, 8, LEVELS)
        errors["ours"].append(float(np.abs(level_curve(noisy) - true).mean()))
        errors["cut off"].append(float(np.abs(level_curve(np.maximum(noisy, 0)) - true).mean()))
    assert np.mean(errors["ours"]) < 0.6 * np.mean(errors["cut off"])


@pytest.mark.parametrize(("level", "drawn"), [(-1.0, -1.0), (1.0, 1.0), (-0.8, -0.796875)])
def test_a_background_of_one_level_is_drawn_as_one(level: float, drawn: float) -> None:
    """Half of the pixels are padding, the others anything: half of the curve is one number, the rest still rises."""
    greys = torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (50, 400))).float()
    greys[:, :200] = level
    curve = level_curve(counted_levels(greys).sum(0).double().numpy())
    assert 0.45 < float((np.abs(curve - drawn) < 1e-9).mean()) < 0.6
    assert bool((np.diff(curve) >= 0).all())
    assert len(np.unique(curve)) > 0.4 * KNOTS


def test_counts_of_nobody_give_a_curve_still() -> None:
    assert bool(np.isfinite(level_curve(np.zeros(LEVELS))).all())
    assert bool(np.isfinite(level_curve(np.full(LEVELS, -3.0))).all())


def searched_cases() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Ascending knots and values among, on, and beyond them: spread, crowded, all one, and what is not a number."""
    torch_rng = torch.Generator().manual_seed(0)
    for spread in (1.0, 1e-3, 1e-6, 0.0):
        for dtype in (torch.float32, torch.float64):
            knots = (torch.randn(KNOTS, generator=torch_rng) ** 3 * spread).to(dtype).sort().values
            values = torch.cat(
                [torch.randn(2, 3000, generator=torch_rng).to(dtype) ** 3 * spread, knots.expand(2, -1)], 1
            )
            odd = torch.tensor([-torch.inf, torch.inf, torch.nan, 1e30, -1e30]).to(dtype).expand(2, -1)
            yield knots, torch.cat([values, values.nextafter(values + 1), values.nextafter(values - 1), odd], 1)


@pytest.mark.parametrize(("knots", "values"), list(searched_cases()))
def test_knots_below_are_those_that_a_search_finds(knots: torch.Tensor, values: torch.Tensor) -> None:
    assert torch.equal(knots_below(knots, values), torch.searchsorted(knots, values))
