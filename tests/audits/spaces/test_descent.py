"""Adam and the rate of a cycle, beside those of torch: the same to the last bit."""

import pytest
import torch
from torch import Tensor

from privgan_audits.spaces.descent import Adam, OneCycle, rectified

RATE = 3e-3


def weights() -> list[Tensor]:
    """Of several shapes, one of them as convolutions store it."""
    chance = torch.Generator().manual_seed(4)
    shapes = ((16, 8, 3, 3), (257,), (5, 40), (1,))
    first, *others = [torch.randn(shape, generator=chance) for shape in shapes]
    parts = (first.contiguous(memory_format=torch.channels_last), *others)
    return [part.clone().requires_grad_() for part in parts]


def loss(parts: list[Tensor]) -> Tensor:
    return torch.stack([(part.square() * part.cos()).sum() for part in parts]).sum()


@pytest.mark.parametrize("steps", [3, 30, 47, 500])
@pytest.mark.parametrize("decay", [0.0, 0.02])
def test_a_descent_is_torchs_to_the_bit(decay: float, steps: int) -> None:
    ours, theirs = weights(), weights()
    descent, cycle = Adam(parameters=ours, decay=decay), OneCycle(rate=RATE, steps=steps)
    twin = torch.optim.AdamW(theirs, lr=RATE, weight_decay=decay) if decay else torch.optim.Adam(theirs, lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(twin, RATE, total_steps=steps, pct_start=0.1)
    for step in range(steps):
        (group,) = twin.param_groups
        assert cycle.at(step) == (group["lr"], group["betas"][0])
        torch.autograd.backward(loss(ours))
        descent.descend(*cycle.at(step))
        twin.zero_grad()
        torch.autograd.backward(loss(theirs))
        twin.step()
        schedule.step()
        assert all(map(torch.equal, ours, theirs))
    assert not all(map(torch.equal, ours, weights()))


def test_without_a_cycle_the_momentum_is_torchs() -> None:
    ours, theirs = weights(), weights()
    descent, twin = Adam(parameters=ours), torch.optim.Adam(theirs, lr=0.2)
    for _ in range(30):
        torch.autograd.backward(loss(ours))
        descent.descend(0.2)
        twin.zero_grad()
        torch.autograd.backward(loss(theirs))
        twin.step()
        assert all(map(torch.equal, ours, theirs))


def test_a_step_without_gradients_is_refused() -> None:
    descent = Adam(parameters=weights())
    with pytest.raises(ValueError, match="call backward"):
        descent.descend(RATE)


@pytest.mark.parametrize("of_gradient", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("of_maps", [torch.contiguous_format, torch.channels_last])
def test_a_rectifier_is_a_relu_of_every_layout(
    of_maps: torch.memory_format, of_gradient: torch.memory_format
) -> None:
    chance = torch.Generator().manual_seed(6)
    maps, slope = (torch.randn(3, 4, 5, 5, generator=chance) for _ in range(2))
    maps, slope = maps.contiguous(memory_format=of_maps), slope.contiguous(memory_format=of_gradient)
    ours, twin = maps.clone().requires_grad_(), maps.clone().requires_grad_()
    found, wanted = rectified(ours), torch.relu(twin)
    assert torch.equal(found, wanted)
    for result in (found, wanted):
        torch.autograd.backward(result, slope)
    assert ours.grad is not None
    assert twin.grad is not None
    assert torch.equal(ours.grad, twin.grad)
    assert ours.grad.stride() == twin.grad.stride() == maps.stride()
    assert not rectified(maps).requires_grad
