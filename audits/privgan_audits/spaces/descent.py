"""How the audit's small networks learn: Adam, to the bit as torch has it, and a rate that rises and falls once.

torch's own optimisers import its compiler, which nobody here asks for: two seconds and 70 MiB of every audit.
"""

import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from privgan.gan.networks.descent import Pace, move

_SLOW = 0.999  # of the mean of squares
_RISE = 0.1  # share of the steps
_MOMENTA = (0.85, 0.95)  # the least, while the rate is highest
_FIRST, _LAST = 25.0, 1e4  # of the highest rate the first is a part, of the first the last


@dataclass(frozen=True, kw_only=True)
class OneCycle:
    """A rate that rises to `rate` and falls to nearly nothing, its momentum the other way (Smith and Topin 2019)."""

    rate: float
    steps: int

    def at(self, step: int) -> tuple[float, float]:
        """Rate and momentum of a step, 0 the first."""
        lowest, (least, most) = self.rate / _FIRST, _MOMENTA
        top = _RISE * self.steps - 1
        if step <= top:
            share = step / top
            return _between(lowest, self.rate, share), _between(most, least, share)
        share = (step - top) / (self.steps - 1 - top)
        return _between(self.rate, lowest / _LAST, share), _between(least, most, share)


@dataclass(kw_only=True, eq=False)
class Adam:
    """Kingma and Ba 2015, "Adam"; with `decay` as Loshchilov and Hutter 2019 decouple it. parameters: as they are."""

    parameters: list[Tensor]
    decay: float = 0.0
    _means: list[Tensor] = field(init=False)
    _squares: list[Tensor] = field(init=False)
    _steps: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._means, self._squares = (list(map(torch.zeros_like, self.parameters)) for _ in range(2))

    @torch.no_grad()
    def descend(self, rate: float, momentum: float = 0.9) -> None:
        """One step down the gradients that `backward` left with the parameters, which then have none."""
        self._steps += 1
        pace = Pace(rate, self._steps, (momentum, _SLOW))
        for value, mean, square in zip(self.parameters, self._means, self._squares, strict=True):
            slope, value.grad = value.grad, None
            if slope is None:
                raise ValueError("Expected a gradient of every parameter, one has none: call backward before.")
            if self.decay:
                value.mul_(1 - rate * self.decay)
            move(value, slope, mean, square, pace=pace)


def rectified(maps: Tensor) -> Tensor:
    """ReLU of maps (n, c, h, w), whose gradient is laid out as the maps are before it is looked at.

    torch compares two layouts number by number, which takes ten times as long; a layer of few channels and the
    flattening at the end leave gradients in another one.
    """
    found = F.relu(maps)
    if found.requires_grad:
        layout = torch.contiguous_format if found.is_contiguous() else torch.channels_last
        found.register_hook(  # type: ignore[no-untyped-call]
            lambda slope: slope.contiguous(memory_format=layout)
        )
    return found


class Rectifier(nn.Module):
    """`rectified` as a layer."""

    def forward(self, maps: Tensor) -> Tensor:
        """See the class."""
        return rectified(maps)


def _between(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)
