"""A study, run by `make studies`: how many copied patients the near-copy test finds, by disguise and space."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from privgan.arrays import Choices, Floats
from privgan_audits.evidence.interface import Evidence
from privgan_audits.policy import Policy
from privgan_audits.questions.controls import spike_in
from privgan_audits.questions.controls.disguises import DISGUISES, disguised
from privgan_audits.questions.controls.rule import PLAIN_COPIES
from privgan_audits.questions.near_copies.measure import near_copy_statistic
from privgan_audits.questions.scores import Scores, patient_scores
from privgan_audits.stats.relabelling import NearCopyStatistic, as_labels, is_significant, relabellings
from tests.audits.conftest import Weigh
from tests.audits.xrays import XRays

COUNTS = (4, 8, 12, 16, 20, 30, 40)
REPEATS = 100
ALL = "all together"


def statistic_of(scores: Scores, patient: dict[str, Floats], space: str) -> NearCopyStatistic:
    if space == ALL:
        return near_copy_statistic(scores, patient)
    if space in scores.ranked:
        return NearCopyStatistic(orders=[scores.closest_first(patient[space])])
    return NearCopyStatistic(orders=[], hits=[scores.spaces[space].hits(patient[space])])


def power(
    scores: Scores, planted: spike_in.Planted, turns: list[NDArray[np.int64]], space: str, pool: Choices
) -> list[float]:
    """The share of the repeats in which each number of copies is found at the first attempt's level."""
    labels, level, found = as_labels(scores.non_member), Policy().level(1) / 2, []
    for copies in COUNTS:
        hits = 0
        for turn in turns:
            statistic = statistic_of(scores, spike_in.with_copies(scores, planted, turn < copies), space)
            hits += statistic.parts > 0 and is_significant(statistic, labels, pool, level)
        found.append(hits / len(turns))
    return found


@pytest.mark.study
@pytest.mark.parametrize("blur", [0.0, 1.0], ids=["sharp", "blurred"])
def test_detection_curves(shared_data: Path, weigh: Weigh, blur: float) -> None:
    """1,333 members, 667 non-members; the other patients' images, sharp or blurred, are the safe set."""
    rng = np.random.default_rng(1)
    members, others, rest = XRays.read(shared_data).split(rng, 1333, 667, 1600)
    images = ndimage.gaussian_filter(rest.images.astype(float), (0, blur, blur, 0)).astype(np.uint8)
    evidence: Evidence = weigh(members, others, images)
    scores = patient_scores(evidence)
    pool = relabellings(len(scores.non_member), scores.non_members, rng)
    print(f"\ncopied patients: {COUNTS}, share found in {REPEATS} repeats, level {Policy().level(1) / 2:.2g}")
    for kind, disguise in DISGUISES.items():
        rows = spike_in.chosen_images(scores, rng)
        planted = spike_in.plant(scores, disguised(members.images[rows], images, disguise, rng))
        turns = [rng.permutation(planted.count) for _ in range(REPEATS)]
        limit = spike_in.limit(scores, planted, Policy().level(1) / 2, pool, rng)
        curves = {space: power(scores, planted, turns, space, pool) for space in (*scores.spaces, ALL)}
        for space, curve in curves.items():
            print(f"| {kind} | {space} | " + " | ".join(f"{share:.2f}" for share in curve) + " |", flush=True)
        print(f"{kind}: limit of detection {limit}", flush=True)
        if kind in PLAIN_COPIES:
            assert limit is not None
            assert limit <= 20, kind
            assert curves[ALL][COUNTS.index(30)] == 1.0
