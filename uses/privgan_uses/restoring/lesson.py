"""How a restorer is learned: good images are damaged, and the detail network of a public prior undoes it.

The network, its critic and the step of learning are those of the prior (`gan.finishing`); here every image has a
right answer, so that the distance from it counts most.
"""

import time

import torch
from torch import Tensor

from privgan.arrays import Images
from privgan.gan.finishing.learning import Batch, Lesson, learn_step
from privgan.gan.networks.finish import Finish
from privgan.gan.networks.states import device_of
from privgan.images.form import ImageForm
from privgan.images.pixels import from_uint8
from privgan.memory import keep_freed_memory
from privgan.progress import Progress, silent
from privgan_uses.restoring.damage import Damage, damaged
from privgan_uses.restoring.model import shape_of
from privgan_uses.restoring.request import RestoreRequest


def learn(
    images: Images,
    damage: Damage,
    form: ImageForm,
    request: RestoreRequest,
    task: str,
    progress: Progress = silent,
) -> tuple[Finish, int]:
    """A network that undoes the damage, on the CPU, and the steps that it took; deterministic but for the clock.

    Args:
        images: good ones, uint8 (n, h, h, c).
        damage: what is done to them.
        form: of the images.
        request: how long, and from which seed.
        task: what `progress` is told.
        progress: told before every step; what it raises ends the learning.
    """
    keep_freed_memory()
    settings, device, began = request.settings, device_of(request.device), time.monotonic()
    lesson = Lesson.of(shape_of(form, settings), settings, device)
    torch_rng = torch.Generator().manual_seed(settings.seed + 1)
    while True:
        timed = 0.0 if request.minutes is None else (time.monotonic() - began) / (60 * request.minutes)
        done = max(lesson.step / settings.steps, timed)
        progress(task, round(1000 * min(done, 1.0)), 1000)
        if done >= 1:
            return lesson.average.to("cpu").eval(), lesson.step
        batch = _batch(images, damage, form, settings.batch, torch_rng, device)
        learn_step(lesson, batch, torch.empty(len(batch.start), 0, device=device), settings, done=done)


def _batch(
    images: Images, damage: Damage, form: ImageForm, size: int, torch_rng: torch.Generator, device: torch.device
) -> Batch:
    """Random images and what became of them; others are what the critic takes for good."""
    rows = torch.randint(len(images), (2 * size,), generator=torch_rng).numpy()
    wanted, real = images[rows[:size]], images[rows[size:]]
    bad = damaged(wanted, damage, form, torch_rng)

    def placed(some: Images) -> Tensor:
        return from_uint8(some).to(device, memory_format=torch.channels_last)

    return Batch(real=placed(real), wanted=placed(wanted), start=placed(bad))
