"""What large images ask of a machine, and how little of them is drawn without a public prior; in words, from numbers.

Patients are asked about cosines up to a frequency that does not depend on the size of the images (`image_model`): as
many numbers as an image of that many pixels a side has. What is finer comes from public images.
"""

from privgan.gan.image_model import ImageModel
from privgan.language import kept

_COARSE = 4  # times as many pixels a side as are drawn, from which on it has to be said
# MiB held at 64 and 256 pixels a side, between which it grows with the pixels: docs/results/scaling.md. The last is
# what an audit holds more for every 1,000 patients.
_SIDES = (64, 256)
_TRAIN, _PRIOR, _AUDIT, _MORE = (600, 1800), (900, 1800), (1000, 1800), (150, 480)


def smooth_as(side: int, fine: int) -> int:
    """As how many pixels a side images of `side` are smooth, of which frequencies below `fine` are drawn.

    0 where they are not much larger than that.

    >>> smooth_as(256, 24), smooth_as(64, 24)
    (24, 0)
    """
    return fine if side >= _COARSE * fine else 0


def smoothness(side: int, model: ImageModel) -> str:
    """That images of `side` pixels are as smooth as small ones, if they are much larger than what is asked; or ""."""
    fine = max(model.order, model.fine_order) if model.align else model.order
    if not smooth_as(side, fine):
        return ""
    return kept(
        "without --prior, images of {side} pixels show little more than images of {fine} pixels that were enlarged: "
        "patients' averages are asked about nothing finer, and noisy steps add little. `privgan prior` learns it "
        "from public images.",
        side=side,
        fine=fine,
    )


def memory(side: int) -> str:
    """About how much the verbs hold that hold the most, in grey and with the presets' batches."""
    train, prior, audit, more = (_between(held, side) for held in (_TRAIN, _PRIOR, _AUDIT, _MORE))
    return kept(
        "images of {side} pixels take about {train} GiB of memory in training, {prior} GiB with a prior, and {audit} "
        "GiB in an audit, {more} GiB more for every 1,000 patients.",
        side=side,
        train=train,
        prior=prior,
        audit=audit,
        more=more,
    )


def _between(held: tuple[int, int], side: int) -> str:
    """GiB at a size.

    >>> _between((1024, 2048), 256), _between((1024, 2048), 128)
    ('2.0', '1.2')
    """
    first, last = (edge**2 for edge in _SIDES)
    share = (side**2 - first) / (last - first)
    return f"{(held[0] + share * (held[1] - held[0])) / 1024:.1f}"
