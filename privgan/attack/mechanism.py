"""The mechanism attacks itself: what is tried against this machine's training step, and in which order.

A canary is an invented patient whose gradient is as long as clipping allows. The attacker knows the model, the fakes
and what everybody else adds, and asks of each released gradient whether the canary is in it (Nasr et al. 2023).
"""

from dataclasses import dataclass

import numpy as np

from privgan.arrays import Floats, Integers, Singles
from privgan.attack.bounds import canary_bound, canary_scores
from privgan.attack.laboratory import IMAGES_PER_PATIENT, Laboratory, Patients
from privgan.attack.releases import (
    Finding,
    draw_size,
    empty_draws,
    noise_is_fresh,
    noise_shape,
    noise_size,
    noise_without_patients,
    participation,
)
from privgan.attack.sums import clipped_norm, no_mixing, once_a_step, patient_level, public_normaliser
from privgan.data.phantoms.phantom_images import SIZE, Anatomy, draw_images
from privgan.dp.plan import Plan
from privgan.language import kept, to_tr, tr
from privgan.progress import Progress, silent

_DELTA = 1e-5
# C below every gradient, so that all are clipped; rate x members = 1, so that many draws are empty.
EVERYBODY = Plan(members=4, batch=4, steps=1, delta=_DELTA, noise_multiplier=1.0, clipping_norm=0.5, fakes=1)
DRAWN = Plan(members=8, batch=1, steps=1, delta=_DELTA, noise_multiplier=0.4, clipping_norm=0.5, fakes=1)
_TASKS = to_tr(  # whether everybody takes part, and the canary is there
    {
        (True, True): "everybody takes part",
        (True, False): "everybody takes part, canary absent",
        (False, True): "patients are drawn",
        (False, False): "patients are drawn, canary absent",
    }
)


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """What the attacker has before the first release: the plan, every patient (the canary last), what each adds.

    fakes: (parameters,), their sum. added: (patients, parameters), measured on the mechanism itself.
    """

    plan: Plan
    patients: tuple[Singles, ...]
    fakes: Floats
    added: Floats

    @classmethod
    def measured(cls, laboratory: Laboratory, plan: Plan) -> "Knowledge":
        """One step without noise for each patient of the plan."""
        patients = (*_phantoms(plan.members - 1, laboratory.size), _canary(laboratory.size))
        fakes = laboratory.total([], plan)
        added = np.stack([laboratory.total([patient], plan) - fakes for patient in patients])
        return cls(plan=plan, patients=patients, fakes=fakes, added=added)

    @property
    def noise_scale(self) -> float:
        """Sigma C: the unit of everything below."""
        return self.plan.noise_multiplier * self.plan.clipping_norm

    @property
    def canary(self) -> Floats:
        """What the canary adds, in units of sigma C."""
        canary: Floats = self.added[-1] / self.noise_scale
        return canary

    def watch(
        self, laboratory: Laboratory, rng: np.random.Generator, steps: int, progress: Progress, *, canary: bool
    ) -> tuple[Floats, Integers]:
        """What the fakes and everybody but the canary do not explain of each release, and who was drawn.

        Without the canary their slot stays, empty: the plan still counts them.
        """
        there = self.patients if canary else self.patients[:-1]
        task = tr(_TASKS[self.plan.sample_rate == 1, canary])
        seen = laboratory.watch(there, self.plan, steps=steps, rng=rng, progress=progress, task=task)
        others = len(self.patients) - 1
        explained = self.fakes + seen.reads[:, :others].clip(0, 1) @ self.added[:-1]
        return (seen.released - explained) / self.noise_scale, seen.reads


def attack_mechanism(
    laboratory: Laboratory, rng: np.random.Generator, *, steps: int, progress: Progress = silent
) -> tuple[Finding, ...]:
    """Every attack there is; `steps` steps of each of four kinds are watched."""
    everybody, drawn = (Knowledge.measured(laboratory, plan) for plan in (EVERYBODY, DRAWN))
    return (
        *attack_releases(laboratory, everybody, drawn, rng=rng, steps=steps, progress=progress),
        *attack_sums(laboratory),
    )


