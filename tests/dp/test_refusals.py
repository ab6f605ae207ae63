"""Layers are refused, or their patients' gradients are those of a loop over patients; no layer is neither."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations, spectral_norm, weight_norm

from privgan.dp.clipping.patient_gradients import PatientGradients

NORM, ROWS = 0.3, torch.arange(6).reshape(3, 2)


class _Made(nn.Module):
    """A network of named layers and any forward pass."""

    def __init__(self, forward: Callable[[Any, Tensor], Tensor], **layers: Any) -> None:
        super().__init__()
        self.work = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x: Tensor) -> Tensor:
        return self.work(self, x)


def after_a_convolution(*layers: nn.Module, channels: int = 2) -> nn.Sequential:
    """Images (n, 1, 8, 8) to scores; the layers see (n, 2, 6, 6)."""
    return nn.Sequential(nn.Conv2d(1, channels, 3), *layers, *score())


def after_a_line(*layers: nn.Module) -> nn.Sequential:
    """Images to scores; the layers see (n, 4)."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 4), *layers, *score())


def on_words(table: nn.Module) -> nn.Sequential:
    """Grey levels as row numbers of a table, three an image."""
    return nn.Sequential(_Made(lambda _, x: (x[:, 0, 0, :3] > 0).long()), table, *score())


def score() -> list[nn.Module]:
    return [nn.Flatten(), _Made(lambda _, x: x.tanh().square().sum(1))]


def images() -> Tensor:
    return torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(1))


def summed(network: nn.Module) -> list[Tensor]:
    x, gradients = images(), PatientGradients(network)
    return gradients.clipped_sums(lambda rows: network(x[rows]), ROWS, NORM)


def looped(network: nn.Module) -> list[Tensor]:
    """The slow twin: each patient alone, torch's gradient of the mean of their losses, shortened to C."""
    parameters, x = list(network.parameters()), images()
    total = [torch.zeros_like(p, dtype=torch.float64) for p in parameters]
    for mine in ROWS:
        found = torch.autograd.grad(network(x[mine]).mean(), parameters)
        length = float(torch.cat([g.flatten() for g in found]).norm())
        total = [a + g.double() * min(1.0, NORM / length) for a, g in zip(total, found, strict=True)]
    return total


def hooked() -> nn.Module:
    """A layer whose input and output are changed by hooks: what they do is not the layer's."""
    network = after_a_line(nn.LayerNorm(4))
    network[2].register_forward_pre_hook(lambda _, inputs: (3 * inputs[0],))
    network[2].register_forward_hook(lambda _layer, _inputs, output: 2 * output)
    return network


EXACT: dict[str, Callable[[], nn.Module]] = {
    "group norm": lambda: after_a_convolution(nn.GroupNorm(1, 2)),
    "group norm without positions": lambda: after_a_line(nn.GroupNorm(2, 4)),
    "instance norm": lambda: after_a_convolution(nn.InstanceNorm2d(2)),
    "instance norm with weights": lambda: after_a_convolution(nn.InstanceNorm2d(2, affine=True)),
    "layer norm without bias": lambda: after_a_convolution(nn.LayerNorm([2, 6, 6], bias=False)),
    "root mean square norm": lambda: after_a_convolution(nn.RMSNorm([2, 6, 6])),
    "slopes that learn": lambda: after_a_convolution(nn.PReLU(2)),
    "transposed convolution": lambda: after_a_convolution(nn.ConvTranspose2d(2, 3, 3, stride=2)),
    "convolution of lines": lambda: nn.Sequential(nn.Flatten(2), nn.Conv1d(1, 2, 3), *score()),
    "convolution of volumes": lambda: nn.Sequential(nn.Unflatten(1, (1, 1)), nn.Conv3d(1, 2, (1, 3, 3)), *score()),
    "two inputs": lambda: _Made(lambda s, x: s.b(x[:, 0, 0], x[:, 0, 1]).tanh().flatten(), b=nn.Bilinear(8, 8, 1)),
    "table": lambda: on_words(nn.Embedding(2, 4)),
    "bag of rows": lambda: on_words(nn.EmbeddingBag(2, 4)),
    "dropout that is off": lambda: after_a_line(nn.Dropout().eval()),
    "hooks": hooked,
    **{
        f"padded {mode} by {padding}": lambda mode=mode, padding=padding: after_a_convolution(  # type: ignore[misc]
            nn.Conv2d(2, 2, 3, padding=padding, padding_mode=mode)
        )
        for mode in ("circular", "reflect", "replicate")
        for padding in (1, "same")
    },
}


