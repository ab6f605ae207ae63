"""What a copied image may look like when it leaks: the disguises in which copies are planted to test the audit.

None of them is one that the audit's embedding learns to forgive (`spaces.augment`), or the audit would measure how
well it learned. Each belongs to a family of what a generator might do to an image that it knows by heart: give it
other tones, keep a part or some frequencies of it, mix it with another, move it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Images
from privgan.images.blocks import at_once
from privgan.images.form import ImageForm
from privgan_audits.questions.controls import changes

PLAIN, TONES, PARTS, BANDS, MIXTURES, MOVES = "plain", "tones", "parts", "frequencies", "mixtures", "moves"
FAMILIES = (PLAIN, TONES, PARTS, BANDS, MIXTURES, MOVES)


@dataclass(frozen=True, kw_only=True)
class Disguise:
    """One kind of change.

    family: of FAMILIES. change: takes images uint8 (n, h, h, c), as many others of the same form that they may be put
    on or mixed with, and what draws; gives grey values of that shape.
    """

    family: str
    change: Callable[[Images, Images, np.random.Generator], NDArray[np.generic]]


def disguised(images: Images, others: Images, disguise: Disguise, rng: np.random.Generator) -> Images:
    """Images uint8 (n, h, h, c) in a disguise, rounded to whole values.

    Args:
        images: to be disguised.
        others: at least one image of nobody who is copied, uint8 (m, h, h, c).
        disguise: what to do.
        rng: draws which others, and what noise.
    """
    beside, made = rng.integers(0, len(others), len(images)), np.empty_like(images)
    size = at_once(len(images), images.shape[1])
    for start in range(0, len(images), size):
        some = slice(start, start + size)
        levels = disguise.change(images[some], others[beside[some]], rng)
        made[some] = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return made


DISGUISES: Mapping[str, Disguise] = {
    "exact": Disguise(family=PLAIN, change=lambda images, _, __: images),
    "flip": Disguise(family=PLAIN, change=lambda images, _, __: images[:, :, ::-1]),
    "rotation_90_degrees": Disguise(family=PLAIN, change=lambda images, _, __: np.rot90(images, axes=(1, 2))),
    "noise_4_percent": Disguise(family=PLAIN, change=changes.noise(0.04)),
    "noise_10_percent": Disguise(family=PLAIN, change=changes.noise(0.1)),
    "blur": Disguise(family=PLAIN, change=changes.blur(0.03)),
    "jpeg_30": Disguise(family=PLAIN, change=changes.jpeg(30)),
    "negative": Disguise(family=TONES, change=changes.negative),
    "equalised": Disguise(family=TONES, change=changes.equalised),
    "gamma_1_8": Disguise(family=TONES, change=changes.gamma(1.8)),
    "left_half": Disguise(family=PARTS, change=changes.part(0.0, 0.0, 1.0, 0.5)),
    "quadrant": Disguise(family=PARTS, change=changes.part(0.0, 0.5, 0.5, 0.5)),
    "ninth": Disguise(family=PARTS, change=changes.part(1 / 3, 1 / 3, 1 / 3, 1 / 3)),
    "quarter_moved": Disguise(family=PARTS, change=changes.moved_part(0.5)),
    "half_size": Disguise(family=PARTS, change=changes.half_size),
    "fine_detail": Disguise(family=BANDS, change=changes.fine_detail(0.08)),
    "coarse_shapes": Disguise(family=BANDS, change=changes.coarse_shapes(0.06)),
    "blend_30_percent": Disguise(family=MIXTURES, change=changes.blend(0.3)),
    "blend_50_percent": Disguise(family=MIXTURES, change=changes.blend(0.5)),
    "rotation_10_degrees": Disguise(family=MOVES, change=changes.rotation(10)),
    "crop_85_percent": Disguise(family=MOVES, change=changes.crop(0.85)),
    "shift_6_percent": Disguise(family=MOVES, change=changes.shift(0.06)),
    "shift_10_percent": Disguise(family=MOVES, change=changes.shift(0.1)),
    "warp": Disguise(family=MOVES, change=changes.warp(0.03)),
}
IN_COLOUR: Mapping[str, Disguise] = {"hue_30_degrees": Disguise(family=TONES, change=changes.hue(30))}


def disguises_of(images: Images) -> Mapping[str, Disguise]:
    """Those that change images (n, h, h, c)."""
    return {**DISGUISES, **IN_COLOUR} if ImageForm.of(images).colour else DISGUISES
