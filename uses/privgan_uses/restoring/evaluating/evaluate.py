"""A restorer on a cohort's held-back patients: damaged on purpose, restored by several, and measured.

Members of the cohort are learned from twice, and neither network is kept: the ceiling, which is what real images
would have taught, and the network that examines. What comes out is for the hospital alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from privgan.arrays import Images
from privgan.data.cohort.cohort import MEMBER, NON_MEMBER, Cohort
from privgan.errors import InputRejectedError, UsageError
from privgan.files import write_json
from privgan.images.form import ImageForm
from privgan.kinds import EVALUATION
from privgan.language import to_tr, tr
from privgan.progress import Progress, silent
from privgan_audits.evidence.interface import Sample
from privgan_audits.questions.utility.drawing import drawn
from privgan_audits.questions.utility.examination import Curve, Examination
from privgan_uses.acquainted import shaped_by
from privgan_uses.restoring.damage import damaged
from privgan_uses.restoring.evaluating.findings import examined
from privgan_uses.restoring.evaluating.rivals import classical, plain_network, restored_plainly
from privgan_uses.restoring.lesson import learn
from privgan_uses.restoring.measures import psnr, ssim
from privgan_uses.restoring.model import Restorer, RestorerFacts, pixel_digests, restored
from privgan_uses.restoring.request import RestoreRequest

SCHEMA_VERSION = 1
DAMAGED, CLASSICAL, PLAIN, MODEL, CEILING = "damaged", "classical", "plain", "model", "ceiling"
FEWEST = 10  # patients, below which an average of them says too little
EXAMINED, EACH, LEARNED = 1_000, 4, 10_000  # patients at most, images of each; members to learn from
_TASKS = to_tr(
    {
        CEILING: "learning to restore from members",
        PLAIN: "learning the plain network",
        CLASSICAL: "restoring without learning",
    }
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Question:
    """images: what the model was learned from, for the plain network; None leaves that out. ceiling: learn from
    members as well. seed: of the damage, of draws and of resamples.
    """

    images: Images | None = None
    ceiling: bool = True
    seed: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Sides:
    """Who may be learned from, and who is measured on; None where there is nobody. They share no patient."""

    members: Sample | None
    held_back: Sample | None
    classes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluated:
    """content: of evaluate.json. good: held-back images; arms: the same damaged and restored, by name."""

    content: dict[str, Any]
    good: Images
    arms: Mapping[str, Images]


def evaluate_restorer(model: Restorer, cohort: Cohort, question: Question, progress: Progress = silent) -> Evaluated:
    """Measure on a cohort; writes nothing.

    Raises:
        UsageError: the cohort is of another form than the model knows.
        InputRejectedError: too few patients are held back, or the model learned from images of this cohort.
    """
    _require_fitting(model.facts, cohort.facts.form)
    _require_strangers(model, cohort)
    shaped = shaped_by(cohort, model.facts.origins)
    own = bool(shaped) and all(shaped) and not model.facts.public
    rng = np.random.default_rng(question.seed)
    sides = Sides(
        members=_side(cohort, MEMBER, LEARNED, rng),
        held_back=_side(cohort, NON_MEMBER, EXAMINED, rng),
        classes=cohort.facts.form.classes,
    )
    found = compare(model, sides, question, progress)
    named = {"cohort_id": cohort.facts.cohort_id, "same_cohort": own}
    return replace(found, content=found.content | named)


def compare(model: Restorer, sides: Sides, question: Question, progress: Progress = silent) -> Evaluated:
    """Measure a model and its rivals on held-back patients.

    Raises:
        InputRejectedError: too few patients are held back.
    """
    held_back, facts = sides.held_back, model.facts
    if (count := 0 if held_back is None else held_back.patient_count) < FEWEST or held_back is None:
        raise InputRejectedError(
            f"Expected at least {FEWEST} held-back patients to evaluate on, the cohort has {count}. Prepare it with "
            "--non-members."
        )
    rng, good = np.random.default_rng(question.seed), held_back.images
    bad = damaged(good, facts.damage, facts.form, torch.Generator().manual_seed(question.seed))
    arms = {DAMAGED: bad, **_restored(model, sides.members, question, bad, progress)}
    exam = Examination.of(held_back.labels, held_back.patients, 1, rng)
    curves = {name: likeness(exam, good, [images]) for name, images in arms.items()}
    content = {
        "schema_version": SCHEMA_VERSION,
        "kind": "evaluation of a restorer",
        "model_sha256": model.sha256,
        "task": facts.task,
        "seed": question.seed,
        "patients": held_back.patient_count,
        "images": len(good),
        "arms": {name: {key: curve.to_json() for key, curve in each.items()} for name, each in curves.items()},
        "differences": {
            name: {key: curves[MODEL][key].minus(each[key]).to_json() for key in each}
            for name, each in curves.items()
            if name != MODEL
        },
        "findings": None
        if sides.members is None
        else examined(sides.members, held_back, arms, sides.classes, rng, progress),
    }
    return Evaluated(content=content, good=good, arms=arms)


def write_evaluation(folder: Path, content: Mapping[str, Any]) -> None:
    """Write evaluate.json."""
    write_json(folder / EVALUATION.marker, content)


def _require_fitting(facts: RestorerFacts, form: ImageForm) -> None:
    known, seen = (replace(each, classes=(), each_image_is_a_patient=False) for each in (facts.form, form))
    if known != seen:
        raise UsageError(
            "Expected a cohort of images as the model knows them, this one's differ in size, colour, modality, body "
            "part or window."
        )


def _require_strangers(model: Restorer, cohort: Cohort) -> None:
    """Refuse a cohort of which an image was public to the model, whoever's it is: its people may be known as well."""
    shared = sum(digest in model.public for digest in pixel_digests(cohort.images)) if model.public else 0
    if shared:
        raise InputRejectedError(
            f"Expected patients whom the model cannot know, {shared} of the cohort's images are among the public "
            "images that it learned from. Measure on another cohort, or learn without these images."
        )


