"""How networks learn: Adam, to the bit as torch has it on a processor.

torch's own optimisers import its compiler, which nobody here asks for: most of a second and 70 MiB of every training.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

_SMALLEST = 1e-8  # added to the root of the mean of squares
# What torch calls them: saved states of either are opened by the other.
_STEP, _MEAN, _SQUARE = "step", "exp_avg", "exp_avg_sq"

Slots = dict[str, Tensor]


class Pace(NamedTuple):
    """How far a step goes: its rate, which step it is, from 1, and how long means and mean squares remember."""

    rate: float
    steps: float
    betas: tuple[float, float] = (0.9, 0.999)


def move(value: Tensor, slope: Tensor, mean: Tensor, square: Tensor, *, pace: Pace) -> None:
    """One step of a tensor down its gradient, in place, as are its mean and mean square; all of one shape."""
    rate, steps, (fast, slow) = pace
    mean.lerp_(slope, 1 - fast)
    square.mul_(slow).addcmul_(slope, slope, value=1 - slow)
    wide = (square.sqrt() / (1 - slow**steps) ** 0.5).add_(_SMALLEST)
    value.addcdiv_(mean, wide, value=-rate / (1 - fast**steps))


class Adam:
    """Kingma and Ba 2015, "Adam". Parameters without a gradient stay as they are.

    parameters: as they are. rate: may be changed between steps. betas: how long means and mean squares remember.
    """

    def __init__(
        self, parameters: Iterable[Tensor], *, rate: float, betas: tuple[float, float] = (0.9, 0.999)
    ) -> None:
        self.parameters, self._betas, self.rate = list(parameters), betas, rate
        self.slots: dict[int, Slots] = {}

    @torch.no_grad()
    def step(self) -> None:
        """One step down the gradients of the parameters."""
        for number, value in enumerate(self.parameters):
            if (slope := value.grad) is None:
                continue
            slots = self.slots.setdefault(number, _fresh(value))
            slots[_STEP] += 1
            move(value, slope, slots[_MEAN], slots[_SQUARE], pace=Pace(self.rate, float(slots[_STEP]), self._betas))

    def zero_grad(self) -> None:
        """Forget the gradients, as a step does not."""
        for value in self.parameters:
            value.grad = None

    def fill(self, slots: Mapping[int, Slots]) -> None:
        """Take over what was remembered, by the number of the parameter.

        Raises:
            KeyError, RuntimeError: it is of other parameters.
        """
        filled: dict[int, Slots] = {}
        for number, kept in slots.items():
            if not 0 <= number < len(self.parameters):
                raise RuntimeError(f"Expected a number below {len(self.parameters)}, got {number}.")
            filled[number] = fresh = _fresh(self.parameters[number])
            for name, value in fresh.items():
                if kept[name].shape != value.shape:  # which copying would spread
                    raise RuntimeError(f"Expected {name} of {tuple(value.shape)}, got {tuple(kept[name].shape)}.")
                value.copy_(kept[name])
        self.slots = filled


def _fresh(value: Tensor) -> Slots:
    return {_STEP: torch.zeros(()), _MEAN: torch.zeros_like(value), _SQUARE: torch.zeros_like(value)}
