"""Patient gradients against Opacus' hooks and a loop over patients, and the bound that the guarantee rests on."""

from copy import deepcopy
from unittest.mock import patch

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from opacus import GradSampleModule
from opacus.optimizers import DPOptimizerFastGradientClipping
from torch import Tensor, nn
from torch.nn.functional import softplus

from privgan.dp.clipping import shares
from privgan.dp.clipping.patient_gradients import PatientGradients
from privgan.gan.networks import Discriminator
from privgan.gan.networks.losses import discriminator_losses
from privgan.images.form import ImageForm

# How the cheaper way is chosen: as measured, always Gram matrices, never.
WAYS = (shares.COST_OF_A_GRAM_PRODUCT, 0, 10**9)


def _discriminator(seed: int) -> Discriminator:
    torch_rng = torch.Generator().manual_seed(seed)
    return Discriminator(ImageForm(side=28, classes=("a", "b")), torch_rng, width=8)


def _batch(images: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.rand(images, 1, 28, 28, generator=generator) * 2 - 1
    labels = torch.randint(0, 2, (images,), generator=generator)
    targets = torch.randint(0, 2, (images,), generator=generator).float() * 2 - 1
    return pixels, labels, targets


def _ours(network: nn.Module, batch: tuple[Tensor, Tensor, Tensor], rows: Tensor, norm: float) -> list[Tensor]:
    pixels, labels, targets = batch

    def losses(chosen: Tensor) -> Tensor:
        return discriminator_losses(network(pixels[chosen], labels[chosen]), targets[chosen])

    return PatientGradients(network).clipped_sums(losses, rows, norm)


def _by_hooks(network: nn.Module, images: Tensor, rows: Tensor, norm: float) -> list[Tensor]:
    """The slow twin: Opacus' per-image gradients, averaged by patient, clipped, summed in float64."""
    model = GradSampleModule(network, loss_reduction="sum")
    softplus(model(images[rows.flatten()])).sum().backward()
    gradients = [p.grad_sample.reshape(*rows.shape, -1).double().mean(1) for p in model.parameters()]
    model.to_standard_module()
    norms = torch.cat(gradients, dim=1).norm(dim=1)
    counted = torch.isfinite(norms.square().float())  # a square beyond float32 is left out
    factors = torch.where(counted, (norm / norms.clamp_min(1e-12)).clamp_max(1.0), 0.0)
    return [torch.nan_to_num(factors[:, None] * g, nan=0.0, posinf=0.0, neginf=0.0).sum(0) for g in gradients]


@st.composite
def architectures(draw: st.DrawFn) -> nn.Sequential:
    """Convolutions of many kinds, group norms and a head; grouped and dilated ones fall back to Opacus' sampler."""
    torch.manual_seed(draw(st.integers(0, 10_000)))
    layers: list[nn.Module] = []
    channels, side = draw(st.sampled_from([1, 2, 3])), 16
    for _ in range(draw(st.integers(1, 3))):
        kernel, stride = draw(st.sampled_from([(4, 2), (2, 2), (3, 1), (3, 2), (1, 1), (5, 2), (4, 4)]))
        dilation = draw(st.sampled_from([1, 1, 1, 2])) if kernel == 3 else 1
        padding = draw(st.integers(0, kernel // 2))
        after = (side + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        if after < 1:
            continue
        outputs = draw(st.sampled_from([2, 4, 16, 20]))
        groups = draw(st.sampled_from([1, 1, 2])) if channels % 2 == 0 else 1
        bias = draw(st.booleans())
        layers.append(
            nn.Conv2d(channels, outputs, kernel, stride, padding, groups=groups, dilation=dilation, bias=bias)
        )
        if draw(st.booleans()):
            layers.append(nn.GroupNorm(2, outputs))
        layers.append(nn.LeakyReLU(0.2))
        channels, side = outputs, after
    if draw(st.booleans()):  # positions first: a linear layer that sees several at a time, and a layer norm
        layers += [nn.Flatten(2), nn.Linear(side * side, 5), nn.LayerNorm(5)]
        side, channels = 1, channels * 5
    layers += [nn.Flatten(), nn.Linear(channels * side * side, 1), nn.Flatten(0)]
    return nn.Sequential(*layers)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    network=architectures(),
    patients=st.integers(0, 5),
    images=st.integers(1, 3),
    norm=st.floats(0.05, 20.0),
    broken=st.sampled_from([None, None, float("nan"), float("inf")]),
    channels_last=st.booleans(),
    way=st.sampled_from(WAYS),
)
def test_book_keeping_equals_hooks(
    network: nn.Sequential,
    patients: int,
    images: int,
    norm: float,
    broken: float | None,
    channels_last: bool,
    way: int,
) -> None:
    """Over random architectures and shapes, empty draws and patients without a finite gradient included."""
    first = next(p for p in network.parameters())
    inputs = first.shape[1] * next(m.groups for m in network if isinstance(m, nn.Conv2d)) if first.dim() == 4 else 1
    values = torch.randn(max(patients * images, 1), inputs, 16, 16, generator=torch.Generator().manual_seed(1))
    if broken is not None:
        values[0] = broken
    plain = deepcopy(network)  # Opacus' convolutions are wrong on channels-last tensors
    if channels_last:
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in the stubs
    rows = torch.arange(patients * images).reshape(patients, images)
    with patch.object(shares, "COST_OF_A_GRAM_PRODUCT", way):
        ours = PatientGradients(network).clipped_sums(lambda chosen: softplus(network(values[chosen])), rows, norm)
    assert not any(total.requires_grad for total in ours)
    if not patients:
        assert all(not total.any() for total in ours)
        return
    twin = _by_hooks(plain, values, rows, norm)
    for mine, expected in zip(ours, twin, strict=True):
        assert torch.allclose(mine.flatten(), expected, atol=1e-5 * max(1.0, norm), rtol=1e-5)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), patients=st.integers(1, 5), images=st.integers(1, 4), way=st.sampled_from(WAYS))
def test_averaging_equals_one_backward_a_patient(seed: int, patients: int, images: int, way: int) -> None:
    """A patient's contribution is the clipped gradient of the mean of their images' losses: the obvious twin."""
    norm, network = 0.3, _discriminator(seed)
    rows = torch.arange(patients * images).reshape(patients, images)
    batch = _batch(patients * images, seed)
    wanted = [torch.zeros_like(p, dtype=torch.float64) for p in network.parameters()]
    for mine in rows:
        loss = discriminator_losses(network(batch[0][mine], batch[1][mine]), batch[2][mine]).mean()
        gradients = torch.autograd.grad(loss, list(network.parameters()))
        total = torch.cat([g.flatten() for g in gradients]).norm()
        factor = min(1.0, norm / float(total))
        wanted = [old + gradient.double() * factor for old, gradient in zip(wanted, gradients, strict=True)]
    with patch.object(shares, "COST_OF_A_GRAM_PRODUCT", way):
        ours = _ours(network, batch, rows, norm)
    for mine_, expected in zip(ours, wanted, strict=True):
        assert torch.allclose(mine_, expected, atol=1e-5)


@pytest.mark.parametrize("scale", [0.0, 1e-20, 1.0, 1e4, 1e18, 1e30, float("inf"), float("nan")])
@pytest.mark.parametrize("copies", [1, 7])
@pytest.mark.parametrize("way", WAYS)
def test_no_patient_passes_the_bound(scale: float, copies: int, way: int) -> None:
    """Whatever one patient's images are, and however many, what they add has norm at most C (1 + 2^-8)."""
    norm, network = 0.5, _discriminator(3)
    others = _batch(2 * copies, 4)
    mine = torch.full((copies, 1, 28, 28), scale)
    with_me = (
        torch.cat([others[0], mine]),
        torch.cat([others[1], torch.zeros(copies, dtype=torch.int64)]),
        torch.cat([others[2], torch.ones(copies)]),
    )
    rows = torch.arange(3 * copies).reshape(3, copies)
    with patch.object(shares, "COST_OF_A_GRAM_PRODUCT", way):
        alone, together = _ours(network, others, rows[:2], norm), _ours(network, with_me, rows, norm)
    moved = torch.cat([(a - b).flatten() for a, b in zip(together, alone, strict=True)]).norm()
    assert float(moved) <= norm * (1 + 2.0**-8)


def test_a_patient_without_finite_gradient_adds_nothing() -> None:
    """NaN in one patient's images neither spreads to others nor counts."""
    network, batch = _discriminator(5), _batch(3, 6)
    clean = _ours(network, tuple(t[:2] for t in batch), torch.arange(2)[:, None], 1.0)  # type: ignore[arg-type]
    batch[0][2] = float("nan")
    poisoned = _ours(network, batch, torch.arange(3)[:, None], 1.0)
    assert all(torch.equal(a, b) for a, b in zip(clean, poisoned, strict=True))


def test_what_comes_out_feeds_opacus() -> None:
    """Left in .grad, the sums are what Opacus' optimiser for ghost clipping accumulates and releases."""
    network, batch, rows = _discriminator(7), _batch(6, 8), torch.arange(6)[:, None]
    optimiser = DPOptimizerFastGradientClipping(
        torch.optim.SGD(network.parameters(), lr=1.0),
        noise_multiplier=0.0,
        max_grad_norm=0.4,
        expected_batch_size=12,
    )
    before = [p.detach().clone() for p in network.parameters()]
    for part in rows.split(3):
        sums = _ours(network, batch, part, 0.4)
        for parameter, total in zip(network.parameters(), sums, strict=True):
            parameter.grad = total.float()
        optimiser.signal_skip_step(do_skip=part is not rows.split(3)[-1] and bool(part[0] == 0))
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    twin = _discriminator(7)
    for parameter, old, total in zip(network.parameters(), before, _ours(twin, batch, rows, 0.4), strict=True):
        assert torch.allclose(old - parameter.detach(), (total / 12).float(), atol=1e-6)


class _Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(self.layer(x)).sum(1)


class _Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
        self.other.weight = self.one.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.other(self.one(x)).sum(1)


class _Around(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale, self.layer = nn.Parameter(torch.ones(4)), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return (self.layer(x) * self.scale).sum(1)


@pytest.mark.parametrize(
    "network",
    [
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)),
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2, affine=False, track_running_stats=False)),
        _Tied(),
        _Twice(),
        _Around(),
        nn.Sequential(nn.Linear(4, 4), nn.LeakyReLU(0.2, inplace=True), nn.Linear(4, 1), nn.Flatten(0)),
    ],
    ids=[
        "batch norm",
        "batch norm without parameters",
        "shared parameter",
        "layer used twice",
        "around another",
        "in place",
    ],
)
def test_what_cannot_be_clipped_exactly_is_refused(network: nn.Module) -> None:
    """Layers that mix images, and what would make a patient's gradient other than what is summed."""
    x = torch.randn(3, 4)
    with pytest.raises(NotImplementedError):
        PatientGradients(network).clipped_sums(lambda rows: network(x[rows]), torch.arange(3)[:, None], 1.0)


def test_frozen_layers_take_no_part() -> None:
    """What does not learn is neither clipped nor counted in a norm."""
    network, batch = _discriminator(9), _batch(4, 9)
    for parameter in (*network.features[0].parameters(), *network.score.parameters()):
        parameter.requires_grad_(requires_grad=False)
    ours = _ours(network, batch, torch.arange(4)[:, None], 0.1)
    learning = [p for p in network.parameters() if p.requires_grad]
    assert len(ours) == len(learning)
    wanted = [torch.zeros_like(p, dtype=torch.float64) for p in learning]
    for row in range(4):
        one = slice(row, row + 1)
        loss = discriminator_losses(network(batch[0][one], batch[1][one]), batch[2][one]).sum()
        gradients = [g.double() for g in torch.autograd.grad(loss, learning)]
        factor = min(1.0, 0.1 / float(torch.cat([g.flatten() for g in gradients]).norm()))
        wanted = [old + factor * g for old, g in zip(wanted, gradients, strict=True)]
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(ours, wanted, strict=True))
