"""A laboratory for attacks: the product's own training step on invented patients, watched from all sides.

Nothing is imitated. The patients' side draws and clips, and the training step adds noise and divides, as they do in a
run; the laboratory notes which images are read and what reaches the optimiser, whose rate is zero, so that the same
step can be watched again and again. Patients' images may hold anything here, also what `prepare` would refuse.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from privgan.arrays import Floats, Integers, Singles
from privgan.dp.clipping.patient_gradients import PatientGradients
from privgan.dp.plan import Plan
from privgan.dp.sampling import PatientIndex
from privgan.gan.image_model import MixtureSettings
from privgan.gan.networks.descent import Adam
from privgan.gan.randomness import Randomness
from privgan.gan.training.beginning import Training, fresh_state
from privgan.gan.training.ladder import LadderSettings
from privgan.gan.training.members import Members
from privgan.gan.training.settings import ModelSettings, PrivacySettings, TrainSettings
from privgan.gan.training.state import TrainingState
from privgan.gan.training.step import step
from privgan.gan.warm_start import Mixture
from privgan.images.form import ImageForm
from privgan.images.stored import with_channels
from privgan.progress import Progress, silent

Patients = Sequence[Singles]  # (images, size, size) each, in grey levels 0 to 255

IMAGES_PER_PATIENT = 3
_QUIET = 1e-9  # noise too small to matter
_SETTINGS = TrainSettings(
    privacy=PrivacySettings(images_per_patient=IMAGES_PER_PATIENT),
    model=ModelSettings(latent=2, generator_width=8, discriminator_width=8),
    warm_start=MixtureSettings(order=2),
    ladder=LadderSettings(first=10**9),  # the generator sees no patient: it stands still
)


@dataclass(frozen=True, kw_only=True)
class Watched:
    """reads: int64 (steps, images), how often each was read. released: (steps, parameters), times the divisor."""

    reads: Integers
    released: Floats


@dataclass(frozen=True, kw_only=True)
class Laboratory:
    """One discriminator that never learns; everything else comes with the patients and the plan."""

    training: Training
    state: TrainingState
    critic: PatientGradients
    public: torch.Generator
    releases: list[Floats] = field(default_factory=list)

    @classmethod
    def build(cls, size: int, device: torch.device) -> "Laboratory":
        """Networks for images of `size` pixels a side, the same every time."""
        training, public = _training(size, device), torch.Generator().manual_seed(0)
        # From nothing, a generator draws plain grey of the first class: the attacker knows every fake.
        nothing = replace(Mixture.grey(training.config.mixture), counts=torch.tensor([1.0, 0.0]))
        state = fresh_state(training, nothing, public)
        critic = PatientGradients(state.discriminator)
        laboratory = cls(training=training, state=state, critic=critic, public=public)
        state.discriminator_optimiser = _Watching(critic.trainable, laboratory.releases)
        return laboratory

    @property
    def size(self) -> int:
        """Pixels a side."""
        return self.training.config.form.side

    def watch(
        self,
        patients: Patients,
        plan: Plan,
        *,
        steps: int,
        rng: np.random.Generator,
        progress: Progress = silent,
        task: str = "",
    ) -> Watched:
        """Take so many steps of the plan on these patients; noise and draws come from `rng`."""
        images = _Noted.of(patients, self.size)
        device = self.training.device
        training = replace(self.training, plan=plan, patients=_members(images, patients, device, rng))
        randomness = Randomness(secret=rng, public=self.public)
        self.releases.clear()
        for number in range(steps):
            step(training, self.state, self.critic, randomness)
            progress(task, number + 1, steps)
        counts = [np.bincount(rows, minlength=len(images)) for rows in images.reads]
        return Watched(reads=np.array(counts), released=np.array(self.releases) * (plan.batch + plan.fakes))

    def total(self, patients: Patients, plan: Plan) -> Floats:
        """The sum that a step of all these patients and the fakes makes, as good as without noise."""
        quiet = replace(plan, batch=plan.members, noise_multiplier=_QUIET)
        total: Floats = self.watch(patients, quiet, steps=1, rng=np.random.default_rng(0)).released[0]
        return total


class _Watching(Adam):
    """Notes what reaches it in `releases`; its rate is zero."""

    def __init__(self, parameters: Sequence[Tensor], releases: list[Floats]) -> None:
        super().__init__(parameters, rate=0.0)
        self._releases = releases

    def step(self) -> None:
        """See the class."""
        gradients = [value.grad.flatten() for value in self.parameters if value.grad is not None]
        self._releases.append(torch.cat(gradients).detach().double().cpu().numpy())
        super().step()


class _Noted(np.ndarray[tuple[int, ...], np.dtype[np.float32]]):
    """Singles that note which of them are read."""

    reads: list[Integers]

    @classmethod
    def of(cls, patients: Patients, size: int) -> "_Noted":
        stored = np.concatenate([np.zeros((0, size, size), dtype=np.float32), *patients])
        noted = with_channels(stored).view(cls)
        noted.reads = []
        return noted

    def __getitem__(self, rows: Any) -> Any:
        self.reads.append(np.asarray(rows))
        chosen: Singles = self.view(np.ndarray)[rows]
        return chosen


def _members(images: Any, patients: Patients, device: torch.device, rng: np.random.Generator) -> Members:
    rows = np.arange(len(images))
    index = PatientIndex.of(np.repeat(np.arange(len(patients)), [len(images) for images in patients]), rows)
    labels = np.zeros(len(rows), dtype=np.int64)
    return Members(images=images, labels=labels, index=index, settings=_SETTINGS, device=device, rng=rng)


def _training(size: int, device: torch.device) -> Training:
    nobody = np.zeros((0, size, size), dtype=np.float32)
    return Training(
        run=Path(),
        run_id="attack",
        patients=_members(nobody, [], device, np.random.default_rng(0)),
        config=_SETTINGS.generator_config(ImageForm(side=size, classes=("one", "other"))),
        plan=Plan(members=1, batch=1, steps=1, delta=1e-5, noise_multiplier=1.0, fakes=1),
        settings=_SETTINGS,
        device=device,
    )
