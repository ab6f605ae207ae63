"""Grey levels: how an image says which it has, and the curve of a class's levels that a noisy sum of that tells."""

import numpy as np
import torch
from torch import Tensor

from privgan.arrays import Floats

KNOTS = 129  # of a curve
LEVELS = 64  # of a histogram
# Histograms of tissue have norms of 0.2 to 0.5, those of one level alone 1: so many times as long, they drown less in
# noise; those of few levels are cut to norm 1 again.
_LENGTH = 3.0
# What a scanner pads with, or shows of air, is one level and not a range of them: a level with at least such a share,
# so many times what its neighbours have.
_SPIKE, _ABOVE = 0.1, 3.0
_CELLS = 4096  # of one width between the first knot and the last


def counted_levels(greys: Tensor) -> Tensor:
    """(n, LEVELS) of grey levels (n, pixels) in [-1, 1]: the share of each, times a public constant."""
    levels = ((greys + 1) * (LEVELS / 2)).long().clamp(0, LEVELS - 1)
    counted = torch.zeros(len(greys), LEVELS).scatter_add_(1, levels, torch.ones(levels.shape))
    return counted * (_LENGTH / greys.shape[1])


def level_curve(counted: Floats) -> Floats:
    """Quantiles (KNOTS,) in [-1, 1], ascending, of noisy counts (LEVELS,)."""
    shares = _on_simplex(counted)
    edges = np.linspace(-1, 1, LEVELS + 1)
    beside = np.pad(shares, 1)
    neighbours = np.maximum(beside[:-2], beside[2:])
    for spike in np.flatnonzero((shares >= _SPIKE) & (shares > _ABOVE * neighbours)).tolist():
        # Black and white are exact, any other level is the middle of its range.
        level = {0: -1.0, LEVELS - 1: 1.0}.get(spike, float(edges[spike : spike + 2].mean()))
        edges[spike : spike + 2] = level
    return np.interp(np.linspace(0, 1, KNOTS), np.append(0.0, shares.cumsum()), edges)


def knots_below(knots: Tensor, values: Tensor) -> Tensor:
    """How many of ascending knots (k,) lie below each value: int64, as `torch.searchsorted` says.

    In most cells between the first knot and the last there is none, so that the cell alone tells; only what shares
    its cell with a knot is searched for. Whatever a value is rounded to on its way into a cell, a smaller one never
    comes into a later cell.
    """
    first, width = knots[0], (knots[-1] - knots[0]) / _CELLS

    def cells(numbers: Tensor) -> Tensor:
        within = ((numbers - first) / width).clamp(0, _CELLS - 1)
        return within.int().clamp_min(0)  # what is not a number is searched for

    every, of_knots = torch.arange(_CELLS, dtype=torch.int32, device=knots.device), cells(knots)
    before = torch.searchsorted(of_knots, every)
    inside = torch.searchsorted(of_knots, every, right=True) - before
    of_values = cells(values).flatten()
    found = before[of_values]
    unsure = torch.nonzero(inside[of_values]).flatten()
    found[unsure] = torch.searchsorted(knots, values.flatten()[unsure])
    return found.reshape(values.shape)


def _on_simplex(counted: Floats) -> Floats:
    """The shares nearest to counts that may be negative, all less by the same: noise that sums to nothing stays away.

    Cut off at zero, noise would be half of what a small class shows (Wang et al. 2020, "norm-sub").
    """
    total = max(float(counted.sum()), 1e-9)
    falling = np.sort(counted)[::-1]
    over = (falling.cumsum() - total) / np.arange(1, len(counted) + 1)
    shares = np.maximum(counted - over[falling > over][-1], 0.0)
    return np.asarray(shares / shares.sum(), dtype=np.float64)
