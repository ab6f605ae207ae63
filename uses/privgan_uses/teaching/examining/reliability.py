"""Whether what is said to happen in seven of ten cases does, told apart from what luck shows of few patients.

Of few patients even perfect chances seem to be off, the further the fewer there are: a mean of squares is never
below what its terms vary by. So that is taken away, in every bin (Kumar, Liang and Ma 2019, "Verified uncertainty
calibration"), and what is left is right on average, and about nought for perfect chances.
"""

from typing import Any

import numpy as np

from privgan.arrays import Flags, Floats, Integers
from privgan_audits.questions.utility.examination import Curve, Examination
from privgan_uses.teaching.examining.patients import FEWEST

BINS = 10  # of chances, each a tenth wide


def reliability(exam: Examination, chances: Floats) -> dict[str, Any]:
    """Calibration error, Brier score and diagram, as JSON has them.

    Of each image the likeliest class counts (Guo et al. 2017). The error is the root of the mean square over bins.
    What varies within a bin it does not see: the true error may be larger. The Brier score sums over classes (Brier
    1950), from 0, perfect, to 2.

    Args:
        exam: the labels, and patients drawn again and again.
        chances: float64 (n, classes).
    """
    said, right = chances.max(axis=1), chances.argmax(axis=1) == exam.labels
    place = np.minimum((said * BINS).astype(np.int64), BINS - 1)
    brier = ((chances - np.eye(exam.classes)[exam.labels]) ** 2).sum(axis=1) / 2
    half = exam.mean(brier, np.ones(len(said), dtype=np.bool_)).to_json()
    return {
        "error": calibration_error(exam, said, right, place).to_json(),
        "brier": {name: 2 * value for name, value in half.items()},
        "bins": [
            {
                "patients": exam.patients(inside),
                "said": float(np.average(said[inside], weights=exam.weights[inside])),
                "right": exam.rate(right, inside).to_json(),
            }
            for number in range(BINS)
            for inside in (place == number,)
            if exam.patients(inside) >= FEWEST
        ],
    }


def calibration_error(exam: Examination, said: Floats, right: Flags, place: Integers) -> Curve:
    """The root mean square over bins of how far what was said lies from what was right; in each draw.

    A square is taken without its luck. A draw of patients has luck twice, that of the patients and that of the draw,
    and both are taken away; with one of them left, an interval of few patients would lie above the truth.

    Args:
        exam: of n images.
        said: float64 (n,), chances.
        right: bool (n,), whether it was so.
        place: int64 (n,), the bins, 0..BINS-1.
    """
    with_luck, luck = squares(exam, said - right, place)
    found = with_luck - luck
    found[1:] -= luck[0]
    return Curve(values=np.sqrt(np.clip(found, 0, 1)), patients=exam.draws.shape[1])


def squares(exam: Examination, gaps: Floats, place: Integers) -> tuple[Floats, Floats]:
    """The mean over bins of the squared mean gap by patients' weight, and what luck adds to it; in each draw.

    Luck is the variance of a bin's mean between patients; a bin of a single one counts as luck alone.

    Returns:
        Two arrays float64 (1 + resamples,).
    """
    people, whole, luck = exam.draws.shape[1], np.zeros(len(exam.draws)), np.zeros(len(exam.draws))
    for number in range(BINS):
        weight, gap = (
            np.bincount(exam.owner, exam.weights * each, people)
            for each in (place == number, (place == number) * gaps)
        )
        drawn = exam.draws @ np.stack([weight > 0, weight, gap, weight**2, weight * gap, gap**2], axis=1)
        count, weights, total, ww, wg, gg = drawn.T
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = total / weights
            spread = np.maximum(gg - 2 * mean * wg + mean**2 * ww, 0) * count / (count - 1)
            square, of_mean = weights * mean**2, spread / weights
        whole += np.where(count > 0, square, 0)
        luck += np.where(count > 1, of_mean, np.where(count > 0, square, 0))
    weights = exam.draws.sum(axis=1)
    return whole / weights, luck / weights
