"""T3: can someone who holds a person's image tell from the synthetic set whether that person was a member?

One calibrated distance attack (`scores`), judged over its whole range: the AUC sees many members leaking a
little, the true-positive rate at 1 % false positives sees a few leaking a lot (Carlini et al. 2022).
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from privgan.progress import Progress, silent
from privgan_audits import statistics as st
from privgan_audits.interface import Evidence, Measured, NotRun, Outcome
from privgan_audits.near_copies import NO_NON_MEMBERS
from privgan_audits.scores import patient_scores
from privgan_audits.statistics import Order

FPR = 0.01
ONE_SIDED = 0.05  # error of each one-sided bound that the verdict reads
EPSILON_ERROR = 0.01  # error of the lower bound on epsilon
_Z_ONE_SIDED, _Z_TWO_SIDED = 1.6448536269514722, 1.959963984540054
_GRID = np.geomspace(1e-3, 1.0, 121)


@dataclass(frozen=True, kw_only=True)
class Membership:
    """T3 with one attack."""

    id: ClassVar[str] = "T3"
    title: ClassVar[str] = "Can someone tell who was in the training data?"

    def run(self, evidence: Evidence, rng: np.random.Generator, progress: Progress = silent) -> Outcome:
        """Rank all patients by the attack's score and measure how well that separates members."""
        if evidence.non_members is None:
            return NotRun(test=self.id, reason=NO_NON_MEMBERS)
        scores = patient_scores(evidence, progress)
        order = st.rank_patients(scores.patient, scores.non_member, rng)
        delta = evidence.claim.spend.delta if evidence.claim else 0.0
        false, true = st.roc(order)
        return Measured(
            test=self.id,
            findings={**membership_findings(order), **epsilon_findings(order, delta)},
            series={
                "fpr": _GRID.tolist(),
                "tpr": true[np.searchsorted(false, _GRID, side="right") - 1].tolist(),
                "tpr_low": st.roc_lower_band(order, _GRID, ONE_SIDED).tolist(),
            },
            internal={
                "members": scores.patient[~scores.non_member].tolist(),
                "non_members": scores.patient[scores.non_member].tolist(),
            },
        )


def membership_findings(order: Order) -> dict[str, Any]:
    """What the verdict reads of an order of patients, closest first."""
    non_members = int(order.sum())
    members = len(order) - non_members
    area, se = st.auc(order), st.auc_se(order)
    low, high = st.tpr_bounds(order, FPR, ONE_SIDED)
    return {
        "p": membership_p(order),
        "auc": area,
        "auc_interval": [max(0.0, area - _Z_TWO_SIDED * se), min(1.0, area + _Z_TWO_SIDED * se)],
        "auc_lower": area - _Z_ONE_SIDED * se,
        "auc_upper": area + _Z_ONE_SIDED * se,
        "auc_se_when_safe": st.auc_null_se(members, non_members),
        "tpr_at_1_percent_fpr": st.precedence_count(order, st.tpr_rank(non_members, FPR)) / members,
        "tpr_lower": low,
        "tpr_upper": high,
    }


def membership_p(order: Order) -> float:
    """One p-value for the AUC and the tail together, by Bonferroni.

    The two say nearly independent things, so that the correction for two costs next to nothing (at most
    alpha^2 / 4), and unlike a simulated law it has no smallest p-value, which later attempts would need.
    """
    non_members = int(order.sum())
    members = len(order) - non_members
    rank = st.tpr_rank(non_members, FPR)
    tail = float(st.precedence_tails(members, non_members, rank)[st.precedence_count(order, rank)])
    return min(1.0, 2 * min(st.auc_p(order), tail))


def epsilon_findings(order: Order, delta: float) -> dict[str, float]:
    """A lower bound on epsilon that this attack proves, beside the largest it could have proved."""
    measured, largest = st.epsilon_lower_bound(order, fpr=FPR, delta=delta, error=EPSILON_ERROR)
    return {"epsilon_lower_bound": measured, "largest_provable_epsilon": largest}