@pytest.mark.filterwarnings("ignore:There is a performance drop:UserWarning")
@pytest.mark.parametrize("make", EXACT.values(), ids=EXACT.keys())
def test_what_is_taken_is_exact(make: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    network = make()
    for ours, wanted in zip(summed(network), looped(network), strict=True):
        assert torch.allclose(ours, wanted, atol=1e-6)


class _Average(nn.Module):
    """A running mean of its own, held in a way that depends on the test."""

    def __init__(self, start: Any, follow: Callable[[Any, Tensor], Any]) -> None:
        super().__init__()
        self.held, self.follow = start, follow

    def forward(self, x: Tensor) -> Tensor:
        self.held = self.follow(self.held, x.detach().mean())
        return x


def added(held: Tensor, value: Tensor) -> Tensor:
    return held.add_(value)


def appended(held: list[Tensor], value: Tensor) -> list[Tensor]:
    held.append(value)
    return held


class _Late(nn.Module):
    """A buffer that is there from the first image on."""

    def forward(self, x: Tensor) -> Tensor:
        self.register_buffer("mean", x.detach().mean(), persistent=False)
        return x


def constant() -> nn.Module:
    layer = nn.Identity()
    layer.register_buffer("mask", torch.ones(1), persistent=False)
    return layer


def tied_by_use() -> nn.Module:
    """One layer computes with another's weight."""
    other = nn.Linear(64, 4)
    borrower = _Made(lambda s, x: F.linear(x, other.weight) + s.bias, bias=nn.Parameter(torch.zeros(4)))
    return _Made(lambda s, x: (s.a(x.flatten(1)) + s.b(x.flatten(1))).tanh().sum(1), a=other, b=borrower)


def last_kept(network: Any, x: Tensor) -> Tensor:
    network.last = network.layer(x.flatten(1))
    return torch.as_tensor(network.last).flatten()


REMEMBER: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "running statistics": (
        lambda: after_a_convolution(nn.InstanceNorm2d(2, track_running_stats=True)),
        "InstanceNorm2d",
    ),
    "running statistics and weights": (
        lambda: after_a_convolution(nn.InstanceNorm2d(2, affine=True, track_running_stats=True)),
        "InstanceNorm2d",
    ),
    "a constant buffer": (lambda: after_a_line(constant()), "Identity keeps a buffer"),
    "a buffer that comes late": (lambda: after_a_line(_Late()), "_Late"),
    "a tensor written to": (lambda: after_a_line(_Average(torch.zeros(()), added)), "_Average"),
    "a tensor replaced": (lambda: after_a_line(_Average(torch.zeros(()), lambda a, b: a + b)), "_Average"),
    "a number": (lambda: after_a_line(_Average(0.0, lambda a, b: a + float(b))), "_Average"),
    "a list": (lambda: after_a_line(_Average([], appended)), "_Average"),
    "a dictionary": (lambda: after_a_line(_Average({}, lambda a, b: {**a, len(a): b})), "_Average"),
    "activations": (lambda: _Made(last_kept, layer=nn.Linear(64, 1)), "_Made"),
    "rows that are shortened": (lambda: on_words(nn.Embedding(2, 4, max_norm=0.5)), "max_norm"),
}
MIX: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "batch norm": (lambda: after_a_convolution(nn.BatchNorm2d(2)), "BatchNorm2d"),
    "batch norm of nothing": (
        lambda: after_a_convolution(nn.BatchNorm2d(2, affine=False, track_running_stats=False)),
        "BatchNorm2d",
    ),
    "batch norm over processes": (lambda: after_a_convolution(nn.SyncBatchNorm(2)), "SyncBatchNorm"),
    "lazy batch norm": (lambda: after_a_convolution(nn.LazyBatchNorm2d()), "LazyBatchNorm2d"),
    "batch norm by hand": (lambda: after_a_line(_Made(lambda _, x: x - x.mean(0))), "one image's loss sees others"),
    "shares over images": (lambda: after_a_line(nn.Softmax(0)), "one image's loss sees others"),
    "images in another order": (lambda: after_a_line(_Made(lambda _, x: x.roll(1, 0))), "sees others"),
    "sums over images": (lambda: after_a_line(_Made(lambda _, x: x.cumsum(0))), "sees others"),
    "positions among images": (
        lambda: _Made(lambda s, x: s.l(x.reshape(-1, 8)).tanh().reshape(len(x), -1).sum(1), l=nn.Linear(8, 3)),
        "6 rows",
    ),
    "frequencies in a batch": (lambda: on_words(nn.Embedding(2, 4, scale_grad_by_freq=True)), "scale_grad_by_freq"),
}
ELSEWHERE: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "older weight norm": (lambda: after_a_line(weight_norm(nn.Linear(4, 4))), "Linear makes its own"),  # type: ignore[no-untyped-call]
    "older spectral norm": (lambda: after_a_line(spectral_norm(nn.Linear(4, 4))), "Linear keeps a buffer"),
    "weight norm": (lambda: after_a_line(parametrizations.weight_norm(nn.Linear(4, 4))), "ParametrizedLinear"),
    "spectral norm": (lambda: after_a_line(parametrizations.spectral_norm(nn.Linear(4, 4))), "ParametrizedLinear"),
    "orthogonal": (
        lambda: after_a_line(parametrizations.orthogonal(nn.Linear(4, 4, bias=False))),
        "ParametrizedLinear",
    ),
    "row of padding": (lambda: on_words(nn.Embedding(2, 4, padding_idx=0)), "Embedding without padding_idx"),
    "row of padding in bags": (
        lambda: on_words(nn.EmbeddingBag(2, 4, padding_idx=0)),
        "EmbeddingBag without padding_idx",
    ),
    "sparse gradients": (lambda: on_words(nn.Embedding(2, 4, sparse=True)), "sparse"),
    "lazy": (lambda: nn.Sequential(nn.Flatten(), nn.LazyLinear(4), *score()), "LazyLinear"),
    "weights in half precision": (lambda: after_a_line(nn.Linear(4, 4).bfloat16()), "Linear has coarser"),
    "a weight between layers": (
        lambda: _Made(lambda s, x: s.a(x.flatten(1)).flatten() * s.a.weight.norm(), a=nn.Linear(64, 1)),
        "between layers",
    ),
    "a layer that is not called": (
        lambda: _Made(
            lambda s, x: F.linear(s.b(x.flatten(1)), s.a.weight).flatten(), a=nn.Linear(4, 1), b=nn.Linear(64, 4)
        ),
        "between layers",
    ),
    "a list of parameters": (
        lambda: _Made(
            lambda s, x: s.b(x.flatten(1) * s.p[0]).flatten(),
            p=nn.ParameterList([nn.Parameter(torch.ones(64))]),
            b=nn.Linear(64, 1),
        ),
        "between layers",
    ),
    "another layer's weight": (tied_by_use, "uses another's"),
    "by keyword": (lambda: _Made(lambda s, x: s.a(input=x.flatten(1)).flatten(), a=nn.Linear(64, 1)), "keywords"),
    "recurrent": (
        lambda: _Made(lambda s, x: s.r(x[:, 0])[0].sum((1, 2)), r=nn.RNN(8, 2, batch_first=True)),
        "RNN is called another way",
    ),
    "attention": (
        lambda: _Made(lambda s, x: s.m(x[:, 0], x[:, 0], x[:, 0])[0].sum((1, 2)), m=nn.MultiheadAttention(8, 2)),
        "one layer only",
    ),
}
DRAW: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "dropout": (lambda: after_a_line(nn.Dropout()), "draw nothing"),
    "random slopes": (lambda: after_a_line(nn.RReLU()), "draw nothing"),
    "noise": (lambda: after_a_line(_Made(lambda _, x: x + torch.randn_like(x))), "draw nothing"),
}
REFUSED = {**REMEMBER, **MIX, **ELSEWHERE, **DRAW}


