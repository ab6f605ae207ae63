"""The discriminator's own opinion: it was taught to call the members' images real, and may know them by heart."""

import numpy as np
import torch

from privgan.arrays import Floats, Images, Integers
from privgan.gan.networks import Discriminator
from privgan.images.blocks import at_once
from privgan.images.pixels import from_uint8
from privgan.language import tr
from privgan.progress import Progress, silent
from privgan_audits.spaces.search.compared import image_digests

_BLOCK = 256


def discriminator_scores(
    discriminator: Discriminator, images: Images, told: Integers, progress: Progress = silent
) -> Floats:
    """Minus the logit of each image, float64 (n,): the smaller, the likelier a member's.

    The white-box attack of Hayes et al. (2019, "LOGAN"). Images are taken in the order of their digests, so that
    not even rounding depends on the order of the rows.

    Args:
        discriminator: in evaluation mode.
        images: uint8 (n, h, h, c).
        told: labels int64 (n,), or the patients' own records (n, 1 + columns), if it was taught with such.
        progress: listener.
    """
    order, found = np.lexsort((*told.reshape(len(told), -1).T, image_digests(images))), np.empty(len(images))
    block = at_once(_BLOCK, images.shape[1])
    for start in range(0, len(images), block):
        rows = order[start : start + block]
        with torch.no_grad():
            found[rows] = -discriminator(from_uint8(images[rows]), torch.from_numpy(told[rows])).double().numpy()
        progress(tr("asking the discriminator"), start + len(rows), len(images))
    return found
