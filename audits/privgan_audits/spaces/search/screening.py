"""Products that tell which pairs can matter, in the precision that the machine multiplies fastest.

Of all pairs that a search compares hardly any can be the nearest. A product in bfloat16, where the processor has it,
costs a quarter of one in single precision and an eighth of one in double; what it may be off is bounded, so that it
rules pairs out without an error, and whatever it leaves is measured in float64 (filter and refine: Seidl and Kriegel
1998, "Optimal multi-step k-nearest neighbor search"). What a search answers is the same in either precision.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from privgan.arrays import Bits, Flags, Floats, Integers, Singles


@dataclass(frozen=True, kw_only=True)
class Precision:
    """A kind of number. Of vectors of norm at most one, |true product| <= stretch * |product| + slack.

    Rounding takes at most `unit` off every number: off both sides before they are multiplied, and off the product.
    Sums are kept in single precision; a fifth of a unit is for them.
    """

    dtype: torch.dtype
    integers: torch.dtype
    unit: float

    @property
    def stretch(self) -> float:
        """For what is rounded off the product."""
        return 1 + 2 * self.unit

    @property
    def slack(self) -> float:
        """For what is rounded off the vectors."""
        return 2.2 * self.unit

    def rounded(self, vectors: Singles) -> Tensor:
        """Vectors in this precision."""
        return torch.from_numpy(vectors).to(self.dtype)

    def rounded_and_lost(self, vectors: Singles) -> tuple[Tensor, Floats]:
        """Vectors (n, d) in this precision, and the norm of what that took off each (n,), or a little more."""
        rounded = self.rounded(vectors)
        lost = vectors - rounded.float().numpy()
        return rounded, np.sqrt(np.einsum("nd,nd->n", lost, lost).astype(np.float64)) * (1 + 2.0**-10)

    def magnitudes(self, some: Tensor, others: Tensor) -> Bits:
        """|some @ others'| of vectors (m, d) and (n, d) in this precision: (m, n)."""
        return np.asarray((some @ others.T).abs_().view(self.integers).numpy())

    def values(self, bits: Bits) -> Tensor:
        """What bits stand for, in single precision."""
        return torch.from_numpy(bits).view(self.dtype).float()

    def at_most(self, values: Floats) -> Bits:
        """Bits of numbers that are not above these."""
        near = torch.from_numpy(np.maximum(values, 0.0)).to(self.dtype).view(self.integers).numpy()
        return np.asarray(np.maximum(near - 1, 0))

    def at_least(self, values: Floats) -> Bits:
        """Bits of numbers that are not below these, which are not negative."""
        near = torch.from_numpy(values).to(self.dtype).view(self.integers).numpy()
        return np.asarray(np.minimum(near + 1, self.infinite))

    @property
    def infinite(self) -> int:
        """The bits of infinity."""
        return int(torch.tensor(torch.inf, dtype=self.dtype).view(self.integers).item())

    def possible(self, bits: Bits) -> Bits:
        """Per row of magnitudes (m, n), above which one must be to be possibly the largest true one: (m, 1)."""
        top = self.values(bits.max(axis=1)).double().numpy()
        return self.at_most((top / self.stretch - 2 * self.slack) / self.stretch)[:, None]


BRIEF = Precision(dtype=torch.bfloat16, integers=torch.int16, unit=2.0**-8)
# Sums of up to 1,024 products lose no more than that many units in the last place.
SINGLE = Precision(dtype=torch.float32, integers=torch.int32, unit=2.0**-14)


def fastest() -> Precision:
    """BRIEF where the processor multiplies such numbers itself."""
    able: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return BRIEF if able.get("avx512_bf16") or able.get("amx_bf16") else SINGLE


def places(flags: Flags) -> tuple[Integers, Integers]:
    """Rows and columns of what is true in a table (m, n), row after row: many times as fast as NumPy finds them."""
    row, column = np.divmod(np.flatnonzero(flags), flags.shape[1])
    return row, column
