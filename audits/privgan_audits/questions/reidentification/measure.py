"""T7: can an attacker who holds another image of a patient recognise the patient in a synthetic one?

T2 looks for the image that was trained on; whoever meets a patient has a different one, from another day. So a space
is learned in which images of one person lie together and those of different people apart: Fisher's (1936)
discriminant of patients over the audit's embedding, as verification networks do with more data (Packhäuser et al.
2022, "Deep learning-based patient re-identification is able to exploit the biometric nature of medical chest X-ray
data").

Every patient is looked for with directions that were learned from other patients, members and non-members pooled,
dealt into folds by an order that knows no membership. What comes out is exact, like T2, whose statistic it shares.
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from privgan.arrays import Flags, Floats, Integers, Singles
from privgan.language import kept, to_tr, tr
from privgan.progress import Progress, silent
from privgan_audits.evidence.interface import NO_NON_MEMBERS, Evidence, Measured, NotApplicable, NotRun, Outcome
from privgan_audits.questions.near_copies.statistic import near_copy_findings
from privgan_audits.questions.scores import (
    SMALLEST_REFERENCE,
    Scores,
    patient_scores,
    smallest_per_patient,
    synthetic_points,
)
from privgan_audits.spaces.search.neighbours import nearest, upright

FOLDS = 5
FEWEST = 40  # patients with several images; from fewer nobody learns what people keep from day to day
DIMENSIONS = 32
RIDGE = 0.1  # share of the mean variance within patients that is added to each direction's
FALSE_MATCHES = 0.001  # of pairs of different patients, at the threshold where two images are linked
RARE_MATCHES = 1e-5  # the same where they count as one person's even after a search through thousands
COMPARED = 2_000  # images of a fold, at most, whose pairs set the thresholds
MOST_IMAGES = 8  # of one patient among them
TASK = to_tr("re-identification")


def measure(evidence: Evidence, rng: np.random.Generator, progress: Progress = silent) -> Outcome:
    """Look for every patient among the synthetic images."""
    del rng  # nothing here is left to chance
    if evidence.non_members is None:
        return NotRun(reason=NO_NON_MEMBERS)
    scores = patient_scores(evidence, progress)
    several = int((np.bincount(scores.owner[~scores.flat]) > 1).sum())
    counted = {"patients_with_several_images": several}
    if several < FEWEST:
        reason = kept(
            "{count} patients have two images or more, {least} are needed to learn to recognise people",
            count=several,
            least=FEWEST,
        )
        return NotApplicable(reason=reason, findings=counted)
    found = recognise(scores, synthetic_points(evidence, scores), progress)
    findings = {
        **near_copy_findings(scores.non_member[scores.closest_first(found.patient)]),
        "members_linked": float(found.linked[~scores.non_member].mean()),
        "non_members_linked": float(found.linked[scores.non_member].mean()),
        "threshold_share": FALSE_MATCHES,
        "members_recognised": float(found.recognised[~scores.non_member].mean()),
        "non_members_recognised": float(found.recognised[scores.non_member].mean()),
        "rare_share": RARE_MATCHES,
        "detector_auc": found.auc,
        "detector_recall": found.recall,
        **counted,
    }
    return Measured(findings=findings)


@dataclass(frozen=True, kw_only=True, eq=False)
class Recognition:
    """Per patient (P,): the smallest d / d_R, and whether a synthetic image passes for one of theirs.

    linked, recognised: where FALSE_MATCHES and RARE_MATCHES of pairs of different patients would pass. The first is
    what detectors are compared at; many are linked by chance, since each is looked for among all synthetic images.
    auc: P(two images of one patient are closer than two of different patients), on patients held back; recall: the
    share of pairs of one patient that the threshold admits. Every patient with several images counts alike.
    """

    patient: Floats
    linked: Flags
    recognised: Flags
    auc: float
    recall: float


@dataclass(frozen=True, kw_only=True, eq=False)
class _Fold:
    """Per image (n,): d / d_R, linked, recognised. Per pair of images of one patient: who, rank, admitted."""

    score: Floats
    linked: Flags
    recognised: Flags
    pairs: tuple[Integers, Floats, Floats]


def recognise(scores: Scores, synthetic: Singles, progress: Progress = silent) -> Recognition:
    """Look for all patients.

    Args:
        scores: whose embedding holds the real images; constant ones are left out.
        synthetic: float32 (m, d), in the same embedding.
        progress: told of every fold.
    """
    rows = np.argsort(scores.place[scores.owner], kind="stable")  # so that not even rounding knows who is a member
    rows = rows[~scores.flat[rows]]
    real, owner = scores.embedding.points[rows], scores.owner[rows]
    fold = scores.place[owner] % FOLDS
    score, linked, recognised = np.empty(len(rows)), *np.zeros((2, len(rows)), bool)
    pairs = []
    for number in range(FOLDS):
        held = fold == number
        found = _fold(real, synthetic, owner, held)
        score[held], linked[held], recognised[held] = found.score, found.linked, found.recognised
        pairs.append(found.pairs)
        progress(tr(TASK), number + 1, FOLDS)
    who, rank, admitted = (np.concatenate(column) for column in zip(*pairs, strict=True))
    patients = len(scores.non_member)
    return Recognition(
        patient=smallest_per_patient(score, owner, patients),
        linked=np.bincount(owner[linked], minlength=patients) > 0,
        recognised=np.bincount(owner[recognised], minlength=patients) > 0,
        auc=_by_patient(rank, who),
        recall=_by_patient(admitted, who),
    )


def _fold(real: Singles, synthetic: Singles, owner: Integers, held: Flags) -> _Fold:
    """Patients held back, by directions that the others gave."""
    centre, directions = fisher_directions(real[~held].astype(np.float64), owner[~held])
    people, strangers = (_unit((points - centre) @ directions) for points in (real, synthetic))
    to_synthetic = nearest(people[held], strangers, k=1, turns=upright).distances[:, 0]
    to_real = nearest(people[held], people, k=1, turns=upright, apart=(owner[held], owner)).distances[:, 0]
    limits, pairs = _detector(people[held], owner[held])
    return _Fold(
        score=to_synthetic / np.maximum(to_real, SMALLEST_REFERENCE),
        linked=to_synthetic < limits[0],
        recognised=to_synthetic < limits[1],
        pairs=pairs,
    )


def fisher_directions(points: Floats, owner: Integers) -> tuple[Floats, Floats]:
    """Centre (d,) and directions (d, at most DIMENSIONS) along which patients differ most beside themselves.

    The variance of all images over that within patients, in which every patient with several images counts alike.

    Args:
        points: float64 (n, d).
        owner: patient of each (n,).
    """
    centre = points.mean(axis=0)
    numbers, counts = np.unique(owner, return_inverse=True, return_counts=True)[1:]
    means = np.zeros((len(counts), points.shape[1]))
    np.add.at(means, numbers, points)
    change = (points - (means / counts[:, None])[numbers]) / np.sqrt(np.maximum(counts - 1, 1))[numbers, None]
    within = change.T @ change / max(1, int((counts > 1).sum()))
    within += (RIDGE * within.diagonal().mean() + 1e-12) * np.eye(len(within))
    between = (points - centre).T @ (points - centre) / len(points)
    kept = min(DIMENSIONS, len(within))
    last = (len(within) - kept, len(within) - 1)
    return centre, np.asarray(scipy.linalg.eigh(between, within, subset_by_index=last)[1])


def _detector(people: Singles, owner: Integers) -> tuple[Floats, tuple[Integers, Floats, Floats]]:
    """The distances below which FALSE_MATCHES and RARE_MATCHES of pairs of different patients lie: (2,).

    And of each pair of one patient: who it is, the share of other pairs that are less alike, whether it is linked.

    Args:
        people: float32 (n, d), of unit norm.
        owner: patient of each (n,), all images of one in a row.
    """
    first, patient = np.unique(owner, return_index=True, return_inverse=True)[1:]
    few = np.flatnonzero(np.arange(len(owner)) - first[patient] < MOST_IMAGES)[:COMPARED]
    people, owner = people[few], owner[few]
    one, other = np.triu_indices(len(people), 1)
    likeness = (people @ people.T)[one, other].astype(np.float64)
    same = owner[one] == owner[other]
    different = np.sort(likeness[~same])
    if not len(different):  # a single patient
        return np.zeros(2), (owner[:0], np.zeros(0), np.zeros(0))
    shares = np.array([FALSE_MATCHES, RARE_MATCHES])
    thresholds = different[len(different) - 1 - (shares * len(different)).astype(np.int64)]
    below, up_to = (np.searchsorted(different, likeness[same], side) for side in ("left", "right"))
    rank, admitted = (below + up_to) / (2 * len(different)), (likeness[same] > thresholds[0]).astype(np.float64)
    return np.sqrt(np.maximum(0.0, 2 - 2 * thresholds)), (owner[one][same], rank, admitted)


def _by_patient(values: Floats, who: Integers) -> float:
    """The mean over patients of the means of their pairs."""
    numbers, counts = np.unique(who, return_inverse=True, return_counts=True)[1:]
    return float((np.bincount(numbers, values) / counts).mean()) if len(counts) else float("nan")


def _unit(points: Floats) -> Singles:
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    return (points / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)
