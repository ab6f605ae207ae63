"""T4: what would somebody learn who held the networks, and not only the synthetic images?

Differential privacy is promised for every noisy step, so it covers the discriminator, which saw the real images, and
the generator, which saw only the discriminator. Neither leaves the hospital by default; asking them all the same
tests the promise closer to its source than the images can.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Images, Integers
from privgan.errors import IntegrityError
from privgan.gan.networks import Discriminator, LoadedGenerator
from privgan.images.stored import joined
from privgan.language import to_tr
from privgan.progress import Progress, silent
from privgan_audits.evidence.interface import (
    NO_NON_MEMBERS,
    Evidence,
    Measured,
    NotApplicable,
    NotRun,
    Outcome,
    Sample,
)
from privgan_audits.questions.membership.statistic import epsilon_findings
from privgan_audits.questions.networks.discriminator import discriminator_scores
from privgan_audits.questions.networks.inversion import affordable, invert, rows_in_turn
from privgan_audits.questions.networks.networks import run_networks
from privgan_audits.questions.networks.tried import attack_findings, one_p
from privgan_audits.questions.scores import Scores, patient_scores, smallest_per_patient
from privgan_audits.spaces.pixel_space import PixelSpace
from privgan_audits.spaces.search.compared import image_digests
from privgan_audits.stats.pools import relabellings

DISCRIMINATOR, INVERSION = "discriminator", "inversion"
NO_RUN = to_tr(
    "no run folder was given; neither network leaves the hospital by default, and who holds neither cannot try this"
)
NO_CLAIM = to_tr("without a cohort and a claim of differential privacy nothing is promised about the networks")
NO_STATE = to_tr("the run's resume state, which alone holds the discriminator, is missing")
ONE_SIDE_ALONE = to_tr("the patients drawn for this attack are all members or all non-members")
NEITHER = to_tr(
    "the run's resume state, which alone holds the discriminator, is missing, and the patients drawn for this attack "
    "are all members or all non-members"
)


def measure(evidence: Evidence, rng: np.random.Generator, progress: Progress = silent) -> Outcome:
    """Rank patients by what each network says of their images."""
    if evidence.run is None:
        return NotApplicable(reason=NO_RUN)
    if evidence.claim is None or evidence.cohort is None or evidence.ledger is None:
        return NotApplicable(reason=NO_CLAIM)
    if evidence.non_members is None:
        return NotRun(reason=NO_NON_MEMBERS)
    try:
        networks = run_networks(evidence, evidence.claim)
    except IntegrityError as error:
        return NotRun(reason=str(error))
    scores = patient_scores(evidence, progress)
    real = Real.of(evidence.members, evidence.non_members)
    findings: dict[str, Any] = {
        DISCRIMINATOR: {"not_measured": NO_STATE},
        INVERSION: {"not_measured": ONE_SIDE_ALONE},
    }
    orders: dict[str, Integers] = {}
    if networks.discriminator is not None:
        orders[DISCRIMINATOR] = discriminator_order(networks.discriminator, real, scores, progress)
    steered = inversion_order(networks.generator, real, scores, rng, progress)
    if 0 < scores.non_member[steered.order].sum() < len(steered.order):
        orders[INVERSION] = steered.order
    if not orders:
        return NotRun(reason=NEITHER)
    pool = relabellings(len(scores.non_member), scores.non_members, rng)
    findings |= {name: attack_findings(order, scores.non_member, pool) for name, order in orders.items()}
    findings[INVERSION] = {**findings[INVERSION], **steered.distances}
    return Measured(
        findings={
            "p": one_p(list(orders.values()), scores.non_member, pool),
            **findings,
            **epsilon_findings(orders, scores.non_member, evidence.claim.spend.delta),
        },
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Real:
    """All real images, rows as in `Scores`: uint8 (n, h, h, c), labels int64 (n,), digests of the images (n,).

    records: int64 (n, 1 + columns), labels and what the cohort's declared columns say: the attacker knows them all.
    """

    images: Images
    labels: Integers
    records: Integers
    digests: NDArray[np.bytes_]

    @classmethod
    def of(cls, *parts: Sample) -> "Real":
        """Members first."""
        images = joined(*(part.images for part in parts))
        labels = np.concatenate([part.labels for part in parts])
        codes = [part.labels[:, None][:, 1:] if part.codes is None else part.codes for part in parts]
        records = np.column_stack([labels, np.concatenate(codes)])
        return cls(images=images, labels=labels, records=records, digests=image_digests(images))

    def told(self, *, records: bool) -> Integers:
        """What a network hears of each: its record, or its label alone."""
        return self.records if records else self.labels


@dataclass(frozen=True, kw_only=True, eq=False)
class Steered:
    """order: the patients who were tried, the likeliest member first. distances: medians over their images."""

    order: Integers
    distances: Mapping[str, float]


def discriminator_order(discriminator: Discriminator, real: Real, scores: Scores, progress: Progress) -> Integers:
    """All patients (P,), each by the image that the discriminator finds most real."""
    told = real.told(records=bool(discriminator.levels))
    score = discriminator_scores(discriminator, real.images, told, progress)
    return scores.closest_first(smallest_per_patient(score, scores.owner, len(scores.non_member)))


def inversion_order(
    generator: LoadedGenerator, real: Real, scores: Scores, rng: np.random.Generator, progress: Progress
) -> Steered:
    """As many patients as there is time for, in a random order that knows no membership."""
    patients = len(scores.non_member)
    turn = np.empty(patients, np.int64)
    turn[scores.canonical] = rng.permutation(patients)
    rows = rows_in_turn(scores.owner, real.digests, turn)[: affordable(generator.form.side)]
    told = real.told(records=bool(generator.network.config.levels))
    found = invert(generator, real.images[rows], told[rows], rng, progress)
    calibrated = np.where(scores.flat[rows], np.inf, found.end / scores.spaces[PixelSpace.name].reference[rows])
    tried = scores.owner[rows]
    order = scores.closest_first(smallest_per_patient(calibrated, tried, patients))
    return Steered(
        order=order[np.isin(order, tried)],
        distances={"distance_at_start": float(np.median(found.start)), "distance": float(np.median(found.end))},
    )
