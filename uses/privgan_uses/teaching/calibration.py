"""From what a network puts out to chances that can be taken at their word, and from chances to a call.

One number, the temperature, divides every output (Guo et al. 2017, "On calibration of modern neural networks"); it
changes no order of classes. It is fitted to images that the network did not learn from, with their labels a little
doubted, as Platt 1999 ("Probabilistic outputs for support vector machines") has it: of few images that are all called
right no certainty follows.
"""

import math

import numpy as np
import torch.nn.functional as F
from scipy.optimize import minimize_scalar
from torch import Tensor

from privgan.arrays import Flags, Floats, Integers

_COLDEST, _HOTTEST = 1 / 32, 32.0


def temperature_of(logits: Tensor, labels: Integers, weights: Floats) -> float:
    """The temperature at which chances fit the labels best.

    Args:
        logits: float64 (n, classes).
        labels: int64 (n,).
        weights: float64 (n,), how much each image counts.
    """
    wanted = doubted(labels, logits.shape[1])

    def loss(cold: float) -> float:
        chances = F.log_softmax(logits / math.exp(cold), dim=1).numpy()
        return float(-(weights @ (wanted * chances).sum(axis=1)))

    ends = (math.log(_COLDEST), math.log(_HOTTEST))
    found = minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-6})
    return math.exp(float(found.x))


def doubted(labels: Integers, classes: int) -> Floats:
    """What is wanted of each image, float64 (n, classes): of a class of m images (m + 1) / (m + 2) is its own.

    The rest is shared out among the others, so that many classes are not doubted more than two.

    >>> doubted(np.array([0, 0, 1]), 2).round(2).tolist()
    [[0.75, 0.25], [0.75, 0.25], [0.33, 0.67]]
    """
    counts = np.bincount(labels, minlength=classes)[labels, None]
    own = np.eye(classes)[labels]
    doubt: Floats = np.where(own > 0, counts + 1, 1 / (classes - 1)) / (counts + 2)
    return doubt


def threshold_of(chances: Floats, positive: Flags) -> float:
    """The chance from which on an image is called a class: sensitivity plus specificity is highest (Youden 1950).

    Half way between the two chances that it separates; of several that are as good the one in the middle.

    Args:
        chances: float64 (n,), of the class.
        positive: bool (n,), which images are of it; some are, and some are not.
    """
    values = np.unique(chances)
    between = np.concatenate([[0.0], (values[1:] + values[:-1]) / 2, [1.0]])
    hits, others = np.sort(chances[positive]), np.sort(chances[~positive])
    above = (len(hits) - np.searchsorted(hits, between)) / len(hits)
    below = np.searchsorted(others, between) / len(others)
    best = np.flatnonzero(np.isclose(above + below, (above + below).max(), rtol=0, atol=1e-12))
    return float(between[best[len(best) // 2]])
