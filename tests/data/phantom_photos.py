"""Procedural photographs of skin with a mole, plain or of two colours: phantoms that need red, green and blue.

Nothing here is learned or copied from a person. As in `phantom_images`, every patient has a shape, a colour and a
texture of their own, and images of one patient differ as two takes would.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Floats

CLASSES = ("plain", "two-coloured")
_WAVES = 6  # texture: a sum of so many waves
_SKIN = np.array([0.82, 0.62, 0.52])
_BROWN, _BLUE = np.array([0.42, 0.25, 0.18]), np.array([0.25, 0.28, 0.42])


@dataclass(frozen=True, kw_only=True)
class Skin:
    """What does not change between the photographs of one patient; one value a patient in every array (n, ...).

    tone, brown, blue: (n, 3), colours of the skin, the mole and its second part, which is as brown in the class
    "plain". mole: (n, 5), x, y, two radii and an angle; the picture spans -1 to 1 both ways. waves: (n, waves, 3),
    frequencies down and across, and phase. edge: (n, 2), how ragged the mole is and where.
    """

    tone: Floats
    brown: Floats
    blue: Floats
    mole: Floats
    waves: Floats
    edge: Floats

    @classmethod
    def draw(cls, two_coloured: NDArray[np.bool_], rng: np.random.Generator) -> Self:
        """Draw the skin of len(two_coloured) patients."""
        n = len(two_coloured)

        def around(middle: Floats | float, spread: Floats | float, *shape: int) -> Floats:
            return middle + spread * np.clip(rng.standard_normal((n, *shape)), -2, 2)

        brown, blue = around(_BROWN, 0.05, 3), around(_BLUE, 0.04, 3)
        radii = np.exp(around(-0.9, 0.15, 2))
        return cls(
            tone=around(_SKIN, 0.03, 3) + around(0, 0.05, 1),
            brown=brown,
            blue=np.where(two_coloured[:, None], blue, brown),
            mole=np.concatenate([around(0, 0.15, 2), radii, rng.uniform(0, np.pi, (n, 1))], axis=1),
            waves=np.concatenate([around(0, 6, _WAVES, 2), rng.uniform(0, 2 * np.pi, (n, _WAVES, 1))], axis=2),
            edge=np.stack([around(0.15, 0.04), rng.uniform(0, 2 * np.pi, n)], axis=1),
        )

    def take(self, rows: NDArray[np.int64]) -> Self:
        """The skin of the patients with these numbers, repetitions allowed."""
        return replace(self, **{name: value[rows] for name, value in vars(self).items()})


def draw_photos(skin: Skin, rng: np.random.Generator, size: int = 64) -> NDArray[np.uint8]:
    """One photograph of every patient: uint8 (n, size, size, 3)."""
    return np.stack([_photo(skin, row, rng, size) for row in range(len(skin.tone))])


def _photo(skin: Skin, row: int, rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
    line = (np.arange(size) + 0.5) / size * 2 - 1
    down, right = 0.02 * rng.standard_normal(2)
    y, x = np.meshgrid(line + down, line + right, indexing="ij")
    centre_x, centre_y, wide, tall, angle = skin.mole[row]
    along = (x - centre_x) * np.cos(angle) + (y - centre_y) * np.sin(angle)
    across = (y - centre_y) * np.cos(angle) - (x - centre_x) * np.sin(angle)
    ragged, phase = skin.edge[row]
    outline = 1 + ragged * np.sin(5 * np.arctan2(across, along) + phase)
    inside = 1 / (1 + np.exp(np.clip(12 * (np.hypot(along / wide, across / tall) / outline - 1), -30, 30)))
    half = 1 / (1 + np.exp(-8 * along / wide))
    texture = sum(0.02 * np.cos(v * y + u * x + start) for v, u, start in skin.waves[row])
    mole = skin.brown[row] + half[..., None] * (skin.blue[row] - skin.brown[row])
    picture = skin.tone[row] + inside[..., None] * (mole - skin.tone[row]) + np.asarray(texture)[..., None]
    picture = picture * (1 + 0.02 * rng.standard_normal()) + 0.01 * rng.standard_normal((size, size, 3))
    photo: NDArray[np.uint8] = np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8)
    return photo
