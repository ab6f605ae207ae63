"""Mode collapse: does the synthetic set show many different images, or a few over and over?

Two signs. Near duplicates: the share of images whose nearest other one is closer than real images of different
patients come to each other in one case of a hundred. The effective number of different images: the Vendi score, in
which two images count as different once they are as far apart as neighbouring patients. Both are measured of as many
held-back patients too, and only what falls behind them counts.

The thresholds come from simulation on chest X-rays in the audit's embedding (`test_collapse_studies`), in sets of 50,
200 and 1,000. Of 155 sets of fresh real images none fell below 0.96 of the reference's effective number, or had more
than 0.14 near duplicates beyond it. Every image twice leaves 0.57 of that number, a quarter as many images 0.27, half
of a set of 1,000 given to ten images 0.17: partial. A tenth as many images leave 0.13: severe.
"""

from typing import Any

import numpy as np

from privgan.language import to_tr
from privgan_audits.questions.utility.fidelity import nearest_other, vendi_score
from privgan_audits.questions.utility.points import FEWEST, Points

CLOSE = 0.01  # quantile of the distances of real images to their nearest other patient's
COMPARED = 1_000  # images whose effective number is computed: its cost grows with the third power
NONE, PARTIAL, SEVERE, UNKNOWN = to_tr(("none", "partial", "severe", "too few images to say"))
PARTIAL_SHARE, SEVERE_SHARE = 0.7, 0.15  # of the reference's effective number, below which there is collapse
PARTIAL_EXCESS = 0.15  # share of near duplicates beyond the reference's, above which there is some
_SAME_SCALE = 0.5  # of the median distance between neighbouring patients: their kernel is then exp(-2) = 0.14


def measure_diversity(points: Points) -> dict[str, Any]:
    """Near duplicates and effective numbers, of the synthetic set and of the reference, and a judgement.

    Returns:
        `images` compared, `near_duplicates` and `effective_number` with `synthetic` and `reference` each, `collapse`.
    """
    count = min(len(points.X), len(points.synthetic), len(points.reference))
    if count < FEWEST:
        return {"images": count, "collapse": UNKNOWN}
    among_real = nearest_other(points.X[:count])
    close = np.quantile(among_real, CLOSE)
    few = points.X[: min(count, COMPARED)]
    bandwidth = max(_SAME_SCALE * float(np.median(nearest_other(few))), 1e-6)
    sides = {"synthetic": points.synthetic[:count], "reference": points.reference[:count]}
    rates = {name: float((nearest_other(side) < close).mean()) for name, side in sides.items()}
    numbers = {name: vendi_score(side[: len(few)], bandwidth) for name, side in sides.items()}
    return {
        "images": count,
        "near_duplicates": rates,
        "effective_number": numbers | {"of": len(few)},
        "collapse": judge_collapse(
            excess=rates["synthetic"] - rates["reference"], share=numbers["synthetic"] / numbers["reference"]
        ),
    }


def judge_collapse(*, excess: float, share: float) -> str:
    """In one word; a share that is no number is severe.

    Args:
        excess: share of near duplicates beyond the reference's.
        share: effective number over the reference's.
    """
    if not share >= SEVERE_SHARE:
        return SEVERE
    return NONE if share >= PARTIAL_SHARE and excess <= PARTIAL_EXCESS else PARTIAL
