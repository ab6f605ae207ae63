"""One step of learning after the other: the same wherever it stands, and towards what it is told."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import pytest
import torch
from torch import Tensor

from privgan.dp.clipping.surroundings import plain_surroundings
from privgan.gan.finishing import learning as module
from privgan.gan.finishing.drawings import Described
from privgan.gan.finishing.learning import Lesson, Material, learn_step
from privgan.gan.finishing.settings import LearningSettings
from privgan.gan.image_model import MixtureSettings
from privgan.gan.warm_start import MixtureShape
from privgan.images.form import ImageForm
from privgan.images.pixels import from_uint8
from tests.takes import takes

SETTINGS = LearningSettings(width=8, batch=8)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def material() -> Material:
    images = takes(40, seed=0, side=28)
    shape = MixtureShape.of(MixtureSettings(), ImageForm.of(images), factors=1)
    return Material(shown=from_uint8(images).__getitem__, described=Described.of(images, shape))


def learned(material: Material, steps: int, within: Callable[[], AbstractContextManager[None]]) -> Tensor:
    """The weights of the network after so many steps."""
    lesson, torch_rng = Lesson.begin(28, 1, SETTINGS, CPU), torch.Generator().manual_seed(0)
    with within():
        for _ in range(steps):
            batch = material.batch(SETTINGS.batch, torch_rng, CPU)
            z = torch.randn(len(batch.start), lesson.network.shape.latent, generator=torch_rng)
            learn_step(lesson, batch, z, SETTINGS, done=0.0)
    return torch.cat([value.detach().flatten() for value in lesson.network.parameters()])


def test_within_a_training_it_learns_what_it_learns_outside(material: Material) -> None:
    """Where nothing is cast, torch keeps what was cast: every step would look at the weights of the first."""
    alone, within = (learned(material, 4, around) for around in (nullcontext, plain_surroundings))
    assert torch.equal(alone, within)


def in_one_step(material: Material, at_once: int, monkeypatch: pytest.MonkeyPatch) -> tuple[Tensor, Tensor]:
    """Gradients of the critic and of the network, so many images at once, in full precision and with a critic that
    looks alike however often it looks.
    """
    monkeypatch.setattr(module, "at_once", lambda *_: at_once)
    monkeypatch.setattr(module, "_half", lambda _: nullcontext())
    monkeypatch.setattr(module, "_CRITIC_RATE", 0.0)
    lesson, torch_rng = Lesson.begin(28, 1, SETTINGS, CPU), torch.Generator().manual_seed(0)
    lesson.critic.eval()
    batch = material.batch(SETTINGS.batch, torch_rng, CPU)
    z = torch.randn(len(batch.start), lesson.network.shape.latent, generator=torch_rng)
    parts = batch.parts(z)
    assert len(parts) == -(-SETTINGS.batch // at_once)
    for part in parts:
        module._judged(lesson, part, keep=False)
    of_critic = torch.cat([value.grad.flatten() for value in lesson.critic.parameters() if value.grad is not None])
    learn_step(lesson, batch, z, SETTINGS, done=0.0)
    of_network = torch.cat([value.grad.flatten() for value in lesson.network.parameters() if value.grad is not None])
    return of_critic, of_network


@pytest.mark.parametrize("few", [2, 3, 5])
def test_a_step_in_parts_is_the_step_of_the_whole(
    few: int, material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    for whole, parts in zip(
        in_one_step(material, SETTINGS.batch, monkeypatch), in_one_step(material, few, monkeypatch), strict=True
    ):
        assert float(whole.norm()) > 0
        assert float((parts - whole).norm() / whole.norm()) < 1e-4
