"""T9: the customary measures of how much synthetic images resemble real ones. Printed, never judged.

Readers expect them, so they are measured as well as they can be, and faults that can be mended are. Those that cannot
are why none of them gates: they compare synthetic images with real ones, so that a generator of low variety looks
like a copyist and a blurred one hides its copies, or they see copies only when there are many. T2 and T3, which
compare real patients with real patients, have neither fault.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from privgan.arrays import Flags, Floats, Integers, Singles
from privgan.language import to_tr, tr
from privgan.progress import Progress, silent
from privgan_audits.evidence.interface import NO_NON_MEMBERS, Evidence, Measured, NotRun, Outcome
from privgan_audits.questions.scores import SMALLEST_REFERENCE, patient_scores, synthetic_points
from privgan_audits.spaces.search.neighbours import nearest, upright
from privgan_audits.stats.statistics import Z_TWO_SIDED

CELL = 50  # images of non-members that a cell should hold on average
MOST_CELLS = 20
FEWEST = 10  # images of non-members, and synthetic ones, without which a cell says nothing
TASK = to_tr("resemblance")
CONSTANT = to_tr("all images of one side are constant")
MEANINGS: Mapping[str, str] = to_tr(
    {
        "dcr_share": "The share of synthetic images whose nearest real image is a member's; without a leak it is the "
        "members' share of all patients.",
        (
            "nndr"
        ): "How much closer a synthetic image is to its nearest real patient than to the next one; values near 0 "
        "are copies, and members should look like non-members.",
        "c_t": "Whether synthetic images are closer to members than non-members are; far below 0 can mean copies, or "
        "only that the generator makes less variety than there is.",
        (
            "authenticity"
        ): "The share of synthetic images that are farther from their nearest member than that member is "
        "from any other; low values can mean copies, or only little variety.",
    }
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """Images of some patients: points float32 (n, d), patient of each (n,)."""

    points: Singles
    owner: Integers


def measure(evidence: Evidence, rng: np.random.Generator, progress: Progress = silent) -> Outcome:
    """Measure all four."""
    del rng  # nothing here is left to chance
    if evidence.non_members is None:
        return NotRun(reason=NO_NON_MEMBERS)
    scores = patient_scores(evidence, progress)
    synthetic = synthetic_points(evidence, scores)
    kept = ~scores.flat
    held = scores.non_member[scores.owner]
    members, others = (
        Side(points=scores.embedding.points[rows], owner=scores.owner[rows]) for rows in (kept & ~held, kept & held)
    )
    real = Side(points=scores.embedding.points[kept], owner=scores.owner[kept])
    if not (len(members.points) and len(others.points)):
        return NotRun(reason=CONSTANT)
    progress(tr(TASK), 0, 4)
    findings: dict[str, dict[str, Any]] = {"dcr_share": dcr_share(synthetic, real, scores.non_member)}
    progress(tr(TASK), 1, 4)
    findings["nndr"] = {"members": nndr(synthetic, members), "non_members": nndr(synthetic, others)}
    progress(tr(TASK), 2, 4)
    findings["c_t"] = c_t(synthetic, members.points, others.points)
    progress(tr(TASK), 3, 4)
    findings["authenticity"] = {"share": authenticity(synthetic, members)}
    progress(tr(TASK), 4, 4)
    meant = {name: {**each, "meaning": MEANINGS[name]} for name, each in findings.items()}
    return Measured(findings=meant)


def nearest_counts(synthetic: Singles, real: Side, patients: int) -> Floats:
    """How many synthetic images have their nearest real one in each patient (P,).

    A picture that several patients share counts for each of them in part, and equal distances fall by the picture:
    by the row they would know who is a member.
    """
    pictures, number = np.unique(real.points, axis=0, return_inverse=True)
    found = nearest(synthetic, pictures, k=1, turns=upright).rows[:, 0]
    shared = np.unique(np.stack([number.ravel(), real.owner], axis=1), axis=0)
    each = np.bincount(found, minlength=len(pictures)) / np.bincount(shared[:, 0], minlength=len(pictures))
    return np.asarray(np.bincount(shared[:, 1], each[shared[:, 0]], minlength=patients), dtype=np.float64)


def dcr_share(synthetic: Singles, real: Side, non_member: Flags) -> dict[str, Any]:
    """Share of synthetic images whose nearest real one is a member's, and where it lies when nothing leaks.

    Its variance is that of a sum over patients drawn without replacement (Cochran 1977): a few real images are the
    nearest of many synthetic ones, and a patient's images stand or fall together, so that the binomial variance,
    which is customary, is too small.

    Args:
        synthetic: float32 (m, d).
        real: all real images.
        non_member: bool (P,).
    """
    counts = nearest_counts(synthetic, real, len(non_member)) / len(synthetic)
    patients, members = len(non_member), int((~non_member).sum())
    drawn = members * (patients - members) / (patients * (patients - 1))
    sd = math.sqrt(drawn * float(np.square(counts - counts.mean()).sum()))
    expected = members / patients
    return {
        "measured": float(counts[~non_member].sum()),
        "expected_when_safe": expected,
        "sd_when_safe": sd,
        "range_when_safe": [max(0.0, expected - Z_TWO_SIDED * sd), min(1.0, expected + Z_TWO_SIDED * sd)],
    }


def nndr(synthetic: Singles, side: Side) -> float:
    """Median distance of synthetic images to the nearest image of a side over that to its nearest other patient's."""
    first = nearest(synthetic, side.points, k=1, turns=upright)
    patient = side.owner[first.rows[:, 0]]
    second = nearest(synthetic, side.points, k=1, turns=upright, apart=(patient, side.owner)).distances[:, 0]
    return float(np.median(first.distances[:, 0] / np.maximum(second, SMALLEST_REFERENCE)))


