"""Procedural chest-like pictures: body, two lungs, heart, spine, ribs, and in one class an opacity in a lung.

Nothing here is learned or copied from a person. Every patient has a shape and a fine texture of their own, so that
memorising one is possible and an audit has something to find; images of one patient differ as two takes would.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Flags, Floats, Integers, Singles

SIZE = 64
CLASSES = ("clear", "opacity")
HEART_WIDTH, BODY_WIDTH, SHOULDER, OPACITY_SIZE, OPACITY_STRENGTH = 0.24, 0.84, -0.80, 0.15, 0.42  # in the middle
_WAVES = 5  # texture: sums of this many waves each way


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """What does not change between the images of one patient; one value a patient in every array (n, ...).

    Lengths are fractions of half the picture: the picture spans -1 to 1 both ways, y downwards.
    """

    body_width: Floats
    shoulder: Floats
    lung: Floats  # (n, 2, 4): left and right; x, y, half width, half height
    tilt: Floats
    heart: Floats  # (n, 4): x, y, half width, half height
    diaphragm: Floats
    rib_phase: Floats
    rib_count: Floats
    spine_width: Floats
    texture: Floats  # (n, waves, waves) amplitudes
    texture_phase: Floats
    opacity: Floats  # (n, 4): x, y within the lung, size, strength (0 in the class "clear")
    side: Integers

    @classmethod
    def draw(cls, opaque: Flags, rng: np.random.Generator) -> Self:
        """Draw the anatomy of len(opaque) patients; those marked have an opacity."""
        n = len(opaque)

        def around(middle: float, spread: float, *shape: int) -> Floats:
            return middle + spread * np.clip(rng.standard_normal((n, *shape)), -2, 2)

        lung = np.stack(
            [
                np.array([[-0.40, 0.40]]) + around(0, 0.025, 2),
                around(-0.03, 0.03, 1) + around(0, 0.015, 2),
                around(0.255, 0.02, 1) + around(0, 0.01, 2),
                around(0.56, 0.035, 1) + around(0, 0.015, 2),
            ],
            axis=-1,
        )
        heart = np.stack(
            [around(0.10, 0.03), around(0.22, 0.04), around(HEART_WIDTH, 0.03), around(0.29, 0.03)], axis=-1
        )
        opacity = np.stack(
            [
                rng.uniform(-0.35, 0.35, n),
                rng.uniform(-0.45, 0.35, n),
                around(OPACITY_SIZE, 0.02),
                around(OPACITY_STRENGTH, 0.04) * opaque,
            ],
            axis=-1,
        )
        return cls(
            body_width=around(BODY_WIDTH, 0.035),
            shoulder=around(SHOULDER, 0.03),
            lung=lung,
            tilt=around(0.13, 0.03),
            heart=heart,
            diaphragm=around(0.47, 0.05),
            rib_phase=rng.uniform(0, 2 * np.pi, n),
            rib_count=around(6.5, 0.4),
            spine_width=around(0.085, 0.01),
            texture=rng.standard_normal((n, _WAVES, _WAVES)) * 0.011,
            texture_phase=rng.uniform(0, 2 * np.pi, (n, _WAVES, _WAVES, 2)),
            opacity=opacity,
            side=rng.integers(0, 2, n),
        )

    def take(self, rows: Integers) -> Self:
        """The anatomy of the patients with these numbers, repetitions allowed."""
        return replace(self, **{name: value[rows] for name, value in vars(self).items()})


def draw_images(anatomy: Anatomy, rng: np.random.Generator, *, side: int = SIZE) -> Singles:
    """One take of every patient: float32 (n, side, side) in [0, 1], bright where X-rays are absorbed."""
    n = len(anatomy.side)
    x, y = _grid(n, side, rng)
    body = _inside(_ellipse(x, y - 0.35, anatomy.body_width, 1.45), 12) * _inside(
        1 - (y - _column(anatomy.shoulder) - 0.35 * x**2) / 0.6, 5
    )
    lungs, opacity = _lungs(anatomy, x, y)
    lungs *= body**4
    heart_x, heart_y, heart_width, heart_height = (_column(anatomy.heart[:, i]) for i in range(4))
    heart = _inside(_ellipse(x - heart_x - 0.25 * (y - heart_y), y - heart_y, heart_width, heart_height), 7)
    spine = np.exp(-((x / _column(anatomy.spine_width)) ** 2))
    ribs = np.sin(
        np.pi * _column(anatomy.rib_count) * (y + 0.55 * x**2 - 0.2 * np.abs(x)) + _column(anatomy.rib_phase)
    )
    picture = 0.62 * body - 0.44 * lungs * (1 - 0.9 * heart) + 0.10 * spine * body + 0.08 * heart * body
    picture += 0.055 * np.clip(ribs, -0.3, 1) * lungs * (1 - heart)
    picture += opacity * lungs * (1 - heart) + _texture(anatomy, x, y) * body
    gain = 1 + 0.02 * rng.standard_normal((n, 1, 1))
    grain = 0.008 * rng.standard_normal((n, side, side))
    return np.clip(picture * gain + 0.04 + grain, 0, 1).astype(np.float32)


def _grid(n: int, side: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Coordinates of every pixel, a little shifted and scaled from take to take."""
    line = (np.arange(side) + 0.5) / side * 2 - 1
    scale = 1 + 0.012 * rng.standard_normal((n, 1, 1))
    shift = 0.016 * rng.standard_normal((n, 2, 1, 1))
    shape = (n, side, side)
    x = np.broadcast_to(line[None, None, :] * scale + shift[:, 0], shape)
    y = np.broadcast_to(line[None, :, None] * scale + shift[:, 1], shape)
    return x, y