def _side(cohort: Cohort, side: int, patients: int, rng: np.random.Generator) -> Sample | None:
    """Some images of members or of held-back patients; None if there are none."""
    rows = cohort.rows(side)
    if not len(rows):
        return None
    # Which ones is decided without their images: a cohort may have more than memory has room for.
    unseen = np.broadcast_to(np.uint8(0), (len(rows), 1, 1, 1))
    everything = Sample(images=unseen, labels=cohort.labels[rows], patients=cohort.patients[rows])
    some = rows[drawn(everything, rng, patients=patients, each=EACH)]
    return Sample(images=cohort.images[some], labels=cohort.labels[some], patients=cohort.patients[some])


def _restored(
    model: Restorer, members: Sample | None, question: Question, bad: Images, progress: Progress
) -> dict[str, Images]:
    """What each makes of the damaged images."""
    facts, found = model.facts, dict[str, Images]()
    request = RestoreRequest(task=facts.task, learning=replace(facts.learning, steps=facts.steps))
    progress(tr(_TASKS[CLASSICAL]), 0, 1)
    plainly = classical(bad, facts.damage, facts.form)
    progress(tr(_TASKS[CLASSICAL]), 1, 1)
    found[CLASSICAL] = plainly
    if question.images is not None:
        plain = plain_network(question.images, facts.damage, facts.form, request, tr(_TASKS[PLAIN]), progress)
        found[PLAIN] = restored_plainly(plain, bad)
    found[MODEL] = model.restored(bad)
    if question.ceiling and members is not None:
        task = tr(_TASKS[CEILING])
        network, _ = learn(members.images, facts.damage, facts.form, request, task, progress)
        found[CEILING] = restored(network, bad, facts.damage)
    return found


def likeness(exam: Examination, good: Images, versions: Sequence[Images]) -> dict[str, Curve]:
    """How near images are to the good ones: PSNR and SSIM, the mean over patients, of each the mean over images.

    versions: the same images restored in one way; by several, as of several trainings, the mean over these.
    """
    measured = {
        name: np.mean([measure(good, images) for images in versions], axis=0)
        for name, measure in (("psnr", psnr), ("ssim", ssim))
    }
    everybody = exam.sums(np.ones(len(good)))
    patients = exam.draws.shape[1]
    return {
        name: Curve(values=exam.sums(values) / everybody, patients=patients, lowest=-np.inf, highest=np.inf)
        for name, values in measured.items()
    }
