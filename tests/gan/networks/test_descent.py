"""Adam beside torch's: the same to the last bit, with its own gradients alone, and taken up again."""

import pytest
import torch
from torch import Tensor

from privgan.gan.networks.descent import Adam

RATE, BETAS = 3e-3, (0.5, 0.99)


def weights() -> list[Tensor]:
    """Of several shapes, one of them as convolutions store it, one that never has a gradient."""
    chance = torch.Generator().manual_seed(4)
    first, *others = [torch.randn(shape, generator=chance) for shape in ((16, 8, 3, 3), (257,), (5, 40), (3,))]
    parts = (first.contiguous(memory_format=torch.channels_last), *others)
    return [part.clone().requires_grad_() for part in parts]


def slope(parts: list[Tensor]) -> None:
    torch.autograd.backward(torch.stack([(part.square() * part.cos()).sum() for part in parts[:-1]]).sum())


def test_a_step_is_torchs_to_the_bit_and_can_be_taken_up_again() -> None:
    ours, theirs = weights(), weights()
    descent, twin = Adam(ours, rate=RATE, betas=BETAS), torch.optim.Adam(theirs, lr=RATE, betas=BETAS)
    for step in range(40):
        slope(ours)
        descent.step()
        descent.zero_grad()
        assert all(part.grad is None for part in ours)
        twin.zero_grad()
        slope(theirs)
        twin.step()
        assert all(map(torch.equal, ours, theirs))
        if step == 20:
            kept = {number: dict(slots) for number, slots in twin.state_dict()["state"].items()}
            assert kept.keys() == descent.slots.keys()
            assert all(torch.equal(v, kept[n][k]) for n, slots in descent.slots.items() for k, v in slots.items())
            descent = Adam(ours, rate=RATE, betas=BETAS)
            descent.fill(kept)
            twin.param_groups[0]["lr"] = descent.rate = RATE / 2
    assert not any(map(torch.equal, ours[:-1], weights()[:-1]))
    assert torch.equal(ours[-1], weights()[-1])


def test_what_others_remembered_is_refused() -> None:
    slope(parts := weights())
    descent = Adam(parts, rate=RATE)
    descent.step()
    with pytest.raises(RuntimeError):
        Adam(parts[:1], rate=RATE).fill(descent.slots)
    with pytest.raises(RuntimeError):
        Adam(parts[1:], rate=RATE).fill(descent.slots)
    kept = descent.slots[1]
    narrow, no_step = {name: value[:1] for name, value in kept.items() if value.dim()}, torch.zeros(1)
    wrong = ({-2: descent.slots[2]}, {1: {**kept, **narrow}}, {1: {**kept, "step": no_step}})
    for slots in wrong:
        with pytest.raises(RuntimeError, match="Expected"):
            descent.fill(slots)
    with pytest.raises(KeyError):
        descent.fill({1: narrow})
    assert descent.slots[1] is kept  # whoever is refused changes nothing
