"""Where a classifier looks: what its answer loses when a patch of the image is covered.

Zeiler and Fergus 2014 ("Visualizing and understanding convolutional networks"): it needs nothing of the network but
its answers, so that it shows what the network does and not what a method makes of its gradients. Methods that look
convincing and do not depend on the weights (Adebayo et al. 2018, "Sanity checks for saliency maps") are caught by the
test that gives a network random weights.
"""

import numpy as np

from privgan.arrays import Floats, Images
from privgan_uses.teaching.classifier import Classifier

PATCHES = 15  # along each side, overlapping by half


def places(side: int) -> tuple[list[int], int]:
    """Where patches begin along a side, and how many pixels a patch has.

    >>> places(64)
    ([0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56], 8)
    """
    size = max(2, 2 * side // (PATCHES + 1))
    return np.linspace(0, side - size, PATCHES).round().astype(int).tolist(), size


def occlusion(classifier: Classifier, image: Images, label: int) -> Floats:
    """How much of the log-odds of a class each pixel holds, float64 (h, h): mean over the patches that cover it.

    Positive where the image speaks for the class, negative where it speaks against it. A patch is covered with the
    image's own mean.

    Args:
        classifier: that is asked.
        image: uint8 (h, h, c).
        label: the class.
    """
    starts, size = places(image.shape[0])
    corners = [(top, left) for top in starts for left in starts]
    covered = np.repeat(image[None], 1 + len(corners), axis=0)
    for number, (top, left) in enumerate(corners, start=1):
        covered[number, top : top + size, left : left + size] = image.mean((0, 1)).round()
    answers = _log_odds(classifier.chances(covered)[:, label])
    lost, times = np.zeros(image.shape[:2]), np.zeros(image.shape[:2])
    for answer, (top, left) in zip(answers[1:], corners, strict=True):
        lost[top : top + size, left : left + size] += answers[0] - answer
        times[top : top + size, left : left + size] += 1
    found: Floats = lost / np.maximum(times, 1)
    return found


def _log_odds(chances: Floats) -> Floats:
    sure = np.clip(chances, 1e-12, 1 - 1e-12)
    odds: Floats = np.log(sure) - np.log1p(-sure)
    return odds
