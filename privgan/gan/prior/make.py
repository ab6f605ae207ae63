"""From public images to a finished prior: the order in which files are written, and how an interruption is mended."""

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save

from privgan import __version__
from privgan.errors import InputRejectedError, IntegrityError, UsageError
from privgan.files import sha256_file, write_bytes
from privgan.gan.finishing.drawings import Described
from privgan.gan.finishing.learning import Lesson, Material, learn_step
from privgan.gan.networks import fakes_at_once
from privgan.gan.networks.finish import Finish
from privgan.gan.networks.public_prior import CONTACT, IMAGES, WEIGHTS, PriorFacts, write_prior
from privgan.gan.networks.states import device_of, fill, tensors_of
from privgan.gan.prior.request import PriorRequest
from privgan.gan.warm_start import MixtureShape
from privgan.images.form import ImageForm
from privgan.images.pixels import from_uint8, to_levels
from privgan.images.stored import as_stored
from privgan.interruption import StopRequest
from privgan.language import kept, to_tr, tr
from privgan.memory import keep_freed_memory
from privgan.progress import Progress, silent

STATE = "state.safetensors"  # of an interrupted learning: the file from which it goes on
FEWEST = 200
_SAVED_EVERY = 60.0  # seconds
_SHOWN = 10  # images a row of the contact sheet
_TASK = to_tr("learning from public images")


def learn_prior(
    images: NDArray[np.uint8],
    folder: Path,
    request: PriorRequest,
    progress: Progress = silent,
    stop: StopRequest | None = None,
) -> PriorFacts:
    """Learn, or go on learning, and write every file of a prior.

    Args:
        images: public ones, uint8 (n, h, h, c).
        folder: empty, or as an interruption left it.
        request: everything that was asked.
        progress: told of every step.
        stop: asked after every step whether to stop; what was learned then stays in the folder.

    Raises:
        InputRejectedError: fewer than 200 images.
        UsageError: what an interruption left was asked for in other words, or there is no such device.
        PreemptedError, InterruptedRunError: `stop` asked for it.
    """
    if len(images) < FEWEST:
        raise InputRejectedError(f"Expected at least {FEWEST} public images, got {len(images)}.")
    keep_freed_memory()
    with (folder / IMAGES).open("wb") as stream:
        np.save(stream, as_stored(images))
    bound = request.fingerprint(sha256_file(folder / IMAGES))
    device = device_of(request.device)
    settings, form = request.learning, ImageForm.of(images)
    lesson = Lesson.begin(form.side, form.channels, settings, device)
    spent = _restored(lesson, folder, bound)
    shape = MixtureShape.of(request.settings.warm_start, form, factors=1)
    described = Described.of(images, shape, progress)
    material = Material(shown=lambda rows: from_uint8(images[rows.numpy()]), described=described)
    _learn(lesson, material, request, _Clock(folder=folder, bound=bound, before=spent), progress, stop)
    network = lesson.average.to("cpu").eval()
    write_bytes(folder / CONTACT, _contact(network, material))
    weights = {name: value.detach().contiguous() for name, value in network.state_dict().items()}
    write_bytes(folder / WEIGHTS, save(weights))
    (folder / STATE).unlink(missing_ok=True)
    facts = PriorFacts(
        source=request.source,
        licence=request.licence,
        privgan_version=__version__,
        created=datetime.now(UTC).date().isoformat(),
        images=len(images),
        form=replace(form, modality=request.modality, body_part=request.body_part),
        width=settings.width,
        steps=lesson.step,
        digests={name: sha256_file(folder / name) for name in (WEIGHTS, IMAGES, CONTACT)},
    )
    write_prior(folder, facts)
    return facts