def c_t(synthetic: Singles, members: Singles, others: Singles) -> dict[str, Any]:
    """The statistic C_T of Meehan et al. (2020, "A non-parametric test to detect data-copying"), by cells.

    In each cell of k-means on all real images: do synthetic images lie closer to members of the cell than non-members
    do (below 0) or farther (above)? Cells count by their share of non-members. Ties share their ranks, and the
    variance knows it; cells with too few images say nothing, and `covered` is the share of non-members' images in the
    others.
    """
    from sklearn.cluster import KMeans

    real = np.unique(np.concatenate([members, others]), axis=0)  # sorted: the order of rows knows who is a member
    count = max(1, min(MOST_CELLS, len(others) // CELL, len(real)))
    cells = KMeans(n_clusters=count, n_init=1, random_state=0).fit(real)
    of_synthetic, of_members, of_others = (cells.predict(points) for points in (synthetic, members, others))
    weights, scores = [], []
    for cell in range(count):
        ours, theirs, made = members[of_members == cell], others[of_others == cell], synthetic[of_synthetic == cell]
        if len(ours) and min(len(theirs), len(made)) >= FEWEST:
            to_members = [nearest(points, ours, k=1, turns=upright).distances[:, 0] for points in (made, theirs)]
            weights.append(len(theirs))
            scores.append(rank_z(*to_members))
    measured = float(np.average(scores, weights=weights)) if weights else math.nan
    return {"measured": measured, "cells": len(weights), "covered": sum(weights) / len(others)}


def rank_z(first: Floats, second: Floats) -> float:
    """Mann and Whitney's (1947) U of first over second, in standard deviations; 0 where all values are equal."""
    n, m = len(first), len(second)
    ranks = stats.rankdata(np.concatenate([first, second]))
    variance = n * m * float(ranks.var(ddof=1)) / (n + m)  # that of n ranks drawn without replacement
    excess = float(ranks[:n].sum()) - n * (n + m + 1) / 2
    return excess / math.sqrt(variance) if variance > 0 else 0.0


def authenticity(synthetic: Singles, members: Side) -> float:
    """Share of synthetic images farther from their nearest member image than it is from all other members' images.

    Alaa et al. (2022, "How faithful is your synthetic data?"), against every member: on a random part of them most
    copies go unseen.
    """
    found = nearest(synthetic, members.points, k=1, turns=upright)
    met, place = np.unique(found.rows[:, 0], return_inverse=True)
    apart = (members.owner[met], members.owner)
    among = nearest(members.points[met], members.points, k=1, turns=upright, apart=apart).distances[:, 0]
    return float((found.distances[:, 0] > among[place]).mean())
