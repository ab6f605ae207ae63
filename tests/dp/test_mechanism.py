"""The noisy gradient: noise of the promised size, once, whoever was drawn."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from privgan.dp.clipping.patient_gradients import PatientGradients
from privgan.dp.mechanism import clipped_sums, noisy_gradient
from privgan.dp.noise import NORM_SLACK, as_whole, from_whole, gaussian_like, noised, secure_generator
from privgan.dp.plan import MechanismSettings, Plan
from privgan.gan.networks import Discriminator
from privgan.gan.networks.losses import discriminator_losses
from privgan.images.form import ImageForm

SETTINGS = MechanismSettings(clipping_norm=0.5, noise_multiplier=2.0, normaliser=10.0)


def _discriminator() -> Discriminator:
    torch_rng = torch.Generator().manual_seed(0)
    return Discriminator(ImageForm(side=28, classes=("a", "b")), torch_rng, width=8)


def _gradient(owners: list[int], settings: MechanismSettings, *, microbatch: int = 64, seed: int = 0) -> Tensor:
    model = PatientGradients(_discriminator())
    pixels = torch.rand(len(owners), 1, 28, 28, generator=torch.Generator().manual_seed(1))
    owned = torch.tensor(owners, dtype=torch.int64)
    return _released(model, pixels, owned, settings, np.random.default_rng(seed), microbatch=microbatch)


def _released(
    model: PatientGradients,
    pixels: Tensor,
    owners: Tensor,
    settings: MechanismSettings,
    rng: np.random.Generator,
    *,
    microbatch: int,
) -> Tensor:
    """One release about images that are all real and of the first class."""

    def losses(rows: Tensor) -> Tensor:
        return discriminator_losses(model.model(pixels[rows], torch.zeros_like(rows)), torch.ones(len(rows)))

    bound, pieces = settings.clipping_norm, owners // 2  # two owners a piece
    whole = clipped_sums(model, losses, owners, pieces, clipping_norm=bound, microbatch=microbatch)
    sums = from_whole(whole, [p.shape for p in model.trainable], bound=bound)
    noisy_gradient(model, sums, settings, rng=rng)
    return torch.cat([p.grad.flatten() for p in model.trainable if p.grad is not None])


@pytest.mark.parametrize("owners", [[], [0, 1, 1, 2]])
def test_noise_has_the_promised_size(owners: list[int]) -> None:
    """Sigma C / normaliser, also for an empty draw; half and twice the noise are told apart."""
    quiet = MechanismSettings(clipping_norm=0.5, noise_multiplier=1e-9, normaliser=10.0)
    noise = (_gradient(owners, SETTINGS) - _gradient(owners, quiet)).numpy()
    scale = 2.0 * 0.5 / 10.0
    assert stats.kstest(noise, "norm", args=(0, scale)).pvalue > 1e-3
    for lie in (scale * 2 / 3, scale * 3 / 2):
        assert stats.kstest(noise, "norm", args=(0, lie)).pvalue < 1e-6


@pytest.mark.parametrize("microbatch", [1, 2, 3, 100])
def test_micro_batches_change_nothing(microbatch: int) -> None:
    """However the batch is cut, the same release comes out, and no patient is cut in two."""
    owners = [0, 0, 0, 1, 2, 2, 3, 4, 5]
    whole, cut = _gradient(owners, SETTINGS, microbatch=1000), _gradient(owners, SETTINGS, microbatch=microbatch)
    assert torch.allclose(whole, cut, atol=1e-6)


def test_the_divisor_does_not_look_at_the_draw() -> None:
    """Without noise, twice as many patients of the same image give twice the gradient."""
    quiet = MechanismSettings(clipping_norm=1e3, noise_multiplier=1e-12, normaliser=10.0)
    model = PatientGradients(_discriminator())

    def gradient(patients: int) -> Tensor:
        pixels = torch.full((patients, 1, 28, 28), 0.3)
        return _released(model, pixels, torch.arange(patients), quiet, secure_generator(), microbatch=8)

    assert torch.allclose(2 * gradient(3), gradient(6), rtol=1e-4)


def test_the_divisor_is_stated_in_the_plan() -> None:
    """Expected patients and fakes, both constants; C and sigma as planned."""
    plan = Plan(members=50, batch=20, steps=3, delta=1e-3, noise_multiplier=1.5, clipping_norm=0.7, fakes=12)
    assert plan.mechanism == MechanismSettings(clipping_norm=0.7, noise_multiplier=1.5, normaliser=32)
    assert plan.spend() == replace(plan, fakes=99).spend()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(bound=st.floats(1e-6, 1e6), seed=st.integers(0, 99))
def test_whole_numbers_add_up_alike_in_any_order(bound: float, seed: int) -> None:
    """As floating-point numbers do not; each is within half a grid of what it stands for."""
    shapes = [torch.Size((2, 3)), torch.Size(()), torch.Size((40,))]
    rng = torch.Generator().manual_seed(seed)
    pieces = [[bound * torch.randn(shape, generator=rng, dtype=torch.float64) for shape in shapes] for _ in range(9)]
    whole = [as_whole(piece, bound=bound) for piece in pieces]
    grid = 2.0 ** (np.floor(np.log2(bound)) - 36)
    for numbers, piece in zip(whole, pieces, strict=True):
        found = from_whole(numbers, shapes, bound=bound)
        assert [part.shape for part in found] == shapes
        assert all(bool(((f - p).abs() <= grid / 2).all()) for f, p in zip(found, piece, strict=True))
    forth, back = sum(whole), sum(reversed(whole))
    assert torch.equal(torch.as_tensor(forth), torch.as_tensor(back))
    flat = [torch.cat([part.flatten() for part in piece]) for piece in pieces]
    assert not torch.equal(torch.as_tensor(sum(flat)), torch.as_tensor(sum(reversed(flat))))


def test_two_runs_differ() -> None:
    """Noise comes from the system's entropy: nothing in the process repeats it, not even torch's seed."""
    torch.manual_seed(0)
    first = gaussian_like(torch.zeros(100), scale=1.0, rng=secure_generator())
    torch.manual_seed(0)
    assert not torch.equal(first, gaussian_like(torch.zeros(100), scale=1.0, rng=secure_generator()))


@pytest.mark.parametrize("count", [1, 2, 7, 50_001])
def test_secure_noise_is_normal(count: int) -> None:
    """Draws from N(0, (scale x slack)^2), not from a scaled or shifted one; no number is another's neighbour."""
    rng = secure_generator()
    drawn = [gaussian_like(torch.zeros(count), scale=3.0, rng=rng) for _ in range(max(1, 50_001 // count))]
    sample = torch.cat(drawn).numpy() / (3.0 * NORM_SLACK)
    assert stats.kstest(sample, "norm").pvalue > 1e-4
    assert stats.kstest(sample, "norm", args=(0, 1.1)).pvalue < 1e-6
    assert stats.kstest(sample, "norm", args=(0.1, 1)).pvalue < 1e-6
    for lag in (1, (count + 1) // 2):  # the two numbers of a pair lie half the length apart
        assert abs(np.corrcoef(sample[lag:], sample[:-lag])[0, 1]) < 5 / len(sample) ** 0.5
        assert abs(np.corrcoef(sample[lag:] ** 2, sample[:-lag] ** 2)[0, 1]) < 5 / len(sample) ** 0.5


@settings(max_examples=50, deadline=None, derandomize=True)
@given(scale=st.floats(1e-6, 1e6), value=st.floats(-1e6, 1e6))
def test_what_is_released_lies_on_a_grid(scale: float, value: float) -> None:
    """The grid follows from the noise alone, is far finer than it, and hides the last bits of the sum."""
    exact = torch.full((64,), value * scale, dtype=torch.float64)
    released = noised(exact, scale=scale, rng=np.random.default_rng(0))
    grid = 2.0 ** (np.floor(np.log2(scale)) - 20)
    assert bool((released / grid == (released / grid).round()).all())
    noisy = exact + gaussian_like(exact, scale=scale, rng=np.random.default_rng(0))
    assert float((released - noisy).abs().max()) <= grid
    assert not bool((noisy / grid == (noisy / grid).round()).all())