@pytest.mark.parametrize(("make", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_exact_is_refused(make: Callable[[], nn.Module], said: str) -> None:
    with pytest.raises(NotImplementedError, match=said):
        summed(make())


def test_a_weight_that_is_made_after_the_start_is_refused() -> None:
    """Hooks that come later are seen in the pass."""
    network, x = after_a_line(nn.Linear(4, 4)), images()
    gradients = PatientGradients(network)
    weight_norm(network[2])  # type: ignore[no-untyped-call]
    with pytest.raises(NotImplementedError):
        gradients.clipped_sums(lambda rows: network(x[rows]), ROWS, NORM)


def test_one_loss_a_row_is_asked_for() -> None:
    network, x = after_a_line(), images()
    with pytest.raises(ValueError, match="one loss a row"):
        PatientGradients(network).clipped_sums(lambda rows: network(x[rows]).mean(), ROWS, NORM)
    with pytest.raises(NotImplementedError, match="Linear gave"):
        PatientGradients(network).clipped_sums(lambda rows: halved(network, x[rows]), ROWS, NORM)


def halved(network: nn.Module, x: Tensor) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores: Tensor = network(x)
    return scores


def test_a_strange_patient_is_no_reason_to_refuse() -> None:
    """Whether images are kept apart is a fact of the network: undefined and infinite images are fine."""
    network = after_a_convolution(nn.GroupNorm(1, 2))
    for value in (float("nan"), float("inf"), 1e30):
        for row in range(6):
            x = images()
            x[row] = value
            sums = PatientGradients(network).clipped_sums(lambda rows, x=x: network(x[rows]), ROWS, NORM)  # type: ignore[misc]
            assert all(bool(torch.isfinite(total).all()) for total in sums)
