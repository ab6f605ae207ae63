"""Whether generated pictures have as much coarse and fine detail as real ones.

Upsampling layers give pictures a wrong amount of fine detail, which the eye may miss and features forgive (Durall,
Keuper and Keuper 2020, "Watch your up-convolution: CNN based generative deep neural networks are failing to
reproduce spectral distributions"). Blur lowers the high frequencies, noise lifts them.
"""

import numpy as np

from privgan.arrays import Floats, Images, Integers
from privgan.images.blocks import at_once

ROUNDING = (
    1 / 12
)  # power that rounding to whole grey values adds; without it an even picture would have a log of zero
_BLOCK = 64  # images: in double precision, several times what a cache holds
_WHOLE = 64  # pixels a side, up to which so many are transformed at once: in double precision, several times


def radial_spectra(images: Images, rows: Integers | None = None) -> Floats:
    """Natural log of the power at each radial frequency 1..h/2: images uint8 (n, h, h, c) to float64 (n, h // 2).

    Of some rows alone if they are given.

    The azimuthal average of the squared Fourier transform (Durall et al. 2020, equation 3) over rings of width one,
    in squared grey values a pixel, plus `ROUNDING`. Each image's mean is taken off, and a Hann window lowers its
    borders (Harris 1978): where opposite ones do not fit, their edge would drown the fine detail of smooth images.
    Colour channels are averaged.
    """
    side = images.shape[1]
    chosen = np.arange(len(images)) if rows is None else rows
    rings, window = _rings(side), _window(side)
    found = np.empty((len(chosen), side // 2))
    size = at_once(_BLOCK, side, whole=_WHOLE)
    for start in range(0, len(chosen), size):
        block = images[chosen[start : start + size]].astype(np.float64)
        channels = block.transpose(0, 3, 1, 2)
        varying = channels - channels.mean(axis=(2, 3), keepdims=True)
        power = np.square(np.abs(np.fft.fft2(varying * window))).mean(axis=1)
        found[start : start + len(block)] = np.log(power.reshape(len(block), -1) @ rings + ROUNDING)
    return found


def spectrum_distance(A: Floats, B: Floats) -> float:
    """Root mean square over frequencies of the difference of mean log power; 0.7 is a factor of two.

    Args:
        A: `radial_spectra` of one set, (n, f).
        B: those of the other, (m, f).
    """
    return float(np.sqrt(np.square(A.mean(axis=0) - B.mean(axis=0)).mean()))


def _window(side: int) -> Floats:
    """Hann's in both directions, of squares (side, side) that sum to one: white noise keeps its power."""
    along = np.sin(np.pi * (np.arange(side) + 0.5) / side) ** 2
    both = np.outer(along, along)
    return np.asarray(both / np.sqrt(np.square(both).sum()))


def _rings(side: int) -> Floats:
    """Weights (side^2, side // 2) that average a transform over each ring."""
    along = np.fft.fftfreq(side, 1 / side)
    radius = np.rint(np.hypot(along[:, None], along)).ravel()
    rings = (radius[:, None] == np.arange(1, side // 2 + 1)).astype(np.float64)
    rings /= rings.sum(axis=0)
    return np.asarray(rings)
