"""Whatever a process was started with, or calls a training from: the same sums and noise; settings come back."""

import json
import os
import subprocess
import sys
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from privgan.dp.clipping.patient_gradients import PatientGradients
from privgan.dp.clipping.surroundings import full_float32, plain_surroundings
from privgan.dp.noise import released
from privgan.dp.query import Described, bounded_products, bounded_sums
from tests.dp.startups import STARTUPS
from tests.surroundings import Surroundings, everywhere


def test_float32_is_full_after_every_startup_and_settings_come_back() -> None:
    """Older and newer settings, alone and in pairs in either order; each start-up is a process of its own."""
    line = [sys.executable, "-W", "ignore", "-c", "from tests.dp.startups import serve; serve()"]
    found = subprocess.run(line, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(found) == len(STARTUPS)
    assert [told for told in map(json.loads, found) if told[1]] == []


def test_an_override_of_the_environment_is_overridden() -> None:
    program = (
        "import torch; from privgan.dp.clipping.surroundings import full_float32\n"
        "def told(): return torch.backends.cuda.matmul.fp32_precision, torch.backends.cuda.matmul.allow_tf32\n"
        "before = told()\n"
        "with full_float32(): print(*told())\n"
        "print(*before, before == told())"
    )
    environment = {**os.environ, "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1"}
    line = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(line, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.splitlines() == ["ieee False", "tf32 True True"]


@pytest.mark.parametrize("name", ["ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE"])
def test_an_environment_that_rounds_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "Strict")
    with full_float32():
        pass
    monkeypatch.setenv(name, "BF16")
    with pytest.raises(RuntimeError, match=name), full_float32():
        pass


def test_settings_come_back_from_a_step_that_fails() -> None:
    before = torch.backends.mkldnn.matmul.fp32_precision
    torch.backends.mkldnn.matmul.fp32_precision = "bf16"
    try:
        with pytest.raises(KeyError), full_float32():
            raise KeyError
        assert torch.backends.mkldnn.matmul.fp32_precision == "bf16"
    finally:
        torch.backends.mkldnn.matmul.fp32_precision = before


def clipped(surroundings: Surroundings) -> list[Tensor]:
    """Sums of a network and images that were made before."""
    torch_rng = torch.Generator().manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 8, 3), nn.GroupNorm(2, 8), nn.PReLU(), nn.Flatten(), nn.Linear(288, 1))
    for weights in network.parameters():
        nn.init.normal_(weights, generator=torch_rng)
    images, gradients = torch.randn(12, 1, 8, 8, generator=torch_rng), PatientGradients(network)
    rows = torch.arange(12).reshape(6, 2)
    with surroundings():
        return gradients.clipped_sums(lambda chosen: network(images[chosen]).flatten(), rows, 0.1)


@everywhere
def test_clipped_sums_are_the_same_in_all_surroundings(surroundings: Surroundings) -> None:
    for ours, wanted in zip(clipped(surroundings), clipped(nullcontext), strict=True):
        assert ours.dtype == torch.float64
        assert torch.equal(ours, wanted)


@everywhere
def test_queries_and_their_noise_are_the_same_in_all_surroundings(surroundings: Surroundings) -> None:
    """In float64, and as long as promised, to the rounding of the root of two."""
    torch_rng, sizes = torch.Generator().manual_seed(0), {"cells": 2, "dimensions": 3}
    vectors, cells = torch.randn(8, 3, generator=torch_rng), torch.arange(8) % 2
    batch = Described(vectors=vectors, cells=cells, owners=torch.arange(8))

    def told() -> list[Tensor]:
        with plain_surroundings():
            sums = [bounded_sums([batch], **sizes), bounded_products([batch], **sizes)]
        return released(sums, bound=1.0, noise=2.0, rng=np.random.default_rng(0))

    with surroundings():
        found = told()
    for ours, wanted in zip(found, told(), strict=True):
        assert ours.dtype == torch.float64
        assert torch.equal(ours, wanted)


@everywhere
def test_plain_surroundings_are_plain_and_end(surroundings: Surroundings) -> None:
    with surroundings():
        before = told()
        with plain_surroundings():
            assert told() == (torch.float32, "cpu", False, True, False)
        assert told() == before


def told() -> tuple[object, ...]:
    """Default type and device, whether products are cast, whether gradients are noted, whether none ever are."""
    cast, noted = torch.is_autocast_enabled("cpu"), torch.is_grad_enabled()
    return torch.get_default_dtype(), torch.get_default_device().type, cast, noted, torch.is_inference_mode_enabled()
