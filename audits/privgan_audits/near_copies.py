"""T2: do synthetic images come closer to members than to patients that nobody trained on?

The statistic counts how many members are closer than the first, the fifth and the twentieth non-member:
distribution-free, exact, and with no threshold to tune. A handful of copied patients is enough, which the
AUC cannot see: copying 1 % of all patients moves it by half a per cent.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from privgan.progress import Progress, silent
from privgan_audits.interface import Evidence, Measured, NotRun, Outcome
from privgan_audits.scores import Scores, patient_scores
from privgan_audits.statistics import Order, near_copy_ranks, precedence_count, precedence_p, rank_patients

_PAIRS_SHOWN = 24
NO_NON_MEMBERS = "there are no non-members to compare with"


@dataclass(frozen=True, kw_only=True)
class NearCopies:
    """T2 in normalised pixels; `internal` holds the closest pairs, member rows first."""

    id: ClassVar[str] = "T2"
    title: ClassVar[str] = "Do synthetic images come closer to members than to other patients?"

    def run(self, evidence: Evidence, rng: np.random.Generator, progress: Progress = silent) -> Outcome:
        """Count members ahead of non-members among the closest patients."""
        if evidence.non_members is None:
            return NotRun(test=self.id, reason=NO_NON_MEMBERS)
        scores = patient_scores(evidence, progress)
        order = rank_patients(scores.patient, scores.non_member, rng)
        return Measured(
            test=self.id,
            findings=near_copy_findings(order),
            internal={"pairs": list(_pairs(scores, evidence))},
        )


def near_copy_findings(order: Order) -> dict[str, Any]:
    """p-value and counts of an order of patients, closest first."""
    non_members = int(order.sum())
    members = len(order) - non_members
    counts = {rank: precedence_count(order, rank) for rank in near_copy_ranks(non_members)}
    return {
        "p": precedence_p(counts, members, non_members),
        "members_before_non_member": {str(rank): count for rank, count in counts.items()},
        "expected_when_safe": {str(rank): rank * members / (non_members + 1) for rank in counts},
    }


def _pairs(scores: Scores, evidence: Evidence) -> Iterator[dict[str, float | int]]:
    """The member closest to the synthetic set, then the next member, each by their closest image."""
    ratio = scores.ratio[: len(evidence.members.images)]
    owner = scores.owner[: len(ratio)]
    seen: set[int] = set()
    for row in np.argsort(ratio, kind="stable"):
        if len(seen) == _PAIRS_SHOWN or not np.isfinite(ratio[row]):
            return
        if owner[row] not in seen:
            seen.add(int(owner[row]))
            yield {
                "member_row": int(row),
                "synthetic_row": int(scores.nearest[row]),
                "ratio": float(ratio[row]),
                "distance": float(scores.distance[row]),
            }