def _lungs(anatomy: Anatomy, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """How much each pixel lies in a lung, and the brightness of the opacity."""
    lungs, opacity = np.zeros_like(x), np.zeros_like(x)
    dome = _column(anatomy.diaphragm)
    for side, direction in ((0, -1.0), (1, 1.0)):
        centre_x, centre_y, width, height = (_column(anatomy.lung[:, side, i]) for i in range(4))
        across = x - centre_x - direction * _column(anatomy.tilt) * (y - centre_y)
        lung = _inside(_ellipse(across, y - centre_y, width, height), 6)
        lung *= _inside(1 + (y - dome - 0.9 * (x - centre_x) ** 2) / 0.3, 12)
        lungs = np.maximum(lungs, lung)
        spot_x, spot_y, size, strength = (_column(anatomy.opacity[:, i]) for i in range(4))
        distance = (x - centre_x - spot_x * width) ** 2 + ((y - centre_y - spot_y * height) / 1.2) ** 2
        opacity += strength * np.exp(-distance / (2 * size**2)) * _column(anatomy.side == side)
    return lungs, opacity


def _texture(anatomy: Anatomy, x: Floats, y: Floats) -> Floats:
    """Smooth and different for every patient: a sum of waves of up to two and a half periods."""
    texture = np.zeros_like(x)
    along, down = (np.arange(_WAVES)[:, None] + 1) * np.pi / 2, (np.arange(_WAVES)[:, None] + 1) * np.pi / 2
    waves_x = np.cos(along[None] * x[:, :1, :].reshape(len(x), 1, -1) + anatomy.texture_phase[:, 0, :, :1])
    waves_y = np.cos(down[None] * y[:, :, :1].reshape(len(y), 1, -1) + anatomy.texture_phase[:, 1, :, 1:])
    np.einsum("nvy,nvw,nwx->nyx", waves_y, anatomy.texture, waves_x, out=texture, optimize=True)
    return texture


def _ellipse(x: Floats, y: Floats, width: Floats, height: Floats | float) -> Floats:
    """Distance from the centre: 1 on the outline."""
    tall = height if isinstance(height, float) else _column(height)
    return np.sqrt((x / _column(width)) ** 2 + (y / tall) ** 2)


def _inside(distance: Floats, sharpness: float) -> Floats:
    """1 well inside (distance below 1), 0 well outside, with a soft edge."""
    return 1 / (1 + np.exp(np.clip(sharpness * 2 * (distance - 1), -30, 30)))


def _column(values: NDArray[np.generic]) -> Floats:
    """One number a patient, ready to meet (n, h, w)."""
    return np.asarray(values, dtype=np.float64).reshape(-1, 1, 1)
