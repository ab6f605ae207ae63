"""T3: can someone who holds a person's image tell from the synthetic set whether that person was a member?

Several attacks (`attacks`) and their ensemble, judged over the whole range: the AUC sees many members leaking a
little, the true-positive rate at 1 % false positives sees a few leaking a lot (Carlini et al. 2022). One
permutation test takes the strongest of all of them. Upper bounds, which a PASS needs, are the ensemble's.
"""

import numpy as np

from privgan.language import tr
from privgan.progress import Progress, silent
from privgan_audits.evidence.interface import NO_NON_MEMBERS, Evidence, Measured, NotRun, Outcome
from privgan_audits.questions.membership.attacks import attack_scores
from privgan_audits.questions.membership.statistic import (
    ENSEMBLE,
    ONE_SIDED,
    epsilon_findings,
    membership_findings,
    with_ensemble,
)
from privgan_audits.questions.scores import Scores, patient_scores
from privgan_audits.stats import statistics as st
from privgan_audits.stats.pools import relabellings

_GRID = np.geomspace(1e-3, 1.0, 121)
_BINS = 30  # of the distances


def measure(evidence: Evidence, rng: np.random.Generator, progress: Progress = silent) -> Outcome:
    """Rank all patients by every attack and measure how well that separates members."""
    if evidence.non_members is None:
        return NotRun(reason=NO_NON_MEMBERS)
    scores = patient_scores(evidence, progress)
    ranked = with_ensemble(attack_scores(evidence, progress), scores.closest_first)
    progress(tr("membership"), 0, 1)
    pool = relabellings(len(scores.non_member), scores.non_members, rng)
    findings = membership_findings(ranked, scores.non_member, pool)
    order = scores.non_member[ranked[ENSEMBLE]]
    delta = evidence.claim.spend.delta if evidence.claim else 0.0
    false, true = st.roc(order)
    progress(tr("membership"), 1, 1)
    return Measured(
        findings={**findings, **epsilon_findings(ranked, scores.non_member, delta)},
        series={
            "fpr": _GRID.tolist(),
            "tpr": true[np.searchsorted(false, _GRID, side="right") - 1].tolist(),
            "tpr_low": st.roc_lower_band(order, _GRID, ONE_SIDED).tolist(),
            "distances": _distances(scores),
        },
    )


def _distances(scores: Scores) -> dict[str, list[float]]:
    """Both groups' shares of patients in bins of their distance in the first space, for the chart."""
    patient = next(iter(scores.ranked.values())).patient
    finite = np.isfinite(patient)
    if not finite.any():
        return {}
    edges = np.linspace(patient[finite].min(), np.quantile(patient[finite], 0.995), _BINS + 1)
    found = {"edges": edges.tolist()}
    for name, side in (("members", ~scores.non_member), ("non_members", scores.non_member)):
        values = np.clip(patient[finite & side], edges[0], edges[-1])
        found[name] = (np.histogram(values, edges)[0] / max(1, len(values))).tolist()
    return found
