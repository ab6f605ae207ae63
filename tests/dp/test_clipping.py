"""Patient gradients against Opacus' own clipping, and the bound that the guarantee rests on."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from opacus import GradSampleModule
from opacus.optimizers import DPOptimizer
from torch import Tensor, nn

from privgan.dp.clipping import clipped_sums, with_example_gradients
from privgan.gan.losses import discriminator_losses
from privgan.gan.networks import Discriminator


def _discriminator(seed: int) -> Discriminator:
    torch.manual_seed(seed)
    return Discriminator(image_size=28, classes=2, width=8)


def _batch(images: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.rand(images, 1, 28, 28, generator=generator) * 2 - 1
    labels = torch.randint(0, 2, (images,), generator=generator)
    targets = torch.randint(0, 2, (images,), generator=generator).float() * 2 - 1
    return pixels, labels, targets


def _ours(network: nn.Module, batch: tuple[Tensor, Tensor, Tensor], owners: Tensor, norm: float) -> list[Tensor]:
    model = with_example_gradients(network)
    pixels, labels, targets = batch
    discriminator_losses(model(pixels, labels), targets).sum().backward()
    sums = clipped_sums(model, owners, int(owners.max()) + 1, norm)
    model.to_standard_module()
    return sums


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), images=st.integers(1, 9), norm=st.floats(0.05, 20.0))
def test_one_image_a_patient_equals_opacus(seed: int, images: int, norm: float) -> None:
    """With one image a patient the clipped sum is what Opacus' DPOptimizer computes from its hooks."""
    batch, network = _batch(images, seed), _discriminator(seed)
    ours = _ours(network, batch, torch.arange(images), norm)
    model = GradSampleModule(_discriminator(seed), loss_reduction="sum")
    optimiser = DPOptimizer(
        torch.optim.SGD(model.parameters(), lr=0.1),
        noise_multiplier=0.0,
        max_grad_norm=norm,
        expected_batch_size=1,
        loss_reduction="sum",
    )
    pixels, labels, targets = batch
    discriminator_losses(model(pixels, labels), targets).sum().backward()
    optimiser.clip_and_accumulate()
    for mine, parameter in zip(ours, model.parameters(), strict=True):
        # Opacus divides by the norm plus 1e-6; that is all the difference there is.
        assert torch.allclose(mine.float(), parameter.summed_grad, atol=1e-5, rtol=1e-5)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), counts=st.lists(st.integers(1, 4), min_size=1, max_size=5))
def test_averaging_equals_one_backward_a_patient(seed: int, counts: list[int]) -> None:
    """A patient's contribution is the clipped gradient of the mean of their images' losses: the slow obvious twin."""
    norm, network = 0.3, _discriminator(seed)
    owners = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    batch = _batch(len(owners), seed)
    wanted = [torch.zeros_like(p, dtype=torch.float64) for p in network.parameters()]
    for patient in range(len(counts)):
        mine = owners == patient
        loss = discriminator_losses(network(batch[0][mine], batch[1][mine]), batch[2][mine]).mean()
        gradients = torch.autograd.grad(loss, list(network.parameters()))
        total = torch.cat([g.flatten() for g in gradients]).norm()
        factor = min(1.0, norm / float(total))
        wanted = [old + gradient.double() * factor for old, gradient in zip(wanted, gradients, strict=True)]
    for mine_, expected in zip(_ours(network, batch, owners, norm), wanted, strict=True):
        assert torch.allclose(mine_, expected, atol=1e-5)


@pytest.mark.parametrize("scale", [0.0, 1e-20, 1.0, 1e4, 1e18, 1e30, float("inf"), float("nan")])
@pytest.mark.parametrize("copies", [1, 7])
def test_no_patient_passes_the_bound(scale: float, copies: int) -> None:
    """Whatever one patient's images are, and however many, what they add has norm at most C (1 + 2^-8)."""
    norm, network = 0.5, _discriminator(3)
    others = _batch(2, 4)
    mine = torch.full((copies, 1, 28, 28), scale)
    with_me = (
        torch.cat([others[0], mine]),
        torch.cat([others[1], torch.zeros(copies, dtype=torch.int64)]),
        torch.cat([others[2], torch.ones(copies)]),
    )
    owners = torch.cat([torch.arange(2), torch.full((copies,), 2)])
    alone = _ours(network, others, torch.arange(2), norm)
    together = _ours(network, with_me, owners, norm)
    moved = torch.cat([(a - b).flatten() for a, b in zip(together, alone, strict=True)]).norm()
    assert float(moved) <= norm * (1 + 2.0**-8)


def test_a_patient_without_finite_gradient_adds_nothing() -> None:
    """NaN in one patient's images neither spreads to others nor counts."""
    network, batch = _discriminator(5), _batch(3, 6)
    clean = _ours(network, tuple(t[:2] for t in batch), torch.arange(2), 1.0)  # type: ignore[arg-type]
    batch[0][2] = np.nan
    poisoned = _ours(network, batch, torch.arange(3), 1.0)
    assert all(torch.equal(a, b) for a, b in zip(clean, poisoned, strict=True))


def test_layers_that_mix_images_are_refused() -> None:
    """BatchNorm lets one patient act through another's gradient."""
    with pytest.raises(NotImplementedError):
        with_example_gradients(nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)))
