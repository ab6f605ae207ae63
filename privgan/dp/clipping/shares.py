"""What one parameter adds to the patients' gradients: norms first, the clipped sum once the factors are known.

Book-keeping clipping (Bu, Wang, Zha and Karypis 2022, "Differentially private optimization on large model at small
cost") needs one forward pass and one backward pass to the layers' outputs, and then for each layer the cheaper of two
exact ways:

    kept    each patient's gradient is made, its norm taken, and it is kept for the weighted sum
    Gram    |sum_t g_t a_t'|^2 = sum_ts (a_t . a_s)(g_t . g_s): the gradient itself is never made; its weighted sum
            costs another weight gradient, of the whole batch at once
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

# Extra cost of the two ways, in multiply-adds of a convolution, measured on two x86 cores: a kept number is written
# once and read twice; Gram matrices come from many small products, which run at a quarter of a convolution's speed.
COST_OF_A_KEPT_NUMBER = 80
COST_OF_A_GRAM_PRODUCT = 4
# Patients whose gradients are made and summed in float32 before float64 takes over: few enough for the cache and for
# the rounding that noise is calibrated to.
AT_ONCE = 64
# Rounding of a squared norm that is a sum of products of either sign, relative to the sum of their magnitudes.
_GRAM_ROUNDING = 2.0**-18


@dataclass(frozen=True, kw_only=True)
class Share:
    """One parameter's part.

    squares: (patients,) squared norms. doubt: (patients,) bound on their rounding error where terms may cancel.
    weighted: factors (patients,) -> the sum of the patients' gradients so weighted, shaped like the parameter.
    """

    parameter: Tensor
    squares: Tensor
    doubt: Tensor
    weighted: Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One layer in one pass: its inputs and the gradient of its output, rows grouped by patient.

    patients x images rows: every patient has the same number of images, one after the other. keep: make every
    gradient, whatever it costs.
    """

    layer: nn.Module
    inputs: tuple[Tensor, ...]
    gradient: Tensor
    images: int
    keep: bool

    @property
    def patients(self) -> int:
        """How many patients take part."""
        return len(self.gradient) // self.images

    def by_patient(self, by_image: Tensor) -> Tensor:
        """(patients x images, ...) -> (patients, ...): the sum over each patient's images."""
        return by_image if self.images == 1 else self.grouped(by_image).sum(1)

    def grouped(self, values: Tensor) -> Tensor:
        """(patients x images, ...) -> (patients, images, ...)."""
        return values.reshape(self.patients, self.images, *values.shape[1:])

    def pieces(self) -> Iterator["Pass"]:
        """The same pass for a few patients at a time, which stay in the cache."""
        rows = AT_ONCE * self.images
        for start in range(0, len(self.gradient), rows):
            part = slice(start, start + rows)
            yield replace(self, inputs=tuple(t[part] for t in self.inputs), gradient=self.gradient[part])

    def gram_is_cheaper(self, products: int, numbers: int) -> bool:
        """Whether `products` multiply-adds for Gram matrices cost less than keeping `numbers`; both by patient."""
        return not self.keep and products * COST_OF_A_GRAM_PRODUCT < numbers * COST_OF_A_KEPT_NUMBER


def wanted(parameter: Tensor | None) -> bool:
    """Whether a parameter is there and learns."""
    return parameter is not None and parameter.requires_grad


def kept(parameter: Tensor, *pieces: Tensor) -> Share:
    """The share of a parameter whose gradients (patients, *shape), in pieces of some patients each, are all there."""
    flat = [part for piece in pieces for part in torch.split(piece.reshape(len(piece), -1), AT_ONCE)]
    squares = torch.cat([torch.linalg.vector_norm(part, dim=1) for part in flat]).square()

    def weighted(factors: Tensor) -> Tensor:
        total = torch.zeros(parameter.numel(), dtype=torch.float64, device=factors.device)
        for some, part in zip(torch.split(factors, AT_ONCE), flat, strict=True):
            total += some @ part
        return total.reshape(parameter.shape)

    return Share(parameter=parameter, squares=squares, doubt=torch.zeros_like(squares), weighted=weighted)


def gram(rows: Tensor) -> Tensor:
    """(patients, positions, dimensions) -> inner products (patients, positions, positions)."""
    return torch.bmm(rows, rows.transpose(1, 2))


def gram_share(
    parameter: Tensor, grams: Iterable[tuple[Tensor, Tensor]], weighted: Callable[[Tensor], Tensor]
) -> Share:
    """The share of a weight from the Gram matrices (patients, positions, positions) of its two sides, in pieces."""
    squares, doubt = [], []
    for inputs, outputs in grams:
        squares.append(torch.linalg.vecdot(inputs.flatten(1), outputs.flatten(1)))
        lengths = (inputs.diagonal(dim1=1, dim2=2) * outputs.diagonal(dim1=1, dim2=2)).clamp_min(0.0).sqrt()
        # One position is a product of two sums of squares: nothing cancels.
        rounding = _GRAM_ROUNDING if lengths.shape[1] > 1 else 0.0
        doubt.append(rounding * lengths.sum(1).square())
    return Share(parameter=parameter, squares=torch.cat(squares), doubt=torch.cat(doubt), weighted=weighted)
