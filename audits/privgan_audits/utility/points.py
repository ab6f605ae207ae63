"""The same number of synthetic and of held-back images beside the same members, as points in one feature space."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privgan.progress import Progress, silent
from privgan_audits.interface import Evidence, Integers, Sample
from privgan_audits.scores import EMBEDDING, ENCODER, patient_scores
from privgan_audits.spaces.pixels import Grid
from privgan_audits.spaces.space import VectorSpace
from privgan_audits.utility.drawing import drawn

LARGEST = 5_000  # points a side
_PRODUCTS = LARGEST**2 * 128  # multiplications of one comparison: encoders of more than 128 features get fewer points
FEWEST = 50  # images of a class, below which numbers about it say nothing


@dataclass(frozen=True, kw_only=True, eq=False)
class Points:
    """Rows of unit norm. X (n, d): one image of each of n members. reference, synthetic: (m, d) each, m <= n or not.

    The reference is one image of each of m held-back patients: what "as good as real" would be. labels: of each, by
    the same names.
    """

    space: str
    X: Grid
    reference: Grid
    synthetic: Grid
    labels: dict[str, Integers]

    def of_class(self, label: int) -> "Points | None":
        """Those of one class, as many of the reference as of the synthetic set; None if there are too few."""
        rows = {name: np.flatnonzero(values == label) for name, values in self.labels.items()}
        if min(len(chosen) for chosen in rows.values()) < FEWEST:
            return None
        fewer = min(len(rows["reference"]), len(rows["synthetic"]))
        rows |= {name: rows[name][:fewer] for name in ("reference", "synthetic")}
        return Points(
            space=self.space,
            X=self.X[rows["X"]],
            reference=self.reference[rows["reference"]],
            synthetic=self.synthetic[rows["synthetic"]],
            labels={name: self.labels[name][chosen] for name, chosen in rows.items()},
        )


def draw_points(evidence: Evidence, rng: np.random.Generator, progress: Progress = silent) -> Points:
    """Draw the images and look them up, in the hospital's encoder if there is one, else in the audit's embedding.

    Real images of one patient resemble each other and would make every neighbourhood look small: one is drawn of
    each. Synthetic images are drawn with the members' shares of classes, so that shares, which the user chose,
    are not taken for likeness.

    Raises:
        UsageError: there are no non-members.
    """
    space = _space(evidence, progress)
    members, synthetic = evidence.members, evidence.synthetic
    others = evidence.non_members
    assert others is not None  # noqa: S101 patient_scores refused it
    limit = min(LARGEST, math.isqrt(_PRODUCTS // space.points.shape[1]))
    real = _shuffled(members, limit, rng)
    held = _shuffled(others, limit, rng)
    made = _with_shares(synthetic.labels, members.labels[real], min(limit, len(held)), rng)
    held = held[: len(made)]
    return Points(
        space=space.name,
        X=space.points[real],
        reference=space.points[len(members.images) + held],
        synthetic=space.place(synthetic.images[made]),
        labels={"X": members.labels[real], "reference": others.labels[held], "synthetic": synthetic.labels[made]},
    )


def _space(evidence: Evidence, progress: Progress) -> VectorSpace:
    scores = patient_scores(evidence, progress)
    if ENCODER in scores.spaces:
        found = scores.spaces[ENCODER].space
        if isinstance(found, VectorSpace):
            return found
    return scores.embedding


def _shuffled(sample: Sample, limit: int, rng: np.random.Generator) -> Integers:
    """Rows of one image of each of at most `limit` patients, in random order."""
    return rng.permutation(drawn(sample, rng, patients=limit, each=1))


def _with_shares(labels: Integers, wanted: Integers, limit: int, rng: np.random.Generator) -> Integers:
    """At most `limit` random rows whose labels (n,) have the shares of those wanted (m,), in random order.

    As many as the scarcest class allows, if it has `FEWEST` images; of scarcer classes all there are.
    """
    names, counts = np.unique(wanted, return_counts=True)
    shares = counts / counts.sum()
    there = np.array([(labels == name).sum() for name in names])
    usable = there >= FEWEST
    if not usable.any():
        return rng.permutation(len(labels))[:limit]
    total = min(float(limit), float((there / shares)[usable].min()))
    rows = [
        rng.permutation(np.flatnonzero(labels == name))[: round(total * share)]
        for name, share in zip(names, shares, strict=True)
    ]
    return rng.permutation(np.concatenate(rows))[:limit]