def attack_releases(
    laboratory: Laboratory,
    everybody: Knowledge,
    drawn: Knowledge,
    *,
    rng: np.random.Generator,
    steps: int,
    progress: Progress = silent,
) -> tuple[Finding, ...]:
    """The attacks that noise and draws decide, with and without sampling; they share one error."""
    absent, present = (
        everybody.watch(laboratory, rng, steps, progress, canary=there)[0] @ _direction(everybody)
        for there in (False, True)
    )
    without = drawn.watch(laboratory, rng, steps, progress, canary=False)[0] @ _direction(drawn)
    unexplained, reads = drawn.watch(laboratory, rng, steps, progress, canary=True)
    noise, rate = unexplained - reads[:, -1:].clip(0, 1) * drawn.canary, drawn.plan.sample_rate
    with_it = unexplained @ _direction(drawn)
    return (
        canary_scores(absent, present, everybody.plan.noise_multiplier),
        canary_bound(absent, present, everybody.plan.queries, delta=_DELTA),
        canary_bound(without, with_it, drawn.plan.queries, delta=_DELTA),
        noise_size(noise),
        noise_shape(noise),
        noise_is_fresh(noise),
        noise_without_patients(noise, reads),
        participation(reads, rate),
        draw_size(reads, rate),
        empty_draws(reads, rate),
        once_a_step(reads),
    )


def _direction(known: Knowledge) -> Floats:
    direction: Floats = known.canary / np.linalg.norm(known.canary)
    return direction


def attack_sums(laboratory: Laboratory) -> tuple[Finding, ...]:
    """What one patient can do to a sum of four, whoever they are and whoever the others are."""
    plan, size = EVERYBODY, laboratory.size
    others, canary = _phantoms(plan.members - 1, size), _canary(size)
    nobody, alone = laboratory.total([], plan), laboratory.total(others, plan)

    def moved_by(patient: Singles) -> Floats:
        return laboratory.total([*others, patient], plan) - alone

    def canary_among(company: Patients) -> Floats:
        return laboratory.total([*company, canary], plan) - laboratory.total(company, plan)

    everyone = [*others, canary]
    return (
        clipped_norm({name: moved_by(patient) for name, patient in _adversaries(size).items()}, plan.clipping_norm),
        patient_level({name: moved_by(patient) for name, patient in _with_many(size).items()}, plan.clipping_norm),
        public_normaliser(
            laboratory.total(everyone, plan) - nobody,
            laboratory.total([*everyone, *everyone], plan) - nobody,
            alone - nobody,
            laboratory.total([canary], plan) - nobody,
            plan.clipping_norm,
        ),
        no_mixing(
            {
                to_tr("phantoms"): canary_among(others),
                to_tr("their negatives"): canary_among([255 - images for images in others]),
                to_tr("huge values"): canary_among([images * 1e4 for images in others]),
                to_tr("nobody"): canary_among([]),
            },
            plan.clipping_norm,
        ),
    )


def _phantoms(count: int, size: int) -> list[Singles]:
    """Invented patients with one image each, always the same ones."""
    rng = np.random.default_rng(count)
    pictures = draw_images(Anatomy.draw(np.arange(count) % 2 == 1, rng), rng)
    small = pictures.reshape(count, size, SIZE // size, size, SIZE // size).mean((2, 4))
    return [image[None] * np.float32(255) for image in small]


def _canary(size: int) -> Singles:
    return _filled(255.0, size)


def _filled(level: float, size: int, images: int = 1) -> Singles:
    return np.full((images, size, size), level, dtype=np.float32)


def _adversaries(size: int) -> dict[str, Singles]:
    return {
        to_tr("white"): _filled(255.0, size),
        to_tr("black"): _filled(0.0, size),
        to_tr("plain grey"): _filled(127.5, size),
        to_tr("huge"): _filled(1e6, size),
        to_tr("huge and negative"): _filled(-1e6, size),
        to_tr("larger than a norm can be"): _filled(1e30, size),
        to_tr("infinite"): _filled(np.inf, size),
        to_tr("not a number"): _filled(np.nan, size),
    }


def _with_many(size: int) -> dict[str, Singles]:
    most = IMAGES_PER_PATIENT
    return {
        to_tr("one image"): _filled(255.0, size),
        kept("{count} identical images", count=most): _filled(255.0, size, most),
        kept("{count} identical images", count=10 * most): _filled(255.0, size, 10 * most),
        kept("{count} different images", count=most): np.concatenate(
            [_filled(level, size) for level in range(0, 255, 255 // most)]
        ),
    }
