"""In which directions public images of the same kind vary: a coordinate system in which few private numbers say much.

The noise of the second moments is alike in every direction, so that they may be read in any orthonormal system. In
that of public images most of what varies together varies along one axis, and its variance is one number that is heard
well, where a whole covariance is not. Only proportions of variances within a band of axes are taken from the public
images; how much each band varies is what the patients say.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class PublicAxes:
    """axes: (m, m), orthonormal directions in columns, by falling variance; variances: (m,), positive."""

    axes: Tensor
    variances: Tensor

    @classmethod
    def of(cls, coordinates: Tensor) -> Self:
        """Of varying coordinates (n, m) of public images."""
        away = coordinates.double() - coordinates.double().mean(0)
        variances, axes = torch.linalg.eigh(away.T @ away / len(away))
        least = variances[-1] * 1e-6
        return cls(axes=axes.flip(1).float(), variances=variances.flip(0).clamp_min(least).float())

    @cached_property
    def bands(self) -> Tensor:
        """Which axes are thought alike, from 0: about as many as came before, so that bands grow."""
        ranks = torch.arange(1, len(self.variances) + 1, dtype=torch.float64)
        found: Tensor = torch.unique((2 * ranks.log2()).floor(), return_inverse=True)[1]
        return found