@dataclass(kw_only=True)
class _Clock:
    """When to save and to end. Mutable: it remembers the last time. before: minutes of earlier halves."""

    folder: Path
    bound: str
    before: float
    began: float = 0.0
    saved: float = 0.0

    def __post_init__(self) -> None:
        self.began = self.saved = time.monotonic()

    @property
    def minutes(self) -> float:
        """Of all halves together."""
        return self.before + (time.monotonic() - self.began) / 60

    def save(self, lesson: Lesson) -> None:
        """Write the state atomically."""
        held = tensors_of(lesson.networks, lesson.optimisers)
        tensors = {name: value.detach().cpu().contiguous() for name, value in held.items()}
        tensors["at"] = torch.tensor([lesson.step, self.minutes], dtype=torch.float64)
        write_bytes(self.folder / STATE, save(tensors, metadata={"bound": self.bound}))
        self.saved = time.monotonic()


def _learn(
    lesson: Lesson,
    material: Material,
    request: PriorRequest,
    clock: _Clock,
    progress: Progress,
    stop: StopRequest | None,
) -> None:
    settings = request.learning
    device = next(lesson.network.parameters()).device
    while True:
        # By the clock or by steps, whichever is further: rates fall towards the end, wherever it is.
        timed = 0.0 if request.minutes is None else clock.minutes / request.minutes
        done = max(lesson.step / settings.steps, timed)
        progress(tr(_TASK), round(1000 * min(done, 1.0)), 1000, tr("step {number}", number=lesson.step))
        if done >= 1:
            return
        torch_rng = torch.Generator().manual_seed(settings.seed * settings.steps + lesson.step)
        batch = material.batch(settings.batch, torch_rng, device)
        z = torch.randn(len(batch.start), lesson.network.shape.latent, generator=torch_rng).to(device)
        learn_step(lesson, batch, z, settings, done=done)
        if stop is not None and stop.signal is not None:
            clock.save(lesson)
            raise stop.error(
                kept("{steps} steps are learned. Go on by the same command with --resume.", steps=lesson.step)
            )
        if time.monotonic() - clock.saved > _SAVED_EVERY:
            clock.save(lesson)


def _restored(lesson: Lesson, folder: Path, bound: str) -> float:
    """Fill a lesson with what an interruption left, if anything; returns the minutes that it took."""
    from safetensors import SafetensorError, safe_open

    path = folder / STATE
    if not path.is_file():
        return 0.0
    try:
        with safe_open(path, framework="pt") as opened:
            told = opened.metadata()["bound"]
        tensors = load_file(path)
        if told != bound:
            raise UsageError(
                "Expected the images and options of the learning that was interrupted, some differ. Repeat them, or "
                "leave out --resume."
            )
        fill(lesson.networks, lesson.optimisers, tensors)
        step, minutes = tensors["at"].tolist()
    except (SafetensorError, KeyError, RuntimeError, IndexError, ValueError):
        raise IntegrityError("Expected what an interrupted `privgan prior` left, it cannot be read.") from None
    lesson.step = int(step)
    return float(minutes)


def _contact(network: Finish, material: Material) -> bytes:
    """A PNG: public images, drawings of warm starts, and the same drawings finished."""
    from privgan.images.contact_sheet import contact_sheet
    from privgan.images.containers import png_bytes

    torch_rng = torch.Generator().manual_seed(0)
    begun, few = material.described.others(2 * _SHOWN, torch_rng), fakes_at_once(network.shape.side)
    z = torch.randn(len(begun), network.shape.latent, generator=torch_rng)
    with torch.no_grad():
        made = torch.cat([network(*some) for some in zip(torch.split(begun, few), torch.split(z, few), strict=True)])
    real = material.shown(material.some(2 * _SHOWN, torch_rng))
    shown = np.rint(to_levels(torch.cat([real, begun, made.clamp(-1, 1)]))).astype(np.uint8)
    labels = np.repeat(np.arange(3), 2 * _SHOWN)
    return png_bytes(contact_sheet(as_stored(shown), labels, ("public images", "as a warm start draws", "finished")))
