"""Randomness is an argument: nothing in the product asks the generator that all of a process shares."""

import ast
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from privgan.gan.networks.layers import convolution, linear
from tests.code import SOURCES, named, parsed

# torch's functions that take a generator, and must be given one; `x_like` takes none.
TAKE_ONE = {"rand", "randn", "randint", "randperm", "multinomial", "normal", "bernoulli", "poisson"}
SHARED = {"manual_seed", "seed", "fork_rng", "set_rng_state", "default_generator"}  # to read where it stands is fine
FILLS = {"normal_", "uniform_", "bernoulli_", "exponential_", "cauchy_", "geometric_", "log_normal_", "random_"} | {
    f"{law}_" for law in ("trunc_normal", "kaiming_normal", "kaiming_uniform", "xavier_normal", "xavier_uniform")
}
OWN_START = {"Linear", "Bilinear", "Embedding", "LSTM", "GRU", "RNN", "MultiheadAttention", "Conv1d", "Conv2d"} | {
    *("Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "Dropout", "Dropout2d", "RReLU"),
}


def shared_randomness(tree: ast.Module) -> Iterator[str]:
    """What in a file draws from torch's shared generator, or touches it: `line: name`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            given = any(word.arg == "generator" for word in node.keywords)
            of_torch = _is_torchs(node.func.value)
            asks = of_torch and (name in TAKE_ONE or name in FILLS or "dropout" in name)
            if (asks or name in FILLS) and not given:
                yield f"{node.lineno}: {name}"
            if of_torch and (name in SHARED | OWN_START or (name.startswith("rand") and name.endswith("_like"))):
                yield f"{node.lineno}: {name}"
        elif isinstance(node, ast.ImportFrom) and node.module in (
            "torch",
            "torch.random",
            "torch.nn",
            "torch.nn.init",
        ):
            hidden = TAKE_ONE | FILLS | SHARED | OWN_START
            yield from (f"{node.lineno}: {part.name}" for part in node.names if part.name in hidden)


def _is_torchs(owner: ast.expr) -> bool:
    """Whether a name, or a part of what has one, is of torch's modules."""
    while isinstance(owner, ast.Attribute | ast.Subscript):
        owner = owner.value
    return isinstance(owner, ast.Name) and owner.id in ("torch", "nn", "F")


def test_no_file_draws_from_the_shared_generator() -> None:
    found = {named(path): list(shared_randomness(parsed(path))) for path in SOURCES}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "line",
    [
        "torch.randn(3)",
        "torch.rand(3, 4, device=device)",
        "torch.multinomial(shares, 5, replacement=True)",
        "torch.randint(4, (2,))",
        "torch.randperm(9)",
        "torch.randn_like(mean)",
        "torch.normal(0.0, 1.0, (3,))",
        "values.normal_()",
        "layer.weight.data.uniform_(-1, 1)",
        "nn.init.normal_(weight, std=0.1)",
        "torch.nn.init.kaiming_uniform_(weight)",
        "torch.manual_seed(7)",
        "torch.random.fork_rng()",
        "nn.Linear(3, 4)",
        "nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())",
        "F.dropout(x)",
        "from torch import randn",
        "from torch.nn.init import normal_",
    ],
)
def test_what_would_draw_from_it_is_found(line: str) -> None:
    assert len(list(shared_randomness(ast.parse(line)))) == 1


@pytest.mark.parametrize(
    "line",
    [
        "torch.randn(3, generator=torch_rng)",
        "torch.randint(4, (2,), generator=torch_rng).to(device)",
        "nn.init.normal_(weight, std=0.1, generator=torch_rng)",
        "values.uniform_(0, 1, generator=torch_rng)",
        "torch.Generator().manual_seed(7)",
        "rng.normal(0.0, 1.0, 3)",
        "nn.init.zeros_(weight)",
        "unfilled(nn.Linear, 3, 4)",
    ],
)
def test_what_is_given_a_generator_is_let_through(line: str) -> None:
    assert list(shared_randomness(ast.parse(line))) == []


@pytest.mark.parametrize(("bias", "stride"), [(True, 1), (False, 2)])
def test_first_weights_are_those_of_torchs_own_layers(bias: bool, stride: int) -> None:
    """With the same seed the same numbers in the same order; and the shared generator stays where it is."""
    torch.manual_seed(3)
    wanted = [nn.Linear(5, 7, bias=bias), nn.Conv2d(3, 4, 3, stride=stride, padding=1)]
    before, torch_rng = torch.get_rng_state(), torch.Generator().manual_seed(3)
    layers = [linear(5, 7, torch_rng, bias=bias), convolution(3, 4, 3, torch_rng, stride=stride)]
    assert torch.equal(before, torch.get_rng_state())
    for ours, theirs in zip(layers, wanted, strict=True):
        assert str(ours) == str(theirs)
        pairs = zip(ours.parameters(), theirs.parameters(), strict=True)
        assert all(torch.equal(one, other) for one, other in pairs)


def test_without_a_generator_weights_are_zero() -> None:
    for layer in (linear(5, 7, None), convolution(3, 4, 3, None)):
        assert all(not weights.any() for weights in layer.parameters())


def callers(*names: str) -> dict[str, set[str]]:
    """Which files of the product call each of these functions."""
    found: dict[str, set[str]] = {name: set() for name in names}
    for path in SOURCES:
        for node in ast.walk(parsed(path)):
            match node:
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in found:
                    found[name].add(named(path))
    return found


def test_noise_is_added_in_one_place() -> None:
    """`released` alone adds it, and only queries of everybody, of one hospital or several, and the gradient of a step
    are released.
    """
    noise = "privgan/dp/noise.py"
    assert callers("gaussian_like", "noised", "released") == {
        "gaussian_like": {noise},
        "noised": {noise},
        "released": {"privgan/dp/mechanism.py", "privgan/gan/patients.py", "privgan/federation/together.py"},
    }
