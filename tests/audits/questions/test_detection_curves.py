"""A study, run by `make studies`: how many copied patients the near-copy test finds, by disguise and space."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from privgan.arrays import Floats, Images
from privgan.images.stored import with_channels
from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.policy import Policy
from privgan_audits.questions.controls import spike_in
from privgan_audits.questions.controls.disguises import DISGUISES, disguised
from privgan_audits.questions.controls.group_limits import GroupTrials
from privgan_audits.questions.controls.rule import PLAIN_COPIES
from privgan_audits.questions.groups import groups_of
from privgan_audits.questions.near_copies.measure import near_copy_statistic, near_copy_test
from privgan_audits.questions.near_copies.rule import SHARE
from privgan_audits.questions.scores import Scores, patient_scores
from privgan_audits.stats.relabelling import (
    NearCopyStatistic,
    Trial,
    as_labels,
    is_significant,
    p_values,
    relabellings,
)
from tests.audits.conftest import Weigh
from tests.audits.xrays import XRays

COUNTS = (20, 40, 120)  # 1.5, 3 and 9 % of the members
REPEATS = 60  # all found: the power is above 95 % with 95 % confidence
LEVEL = Policy().level(1) * SHARE
MEMBERS, NON_MEMBERS = 1333, 667


def _x_rays(shared_data: Path, rng: np.random.Generator) -> tuple[Sample, Sample, Images]:
    """Chest X-rays of children; other patients' images are the safe set."""
    members, others, rest = XRays.read(shared_data).split(rng, MEMBERS, NON_MEMBERS, 1600)
    return members, others, rest.images


def _blurred_x_rays(shared_data: Path, rng: np.random.Generator) -> tuple[Sample, Sample, Images]:
    """The safe set blurred by a pixel, as private generators are."""
    members, others, images = _x_rays(shared_data, rng)
    return members, others, ndimage.gaussian_filter(images.astype(float), (0, 1, 1, 0)).astype(np.uint8)


def _clothes(shared_data: Path, rng: np.random.Generator) -> tuple[Sample, Sample, Images]:
    """Fashion-MNIST, an image a person: pictures that have little in common."""
    with np.load(shared_data / "images" / "fashion_mnist_28.npz") as stored:
        images = np.unique(with_channels(stored["train_images"][:8000]), axis=0)
    images = images[rng.permutation(len(images))[: MEMBERS + NON_MEMBERS + 2000]]
    numbers = np.arange(len(images))

    def some(first: int, count: int) -> Sample:
        rows = slice(first, first + count)
        return Sample(images=images[rows], labels=np.zeros(count, np.int64), patients=numbers[rows])

    return some(0, MEMBERS), some(MEMBERS, NON_MEMBERS), images[MEMBERS + NON_MEMBERS :]


@pytest.mark.study
@pytest.mark.parametrize("kind", [_x_rays, _blurred_x_rays, _clothes], ids=["x-rays", "blurred", "clothes"])
def test_detection_curves(shared_data: Path, weigh: Weigh, kind: object) -> None:
    """1,333 members, 667 non-members; copies of some members are planted in each disguise."""
    assert callable(kind)
    rng = np.random.default_rng(101)
    members, others, images = kind(shared_data, rng)
    evidence: Evidence = weigh(members, others, images)
    scores = patient_scores(evidence)
    pool = relabellings(len(scores.non_member), scores.non_members, rng)
    groups = groups_of(evidence, scores)
    trial = GroupTrials.of(scores, groups, LEVEL, pool).all_patients
    p = p_values(near_copy_test(scores, groups), as_labels(scores.non_member), pool)[0]
    print(f"\n{kind.__doc__} {REPEATS} repeats, level {LEVEL:.2g}; without a copy p = {p:.2g}")
    print(
        "| family | disguise | "
        + " | ".join(map(str, COUNTS))
        + " | limit | alone, from 40 |\n|---|---|---|---|---|---|---|"
    )
    for name, disguise in DISGUISES.items():
        rows = spike_in.chosen_images(scores, rng)
        planted = spike_in.plant(scores, disguised(members.images[rows], images, disguise, rng))
        turns = [rng.permutation(planted.count) for _ in range(REPEATS)]
        limit = spike_in.limit(scores, planted, trial, rng)
        shares = [f"{_share(scores, planted, turns, copies, trial):.0%}" for copies in COUNTS]
        alone = ", ".join(_alone(scores, planted, turns)) or "none"
        print(f"| {disguise.family} | {name} | {' | '.join(shares)} | {limit} | {alone} |", flush=True)
        assert name not in PLAIN_COPIES or limit is not None


def _share(
    scores: Scores, planted: spike_in.Planted, turns: list[NDArray[np.int64]], copies: int, trial: Trial
) -> float:
    """In how many of the repeats so many copies are found, in all spaces together."""
    labels, found = as_labels(scores.non_member), 0
    for turn in turns:
        statistic = near_copy_statistic(scores, spike_in.with_copies(scores, planted, turn < copies))
        found += is_significant(statistic, labels, trial)
    return found / len(turns)


def _alone(scores: Scores, planted: spike_in.Planted, turns: list[NDArray[np.int64]]) -> Iterator[str]:
    """The spaces that would see 40 copies without the others, nineteen times of twenty."""
    labels = as_labels(scores.non_member)
    after = [spike_in.with_copies(scores, planted, turn < COUNTS[1]) for turn in turns]
    for name in scores.spaces:
        seen = [_of(scores, name, patient[name]) for patient in after]
        if np.mean([one.parts > 0 and float(one(labels)[0]) < LEVEL for one in seen]) >= 0.95:
            yield name


def _of(scores: Scores, name: str, patient: Floats) -> NearCopyStatistic:
    if name in scores.ranked:
        return NearCopyStatistic(orders=[scores.closest_first(patient)])
    return NearCopyStatistic(orders=[], hits=[scores.spaces[name].hits(patient)])
