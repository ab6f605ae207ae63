"""The membership attacks of T3, each a score per patient: the smaller, the likelier a member.

All learn from members and non-members alike, so that a score cannot know which a patient was. Distances see copies,
a density ratio sees regions that the generator filled too well, a classifier sees whatever marks an image as
synthetic; an overfitted generator gives its members away to some of them, rarely to all.
"""

from weakref import WeakKeyDictionary

import numpy as np

from privgan.arrays import Floats, Singles
from privgan.language import tr
from privgan.progress import Progress, silent
from privgan_audits.evidence.interface import Evidence
from privgan_audits.questions.scores import Scores, patient_scores, smallest_per_patient, synthetic_points
from privgan_audits.spaces.search.neighbours import nearest, upright

NEIGHBOURS = 5  # whose distance estimates a density
FOLDS = 5
_SMALLEST_RADIUS = 1e-6


_CACHE: WeakKeyDictionary[Evidence, dict[str, Floats]] = WeakKeyDictionary()


def attack_scores(evidence: Evidence, progress: Progress = silent) -> dict[str, Floats]:
    """Every attack's score of every patient, float64 (P,), by the attack's name; computed once per evidence."""
    if evidence not in _CACHE:
        _CACHE[evidence] = measure_attacks(evidence, patient_scores(evidence, progress), progress)
    return _CACHE[evidence]


def measure_attacks(evidence: Evidence, scores: Scores, progress: Progress) -> dict[str, Floats]:
    """Every attack on scores that are already there."""
    attacks = {f"distance in {name}": each.patient for name, each in scores.whole.items()}
    real, synthetic = scores.embedding.points, synthetic_points(evidence, scores)
    for done, (name, attack) in enumerate((("density ratio", density_ratio), ("classifier", looks_real))):
        progress(tr("membership attacks"), done, 2, tr(name))
        image = np.where(scores.flat, np.inf, attack(real, synthetic, scores))
        attacks[name] = smallest_per_patient(image, scores.owner, len(scores.non_member))
    progress(tr("membership attacks"), 2, 2)
    return attacks


def density_ratio(real: Singles, synthetic: Singles, scores: Scores) -> Floats:
    """Log density of the real images over that of the synthetic ones at each real image: (n,).

    The density ratio attack of van Breugel et al. (2023, "Membership inference attacks against synthetic data
    through overfitting detection"), with nearest-neighbour densities: kernels fail in many dimensions, and the
    ratio of the radii that hold k neighbours needs no exponential. The reference is everybody else.

    Args:
        real: float32 (n, d).
        synthetic: float32 (m, d).
        scores: whose owner (n,) keeps a patient's own images out of the reference.
    """
    k = min(NEIGHBOURS, len(synthetic))
    ranks, apart = scores.embedding.ranks, (scores.owner, scores.owner)
    to_synthetic = nearest(real, synthetic, k=k, turns=upright, ranks=ranks).distances[:, -1]
    to_real = nearest(real, real, k=k, turns=upright, apart=apart, ranks=ranks).distances[:, -1]
    found: Floats = np.log(np.maximum(to_synthetic, _SMALLEST_RADIUS)) - np.log(np.maximum(to_real, _SMALLEST_RADIUS))
    return found


def looks_real(real: Singles, synthetic: Singles, scores: Scores) -> Floats:
    """How surely a classifier calls each real image real: its logit (n,).

    The attack of Hayes et al. (2019, "LOGAN") without the discriminator: a classifier of synthetic against real
    images learns on the other folds of patients, members and non-members alike, and scores those left out.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    of_image, found = scores.place[scores.owner] % FOLDS, np.zeros(len(real))
    for left_out in np.unique(of_image):
        learning, scored = of_image != left_out, of_image == left_out
        if not learning.any():
            continue
        features = np.concatenate([real[learning], synthetic]).astype(np.float64)
        is_real = np.arange(len(features)) < learning.sum()
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=[0.5, 0.5])
        found[scored] = model.fit(features, is_real).decision_function(real[scored])
    return found
