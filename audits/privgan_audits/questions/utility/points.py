"""The same number of synthetic and of held-back images beside the same members, as points in one feature space."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from privgan.arrays import Floats, Images, Integers, Singles
from privgan.images.stored import joined
from privgan.progress import Progress, silent
from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.questions.scores import EMBEDDING, ENCODER
from privgan_audits.questions.utility.drawing import drawn, seen_by
from privgan_audits.questions.utility.spectrum import radial_spectra
from privgan_audits.spaces.embedding import train_embedding

LARGEST = 3_000  # points a side: rates are then within 2 %
_PRODUCTS = LARGEST**2 * 256  # multiplications of one comparison: with more than 256 features there are fewer points
FEWEST = 50  # images of a class, below which numbers about it say nothing


@dataclass(frozen=True, kw_only=True, eq=False)
class Points:
    """X (n, d): one image of each of n members, of mean 0 and variance 1 altogether. reference, synthetic: (m, d).

    The reference is one image of each of m held-back patients: what "as good as real" would be. labels: of each, by
    the same names. spectra: log power of each image at each radial frequency, by the same names.
    """

    space: str
    X: Singles
    reference: Singles
    synthetic: Singles
    labels: dict[str, Integers]
    spectra: dict[str, Floats]

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
            spectra={name: self.spectra[name][chosen] for name, chosen in rows.items()},
        )


def draw_points(evidence: Evidence, others: Sample, rng: np.random.Generator, progress: Progress = silent) -> Points:
    """Draw the images and look them up, in the hospital's encoder if there is one, else in the audit's embedding.

    Real images of one patient resemble each other and would make every neighbourhood look small: one is drawn of
    each. Synthetic images are drawn with the members' shares of classes, so that shares, which the user chose,
    are not taken for likeness.

    Args:
        evidence: of the audit.
        others: its non-members.
        rng: all chance comes from here.
        progress: listener.
    """
    members, synthetic = evidence.members, evidence.synthetic
    space, look = _space(evidence, others, progress)
    limit = min(LARGEST, math.isqrt(_PRODUCTS // look(synthetic.images[:1]).shape[1]))
    real, held = _shuffled(members, limit, rng), _shuffled(others, limit, rng)
    made = _with_shares(synthetic.labels, members.labels[real], min(limit, len(held)), rng)
    held = held[: len(made)]
    X = seen_by(look, members.images, real)
    centre = X.mean(axis=0, dtype=np.float64)
    unit = float(np.sqrt(np.square(X - centre).sum(axis=1).mean())) or 1.0

    def placed(points: Singles) -> Singles:
        return np.asarray((points - centre) / unit, dtype=np.float32)

    return Points(
        space=space,
        X=placed(X),
        reference=placed(seen_by(look, others.images, held)),
        synthetic=placed(seen_by(look, synthetic.images, made)),
        labels={"X": members.labels[real], "reference": others.labels[held], "synthetic": synthetic.labels[made]},
        spectra={
            "X": radial_spectra(members.images, real),
            "reference": radial_spectra(others.images, held),
            "synthetic": radial_spectra(synthetic.images, made),
        },
    )


def _space(evidence: Evidence, others: Sample, progress: Progress) -> tuple[str, Callable[[Images], Singles]]:
    """Its name, and how images come into it."""
    if evidence.encoder is not None:
        return ENCODER, evidence.encoder.embed
    # What `patient_scores` learned, or will.
    learned = train_embedding(joined(evidence.members.images, others.images), progress)
    return EMBEDDING, learned.describe


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
